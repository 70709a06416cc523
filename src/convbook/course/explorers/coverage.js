// Coverage: which pixels a dilated stack or a transposed convolution reaches, and how often.

import { parsedField, rangeControl, segmentedControl } from "./lib/controls.js";
import { h, setAttribute, setText } from "./lib/dom.js";
import { legendEntry } from "./lib/figure.js";
import { createPlayer } from "./lib/player.js";
import { range } from "./lib/ranges.js";
import { createShell } from "./lib/shell.js";
import { countsOf, innerTaps, middleOf, reachedOf, stepsOf } from "./parts/coverage_counts.js";
import { createTree } from "./parts/coverage_drawing.js";
import { createMap } from "./parts/coverage_map.js";
import {
  LIMITS,
  packageLine,
  parseDilations,
  placeOf,
  PRESETS,
  pytorchScript,
  reasonOf,
  RULES,
  summaryOf,
  TERMS,
} from "./parts/coverage_words.js";

/** @typedef {import("./parts/coverage_counts.js").Settings} Settings */

/** The controls: { mode, roots, draw(s) }; `edit` takes settings. */
function createControls(shell, edit) {
  const [fewest, most] = LIMITS.layers;
  const [low, high] = LIMITS.dilations;
  const dilations = () => shell.settings().dilations;
  const mode = segmentedControl({
    legend: "What is counted",
    options: [
      ["dilated", "Dilated stack"],
      ["transposed", "Transposed convolution"],
    ],
    onChange: (value) => edit({ mode: value }),
  });
  const schedule = parsedField({
    label: "Dilations",
    hint: "first layer first",
    parse: parseDilations,
    write: (list) => list.join(", "),
    problem: `Dilations: use ${fewest} to ${most} whole numbers from ${low} to ${high}, such as 1, 2, 5.`,
    onInput: (list) => edit({ dilations: list }),
    onInvalid: shell.warn,
  });
  const slider = (label, trait) => {
    const [min, max] = LIMITS[trait];
    return rangeControl({ label, min, max, onInput: (value) => edit({ [trait]: value }) });
  };
  const sliders = {
    kernel_size: slider("Kernel size", "kernel_size"),
    stride: slider("Stride", "stride"),
    dilation: slider("Dilation", "dilation"),
    size: slider("Input size", "size"),
  };
  const count = rangeControl({
    label: "Layers",
    min: fewest,
    max: most,
    onInput: (value) =>
      edit({ dilations: range(0, value).map((i) => dilations()[i] ?? dilations().at(-1)) }),
  });
  const layers = range(0, most).map((i) =>
    rangeControl({
      label: `Layer ${i + 1}`,
      hint: "dilation",
      min: low,
      max: high,
      onInput: (value) => edit({ dilations: dilations().with(i, value) }),
    }),
  );
  const more = h(
    "details",
    { class: "cb-cov-more" },
    h("summary", {}, "More settings"),
    h(
      "div",
      {},
      layers.map((layer) => layer.root),
    ),
  );

  function draw(s) {
    const dilated = s.mode === "dilated";
    mode.set(s.mode);
    schedule.set(s.dilations);
    count.set(s.dilations.length);
    for (const [name, control] of Object.entries(sliders)) control.set(s[name]);
    for (const name of ["stride", "dilation", "size"]) sliders[name].root.hidden = dilated;
    for (const element of [schedule.root, count.root, more]) element.hidden = !dilated;
    layers.forEach((layer, i) => {
      layer.root.hidden = i >= s.dilations.length;
      if (i < s.dilations.length) layer.set(s.dilations[i]);
    });
    for (const { preset, root } of shell.pills) root.hidden = preset.settings.mode !== s.mode;
  }

  const roots = [
    schedule.root,
    count.root,
    ...Object.values(sliders).map((control) => control.root),
    more,
  ];
  return { mode: mode.root, roots, draw };
}

/** The numbers beside the map, each [name, value]. */
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
  return [
    ["Receptive field", `${total} \u00d7 ${total}`],
    ["Reached", `${reached} of ${total}`],
    ["On a map", `${reached ** 2} of ${total ** 2}`],
    ["Weights on a map", String(s.dilations.length * s.kernel_size ** 2)],
  ];
}

/** What the counts say, beside their map: { roots, draw(s) }. */
function createFindings() {
  const map = createMap();
  const [note, terms, reason] = ["cb-note", "", "cb-cov-reason"].map((name) =>
    h("p", { class: name }),
  );
  const facts = h("div", { class: "cb-rf-facts" });
  const legend = h("ul", { class: "cb-legend" });
  const words = h("div", { class: "cb-rf-words" }, facts, reason, terms);
  const below = h("div", { class: "cb-rf-below" }, h("div", {}, map.root, note), words);

  let drawn = "";
  function draw(/** @type {Settings} */ s) {
    const key = JSON.stringify({ ...s, position: null }); // which changes nothing here
    if (key === drawn) return;
    drawn = key;
    const [dilated, counts] = [s.mode === "dilated", countsOf(s)];
    map.draw(s, counts);
    setAttribute(map.root, "aria-label", `The same on a map. ${summaryOf(s)}`);
    setText(note, dilated ? "On a map" : "Taps on a map: the darker, the more");
    facts.replaceChildren(
      ...factsOf(s, counts).map(([name, value]) =>
        h("p", {}, h("span", { class: "cb-name" }, name), " ", h("b", {}, value)),
      ),
    );
    setText(terms, TERMS[s.mode]);
    setText(reason, reasonOf(s));
    const [input, output] = ["cb-x cb-lit", "cb-y cb-lit"];
    const hole = dilated ? "hole: no path ends here" : "no tap falls here";
    legend.replaceChildren(
      legendEntry(
        dilated ? input : output,
        dilated ? "chosen position; on the map: reached" : "chosen position",
      ),
      legendEntry(dilated ? output : input, "on a path to it"),
      ...(counts.includes(0) ? [legendEntry("cb-hole", hole)] : []),
    );
  }

  return { roots: [below, legend], draw };
}

/** Draw the counts into `el` and keep them in step with `model`. */
function render({ model, el }) {
  const looks = { name: "coverage", title: "Coverage", rules: RULES, presets: PRESETS };
  const shell = createShell({ model, el, ...looks, apply: edit });
  const controls = createControls(shell, edit);
  const pick = (position) => shell.change({ position });
  const place = h("p", { role: "status", class: "cb-cov-place cb-place" });
  const player = createPlayer({ what: "position", onShow: pick, live: [place] });
  const tree = createTree({ onPick: pick, onPoint: drawTree });
  const findings = createFindings();

  /** Change settings; unless they name a position, the middle one is lit. */
  function edit(patch) {
    const position = middleOf(countsOf({ ...shell.settings(), ...patch }));
    shell.change({ position, ...patch });
  }

  /** The rows, with the paths through `point`, or through the chosen position. */
  function drawTree(point) {
    const s = /** @type {Settings} */ (shell.settings());
    const last = stepsOf(s).length;
    const index = Math.min(s.position, countsOf(s).length - 1);
    const shown = point ?? { level: last, index };
    const text = placeOf(s, shown);
    tree.draw(s, shown, shell.width());
    setText(place, text);
    return { index, text };
  }

  function draw() {
    const s = /** @type {Settings} */ (shell.settings());
    controls.draw(s);
    findings.draw(s);
    const { index, text } = drawTree(null);
    player.set({ index, count: countsOf(s).length, text, where: `position ${index}` });
    const what =
      s.mode === "dilated" ? "Paths from the output to each input" : "Taps on each output";
    const label = `${what}. ${summaryOf(s)} The arrow keys follow the paths.`;
    setAttribute(tree.root, "aria-label", label);
    shell.showCode(packageLine(s));
  }

  return shell.start({
    top: [controls.mode],
    controls: controls.roots,
    figure: [tree.root, player.root, place, ...findings.roots],
    code: {
      label: "Code",
      what: "the line",
      others: [["Copy PyTorch script", () => pytorchScript(shell.settings())]],
    },
    draw,
  });
}

export default { render };
