// Matrix view: how large the cells may be.

import { gapFor } from "../lib/figure.js";
import { range } from "../lib/ranges.js";

export const NARROW = 480; // where signs and brackets take less, and vectors go without their size
export const LARGEST_CELL = 34;
const SMALLEST_LETTER = 14; // in a smaller cell a letter cannot be read
const TALLEST = 620; // a taller matrix no longer fits on a screen together with its sentence
const TITLE = 80; // the longest title above a matrix
const HEADS = 14; // between a matrix and the heads of its rows, as in the style sheet

/** Smallest cell in which a text of this length can be read. */
export function smallestFor(length) {
  return length < 2 ? SMALLEST_LETTER : Math.min(Math.max(18, 6 * length), LARGEST_CELL);
}

/** Cells of the column beside the picture, and what it takes of the width; `longest` text. */
export function columnFit(count, longest) {
  const own = count < 9 ? 26 : 20;
  return { own, beside: Math.max(96, 2 * Math.max(own, 7 * longest + 8) + 12) + 36 };
}

/**
 * Arrangement and cell size of the product: "row", or "stack" where a row is tight; alone on its
 * line the kernel has cells of its `own`. And the space for a sign and for a matrix's brackets.
 */
export function productFit({ view, x, w, y, width }) {
  const [sign, brackets, vector] = width < NARROW ? [16, 12, 22] : [40, 20, 36];
  const largest = (widthOf, rows) => {
    const fits = (step) => widthOf(step) <= width && rows * step <= TALLEST;
    const sizes = range(0, LARGEST_CELL).map((i) => LARGEST_CELL - i);
    return sizes.find((cell) => fits(cell + gapFor(cell))) ?? 0;
  };
  const found = { sign, brackets };
  if (view === "dense") {
    const widthOf = (step) =>
      x.length * step + 2 * Math.max(step, vector) + 3 * brackets + 2 * sign;
    const cell = largest(widthOf, Math.max(y.length + 1, x.length));
    return { ...found, layout: "row", cell, own: cell };
  }
  const windows = (step) => Math.max((1 + y.length) * step + HEADS + brackets, TITLE) + sign;
  const kernel = (step) => Math.max(w.length * step + brackets, TITLE);
  const row = largest((step) => kernel(step) + windows(step), w.length);
  const stack = largest(windows, w.length);
  if (row >= Math.min(24, stack)) return { ...found, layout: "row", cell: row, own: row };
  const own = largest((step) => kernel(step) + sign, 1);
  return { ...found, layout: "stack", cell: stack, own: Math.min(own, 28) };
}
