// Cost: parameters and multiply-adds of a convolution and of three cheaper ones.

import { moreSettings, rangeControl, segmentedControl, wholeField } from "./lib/controls.js";
import { h, setText } from "./lib/dom.js";
import { resultRow } from "./lib/results.js";
import { createShell } from "./lib/shell.js";
import {
  commonDivisors,
  costOf,
  groupsMessage,
  largestGroups,
  meaningOf,
  pytorchLines,
  pytorchScript,
  shapesOf,
  summaryOf,
  workingsOf,
} from "./parts/cost_formulas.js";
import { KINDS, NUMBERS, PRESETS } from "./parts/cost_settings.js";
import { createLegend, createTable } from "./parts/cost_table.js";

/** @type {Record<string, import("./lib/address.js").Rule>} */
const RULES = {
  ...Object.fromEntries(Object.entries(NUMBERS).map(([trait, { limits }]) => [trait, limits])),
  kernel_size: {
    fits: (k) => NUMBERS.kernel_size.stops.includes(k),
    words: `one of ${NUMBERS.kernel_size.stops.join(", ")}`,
  },
  bias: "switch",
  middle: ["in", "out"],
  show: Object.keys(KINDS),
};

/** A slider over a list of numbers, below a field where others are typed: { root, draw(s) }. */
function numberControl(trait, edit, onInvalid) {
  const { label, limits, hint, typed, stops } = NUMBERS[trait];
  const onInput = (value) => edit({ [trait]: value });
  let list = stops;
  const name = typed ? `${label}, usual numbers` : label;
  const onSlide = (place) => onInput(list[place]);
  const slider = rangeControl({ label: name, hint, min: 0, max: 0, onInput: onSlide });
  const field = typed && wholeField({ label, name: label, limits, onInput, onInvalid });
  return {
    root: field ? h("div", { class: "cb-pick" }, field.root, slider.root) : slider.root,
    draw(s) {
      list = stops ?? commonDivisors(s);
      slider.limit(list.length - 1);
      slider.set(list.filter((number) => number <= s[trait]).length - 1, String(s[trait]));
      if (field) field.set(s[trait]);
    },
  };
}

/** Five in sight, the rest folded: { roots, draw(s) }. */
function createControls(edit, onInvalid) {
  const numbers = Object.keys(NUMBERS).map((trait) => numberControl(trait, edit, onInvalid));
  const bias = h("input", { type: "checkbox", on: { change: () => edit({ bias: bias.checked }) } });
  const middle = segmentedControl({
    legend: "Channels between the layers of the spatial pair",
    options: Object.entries({ in: "as many as in", out: "as many as out" }),
    onChange: (value) => edit({ middle: value }),
  });
  const roots = numbers.map((control) => control.root);
  const check = h("label", { class: "cb-check" }, bias, "Bias");
  const tag = h(
    "span",
    { class: "cb-name", "aria-hidden": "true" },
    "Channels between k×1 and 1×k",
  );
  const rest = [roots.pop(), check, h("div", {}, tag, middle.root)];
  return {
    roots: [...roots, moreSettings(rest)],
    draw(s) {
      for (const control of numbers) control.draw(s);
      bias.checked = s.bias;
      middle.set(s.middle);
    },
  };
}

/** Symbols as nodes: C_in becomes a C with a small "in" below. */
const symbols = (text) =>
  text.split(/C_(in|mid|out)/).flatMap((part, i) => (i % 2 ? ["C", h("sub", {}, part)] : [part]));

/** How the costs of the kind shown come about: { root, draw(texts) }. */
function createFormulas() {
  const names = ["Parameters", "MACs", "Ratio of weights"];
  const texts = names.map(() => h("span", {}));
  const lines = names.map((name, i) =>
    h("p", { class: "cb-cost-line" }, h("span", { class: "cb-name" }, name), texts[i]),
  );
  const meaning = h("p", { class: "cb-muted" });
  return {
    root: h("div", {}, lines, meaning),
    draw(workings) {
      lines.forEach((line, i) => {
        line.hidden = !workings[i];
        texts[i].replaceChildren(...symbols(workings[i] ?? ""));
      });
      meaning.replaceChildren(...symbols(meaningOf(workings)));
    },
  };
}

/** Draw the comparison into `el` and keep it in step with `model`. */
function render({ model, el }) {
  const own = { name: "cost", title: "Cost of convolutions", rules: RULES, presets: PRESETS };
  const shell = createShell({ model, el, ...own, apply });
  const controls = createControls(edit, shell.warn);
  const table = createTable((show) => shell.change({ show }));
  const formulas = createFormulas();
  const shapes = h("p", { class: "cb-note" });
  const scale =
    "Bars start at zero: half as long is half the cost. MACs are counted for one image, not timed.";
  const summary = h("p", { class: "cb-cost-summary", role: "status" });
  let wanted = model.get("groups"); // they come back when the channels allow them again
  let given = wanted;

  /** Change settings; the groups follow the channels. */
  function edit(patch) {
    wanted = patch.groups ?? wanted;
    given = largestGroups({ ...shell.settings(), ...patch }, wanted);
    shell.change({ ...patch, groups: given });
  }

  /** Take over a link, or a preset, which knows the kind to show first. */
  function apply(settings) {
    const show = PRESETS.find((preset) => preset.settings === settings)?.show;
    edit(show ? { ...settings, show } : settings);
  }

  const script = () => pytorchScript(shell.settings());

  function draw() {
    const s = shell.settings();
    const cost = costOf(s.show, s);
    const ours = s.groups === given && largestGroups(s, wanted) === given; // no kernel's, nor Reset's
    if (!ours) [wanted, given] = [s.groups, s.groups];
    controls.draw(s);
    table.draw(s);
    shell.say(groupsMessage(s, wanted), wanted !== s.groups);
    setText(shapes, shapesOf(s));
    shell.root.classList.toggle("cb-cost-none", !cost); // the message says why
    if (!cost) return;
    setText(summary, summaryOf(s.show, s));
    formulas.draw(workingsOf(s.show, s));
    shell.showCode(pytorchLines(s.show, s));
  }

  return shell.start({
    controls: controls.roots,
    figure: [shapes, table.root, createLegend(), h("p", { class: "cb-note" }, scale), summary],
    results: [resultRow("Formula", formulas.root)],
    code: {
      label: "PyTorch",
      what: "the PyTorch lines",
      others: [["Copy all as a script", script]],
    },
    draw,
  });
}

export default { render };
