// Matrix view: the convolution, the window as a column, and the product.

import { convOutputSize } from "../lib/arithmetic.js";
import { h, setAttribute, setContent, setText } from "../lib/dom.js";
import { block, fitFlow, legendEntry, setCellSize } from "../lib/figure.js";
import { createGrid } from "../lib/grid.js";
import { boxOf } from "../lib/ranges.js";
import { ink } from "../lib/results.js";
import { columnFit, LARGEST_CELL, NARROW, productFit, smallestFor } from "./matrix_view_fit.js";
import { placesOf, sheetsOf } from "./matrix_view_sheets.js";
import { numbered } from "./matrix_view_words.js";

/** Title, symbol and spoken name of each grid; those of the product belong to a view. */
const PICTURE = {
  x: ["Input", "x", "Input x; a pixel lights the window that starts there"],
  w: ["Kernel", "w", "Kernel w"],
  y: ["Output", "y", "Output y"],
};
const PRODUCT = {
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
 * The figure: { elements, draw(page), light(page, selection, isKept) }.
 * @param {(selection: any) => void} onPick
 * @param {(how: "pointed" | "focused", selection: any) => void} onPass hears what a cell stands for
 *   that is under the mouse or in focus, and of null
 */
export function createFigure(onPick, onPass) {
  const parts = {};
  for (const name of [...Object.keys(PICTURE), ...Object.keys(PRODUCT.dense)]) {
    const grid = createGrid({
      kind: name,
      label: "",
      onPick: (row, col) => onPick(grid.cell(row, col).chooses),
      onPoint: (cell) => onPass("pointed", cell?.chooses ?? null),
      onFocus: (cell) => onPass("focused", cell?.chooses ?? null),
    });
    parts[name] = { grid, ...block(name, "", "", grid) };
  }
  const [x, w, y, left, right, result] = Object.values(parts).map(({ root }) => root);
  const sign = (area, text) =>
    h("span", { class: `cb-operator cb-${area}`, "aria-hidden": "true" }, text);
  const column = createColumn();
  const input = h("div", { class: "cb-unfolding" }, column.root, sign("to", "\u2190"), x);
  const picture = [input, sign("op1", "\u22c6"), w, sign("op2", "="), y];
  const flow = h("div", { class: "cb-flow" }, picture);
  const legend = h("ul", { class: "cb-legend" });
  const factors = [left, sign("op1", "\u00b7"), right, sign("op2", "="), result];
  const product = h("div", { class: "cb-product" }, factors, legend);
  const caption = h("p", { class: "cb-caption" });
  let sheets = [];
  return {
    elements: [flow, caption, product],
    draw(page) {
      sheets = sheetsOf(page);
      const { s, looks, width } = page;
      const shown = [...looks.weight, ...looks.pixel].map(({ text }) => text.length);
      const { own, beside } = columnFit(looks.weight.length, Math.max(...shown));
      setCellSize(column.root, own);
      const across = { x: s.size + s.before + s.after, w: s.kernel, y: convOutputSize(s) };
      const cell = fitFlow(flow, across, width, { enough: 18, largest: LARGEST_CELL, beside });
      const cells = { x: cell, w: cell, y: cell, ...fitProduct(product, left, page) };
      for (const sheet of sheets) fill(parts[sheet.name], sheet, page, cells[sheet.name]);
      setContent(caption, "The same as one matrix product: ", ...formulaOf(page));
      setContent(legend, ...legendOf(page));
    },
    light(page, selection, isKept) {
      for (const sheet of sheets) {
        light(parts[sheet.name].grid, placesOf(page, sheet, selection), isKept);
      }
      product.dataset.kind = selection[0];
      input.classList.toggle("cb-none", selection[0] !== "output");
      if (selection[0] === "output") column.show(page, selection[1]);
    },
  };
}

/** Name a grid, lay it out and paint it; text too small to read is not shown. */
function fill({ grid, size, name: call }, { name, rows, cols, cells }, { s, view, width }, cell) {
  const [title, symbol, label] = { ...PICTURE, ...PRODUCT[view] }[name];
  call(title, symbol);
  setAttribute(grid.root, "aria-label", label);
  const shape = name === "x" ? [s.size, s.size] : [rows[1], cols[1]];
  const padding = name === "x" && s.before ? ", padding 1" : "";
  const fits = width >= NARROW || title !== "";
  setText(size, fits ? `${shape.join(" \u00d7 ")}${padding}` : "\u00a0");
  const across = cols[1] - cols[0];
  const sortOf = (row, col) => cells[(row - rows[0]) * across + col - cols[0]].sort;
  grid.arrange(rows, cols, sortOf, `${rows} ${cols} ${s.size} ${view}`);
  const longest = Math.max(...cells.map(({ text }) => text.length));
  grid.root.toggleAttribute("data-mute", cell < smallestFor(longest));
  for (const { row, col, text, css, label: spoken, chooses } of cells) {
    const target = grid.cell(row, col);
    target.chooses = chooses;
    grid.paint(target, text, css, spoken[0].toUpperCase() + spoken.slice(1));
  }
}

/** Fit the product into the width; returns the size of the cells of each grid. */
function fitProduct(product, left, page) {
  const { layout, cell, own, sign, brackets } = productFit(page);
  Object.assign(product.dataset, { view: page.view, layout });
  setCellSize(product, cell);
  setCellSize(left, own);
  product.style.setProperty("--sign", `${sign}px`);
  product.style.setProperty("--brackets", `${brackets}px`);
  for (const sign of product.querySelectorAll(".cb-operator")) {
    sign.style.setProperty("--rows", page.y.length);
  }
  return { left: own, right: cell, result: cell };
}

function formulaOf({ view }) {
  const letter = (kind, text) => h("var", { class: `cb-ink-${kind}` }, text);
  const [left, right] = view === "dense" ? ["M", "x"] : ["w", "U"];
  return [letter("output", "y"), " = ", letter("kernel", left), " \u00b7 ", letter("input", right)];
}

function legendOf({ s, view, looks }) {
  const sample = ({ css }) => h("span", { class: `${css} cb-sample`, "aria-hidden": "true" });
  const words = looks.weight.length > 1 ? "equal colours: the same weight" : "the weight";
  return [
    h("li", {}, h("span", { class: "cb-samples" }, looks.weight.map(sample)), words),
    ...(view === "dense" ? [legendEntry("cb-zero", "zero: the window does not read it")] : []),
    ...(s.before ? [legendEntry("cb-pad", "padding")] : []),
  ];
}

/** Light cells of a grid, frame some, and rest its tab stop on what has been chosen. */
function light(grid, { lit, framed, stops }, isKept) {
  const inGrid = (cells) => cells.map(({ row, col }) => grid.cell(row, col));
  const [rows, cols] = ["row", "col"].map((axis) => framed.map((cell) => cell[axis]));
  grid.light(inGrid(lit));
  grid.outline(boxOf(rows, cols));
  if (isKept) grid.restOn(inGrid(stops));
}

/** The chosen window as a column, beside the weights that it meets: { root, show }. */
function createColumn() {
  const [name, weights] = [h("span", {}), h("div", {})];
  const pixels = h("div", { class: "cb-taken" });
  const head = h("div", { class: "cb-head" }, name, h("span", { class: "cb-size" }, "as a column"));
  const pairs = h("div", { class: "cb-pairs" }, weights, pixels);
  return {
    root: h("div", { class: "cb-block cb-column", role: "img" }, head, pairs),
    show({ taps, looks }, index) {
      const cell = ({ text, css }) => h("span", { class: `${css} cb-lit` }, text);
      const own = taps.filter(({ output }) => output === index);
      const taken = own.map(({ pixel }) => looks.pixel[pixel] ?? looks.padding);
      const texts = taken.map(({ text }) => text).join(", ");
      setContent(name, "Window of ", ink("output", numbered("y", index)));
      setContent(weights, ...looks.weight.map(cell));
      setContent(pixels, ...taken.map(cell));
      setAttribute(this.root, "aria-label", `${name.textContent} as a column: ${texts}`);
    },
  };
}
