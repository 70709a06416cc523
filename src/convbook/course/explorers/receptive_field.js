// Receptive field: a stack of layers to edit, and what each output sees of the input.

import { rangeControl, wholeField } from "./lib/controls.js";
import { h, setAttribute, setText } from "./lib/dom.js";
import { legendEntry } from "./lib/figure.js";
import { formatNumber } from "./lib/format.js";
import { resultRow } from "./lib/results.js";
import { createShell } from "./lib/shell.js";
import { STACK_FORMAT } from "./parts/receptive_field_address.js";
import { createSection } from "./parts/receptive_field_drawing.js";
import { edgeOf, measure, middleOf, outputAt, reachOf } from "./parts/receptive_field_levels.js";
import { createPlane } from "./parts/receptive_field_plane.js";
import { LIMITS, PRESETS, presetOf } from "./parts/receptive_field_stacks.js";
import { createTable } from "./parts/receptive_field_table.js";
import { packageLine, packageScript, stepsOf, summaryOf } from "./parts/receptive_field_words.js";

/** Changes to the stack and to what is selected of it, as the table and the controls call for. */
function createEdits(shell, model) {
  /** Show other layers, or another input: `layer` if given, else the same output as before. */
  function edit(patch, layer = null) {
    const [wanted, output] = model.get("selected");
    const next = { ...shell.settings(), ...patch };
    const to = Math.min(layer ?? wanted, next.rows.length);
    const [old, there] = [measure(shell.settings()).levels[wanted], measure(next).levels[to]];
    const stays = layer === null && old && there && output !== middleOf(old);
    const index = stays ? Math.min(output, there.count - 1) : middleOf(there);
    shell.change({ ...patch, selected: [to, index] });
  }

  function onShow(layer, output = middleOf(measure(shell.settings()).levels[layer])) {
    shell.change({ selected: [layer, output] });
  }

  function alter(change, layer = null) {
    const rows = [...shell.settings().rows];
    change(rows);
    edit({ rows }, layer);
  }

  return {
    edit,
    onShow,
    onEdit: (number, column, value) =>
      alter((rows) => rows.splice(number - 1, 1, rows[number - 1].with(column, value))),
    alter,
  };
}

/** Size of the input, and sliders for what is selected. */
function createControls(shell, { edit, onShow }) {
  const size = wholeField({
    label: "Input size",
    name: "Input size",
    limits: LIMITS.input_size,
    onInvalid: shell.warn,
    onInput: (value) => edit({ input_size: value }),
  });
  const slider = (label, hint, min, onInput) =>
    rangeControl({ label, hint, min, max: min, onInput });
  let chosen = null;
  const layer = slider("Layer", "whose field is shown", 1, (value) => onShow(value));
  const output = slider(
    "Output",
    "of that layer",
    0,
    (value) => chosen && onShow(chosen[0], value),
  );
  return {
    elements: [size.root, layer.root, output.root],
    draw(page) {
      ({ chosen } = page);
      const [levels, [number, index]] = [page.levels, chosen ?? [1, 0]];
      size.set(page.input_size);
      layer.limit(Math.max(1, levels.length - 1));
      layer.set(number);
      output.limit(chosen ? levels[number].count - 1 : 0);
      output.set(index);
    },
  };
}

/** Cross-section, plane and sentence; the mouse above an output shows its field for that time. */
function createFigure({ onShow }) {
  let [page, pointed] = [null, null];
  const target = (level, pixel) => {
    const layer = level || page.chosen[0];
    return [layer, outputAt(page.levels[layer], pixel)];
  };
  const pick = (level, pixel) => page.chosen && onShow(...target(level, pixel));

  function point(level, pixel) {
    const there = page.levels[level];
    const over = there && pixel >= edgeOf(there, 0) && pixel < edgeOf(there, there.count);
    const next = over && page.chosen ? target(level, pixel) : null;
    if (String(next) === String(pointed)) return;
    pointed = next;
    drawShown();
  }

  const [section, plane] = [createSection(pick, point), createPlane(pick, point)];
  const summary = h("p", { class: "cb-rf-summary", role: "status" });
  const caption = h("p", { class: "cb-rf-caption" });
  const entries = [
    legendEntry("cb-x cb-lit", "input pixel that feeds it"),
    legendEntry("cb-y cb-lit", "output that feeds it"),
    legendEntry("cb-pad", "padding"),
    legendEntry("cb-rf-grey", "from the output to the ends of its field"),
  ];

  function drawShown() {
    const { levels, rows, chosen } = page;
    const shown = pointed ?? chosen;
    const drawn = { ...page, shown, reach: shown ? reachOf(levels, rows, ...shown) : [] };
    section.draw(drawn);
    plane.draw(drawn);
    const words = summaryOf(levels, rows, shown);
    const size = shown ? formatNumber(levels[shown[0]].size) : "0";
    setAttribute(summary, "aria-live", pointed ? "off" : null);
    setText(summary, words);
    const beyond = drawn.reach[0]?.first < 0 || drawn.reach[0]?.last >= levels[0].count;
    const grey = beyond ? "; grey: outside the input" : "";
    setText(caption, `${size} \u00d7 ${size} pixels${grey}`);
    setAttribute(section.root, "aria-label", `Cross-section: ${words}`);
    setAttribute(plane.root, "aria-label", `The field in two dimensions: ${caption.textContent}`);
  }

  return {
    elements: [section.root, summary, h("ul", { class: "cb-legend" }, entries)],
    plane: h("div", {}, plane.root, caption),
    draw(newPage) {
      [page, pointed] = [newPage, null];
      drawShown();
    },
  };
}

/** How field, jump and start of the layer follow from those of the one before, and the plane. */
function createSteps(/** @type {HTMLElement} */ plane) {
  const [label, steps] = [h("span", {}), h("div", {})];
  return {
    root: resultRow(label, h("div", { class: "cb-rf-both" }, steps, plane)),
    draw({ levels, rows, chosen }) {
      this.root.hidden = !chosen; // no layer has an output
      setText(label, chosen ? `Layer ${chosen[0]}` : "");
      const found = chosen ? stepsOf(levels, rows, chosen[0]) : [];
      const lines = found.map(([name, rule, numbers, result]) => {
        const sum = `${name} = ${numbers} = ${formatNumber(result)}`;
        return h("p", { class: "cb-rf-step" }, sum, " ", h("span", { class: "cb-muted" }, rule));
      });
      steps.replaceChildren(...lines);
    },
  };
}

/** Draw the stack into `el` and keep it in step with `model`. */
function render({ model, el }) {
  const shell = createShell({
    model,
    el,
    name: "receptive-field",
    title: "Receptive field",
    rules: {
      input_size: LIMITS.input_size,
      rows: { fits: Array.isArray, words: "a list of layers" },
    },
    traits: ["selected"],
    presets: PRESETS,
    isShown: (preset) => preset === presetOf(shell.settings()),
    apply: (stack) => edits.edit(stack, stack.rows.length),
    format: STACK_FORMAT,
    writesAddress: true,
  });
  const edits = createEdits(shell, model);
  const [controls, figure] = [createControls(shell, edits), createFigure(edits)];
  const [table, steps] = [createTable(edits), createSteps(figure.plane)];

  function draw() {
    const [stack, selected] = [shell.settings(), model.get("selected")];
    const page = { ...stack, ...measure(stack, selected), selected, width: shell.width() };
    for (const part of [controls, figure, table, steps]) part.draw(page);
    shell.showCode(packageLine(stack.rows));
  }

  const copyScript = () => packageScript(shell.settings().rows);
  return shell.start({
    controls: controls.elements,
    figure: figure.elements,
    below: [table.root],
    results: [steps.root],
    code: { label: "Code", what: "the line", others: [["Copy script", copyScript]] },
    draw,
  });
}

export default { render };
