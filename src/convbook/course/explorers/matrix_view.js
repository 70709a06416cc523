// Matrix view: one convolution as a product of matrices, the dense one or that of its windows.

import { convOutputSize } from "./lib/arithmetic.js";
import { button, rangeControl, segmentedControl, stepButtons } from "./lib/controls.js";
import { codeBox } from "./lib/copy.js";
import { h, setAttribute, setText } from "./lib/dom.js";
import { block, fitFlow, legendEntry, setCellSize } from "./lib/figure.js";
import { counted, formatFactor, formatNumber } from "./lib/format.js";
import { createGrid } from "./lib/grid.js";
import { keepInStep } from "./lib/in_step.js";
import { keepKeys } from "./lib/keyboard.js";
import { boxOf, corner, range } from "./lib/ranges.js";
import { ink, resultRow, writeSum } from "./lib/results.js";
import {
  LARGEST_CELL,
  productFit,
  SMALLEST_LETTER,
  smallestFor,
  SPACES,
} from "./parts/matrix_view_fit.js";
import {
  countsOf,
  denseMatrix,
  lookOf,
  numbered,
  packageLine,
  packageScript,
  pixelName,
  placesOf,
  productOf,
  readSettings,
  selectionAt,
  summaryOf,
  tapsOf,
  tintOf,
  weightName,
  weightWords,
  windowAt,
  windowMatrix,
  windowsOf,
} from "./parts/matrix_view_matrices.js";

const LIMITS = { input: [3, 5], kernel: [1, 3], stride: [1, 2], padding: [0, 1] };
const SETTINGS = ["view", "show", "input_size", "kernel_size", "stride", "padding"];
const TRAITS = [...SETTINGS, "selected", "input_values", "kernel_values"];

/** The two factors and the product: title, symbol and spoken name. */
const VIEWS = {
  dense: [
    ["Matrix", "M", "Matrix M, one row for each output"],
    ["", "x", "Input x as a column"],
    ["", "y", "Output y as a column"],
  ],
  im2col: [
    ["Kernel", "w", "Kernel w as a row"],
    ["Windows", "U", "Matrix U, one column for each window"],
    ["Output", "y", "Output y as a row"],
  ],
};

/** Draw the view into `el` and keep it in step with `model`. */
function render({ model, el }) {
  const first = Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
  const ruler = h("div", { class: "cb-ruler" });
  const link = keepInStep({ model, traits: TRAITS, ruler, draw });
  const { change } = link;
  // What is lit: under the mouse, else under a focus that only came by, else what was chosen.
  let pointed = null;
  let focused = null;
  let page = null; // all that `draw` worked out, for the selection to use

  // -- controls
  const slider = (label, trait, [min, max]) =>
    rangeControl({ label, min, max, onInput: (value) => change({ [trait]: value }) });
  const controls = {
    input_size: slider("Input size", "input_size", LIMITS.input),
    kernel_size: slider("Kernel size", "kernel_size", LIMITS.kernel),
    stride: slider("Stride", "stride", LIMITS.stride),
    padding: slider("Padding", "padding", LIMITS.padding),
    view: segmentedControl({
      legend: "As",
      options: [
        ["dense", "Dense matrix"],
        ["im2col", "Windows as columns (im2col)"],
      ],
      onChange: (value) => change({ view: value }),
    }),
    show: segmentedControl({
      legend: "Show",
      options: [
        ["letters", "Letters"],
        ["numbers", "Numbers"],
      ],
      onChange: (value) => change({ show: value }),
    }),
  };
  const reset = button("Reset", () => change(first));

  // -- figure: the convolution, and the product
  const grid = (name, kind, label) =>
    createGrid({
      kind,
      label,
      onPick: (row, col) => choose(selectionAt(page, name, row, col)),
      onPoint(cell) {
        pointed = cell && selectionAt(page, name, cell.row, cell.col);
        drawSelection();
      },
      onFocus(cell) {
        focused = cell && selectionAt(page, name, cell.row, cell.col);
        drawSelection();
      },
    });
  const grids = {
    x: grid("x", "input", "Input x; a pixel lights the window that starts there"),
    w: grid("w", "kernel", "Kernel w"),
    y: grid("y", "output", "Output y"),
    left: grid("left", "left", ""),
    right: grid("right", "right", ""),
    result: grid("result", "result", ""),
  };
  const sign = (area, text) =>
    h("span", { class: `cb-operator cb-${area}`, "aria-hidden": "true" }, text);
  const blocks = {
    x: block("x", "Input", "x", grids.x),
    w: block("w", "Kernel", "w", grids.w),
    y: block("y", "Output", "y", grids.y),
    left: block("left", "", "", grids.left),
    right: block("right", "", "", grids.right),
    result: block("result", "", "", grids.result),
  };
  const legend = h("ul", { class: "cb-legend" });
  const flow = h(
    "div",
    { class: "cb-flow" },
    blocks.x.root,
    sign("op1", "\u22c6"),
    blocks.w.root,
    sign("op2", "="),
    blocks.y.root,
  );
  const product = h(
    "div",
    { class: "cb-product" },
    blocks.left.root,
    sign("op1", "\u00b7"),
    blocks.right.root,
    sign("op2", "="),
    blocks.result.root,
    legend,
  );
  const caption = h("p", { class: "cb-caption" });

  // -- the sum, the counts, the line
  const sum = h("div", { class: "cb-sum", role: "status" });
  const steps = stepButtons(step);
  const summary = h("div", { class: "cb-summary" });
  const script = () => {
    const { s, view } = page;
    const x = corner(model.get("input_values"), s.size);
    const w = corner(model.get("kernel_values"), s.kernel);
    return packageScript(s, view, x, w);
  };
  const code = codeBox("the line", [["Copy with numbers", script]]);

  const root = h(
    "div",
    { class: "convbook-root cb-matrix-view", role: "group", "aria-label": "Matrix view" },
    h("div", { class: "cb-top" }, controls.view.root, controls.show.root, reset),
    h(
      "div",
      { class: "cb-controls cb-four" },
      ["input_size", "kernel_size", "stride", "padding"].map((name) => controls[name].root),
    ),
    h("div", { class: "cb-figure" }, ruler, flow, caption, product),
    h(
      "div",
      { class: "cb-results" },
      resultRow("Products", h("div", {}, steps.root, sum)),
      resultRow("Counts", summary),
      resultRow("Code", code.root),
    ),
  );

  // -- what is chosen

  /** Keep a selection, in the model too. */
  function choose(selection) {
    pointed = focused = null;
    change({ selected: selection });
  }

  /** How many there are of each kind. */
  function sizesOf({ s, windows }) {
    return { output: windows.length, pixel: s.size ** 2, weight: s.kernel ** 2 };
  }

  /** What the model says is chosen, brought inside what there is. */
  function kept() {
    const [kind, index] = model.get("selected");
    return [kind, Math.min(index, sizesOf(page)[kind] - 1)];
  }

  /** Choose the window, pixel or weight `by` places on, round the corner at either end. */
  function step(by) {
    const [kind, index] = kept();
    const count = sizesOf(page)[kind];
    choose([kind, (index + by + count) % count]);
  }

  // -- drawing

  let drawn = "";
  /** Everything on the page from what is in the model; only the selection if that is all. */
  function draw() {
    const settings = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
    const s = readSettings(model);
    const x = corner(model.get("input_values"), s.size).flat();
    const w = corner(model.get("kernel_values"), s.kernel).flat();
    const width = link.width();
    const key = JSON.stringify([settings, x, w, width]);
    if (key !== drawn) {
      drawn = key;
      pointed = focused = null;
      const { view, show } = settings;
      const y = productOf(s, view, x, w)[2].flat();
      page = { key, s, view, x, w, y, windows: windowsOf(s), letters: show === "letters", width };
      for (const [name, control] of Object.entries(controls)) control.set(settings[name]);
      drawConvolution(page);
      drawProduct(page);
      setText(summary, summaryOf(s, view, show));
      setText(code.line, packageLine(s, view));
      drawLegend(page);
    }
    drawSelection();
  }

  /** Paint every cell of a grid as `lookAt(row, col)` says; text too small to read is not shown. */
  function paintAll(target, [rows, cols], cell, lookAt) {
    const looks = range(...rows).map((row) => range(...cols).map((col) => lookAt(row, col)));
    const longest = Math.max(...looks.flat().map(({ text }) => text.length));
    target.root.toggleAttribute("data-mute", cell < smallestFor(longest));
    looks.forEach((line, i) =>
      line.forEach(({ text, css, label }, j) => {
        const spoken = label[0].toUpperCase() + label.slice(1);
        target.paint(target.cell(rows[0] + i, cols[0] + j), text, css, spoken);
      }),
    );
  }

  /** Lay out a grid and paint it. `sortOf` says which cells are more than cells to pick. */
  function fill(target, rows, cols, cell, lookAt, sortOf = () => "pick", shape = "") {
    target.arrange(rows, cols, sortOf, `${rows} ${cols} ${shape}`);
    paintAll(target, [rows, cols], cell, lookAt);
  }

  function drawConvolution(p) {
    const { s, width } = p;
    const look = lookOf(p);
    const size = convOutputSize(s);
    const cells = { x: s.size + s.before + s.after, w: s.kernel, y: size };
    fitFlow(flow, cells, width, { enough: 18, largest: LARGEST_CELL });
    const cell = Number.parseInt(flow.style.getPropertyValue("--cell"), 10);
    const span = [-s.before, s.size + s.after];
    const inside = (index) => index >= 0 && index < s.size;
    const real = (row, col) => inside(row) && inside(col);
    fill(
      grids.x,
      span,
      span,
      cell,
      (row, col) => (real(row, col) ? look.pixels[row * s.size + col] : look.padding),
      (row, col) => (real(row, col) ? "pick" : "still"),
      s.size,
    );
    fill(grids.w, [0, s.kernel], [0, s.kernel], cell, (r, c) => look.weights[r * s.kernel + c]);
    fill(grids.y, [0, size], [0, size], cell, (row, col) => look.outputs[row * size + col]);
    setText(blocks.x.size, `${s.size} \u00d7 ${s.size}${s.before ? ", padding 1" : ""}`);
    setText(blocks.w.size, `${s.kernel} \u00d7 ${s.kernel}`);
    setText(blocks.y.size, `${size} \u00d7 ${size}`);
  }

  function drawProduct(p) {
    const { s, view, windows, width } = p;
    const look = lookOf(p);
    const { layout, cell, own, spaces } = productFit(s, view, width);
    product.dataset.view = view;
    product.dataset.layout = layout;
    setCellSize(product, cell);
    setCellSize(blocks.left.root, own);
    product.toggleAttribute("data-tiny", cell < SMALLEST_LETTER);
    product.style.setProperty("--sign", `${spaces.sign}px`);
    product.style.setProperty("--brackets", `${spaces.brackets}px`);
    product.style.setProperty("--rows", windows.length);
    const letter = (kind, text) => h("var", { class: `cb-ink-${kind}` }, text);
    const factors = [
      ["kernel", VIEWS[view][0][1]],
      ["input", VIEWS[view][1][1]],
    ];
    const [left, right] = factors.map((factor) => letter(...factor));
    const same = "The same as one matrix product: ";
    caption.replaceChildren(same, letter("output", "y"), " = ", left, " \u00b7 ", right);
    const [pixels, weights, outputs] = [s.size ** 2, s.kernel ** 2, windows.length];
    const at = (place, part) => ({ ...part, label: `${place}: ${part.label}` });
    const shapes = [];
    if (view === "dense") {
      const matrix = denseMatrix(s);
      const entry = (row, col) => {
        if (row < 0) return { ...look.pixels[col], css: "cb-cell cb-x cb-of-column" };
        const weight = matrix[row][col];
        const place = `row ${numbered("y", row)}, column ${pixelName(s, col)}`;
        return at(place, weight === null ? look.zero : look.weights[weight]);
      };
      const sort = (row) => (row < 0 ? "column" : "pick");
      fill(grids.left, [-1, outputs], [0, pixels], cell, entry, sort, "dense");
      fill(grids.right, [0, pixels], [0, 1], cell, (row) => look.pixels[row]);
      fill(grids.result, [0, outputs], [0, 1], cell, (row) => look.outputs[row]);
      shapes.push([outputs, pixels], [pixels, 1], [outputs, 1]);
    } else {
      const matrix = windowMatrix(s);
      const entry = (row, col) => {
        if (col < 0) return look.weights[row];
        const pixel = matrix[row][col];
        const place = `column ${numbered("y", col)}, row ${weightName(s, row)}`;
        return at(place, pixel === null ? look.padding : look.pixels[pixel]);
      };
      const sort = (row, col) => (col < 0 ? "row" : "pick");
      fill(grids.left, [0, 1], [0, weights], own, (row, col) => look.weights[col]);
      fill(grids.right, [0, weights], [-1, outputs], cell, entry, sort, "im2col");
      fill(grids.result, [0, 1], [0, outputs], cell, (row, col) => look.outputs[col]);
      shapes.push([1, weights], [weights, outputs], [1, outputs]);
    }
    ["left", "right", "result"].forEach((part, i) => {
      const [title, symbol, label] = VIEWS[view][i];
      blocks[part].name(title, symbol);
      const roomy = spaces === SPACES.wide || Math.min(...shapes[i]) > 1 || view === "im2col";
      setText(blocks[part].size, roomy ? shapes[i].join(" \u00d7 ") : "\u00a0");
      setAttribute(grids[part].root, "aria-label", label);
    });
  }

  function drawLegend({ s, view }) {
    const weight = (i) =>
      h("span", {
        class: `cb-cell cb-sample cb-tint cb-tint-${tintOf(i, s.kernel ** 2)}`,
        "aria-hidden": "true",
      });
    const all = range(0, s.kernel ** 2).map(weight);
    const words = all.length > 1 ? "equal colours: the same weight" : "the weight";
    legend.replaceChildren(
      h("li", {}, h("span", { class: "cb-samples" }, all), words),
      ...(view === "dense" ? [legendEntry("cb-zero", "zero: the window does not read it")] : []),
      ...(s.before ? [legendEntry("cb-pad", "padding")] : []),
    );
  }

  let litKey = "";
  /** Light what belongs to the selection, in all grids, and write it out. */
  function drawSelection() {
    const chosen = pointed ?? focused ?? kept();
    const key = `${chosen} ${pointed === null && focused === null} ${page.key}`;
    if (key === litKey) return;
    litKey = key;
    const places = placesOf(page.s, page.view, page.windows, chosen);
    for (const [name, { lit, framed, stops }] of Object.entries(places)) {
      const target = grids[name];
      target.light(lit.map(([row, col]) => target.cell(row, col)));
      target.outline(
        boxOf(
          framed.map(([row]) => row),
          framed.map(([, col]) => col),
        ),
      );
      if (pointed === null && focused === null) {
        const cells = stops.map(([row, col]) => target.cell(row, col));
        target.restOn(cells.filter((cell) => cell.focus));
      }
    }
    product.dataset.kind = chosen[0];
    drawWords(chosen);
  }

  /** Write out the sum behind an output, or where a pixel or a weight goes. */
  function drawWords([kind, index]) {
    const { s, view, windows, x, w, y, letters } = page;
    const noun = kind === "output" ? "window" : kind;
    const place = `${noun[0].toUpperCase()}${noun.slice(1)} ${index + 1} of ${sizesOf(page)[kind]}`;
    steps.set(noun, place);
    const taps = tapsOf(windows, [kind, index]);
    const real = taps.filter(({ pixel }) => pixel !== null);
    const write = (name, value) => (letters ? name : formatFactor(value));
    const weight = (tap) => ["kernel", write(weightName(s, tap.weight), w[tap.weight])];
    const pixel = (tap) =>
      tap.pixel === null
        ? ["padding", "0"]
        : ["input", write(pixelName(s, tap.pixel), x[tap.pixel])];
    const name = (plain, value) => plain + (letters ? "" : ` = ${formatNumber(value)}`);
    const say = (...parts) => sum.replaceChildren(h("span", {}, ...parts));

    if (kind === "output") {
      const start = `${numbered("y", index)} = `;
      const shown = view === "dense" ? real : taps;
      const lines = range(0, s.kernel)
        .map((row) => shown.filter((tap) => Math.floor(tap.weight / s.kernel) === row))
        .filter((line) => line.length > 0)
        .map((line) => line.map((tap) => [weight(tap), pixel(tap)]));
      if (lines.length) writeSum(sum, start, lines, letters ? null : formatNumber(y[index]));
      else say(h("span", { class: "cb-start" }, start), "0: this window sees padding only.");
    } else if (kind === "pixel") {
      const list = real.map((tap, i) => [
        i ? ", " : ": ",
        ink(...weight(tap)),
        "\u00b7",
        ink(...pixel(tap)),
        " in ",
        ink("output", numbered("y", tap.output)),
      ]);
      const title = ink("input", name(pixelName(s, index), x[index]));
      const readers = real.length ? counted(real.length, "window") : "no window";
      say("Pixel ", title, ` is read by ${readers}`, ...list.flat(), ".");
    } else {
      const title = ink("kernel", name(weightName(s, index), w[index]));
      say("Weight ", title, weightWords(view, index, taps.length, taps.length - real.length));
    }
  }

  el.replaceChildren(keepKeys(root));
  link.start();
  return link.stop;
}

export { countsOf, packageLine, productOf, summaryOf, tintOf, windowAt };
export default { render };
