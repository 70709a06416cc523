// Cost: parameters and multiply-adds of a convolution and of three cheaper ones.

import { button, rangeControl, segmentedControl, wholeField } from "./lib/controls.js";
import { codeBox } from "./lib/copy.js";
import { h, setAttribute, setText } from "./lib/dom.js";
import { withCommas } from "./lib/format.js";
import { keepInStep } from "./lib/in_step.js";
import { keepKeys } from "./lib/keyboard.js";
import { range } from "./lib/ranges.js";
import { resultRow } from "./lib/results.js";
import {
  commonDivisors,
  costOf,
  inNumbers,
  largestGroups,
  macsFormula,
  paramsFormula,
  problemOf,
  pytorchLines,
  pytorchScript,
  ratioText,
  summaryOf,
  total,
  valuesOf,
} from "./parts/cost_formulas.js";
import { COLUMNS, createTable } from "./parts/cost_table.js";

const SETTINGS = [
  "in_channels",
  "out_channels",
  "kernel_size",
  "groups",
  "input_size",
  "stride",
  "bias",
  "middle",
];
const TRAITS = [...SETTINGS, "show"];

// ---------------------------------------------------------------- controls

/** A field for a whole number and a slider over `usual` ones: { root, set(value) }. */
function pickControl({ label, limits, usual, onInput, onInvalid }) {
  const field = wholeField({ label, name: label, limits, onInput, onInvalid });
  const slider = h("input", {
    type: "range",
    min: 0,
    max: usual.length - 1,
    step: 1,
    "aria-label": `${label}, usual numbers`,
  });
  slider.addEventListener("input", () => onInput(usual[Number(slider.value)]));
  return {
    root: h("div", { class: "cb-pick" }, field.root, slider),
    set(value) {
      field.set(value);
      const place = String(usual.filter((number) => number <= value).length - 1);
      if (slider.value !== place) slider.value = place;
      setAttribute(slider, "aria-valuetext", value);
    },
  };
}

/** A slider over a list of numbers: { root, set(value, numbers) }. */
function listControl({ label, hint, onInput }) {
  let numbers = [];
  const control = rangeControl({
    label,
    hint,
    min: 0,
    max: 0,
    onInput: (place) => onInput(numbers[place]),
  });
  return {
    root: control.root,
    set(value, list) {
      numbers = list;
      control.limit(list.length - 1);
      control.set(list.filter((number) => number <= value).length - 1, String(value));
    },
  };
}

/** A box to tick: { root, set(on) }. */
function checkControl({ label, onChange }) {
  const input = h("input", { type: "checkbox" });
  input.addEventListener("change", () => onChange(input.checked));
  return {
    root: h("label", { class: "cb-check" }, input, label),
    set(on) {
      input.checked = on;
    },
  };
}

// ---------------------------------------------------------------- the page

/** Symbols as nodes: C_in becomes a C with a small "in" below. */
function symbols(text) {
  return text
    .split(/C_(in|mid|out)/)
    .flatMap((part, i) => (i % 2 ? ["C", h("sub", {}, part)] : [document.createTextNode(part)]));
}

/** The samples of one entry of the legend, in the colours of both columns. */
function barEntry(css, text) {
  const samples = COLUMNS.map(([name]) =>
    h("span", { class: `cb-bar-${name}` }, h("span", { class: `cb-bar-part ${css}` })),
  );
  return h("li", {}, h("span", { class: "cb-samples", "aria-hidden": "true" }, samples), text);
}

/** Draw the comparison into `el` and keep it in step with `model`. */
function render({ model, el }) {
  const first = Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
  const [kinds, presets, limits, usual] = ["kinds", "presets", "limits", "usual"].map((name) =>
    model.get(name),
  );
  const odd = range(...limits.kernel_size)
    .concat(limits.kernel_size[1])
    .filter((k) => k % 2);
  const ruler = h("div", { class: "cb-ruler" });
  const link = keepInStep({ model, traits: TRAITS, ruler, draw });
  const settings = () => Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));

  // -- changes

  // How many groups the reader asked for: they come back when the channels allow them again.
  let wanted = model.get("groups");
  let given = wanted;

  /** Change settings; the groups follow the channels. */
  function edit(patch) {
    if ("groups" in patch) wanted = patch.groups;
    given = largestGroups({ ...settings(), ...patch }, wanted);
    link.change({ ...patch, groups: given });
  }

  const onInvalid = (text) => setText(warning, text ?? "");

  // -- controls
  const pills = presets.map((preset) => ({
    preset,
    root: button(preset.label, () => edit({ ...preset.settings, show: preset.show }), {
      class: "cb-button cb-preset",
    }),
  }));
  const note = h("p", { class: "cb-about" });
  const reset = button("Reset", () => {
    [wanted, given] = [first.groups, first.groups];
    link.change(first);
  });
  const pick = (label, trait, numbers) =>
    pickControl({
      label,
      limits: limits[trait],
      usual: numbers,
      onInvalid,
      onInput: (value) => edit({ [trait]: value }),
    });
  const list = (label, trait, hint) =>
    listControl({ label, hint, onInput: (value) => edit({ [trait]: value }) });
  const controls = {
    in_channels: pick("Channels in", "in_channels", usual.channels),
    out_channels: pick("Channels out", "out_channels", usual.channels),
    input_size: pick("Map size", "input_size", usual.input_size),
    kernel_size: list("Kernel size", "kernel_size"),
    groups: list("Groups", "groups", "of the grouped one"),
    stride: list("Stride", "stride"),
  };
  const bias = checkControl({ label: "Bias", onChange: (on) => edit({ bias: on }) });
  const middle = segmentedControl({
    legend: "Channels between the layers of the spatial pair",
    options: [
      ["in", "as many as in"],
      ["out", "as many as out"],
    ],
    onChange: (value) => edit({ middle: value }),
  });
  const warning = h("p", { class: "cb-warning", role: "status" });
  const message = h("p", { class: "cb-message", role: "status" });

  // -- figure
  const shapes = h("p", { class: "cb-caption" });
  const table = createTable(kinds, (key) => link.change({ show: key }));
  const legend = h(
    "ul",
    { class: "cb-legend" },
    barEntry("", "the convolution, or the first of a pair"),
    barEntry("cb-bar-second", "the second of a pair"),
    h("li", {}, h("span", { class: "cb-bar-mark", "aria-hidden": "true" }), "the standard one"),
  );
  const axis = h(
    "p",
    { class: "cb-note" },
    "Bars are linear and start at zero: half as long is half the cost. MACs are counted for one " +
      "image, not timed.",
  );
  const summary = h("p", { class: "cb-cost-summary", role: "status" });

  // -- formulas and code
  const lines = ["Parameters", "MACs", "Ratio of weights"].map((name) => {
    const text = h("span", {});
    return { text, root: h("p", { class: "cb-cost-line" }, h("b", {}, name), text) };
  });
  const meaning = h(
    "p",
    { class: "cb-muted" },
    symbols(
      "C_in, C_mid, C_out: channels in, between and out; k: kernel size; g: groups; n: map size, " +
        "m: after the stride",
    ),
  );
  const shown = () => kinds.find((kind) => kind.key === model.get("show"));
  const code = codeBox("the PyTorch lines", [
    ["Copy all as a script", () => pytorchScript(kinds, settings())],
  ]);
  const formulas = resultRow(
    "Formula",
    h(
      "div",
      {},
      lines.map((line) => line.root),
      meaning,
    ),
  );
  const pytorch = resultRow("PyTorch", code.root);

  const root = h(
    "div",
    { class: "convbook-root cb-cost", role: "group", "aria-label": "Cost of convolutions" },
    h(
      "div",
      { class: "cb-top" },
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
      Object.values(controls).map((control) => control.root),
      bias.root,
      h(
        "div",
        { class: "cb-middle" },
        h(
          "span",
          { class: "cb-name", "aria-hidden": "true" },
          "Channels between k\u00d71 and 1\u00d7k",
        ),
        middle.root,
      ),
      warning,
    ),
    h("div", { class: "cb-figure" }, ruler, message, shapes, table.root, legend, axis, summary),
    h("div", { class: "cb-results" }, formulas, pytorch),
  );

  // -- drawing

  /** Everything on the page from what is in the model. */
  function draw() {
    const s = settings();
    if (s.groups !== given) [wanted, given] = [s.groups, s.groups]; // a kernel's doing
    const kind = shown();
    const costs = kinds.map((one) => costOf(one, s));
    const problem = problemOf(s);

    const same = (preset) => SETTINGS.every((name) => preset.settings[name] === s[name]);
    const preset = presets.find(same);
    for (const pill of pills) setAttribute(pill.root, "aria-pressed", pill.preset === preset);
    setText(note, preset?.note ?? "Your own numbers.");
    for (const name of ["in_channels", "out_channels", "input_size"]) controls[name].set(s[name]);
    controls.kernel_size.set(s.kernel_size, odd);
    controls.groups.set(s.groups, commonDivisors(s));
    controls.stride.set(s.stride, limits.stride);
    bias.set(s.bias);
    middle.set(s.middle);
    const fewer =
      `groups=${wanted} must divide in_channels=${s.in_channels} and ` +
      `out_channels=${s.out_channels}; groups=${s.groups} is shown.`;
    setText(message, problem ? `${problem}.` : wanted === s.groups ? "" : fewer);
    message.classList.toggle("cb-mild", !problem);

    const { n, m } = valuesOf(s);
    setText(
      shapes,
      `Each makes (${s.out_channels}, ${m}, ${m}) of (${s.in_channels}, ${n}, ${n}): ` +
        "channels, height, width.",
    );
    table.draw(s, costs, kind.key);
    setText(summary, summaryOf(kind, kinds[0], s));

    const cost = costOf(kind, s);
    summary.hidden = formulas.hidden = pytorch.hidden = !cost; // the message says why
    if (!cost) return;
    const counts = (parts) => {
      const numbers = parts.map(withCommas).join(" + ");
      return parts.length > 1 ? ` = ${numbers} = ${withCommas(total(parts))}` : ` = ${numbers}`;
    };
    const texts = [
      [paramsFormula(kind, s), counts(cost.params)],
      [macsFormula(kind, s), counts(cost.macs)],
      [kind.ratio, ` = ${inNumbers(kind.ratio, s)} = ${weightRatio(kind, s)}`],
    ];
    lines.forEach(({ text }, i) => {
      const [formula, end] = texts[i];
      if (text.dataset.formula !== formula + end) text.replaceChildren(...symbols(formula), end);
      text.dataset.formula = formula + end;
    });
    lines[2].root.hidden = kind === kinds[0];
    setText(code.line, pytorchLines(kind, s));
  }

  /** The ratio of a kind's weights to those of the standard convolution, without biases. */
  function weightRatio(kind, s) {
    const weights = [kind, kinds[0]].map((one) => total(costOf(one, { ...s, bias: false }).params));
    return ratioText(...weights);
  }

  el.replaceChildren(keepKeys(root));
  link.start();
  return link.stop;
}

export {
  commonDivisors,
  costOf,
  inNumbers,
  macsFormula,
  paramsFormula,
  problemOf,
  pytorchLines,
  ratioText,
  summaryOf,
};
export default { render };
