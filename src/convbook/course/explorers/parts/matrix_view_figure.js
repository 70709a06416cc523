// Matrix view: the convolution, the window as a column, and the product.

import { convOutputSize } from "../lib/arithmetic.js";
import { h, setAttribute, setText } from "../lib/dom.js";
import { block, fitFlow, legendEntry, setCellSize } from "../lib/figure.js";
import { createGrid } from "../lib/grid.js";
import { boxOf, range } from "../lib/ranges.js";
import { ink } from "../lib/results.js";
import {
  columnFit,
  LARGEST_CELL,
  productFit,
  SMALLEST_LETTER,
  smallestFor,
  SPACES,
} from "./matrix_view_fit.js";
import { looksOf, placesOf, sheetsOf, tintOf } from "./matrix_view_sheets.js";
import { numbered } from "./matrix_view_words.js";

/** The grids: kind, title, symbol and spoken name; those of the product are named by the view. */
const GRIDS = {
  x: ["input", "Input", "x", "Input x; a pixel lights the window that starts there"],
  w: ["kernel", "Kernel", "w", "Kernel w"],
  y: ["output", "Output", "y", "Output y"],
  left: ["left", "", "", ""],
  right: ["right", "", "", ""],
  result: ["result", "", "", ""],
};
const VIEWS = {
  dense: {
    left: ["Matrix", "M", "Matrix M, one row for each output"],
    right: ["", "x", "Input x as a column"],
    result: ["", "y", "Output y as a column"],
  },
  im2col: {
    left: ["Kernel", "w", "Kernel w as a row"],
    right: ["Windows", "U", "Matrix U, one column for each window"],
    result: ["Output", "y", "Output y as a row"],
  },
};

/**
 * The figure: { elements, draw(page), light(page, selection, isKept) }. Its grids tell what the
 * cell stands for that is picked, under the mouse or in focus.
 * @param {Record<"onPick" | "onPoint" | "onFocus", (selection: any) => void>} listeners
 */
export function createFigure({ onPick, onPoint, onFocus }) {
  const parts = /** @type {Record<string, any>} */ ({});
  for (const [name, [kind, title, symbol, label]] of Object.entries(GRIDS)) {
    const grid = createGrid({
      kind,
      label,
      onPick: (row, col) => onPick(grid.cell(row, col).chooses),
      onPoint: (cell) => onPoint(cell?.chooses ?? null),
      onFocus: (cell) => onFocus(cell?.chooses ?? null),
    });
    parts[name] = { grid, ...block(name, title, symbol, grid) };
  }
  const roots = Object.values(parts).map(({ root }) => root);
  const sign = (area, text) =>
    h("span", { class: `cb-operator cb-${area}`, "aria-hidden": "true" }, text);
  const equation = ([left, right, result], dot) => [
    ...[left, sign("op1", dot), right, sign("op2", "="), result],
  ];
  const column = createColumn();
  const input = h("div", { class: "cb-unfolding" }, column.root, sign("to", "\u2190"), roots[0]);
  const flow = h("div", { class: "cb-flow" }, equation([input, roots[1], roots[2]], "\u22c6"));
  const legend = h("ul", { class: "cb-legend" });
  const product = h("div", { class: "cb-product" }, equation(roots.slice(3), "\u00b7"), legend);
  const caption = h("p", { class: "cb-caption" });
  let sheets = [];
  return {
    elements: [flow, caption, product],
    draw(page) {
      sheets = sheetsOf(page);
      const cells = drawPicture({ parts, flow, column }, page);
      Object.assign(cells, drawProduct({ parts, product }, page, sheets));
      for (const sheet of sheets) fill(parts[sheet.name].grid, sheet, page, cells[sheet.name]);
      const formula = page.view === "dense" ? "y = M \u00b7 x" : "y = w \u00b7 U";
      caption.replaceChildren("The same as one matrix product: ", h("var", {}, formula));
      legend.replaceChildren(...legendOf(page));
    },
    light(page, selection, isKept) {
      for (const sheet of sheets) {
        light(parts[sheet.name].grid, placesOf(page, sheet, selection), isKept);
      }
      product.dataset.kind = selection[0];
      column.show(page, selection);
    },
  };
}

/** Lay out a grid and paint it; text too small to read is not shown. */
function fill(grid, { rows, cols, cells }, { s, view }, size) {
  const sorts = new Map(cells.map(({ row, col, sort }) => [`${row} ${col}`, sort]));
  const shape = `${rows} ${cols} ${s.size} ${view}`;
  grid.arrange(rows, cols, (row, col) => sorts.get(`${row} ${col}`), shape);
  const longest = Math.max(...cells.map(({ text }) => text.length));
  grid.root.toggleAttribute("data-mute", size < smallestFor(longest));
  for (const { row, col, text, css, label, chooses } of cells) {
    const cell = grid.cell(row, col);
    cell.chooses = chooses;
    grid.paint(cell, text, css, label[0].toUpperCase() + label.slice(1));
  }
}

/** Fit the convolution into the width; returns the cells' size for each grid. */
function drawPicture({ parts, flow, column }, page) {
  const { s, width } = page;
  const looks = looksOf(page);
  const longest = Math.max(...[...looks.weight, ...looks.pixel].map(({ text }) => text.length));
  const { own, beside } = columnFit(s, longest);
  const sides = { x: s.size, w: s.kernel, y: convOutputSize(s) };
  const across = { ...sides, x: s.size + s.before + s.after };
  const cell = fitFlow(flow, across, width, { enough: 18, largest: LARGEST_CELL, beside });
  setCellSize(column.root, own);
  for (const [name, side] of Object.entries(sides)) {
    const padding = name === "x" && s.before ? ", padding 1" : "";
    setText(parts[name].size, `${side} \u00d7 ${side}${padding}`);
  }
  return { x: cell, w: cell, y: cell };
}

/** Fit the product into the width and name its grids; returns the cells' size for each. */
function drawProduct({ parts, product }, page, sheets) {
  const { view, windows } = page;
  const { layout, cell, own, spaces } = productFit(page);
  Object.assign(product.dataset, { view, layout });
  setCellSize(product, cell);
  setCellSize(parts.left.root, own);
  product.toggleAttribute("data-tiny", cell < SMALLEST_LETTER);
  product.style.setProperty("--sign", `${spaces.sign}px`);
  product.style.setProperty("--brackets", `${spaces.brackets}px`);
  product.style.setProperty("--rows", windows.length);
  for (const { name, rows, cols } of sheets.slice(3)) {
    const [title, symbol, label] = VIEWS[view][name];
    const { grid, size, name: setName } = parts[name];
    setName(title, symbol);
    const isRoomy = spaces === SPACES.wide || Math.min(rows[1], cols[1]) > 1 || view === "im2col";
    setText(size, isRoomy ? `${rows[1]} \u00d7 ${cols[1]}` : "\u00a0");
    setAttribute(grid.root, "aria-label", label);
  }
  return { left: own, right: cell, result: cell };
}

function legendOf({ s, view }) {
  const samples = range(0, s.kernel ** 2).map((i) => {
    const css = `cb-cell cb-sample cb-tint cb-tint-${tintOf(i, s.kernel ** 2)}`;
    return h("span", { class: css, "aria-hidden": "true" });
  });
  const words = samples.length > 1 ? "equal colours: the same weight" : "the weight";
  return [
    h("li", {}, h("span", { class: "cb-samples" }, samples), words),
    ...(view === "dense" ? [legendEntry("cb-zero", "zero: the window does not read it")] : []),
    ...(s.before ? [legendEntry("cb-pad", "padding")] : []),
  ];
}

/** Light cells of a grid, frame some, and rest its tab stop on what has been chosen. */
function light(grid, { lit, framed, stops }, isKept) {
  const inGrid = (cells) => cells.map(({ row, col }) => grid.cell(row, col));
  grid.light(inGrid(lit));
  grid.outline(
    boxOf(
      framed.map(({ row }) => row),
      framed.map(({ col }) => col),
    ),
  );
  if (isKept) grid.restOn(inGrid(stops));
}

/** The chosen window as a column, beside the weights that it meets: { root, show }. */
function createColumn() {
  const [weights, pixels] = [h("div", {}), h("div", { class: "cb-taken" })];
  const name = h("span", {});
  const head = h("div", { class: "cb-head" }, name, h("span", { class: "cb-size" }, "as a column"));
  const pairs = h("div", { class: "cb-pairs" }, weights, pixels);
  const root = h("div", { class: "cb-block cb-column", role: "img" }, head, pairs);
  return {
    root,
    show(page, [kind, index]) {
      root.parentElement.classList.toggle("cb-none", kind !== "output");
      if (kind !== "output") return;
      const looks = looksOf(page);
      const cell = ({ text, css }) => h("span", { class: `${css} cb-lit` }, text);
      const taken = page.windows[index].map(({ pixel }) => looks.pixel[pixel] ?? looks.padding);
      const output = numbered("y", index);
      name.replaceChildren("Window of ", ink("output", output));
      weights.replaceChildren(...looks.weight.map(cell));
      pixels.replaceChildren(...taken.map(cell));
      const texts = taken.map(({ text }) => text).join(", ");
      setAttribute(root, "aria-label", `Window of ${output} as a column: ${texts}`);
    },
  };
}
