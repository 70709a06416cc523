// Grids under their titles, side by side where there is room.

import { h, setText } from "./dom.js";

const NARROWEST_BLOCK = 68;
const OPERATOR_WIDTH = 40;

/** Arrangements of the three grids, best first: which stand side by side. */
const LAYOUTS = [
  ["row", [["x", "w", "y"]]],
  ["under", [["x"], ["w", "y"]]],
  ["stack", [["x"], ["w"], ["y"]]],
];

/** Space between cells of a given size. */
export function gapFor(cell) {
  return cell < 20 ? 1 : 3;
}

/** Largest cell, in pixels, at which `rows` of grids fit in `width`, less `beside` next to x. */
function cellSizeFor(rows, cells, width, { largest, beside }) {
  for (let cell = largest; cell > 11; cell -= 1) {
    const fits = rows.every((row) => {
      const step = cell + gapFor(cell);
      const grids = row.map((name) => Math.max(cells[name] * step, NARROWEST_BLOCK));
      // A later row of two begins with its sign.
      const signs = row.length === 1 ? 0 : row.length - Number(row[0] === "x");
      const rest = signs * OPERATOR_WIDTH + (row.includes("x") ? beside : 0);
      return grids.reduce((a, b) => a + b, rest) <= width;
    });
    if (fits) return cell;
  }
  return 11;
}

/**
 * Choose arrangement and cell size for three grids of `cells` cells across: the first arrangement
 * whose cells have `enough` pixels, or the one with the largest. Cells that are `steady` stay as
 * they are where they would gain less than a fifth: to lay out hundreds again takes half a frame.
 * Returns the cell size.
 * @param {HTMLElement} flow
 * @param {Record<string, number>} cells
 * @param {number} width
 * @param {{ enough: number, largest?: number, beside?: number, steady?: boolean }} options `beside`
 *   is what else stands next to x, in pixels
 */
export function fitFlow(flow, cells, width, { enough, largest = 40, beside = 0, steady = false }) {
  const options = LAYOUTS.map(([name, rows]) => ({
    name: /** @type {string} */ (name),
    cell: cellSizeFor(rows, cells, width, { largest, beside }),
  }));
  const best = Math.max(...options.map(({ cell }) => cell));
  const { name, cell } = options.find((option) => option.cell >= Math.min(enough, best));
  flow.dataset.layout = name;
  const old = Number.parseFloat(flow.style.getPropertyValue("--cb-cell"));
  const size = steady && old <= cell && cell < 1.2 * old ? old : cell;
  setCellSize(flow, size);
  flow.toggleAttribute("data-tiny", size < 17); // too small for three digits
  return size;
}

/** Set the size of every cell in `element`, and the space between them. */
export function setCellSize(element, cell) {
  element.style.setProperty("--cb-cell", `${cell}px`);
  element.style.setProperty("--cb-gap", `${gapFor(cell)}px`);
}

/** A titled grid: { root, size, name(title, symbol) }; `size` says how large the grid is. */
export function block(area, title, symbol, grid) {
  const [words, letter] = [h("span", {}), h("var", {})];
  const size = h("span", { class: "cb-size" });
  const head = h("div", { class: "cb-head" }, words, letter, size);
  const name = (newTitle, newSymbol) => {
    setText(words, newTitle && `${newTitle} `);
    setText(letter, newSymbol);
  };
  name(title, symbol);
  return { root: h("div", { class: `cb-block cb-block-${area}` }, head, grid.shell), size, name };
}

/** One entry of the legend. */
export function legendEntry(kind, text) {
  return h(
    "li",
    {},
    h("span", { class: `cb-cell cb-sample ${kind}`, "aria-hidden": "true" }),
    text,
  );
}
