// Conv stepper: one convolution, one output cell at a time.

import {
  convolve,
  convOutputSize,
  convTranspose,
  convTransposeOutputSize,
  productsOf,
  samePadding,
  sumTaps,
} from "./lib/arithmetic.js";
import { button, rangeControl, segmentedControl, stepButtons } from "./lib/controls.js";
import { codeBox } from "./lib/copy.js";
import { h, setAttribute, setText } from "./lib/dom.js";
import { block, fitFlow, legendEntry } from "./lib/figure.js";
import { formatCell, formatFactor, formatNumber, LARGEST, parseNumber } from "./lib/format.js";
import { createGrid } from "./lib/grid.js";
import { keepInStep } from "./lib/in_step.js";
import { keepKeys } from "./lib/keyboard.js";
import { boxOf, corner, range } from "./lib/ranges.js";
import { resultRow, writeSum } from "./lib/results.js";
import {
  canvasOf,
  DEFAULTS,
  formulaOf,
  LIMITS,
  noteOn,
  outputSizeOf,
  PRESETS,
  problemWith,
  pytorchLine,
  pytorchScript,
  readSettings,
  tapsOf,
} from "./parts/conv_stepper_settings.js";

const OPERATORS = { convolution: "\u22c6", transposed: "\u22c6\u1d40" };

/** Draw the stepper into `el` and keep it in step with `model`. */
function render({ model, el }) {
  const traits = [...Object.keys(DEFAULTS), "input_values", "kernel_values"];
  const first = Object.fromEntries(traits.map((name) => [name, model.get(name)]));
  let linked = first.padding[0] === first.padding[1];
  let complaint = null; // what a field holds that is no number
  const ruler = h("div", { class: "cb-ruler" });
  const link = keepInStep({ model, traits, ruler, draw });
  const { change } = link;

  /** Replace one number of a grid. */
  function edit(trait, row, col, value, wrong) {
    const grid = model.get(trait).map((line) => [...line]);
    grid[row][col] = value;
    complaint = wrong === null ? null : { trait, row, col, wrong };
    change({ [trait]: grid });
  }

  const pick = (row, col) => change({ selected: [row, col] });
  const grids = {
    x: createGrid({
      kind: "input",
      label: "Input x",
      onPick() {},
      onEdit: (...args) => edit("input_values", ...args),
    }),
    w: createGrid({
      kind: "kernel",
      label: "Kernel w",
      onPick() {},
      onEdit: (...args) => edit("kernel_values", ...args),
    }),
    y: createGrid({ kind: "output", label: "Output y", onPick: pick, onEdit() {} }),
  };

  // -- controls
  const presets = PRESETS.map(([label, patch]) => ({
    patch,
    root: button(
      label,
      () => {
        linked = patch.padding[0] === patch.padding[1];
        complaint = null;
        change({
          ...patch,
          input_values: first.input_values,
          kernel_values: first.kernel_values,
        });
      },
      { class: "cb-button cb-preset", "aria-pressed": "false" },
    ),
  }));
  const reset = button("Reset", () => {
    linked = first.padding[0] === first.padding[1];
    complaint = null;
    change(first);
  });
  const mode = segmentedControl({
    legend: "Operation",
    options: [
      ["convolution", "Convolution"],
      ["transposed", "Transposed"],
    ],
    onChange: (value) => change({ mode: value }),
  });
  const simple = (label, trait, min, max) =>
    rangeControl({ label, min, max, onInput: (value) => change({ [trait]: value }) });
  const pad = (label, hint, side) =>
    rangeControl({
      label,
      hint,
      min: 0,
      max: LIMITS.padding,
      onInput(value) {
        const padding = [...model.get("padding")];
        padding[side] = value;
        if (linked) padding[1 - side] = value;
        change({ padding });
      },
    });
  const controls = {
    input_size: simple("Input size", "input_size", 1, LIMITS.input),
    kernel_size: simple("Kernel size", "kernel_size", 1, LIMITS.kernel),
    stride: simple("Stride", "stride", 1, LIMITS.stride),
    dilation: simple("Dilation", "dilation", 1, LIMITS.dilation),
    before: pad("Padding before", "top/left", 0),
    after: pad("Padding after", "bottom/right", 1),
    output_padding: simple("Output padding", "output_padding", 0, LIMITS.outputPadding),
  };
  const equal = h("input", { type: "checkbox" });
  equal.addEventListener("change", () => {
    linked = equal.checked;
    const [before] = model.get("padding");
    if (linked) change({ padding: [before, before] });
  });

  // -- figure
  const blocks = {
    x: block("x", "Input", "x", grids.x),
    w: block("w", "Kernel", "w", grids.w),
    y: block("y", "Output", "y", grids.y),
  };
  const operator = h("span", { class: "cb-operator cb-op1", "aria-hidden": "true" });
  const equals = h("span", { class: "cb-operator cb-op2", "aria-hidden": "true" }, "=");
  const flow = h(
    "div",
    { class: "cb-flow" },
    blocks.x.root,
    operator,
    blocks.w.root,
    equals,
    blocks.y.root,
  );
  const nothing = h("div", { class: "cb-nothing" }, "no output");
  blocks.y.root.append(nothing);
  const message = h("p", { class: "cb-message", role: "status" });
  const legend = h("ul", { class: "cb-legend" });
  const note = h("p", { class: "cb-note" });

  // -- the sum, the size, the line
  const sum = h("div", { class: "cb-sum", role: "status" });
  const steps = stepButtons(step);
  const names = h("div", { class: "cb-formula cb-muted" });
  const numbers = h("div", { class: "cb-formula" });
  const crop = (trait, size) => corner(model.get(trait), size);
  const script = () => {
    const s = readSettings(model);
    return pytorchScript(s, crop("input_values", s.size), crop("kernel_values", s.kernel));
  };
  const code = codeBox("the PyTorch line", [["Copy with numbers", script]]);
  const results = h(
    "div",
    { class: "cb-results" },
    resultRow("Products", h("div", {}, steps.root, sum)),
    resultRow("Size", h("div", {}, numbers, names)),
    resultRow("PyTorch", code.root),
  );

  const root = h(
    "div",
    {
      class: "convbook-root cb-stepper",
      role: "group",
      "aria-label": "Convolution stepper",
    },
    h(
      "div",
      { class: "cb-top" },
      mode.root,
      reset,
      h(
        "div",
        { class: "cb-presets", role: "group", "aria-label": "Examples" },
        presets.map((preset) => preset.root),
      ),
    ),
    h(
      "div",
      { class: "cb-controls" },
      Object.values(controls).map((control) => control.root),
      h("label", { class: "cb-check" }, equal, "Equal on both sides"),
    ),
    h("div", { class: "cb-figure" }, ruler, message, flow, legend, note),
    results,
  );

  /** Choose the cell `by` places on, in reading order, round the corner at either end. */
  function step(by) {
    const s = readSettings(model);
    if (problemWith(s)) return;
    const size = outputSizeOf(s);
    const [row, col] = chosen(size);
    const place = (row * size + col + by + size * size) % (size * size);
    change({ selected: [Math.floor(place / size), place % size] });
  }

  /** The chosen output cell, brought inside an output of `size`. */
  function chosen(size) {
    return model.get("selected").map((index) => Math.min(Math.max(0, index), size - 1));
  }

  /** Fit the three grids into the width there is. */
  let fitted = "";
  function fit(s, canvas) {
    const width = link.width();
    const pads = s.mode === "convolution" ? s.before + s.after : 0;
    const cells = { x: s.size + pads, w: s.kernel, y: canvas ? canvas.bottom - canvas.top : 2 };
    const key = [width, cells.x, cells.w, cells.y].join();
    if (key === fitted) return;
    fitted = key;
    fitFlow(flow, cells, width, { enough: width < 480 ? 34 : 22 });
  }

  /** Everything on the page from what is in the model. */
  function draw() {
    const s = readSettings(model);
    const problem = problemWith(s);
    const x = crop("input_values", s.size);
    const w = crop("kernel_values", s.kernel);
    drawControls(s);
    const canvas = problem ? null : canvasOf(s);
    fit(s, canvas);
    const size = problem ? 0 : outputSizeOf(s);
    const here = problem ? null : chosen(size);
    const rowTaps = problem ? [] : tapsOf(s, here[0]);
    const colTaps = problem ? [] : tapsOf(s, here[1]);
    const read = new Set(range(0, size).flatMap((o) => tapsOf(s, o).map(([index]) => index)));
    drawInput(s, x, rowTaps, colTaps, read, Boolean(problem));
    drawKernel(s, w, rowTaps, colTaps);
    drawOutput(s, x, w, size, here, canvas);
    const shown = complaint && complaint.wrong !== "" ? complaint : null;
    const field = shown?.trait === "input_values" ? "Input" : "Kernel";
    const wrong = shown
      ? `${field} row ${shown.row}, column ${shown.col} holds \u201c${shown.wrong}\u201d, which is ` +
        `no number from \u2212${LARGEST} to ${LARGEST}; it counts as 0.`
      : "";
    setText(message, [problem, wrong].filter(Boolean).join(" "));
    message.hidden = !problem && !wrong;
    nothing.hidden = !problem;
    grids.y.shell.hidden = Boolean(problem);
    results.hidden = Boolean(problem);
    legend.hidden = Boolean(problem);
    note.hidden = Boolean(problem);
    if (!problem) drawResults(s, x, w, size, here, rowTaps, colTaps, read);
  }

  function drawControls(s) {
    mode.set(s.mode);
    for (const name of ["input_size", "kernel_size", "stride", "dilation", "output_padding"]) {
      controls[name].set(model.get(name));
    }
    controls.before.set(s.before);
    controls.after.set(s.after);
    controls.output_padding.root.hidden = s.mode !== "transposed";
    equal.checked = linked && s.before === s.after;
    const settings = Object.keys(DEFAULTS).filter((name) => name !== "selected");
    for (const { patch, root: presetButton } of presets) {
      const same = settings.every((name) => String(model.get(name)) === String(patch[name]));
      setAttribute(presetButton, "aria-pressed", String(same));
    }
    setText(operator, OPERATORS[s.mode]);
  }

  function drawInput(s, x, rowTaps, colTaps, read, quiet) {
    const padded = s.mode === "convolution";
    const top = padded ? -s.before : 0;
    const bottom = s.size + (padded ? s.after : 0);
    const inside = (index) => index >= 0 && index < s.size;
    const sort = (row, col) => (inside(row) && inside(col) ? "field" : "still");
    grids.x.arrange([top, bottom], [top, bottom], sort, `${top} ${bottom} ${s.size}`);
    const litRows = new Set(rowTaps.map(([index]) => index));
    const litCols = new Set(colTaps.map(([index]) => index));
    for (let row = top; row < bottom; row += 1) {
      for (let col = top; col < bottom; col += 1) {
        const real = inside(row) && inside(col);
        const lit = litRows.has(row) && litCols.has(col);
        const unread = padded && !quiet && !(read.has(row) && read.has(col));
        const classes =
          `cb-cell ${real ? "cb-x" : "cb-pad"}` +
          (lit ? " cb-lit" : "") +
          (unread ? " cb-unread" : "");
        const name = real ? `Input row ${row}, column ${col}` : "Padding";
        const state = (lit ? ", in the window" : "") + (unread ? ", read by no window" : "");
        const text = real ? formatNumber(x[row][col]) : "0";
        grids.x.paint(
          grids.x.cell(row, col),
          text,
          classes,
          real ? name + state : `${name}${state}: 0`,
        );
      }
    }
    const pads = padded && s.before + s.after > 0 ? ` (padding ${s.before}, ${s.after})` : "";
    setText(blocks.x.size, `${s.size} \u00d7 ${s.size}${pads}`);
    grids.x.outline(
      boxOf(
        rowTaps.map(([index]) => index),
        colTaps.map(([index]) => index),
      ),
    );
  }

  function drawKernel(s, w, rowTaps, colTaps) {
    grids.w.arrange([0, s.kernel], [0, s.kernel], () => "field", String(s.kernel));
    const litRows = new Set(rowTaps.map(([, k]) => k));
    const litCols = new Set(colTaps.map(([, k]) => k));
    for (let row = 0; row < s.kernel; row += 1) {
      for (let col = 0; col < s.kernel; col += 1) {
        const lit = litRows.has(row) && litCols.has(col);
        grids.w.paint(
          grids.w.cell(row, col),
          formatNumber(w[row][col]),
          `cb-cell cb-w${lit ? " cb-lit" : ""}`,
          `Kernel row ${row}, column ${col}${lit ? ", used" : ""}`,
        );
      }
    }
    grids.w.outline(null);
    setText(blocks.w.size, `${s.kernel} \u00d7 ${s.kernel}`);
  }

  function drawOutput(s, x, w, size, here, canvas) {
    if (!canvas) {
      setText(blocks.y.size, "");
      return;
    }
    const { top, bottom } = canvas;
    const kept = (index) => index >= 0 && index < size;
    const sort = (row, col) => (kept(row) && kept(col) ? "pick" : "still");
    grids.y.arrange([top, bottom], [top, bottom], sort, `${top} ${bottom} ${size}`);
    const values = sumTaps(
      x,
      w,
      range(top, bottom).map((o) => tapsOf(s, o)),
    );
    for (let row = top; row < bottom; row += 1) {
      for (let col = top; col < bottom; col += 1) {
        const target = grids.y.cell(row, col);
        const value = values[row - top][col - top];
        const text = formatCell(value);
        if (!target.picks) {
          grids.y.paint(target, text, "cb-cell cb-crop", `Cropped: ${text}`);
          continue;
        }
        const picked = row === here[0] && col === here[1];
        grids.y.paint(
          target,
          text,
          picked ? "cb-cell cb-y cb-lit" : "cb-cell cb-y",
          `Output row ${row}, column ${col}: ${formatNumber(value)}`,
        );
        if (target.picked !== picked) {
          target.picked = picked;
          target.element.setAttribute("aria-selected", String(picked));
        }
      }
    }
    grids.y.activate(grids.y.cell(...here));
    grids.y.outline(boxOf([here[0]], [here[1]]));
    setText(blocks.y.size, `${size} \u00d7 ${size}`);
  }

  function drawResults(s, x, w, size, here, rowTaps, colTaps, read) {
    const [row, col] = here;
    steps.set("output cell", `Cell ${row * size + col + 1} of ${size * size}`);
    drawSum(productsOf(x, w, rowTaps, colTaps), row, col);
    const formula = formulaOf(s);
    setText(names, formula.names);
    numbers.replaceChildren(...formula.numbers);
    setText(code.line, pytorchLine(s));
    setText(note, noteOn(s, read));
    const padded = s.mode === "convolution";
    const all = range(padded ? -s.before : 0, s.size + (padded ? s.after : 0));
    const someUnread = padded && !all.every((i) => read.has(i));
    legend.replaceChildren(
      legendEntry("cb-x cb-lit", "read for this cell"),
      ...(padded && s.before + s.after ? [legendEntry("cb-pad", "padding")] : []),
      ...(someUnread ? [legendEntry("cb-x cb-unread", "read by no window")] : []),
      ...(!padded && s.before + s.after ? [legendEntry("cb-crop", "cropped by padding")] : []),
    );
  }

  function drawSum(products, row, col) {
    const start = `y[${row}, ${col}] = `;
    const terms = products.flat();
    if (!terms.length) {
      const nothingLands = "0: no kernel tap lands on this cell.";
      sum.replaceChildren(h("span", { class: "cb-start" }, start), nothingLands);
      return;
    }
    const lines = products.map((line) =>
      line.map((t) => [
        [t.padding ? "padding" : "input", formatFactor(t.x)],
        ["kernel", formatFactor(t.w)],
      ]),
    );
    const total = terms.reduce((value, term) => value + term.x * term.w, 0);
    writeSum(sum, start, lines, formatNumber(total));
  }

  el.replaceChildren(keepKeys(root));
  link.start();
  return link.stop;
}

export {
  convOutputSize,
  convTransposeOutputSize,
  convolve,
  convTranspose,
  parseNumber,
  samePadding,
};
export default { render };
