// Matrix view: how large the cells may be.

import { convOutputSize } from "../lib/arithmetic.js";
import { gapFor } from "../lib/figure.js";
import { range } from "../lib/ranges.js";

export const LARGEST_CELL = 34;
export const SMALLEST_LETTER = 14; // in a smaller cell a letter cannot be read
const TALLEST = 620; // a taller matrix no longer fits on a screen together with its sentence

/** Pixels for a sign, for the brackets of one matrix, and for the title of a vector. */
export const SPACES = {
  wide: { sign: 40, brackets: 20, vector: 36 },
  narrow: { sign: 16, brackets: 12, vector: 22 },
};
const TITLE = 80; // the longest title above a matrix
const HEADS = 14; // between a matrix and the heads of its rows, as in the style sheet

/** Smallest cell in which a text of this length can be read. */
export function smallestFor(length) {
  return length < 2 ? SMALLEST_LETTER : Math.min(Math.max(18, 6 * length), LARGEST_CELL);
}

/** Cells of the column beside the picture, the longest of them so long, and its whole width. */
export function columnFit(s, longest) {
  const own = s.kernel < 3 ? 26 : 20;
  return { own, beside: Math.max(96, 2 * Math.max(own, 7 * longest + 8) + 12) + 36 };
}

/** Largest cell, up to LARGEST_CELL, for which `widthOf(step)` and `rows` fit; 0 for none. */
function productCell(widthOf, rows, width) {
  const fits = (cell) => {
    const step = cell + gapFor(cell);
    return widthOf(step) <= width && rows * step <= TALLEST;
  };
  const sizes = range(0, LARGEST_CELL).map((i) => LARGEST_CELL - i);
  return sizes.find(fits) ?? 0;
}

/**
 * Arrangement and cell size of the product in `width`: "row", or "stack" where a row is tight.
 * Alone on its line the kernel has cells of its `own`.
 */
export function productFit({ s, view, width }) {
  const [pixels, weights, outputs] = [s.size ** 2, s.kernel ** 2, convOutputSize(s) ** 2];
  const spaces = width < 480 ? SPACES.narrow : SPACES.wide;
  const { sign, brackets, vector } = spaces;
  if (view === "dense") {
    const widthOf = (step) => pixels * step + 2 * Math.max(step, vector) + 3 * brackets + 2 * sign;
    const cell = productCell(widthOf, Math.max(outputs + 1, pixels), width);
    return { layout: "row", cell, own: cell, spaces };
  }
  const windows = (step) => Math.max((1 + outputs) * step + HEADS + brackets, TITLE) + sign;
  const kernel = (step) => Math.max(weights * step + brackets, TITLE);
  const row = productCell((step) => kernel(step) + windows(step), weights, width);
  const stack = productCell(windows, weights, width);
  if (row >= Math.min(24, stack)) return { layout: "row", cell: row, own: row, spaces };
  const own = productCell((step) => kernel(step) + sign, 1, width);
  return { layout: "stack", cell: stack, own: Math.min(own, 28), spaces };
}
