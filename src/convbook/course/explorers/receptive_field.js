// Receptive field: a stack of layers to edit, and what each output sees of the input.

import { button, rangeControl, wholeField } from "./lib/controls.js";
import { codeBox } from "./lib/copy.js";
import { h, setAttribute, setText } from "./lib/dom.js";
import { legendEntry } from "./lib/figure.js";
import { formatNumber } from "./lib/format.js";
import { keepInStep } from "./lib/in_step.js";
import { keepKeys } from "./lib/keyboard.js";
import { range } from "./lib/ranges.js";
import { resultRow } from "./lib/results.js";
import { addressOf, fragmentOf, parseFragment } from "./parts/receptive_field_address.js";
import { createPlane, createSection, outputAt } from "./parts/receptive_field_drawing.js";
import { chosenOf, measure, middleOf, reachOf } from "./parts/receptive_field_levels.js";
import { createTable, FIELD_NAMES } from "./parts/receptive_field_table.js";
import {
  packageLine,
  packageScript,
  recurrenceOf,
  summaryOf,
} from "./parts/receptive_field_words.js";

const TRAITS = ["input_size", "rows", "selected"];

/** The preset that is this stack, by its numbers, or undefined. */
function presetOf(presets, inputSize, rows) {
  const numbers = (list) => JSON.stringify(list.map((row) => row.slice(1)));
  return presets.find(
    (preset) => preset.input_size === inputSize && numbers(preset.rows) === numbers(rows),
  );
}

/** Draw the stack into `el` and keep it in step with `model`. */
function render({ model, el }) {
  const first = Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
  const [presets, limits] = [model.get("presets"), model.get("limits")];
  const ruler = h("div", { class: "cb-ruler" });
  const link = keepInStep({ model, traits: TRAITS, ruler, draw });
  const address = addressOf(el, limits);
  const stack = () => [model.get("input_size"), model.get("rows")];

  // -- changes

  /** Show other layers, or another input: `layer` if given, else the same output as before. */
  function edit(patch, layer = null) {
    const [wanted, output] = model.get("selected");
    const { levels } = measure(...stack(), limits);
    const before = chosenOf(levels, [wanted, output]);
    const middle = before?.[0] !== wanted || before[1] === middleOf(levels[wanted]);
    const next = { input_size: model.get("input_size"), rows: model.get("rows"), ...patch };
    const after = measure(next.input_size, next.rows, limits).levels;
    const to = Math.min(layer ?? wanted, next.rows.length);
    const there = after[to];
    const kept = there ? Math.min(output, there.count - 1) : output;
    const selected = [to, there && (layer !== null || middle) ? middleOf(there) : kept];
    link.change({ ...patch, selected });
    address?.write(...stack());
    setText(message, "");
  }

  function show(layer, output = null) {
    const { levels } = measure(...stack(), limits);
    const level = levels[layer];
    link.change({ selected: [layer, output ?? (level ? middleOf(level) : 0)] });
  }

  function showPreset({ input_size: size, rows }) {
    edit({ input_size: size, rows }, rows.length);
  }

  /** Take over the stack in the page's address, if it holds one, and come into view. */
  function readAddress() {
    const found = address?.read();
    if (!found) return;
    if (found.problem) {
      setText(
        message,
        `The stack in this page's address cannot be shown: ${found.problem}. ` +
          "Below is the explorer's own stack.",
      );
    } else {
      showPreset(presetOf(presets, found.input_size, found.rows) ?? found);
    }
    // In the next frame, when what stood here for readers without JavaScript is gone.
    requestAnimationFrame(() => root.scrollIntoView());
  }

  // -- controls
  const message = h("p", { class: "cb-message", role: "status" });
  const pills = presets.map((preset) => ({
    preset,
    root: button(preset.label, () => showPreset(preset), { class: "cb-button cb-preset" }),
  }));
  const reset = button("Reset", () => {
    link.change(first);
    address?.clear();
    setText(message, "");
  });
  const onInvalid = (text) => setText(warning, text ?? "");
  const size = wholeField({
    label: "Input size",
    name: "Input size",
    limits: limits.input_size,
    onInvalid,
    onInput: (value) => edit({ input_size: value }),
  });
  const layerControl = rangeControl({
    label: "Layer",
    hint: "whose field is shown",
    min: 1,
    max: 1,
    onInput: (value) => show(value),
  });
  const outputControl = rangeControl({
    label: "Output",
    hint: "of that layer",
    min: 0,
    max: 0,
    onInput: (value) => page.chosen && show(page.chosen[0], value),
  });

  // -- figure
  let page = null;
  const section = createSection((level, pixel) => {
    if (!page.chosen) return;
    const layer = level || page.chosen[0];
    show(layer, outputAt(page.levels[layer], pixel));
  });
  const plane = createPlane((pixel) => {
    if (page.chosen) show(page.chosen[0], outputAt(page.levels[page.chosen[0]], pixel));
  });
  const summary = h("p", { class: "cb-rf-summary", role: "status" });
  const note = h("p", { class: "cb-rf-note" });
  const facts = FIELD_NAMES.map((name) => {
    const value = h("b", {});
    return { value, root: h("p", {}, h("span", { class: "cb-name" }, name), " ", value) };
  });
  const legend = h(
    "ul",
    { class: "cb-legend" },
    legendEntry("cb-x cb-lit", "input pixel that feeds it"),
    legendEntry("cb-y cb-lit", "output that feeds it"),
    legendEntry("cb-pad", "padding"),
  );

  // -- recurrence, table and code
  const stepsLabel = h("span", {});
  const steps = range(0, 3).map(() => {
    const [sum, rule] = [h("span", {}), h("span", { class: "cb-muted" })];
    return { sum, rule, root: h("p", { class: "cb-rf-step" }, sum, " ", rule) };
  });
  const warning = h("p", { class: "cb-warning", role: "status" });
  const table = createTable({
    limits,
    onInvalid,
    onEdit(number, column, value) {
      const change = (row) => row.map((old, i) => (i === column ? value : old));
      edit({ rows: model.get("rows").map((row, i) => (i === number - 1 ? change(row) : row)) });
    },
    onShow: (number) => show(number),
    onMove(number, by) {
      const rows = [...model.get("rows")];
      rows.splice(number - 1 + by, 0, ...rows.splice(number - 1, 1));
      edit({ rows }, number + by);
    },
    onRemove(number) {
      const rows = model.get("rows").filter((_, i) => i !== number - 1);
      edit({ rows }, Math.min(number, rows.length));
    },
    onAdd() {
      const rows = [...model.get("rows")];
      const number = Math.min(model.get("selected")[0], rows.length);
      rows.splice(number, 0, ["conv", 3, 1, 0, 1]);
      edit({ rows }, number + 1);
    },
  });
  const code = codeBox("the line", [
    ["Copy script", () => packageScript(model.get("rows"))],
    ...(address ? [["Copy link", () => address.link(...stack())]] : []),
  ]);

  const root = h(
    "div",
    { class: "convbook-root cb-receptive-field", role: "group", "aria-label": "Receptive field" },
    h(
      "div",
      { class: "cb-top" },
      h(
        "div",
        { class: "cb-presets" },
        pills.map((pill) => pill.root),
      ),
      message,
      note,
      reset,
    ),
    h("div", { class: "cb-controls" }, size.root, layerControl.root, outputControl.root),
    h(
      "div",
      { class: "cb-figure" },
      ruler,
      section.root,
      h(
        "div",
        { class: "cb-rf-below" },
        h("div", {}, plane.root, h("p", { class: "cb-note" }, "The field in two dimensions")),
        h(
          "div",
          { class: "cb-rf-words" },
          h(
            "div",
            { class: "cb-rf-facts" },
            facts.map((fact) => fact.root),
          ),
          summary,
        ),
      ),
      legend,
    ),
    table.root,
    warning,
    h(
      "div",
      { class: "cb-results" },
      resultRow(
        stepsLabel,
        h(
          "div",
          {},
          steps.map((step) => step.root),
        ),
      ),
      resultRow("Code", code.root),
    ),
  );

  // -- drawing

  /** Everything on the page from what is in the model. */
  function draw() {
    const [inputSize, rows] = stack();
    const selected = model.get("selected");
    const { levels, problem } = measure(inputSize, rows, limits);
    const chosen = chosenOf(levels, selected);
    const reach = chosen ? reachOf(levels, rows, ...chosen) : [];
    page = { levels, rows, problem, chosen, reach, width: link.width() };

    const preset = presetOf(presets, inputSize, rows);
    for (const pill of pills) setAttribute(pill.root, "aria-pressed", pill.preset === preset);
    const own = `Your own stack.${address ? " Copy link, below, keeps and shares it." : ""}`;
    setText(note, preset?.note ?? own);
    size.set(inputSize);
    const [layer, output] = chosen ?? [1, 0];
    layerControl.limit(Math.max(1, levels.length - 1));
    layerControl.set(layer);
    outputControl.limit(chosen ? levels[layer].count - 1 : 0);
    outputControl.set(output);

    section.draw(page);
    plane.draw(page);
    setAttribute(section.root, "aria-label", `Cross-section: ${summaryOf(levels, rows, chosen)}`);
    setAttribute(plane.root, "aria-label", "The field on the input, in two dimensions");
    setText(summary, summaryOf(levels, rows, chosen));
    const level = levels[layer];
    const found = chosen ? [level.count, level.size, level.jump, level.start] : [];
    facts.forEach(({ value }, i) => {
      const text = chosen ? formatNumber(found[i]) : "\u2013";
      setText(value, chosen && i < 2 ? `${text} \u00d7 ${text}` : text);
    });
    setText(stepsLabel, `Layer ${layer}`);
    const recurrence = chosen ? recurrenceOf(levels, rows, layer) : [];
    steps.forEach((step, i) => {
      const [name, rule, numbers, result] = recurrence[i] ?? ["", "", "", 0];
      setText(step.sum, chosen ? `${name} = ${numbers} = ${formatNumber(result)}` : "\u2013");
      setText(step.rule, rule);
    });
    table.draw({ levels, rows, problem, layer: Math.min(selected[0], rows.length) });
    setText(code.line, packageLine(rows));
  }

  el.replaceChildren(keepKeys(root));
  link.start();
  readAddress();
  const stopListening = address?.listen(readAddress);
  return () => {
    stopListening?.();
    link.stop();
  };
}

export {
  fragmentOf,
  measure,
  outputAt,
  packageLine,
  packageScript,
  parseFragment,
  presetOf,
  reachOf,
  recurrenceOf,
  summaryOf,
};
export default { render };
