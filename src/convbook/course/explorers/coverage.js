// Coverage: which pixels a dilated stack or a transposed convolution reaches, and how often.

import { button, rangeControl, segmentedControl } from "./lib/controls.js";
import { codeBox } from "./lib/copy.js";
import { h, setAttribute, setText } from "./lib/dom.js";
import { legendEntry } from "./lib/figure.js";
import { keepInStep } from "./lib/in_step.js";
import { keepKeys } from "./lib/keyboard.js";
import { range } from "./lib/ranges.js";
import { resultRow } from "./lib/results.js";
import {
  countsOf,
  innerTaps,
  levelsOf,
  litOf,
  middleOf,
  reachedOf,
  stepsOf,
} from "./parts/coverage_counts.js";
import { createPlane, createTree } from "./parts/coverage_drawing.js";
import {
  packageLine,
  parseDilations,
  placeOf,
  pytorchScript,
  reasonOf,
  summaryOf,
} from "./parts/coverage_words.js";

const SETTINGS = ["mode", "dilations", "kernel_size", "stride", "dilation", "size"];
const TRAITS = [...SETTINGS, "position"];

// ---------------------------------------------------------------- controls

/** A field for a list of dilations: { root, set(dilations) }; `onInvalid` hears of what is none. */
function scheduleField({ limits, onInput, onInvalid }) {
  const name = "Dilations";
  const input = h("input", {
    type: "text",
    inputmode: "numeric",
    autocomplete: "off",
    spellcheck: "false",
    class: "cb-number cb-cov-schedule",
  });
  const [fewest, most] = limits.layers;
  const [low, high] = limits.dilations;
  let text = "";
  input.addEventListener("input", () => {
    const dilations = parseDilations(input.value, limits);
    setAttribute(input, "aria-invalid", dilations === null ? "true" : null);
    onInvalid(
      dilations === null
        ? `${name}: use ${fewest} to ${most} whole numbers from ${low} to ${high}, such as 1, 2, 5.`
        : null,
    );
    if (dilations !== null) onInput(dilations);
  });
  input.addEventListener("focusout", () => {
    // Leaving the field: what counts is shown, so nothing half typed stays behind.
    setAttribute(input, "aria-invalid", null);
    onInvalid(null);
    input.value = text;
  });
  const hint = h("span", { class: "cb-hint" }, "first layer first");
  return {
    root: h(
      "label",
      { class: "cb-field" },
      h("span", { class: "cb-name" }, name, " ", hint),
      input,
    ),
    set(dilations) {
      text = dilations.join(", ");
      const same =
        JSON.stringify(parseDilations(input.value, limits)) === JSON.stringify(dilations);
      // What is being typed stays as it is while it says the same, or says nothing yet.
      const typing =
        document.activeElement === input && (same || input.hasAttribute("aria-invalid"));
      if (!typing && input.value !== text) input.value = text;
    },
  };
}

// ---------------------------------------------------------------- the page

/** Draw the counts into `el` and keep them in step with `model`. */
function render({ model, el }) {
  const first = Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
  const [presets, limits] = [model.get("presets"), model.get("limits")];
  const ruler = h("div", { class: "cb-ruler" });
  const link = keepInStep({ model, traits: TRAITS, ruler, draw });
  const settings = () => Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));

  /** Change settings; the middle position is lit. */
  function edit(patch) {
    const position = middleOf(countsOf({ ...settings(), ...patch }));
    link.change({ ...patch, position });
  }

  // -- controls
  const mode = segmentedControl({
    legend: "What is counted",
    options: [
      ["dilated", "Dilated stack"],
      ["transposed", "Transposed convolution"],
    ],
    onChange: (value) => edit({ mode: value }),
  });
  const pills = presets.map((preset) => ({
    preset,
    root: button(preset.label, () => edit(preset.settings), { class: "cb-button cb-preset" }),
  }));
  const note = h("p", { class: "cb-about" });
  const reset = button("Reset", () => link.change(first));
  const slider = (label, trait, hint) => {
    const [min, max] = limits[trait];
    return rangeControl({ label, hint, min, max, onInput: (value) => edit({ [trait]: value }) });
  };
  const warning = h("p", { class: "cb-warning", role: "status" });
  const schedule = scheduleField({
    limits,
    onInput: (dilations) => edit({ dilations }),
    onInvalid: (text) => setText(warning, text ?? ""),
  });
  const [fewest, most] = limits.layers;
  const [low, high] = limits.dilations;
  const layers = range(0, most).map((i) =>
    rangeControl({
      label: `Layer ${i + 1}`,
      hint: "dilation",
      min: low,
      max: high,
      onInput(value) {
        edit({ dilations: model.get("dilations").map((old, j) => (i === j ? value : old)) });
      },
    }),
  );
  const add = button(
    "Add a layer",
    () => {
      const dilations = model.get("dilations");
      edit({ dilations: [...dilations, dilations[dilations.length - 1]] });
      if (add.disabled) remove.focus();
    },
    { class: "cb-button cb-tool" },
  );
  const remove = button(
    "Remove the last",
    () => {
      edit({ dilations: model.get("dilations").slice(0, -1) });
      if (remove.disabled) add.focus();
    },
    { class: "cb-button cb-tool" },
  );
  const controls = {
    kernel_size: slider("Kernel size", "kernel_size"),
    stride: slider("Stride", "stride"),
    dilation: slider("Dilation", "dilation"),
    size: slider("Input size", "size"),
  };
  const position = rangeControl({
    label: "Position",
    hint: "whose paths are lit",
    min: 0,
    max: 0,
    onInput: (value) => link.change({ position: value }),
  });
  const tools = h("div", { class: "cb-cov-tools" }, add, remove);
  const onlyDilated = [schedule.root, tools];
  const onlyTransposed = ["stride", "dilation", "size"].map((name) => controls[name].root);

  // -- figure
  const tree = createTree((value) => link.change({ position: value }));
  const plane = createPlane();
  const planeNote = h("p", { class: "cb-note" });
  const facts = range(0, 4).map(() => {
    const [name, value] = [h("span", { class: "cb-name" }), h("b", {})];
    return { name, value, root: h("p", {}, name, " ", value) };
  });
  const summary = h("p", { class: "cb-cov-summary" });
  const reason = h("p", { class: "cb-cov-reason" });
  const chosen = h("p", { role: "status", class: "cb-cov-place cb-place" });
  const legend = h("ul", { class: "cb-legend" });
  const code = codeBox("the line", [["Copy PyTorch script", () => pytorchScript(settings())]]);

  const root = h(
    "div",
    { class: "convbook-root cb-coverage", role: "group", "aria-label": "Coverage" },
    h(
      "div",
      { class: "cb-top" },
      mode.root,
      h(
        "div",
        { class: "cb-presets" },
        pills.map((pill) => pill.root),
      ),
      note,
      reset,
    ),
    h(
      "div",
      { class: "cb-controls" },
      schedule.root,
      Object.values(controls).map((control) => control.root),
      position.root,
      layers.map((layer) => layer.root),
      tools,
      warning,
    ),
    h(
      "div",
      { class: "cb-figure" },
      ruler,
      tree.root,
      h(
        "div",
        { class: "cb-rf-below" },
        h("div", {}, plane.root, planeNote),
        h(
          "div",
          { class: "cb-rf-words" },
          h(
            "div",
            { class: "cb-rf-facts" },
            facts.map((fact) => fact.root),
          ),
          summary,
          reason,
          chosen,
        ),
      ),
      legend,
    ),
    h("div", { class: "cb-results" }, resultRow("Code", code.root)),
  );

  /** The four numbers beside the map, each [name, value]. */
  function factsOf(s, counts) {
    const [total, reached] = [counts.length, reachedOf(counts)];
    if (s.mode === "transposed") {
      const inner = innerTaps(s);
      const [least, largest] = [Math.min(...inner), Math.max(...inner)];
      const even = least === largest;
      return [
        ["Output", `${total} \u00d7 ${total}`],
        ["Overlap", even ? "even" : "uneven"],
        ["Taps inside", even ? String(least) : inner.join(", ")],
        ["On a map", even ? String(least ** 2) : `${least ** 2} to ${largest ** 2}`],
      ];
    }
    const [n, k] = [s.dilations.length, s.kernel_size];
    return [
      ["Receptive field", `${total} \u00d7 ${total}`],
      ["Reached", `${reached} of ${total}`],
      ["On a map", `${reached ** 2} of ${total ** 2}`],
      ["Weights on a map", String(n * k * k)],
    ];
  }

  let legendOf = "";
  function drawLegend(s, holes) {
    const key = `${s.mode} ${holes}`;
    if (key === legendOf) return;
    legendOf = key;
    const dilated = s.mode === "dilated";
    legend.replaceChildren(
      legendEntry(dilated ? "cb-x cb-lit" : "cb-y cb-lit", "lit position"),
      legendEntry(dilated ? "cb-y cb-lit" : "cb-x cb-lit", "on a path to it"),
      ...(holes
        ? [legendEntry("cb-hole", dilated ? "hole: no path ends here" : "no tap falls here")]
        : []),
    );
  }

  // -- drawing

  /** Everything on the page from what is in the model. */
  function draw() {
    const s = settings();
    const dilated = s.mode === "dilated";
    const [levels, steps] = [levelsOf(s), stepsOf(s)];
    const { counts } = levels[levels.length - 1];
    const at = Math.min(model.get("position"), counts.length - 1);

    mode.set(s.mode);
    const same = ({ settings: wanted }) =>
      Object.keys(wanted).every((name) => String(wanted[name]) === String(s[name]));
    const preset = presets.find(same);
    for (const pill of pills) {
      pill.root.hidden = pill.preset.settings.mode !== s.mode;
      setAttribute(pill.root, "aria-pressed", pill.preset === preset);
    }
    setText(note, preset?.note ?? "Your own numbers.");
    for (const [name, control] of Object.entries(controls)) control.set(s[name]);
    schedule.set(s.dilations);
    layers.forEach((layer, i) => {
      layer.root.hidden = !dilated || i >= s.dilations.length;
      if (i < s.dilations.length) layer.set(s.dilations[i]);
    });
    for (const element of onlyDilated) element.hidden = !dilated;
    for (const element of onlyTransposed) element.hidden = dilated;
    add.disabled = s.dilations.length === most;
    remove.disabled = s.dilations.length === fewest;
    position.limit(counts.length - 1);
    position.set(at);

    tree.draw({
      s,
      levels,
      steps,
      lit: litOf(levels, steps, at),
      position: at,
      width: link.width(),
    });
    plane.draw({ s, levels });
    const words = summaryOf(s);
    const what = dilated ? "Paths from one output to each input position" : "Taps on each output";
    setAttribute(tree.root, "aria-label", `${what}. ${words} ${placeOf(s, at)}`);
    setAttribute(plane.root, "aria-label", `The same on a map. ${words}`);
    setText(
      planeNote,
      dilated ? "Pixels of a map that are reached" : "Taps on the pixels of a map",
    );
    factsOf(s, counts).forEach(([name, value], i) => {
      setText(facts[i].name, name);
      setText(facts[i].value, value);
    });
    setText(summary, words);
    setText(reason, reasonOf(s));
    setText(chosen, placeOf(s, at));
    drawLegend(s, reachedOf(counts) < counts.length);
    setText(code.line, packageLine(s));
  }

  el.replaceChildren(keepKeys(root));
  link.start();
  return link.stop;
}

export { countsOf, packageLine, parseDilations, placeOf, reasonOf, summaryOf };
export default { render };
