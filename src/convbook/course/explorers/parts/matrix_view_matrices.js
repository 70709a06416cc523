// Matrix view: the taps of all windows, and what there is to count.

import { convOutputSize, convTaps, productsOf } from "../lib/arithmetic.js";
import { range } from "../lib/ranges.js";

/**
 * A weight on a place of the padded input, for one output; `pixel` is null in the padding.
 * @typedef {{ output: number, weight: number, row: number, col: number, pixel: number | null }} Tap
 *
 * All that is drawn: `view` is "dense" or "im2col"; x, w and y are flat, `grids` x and w as squares.
 * @typedef {{ s: import("../lib/arithmetic.js").Axis, view: string, letters: boolean, grids: number[][][],
 *   x: number[], w: number[], y: number[], taps: Tap[], looks: Record<string, any>,
 *   width: number }} Page
 */

/** @returns {Tap[]} window by window, in reading order */
export function tapsOf(s, x, w) {
  const axis = range(0, convOutputSize(s)).map((o) => convTaps(s, o));
  const windows = axis.flatMap((rows) => axis.map((cols) => productsOf(x, w, rows, cols).flat()));
  return windows.flatMap((products, output) =>
    products.map(({ row, col, padding }, weight) => {
      const pixel = padding ? null : row * s.size + col;
      return { output, weight, row, col, pixel };
    }),
  );
}

/**
 * The window that a pixel stands for, or null when no window reads it: along each axis the last
 * window that starts at the pixel or before it. If that one ends too early, all others do.
 */
export function windowAt(s, row, col) {
  const size = convOutputSize(s);
  const last = (index) => Math.min(Math.floor((index + s.before) / s.stride), size - 1);
  const reads = (index) => index < last(index) * s.stride - s.before + s.kernel;
  return reads(row) && reads(col) ? last(row) * size + last(col) : null;
}

/** What the matrix of a view is made of; `most` is the pixel read most often, `times` times. */
export function countsOf(/** @type {Page} */ { view, taps, x, y, w }) {
  const reads = x.map((_, pixel) => taps.filter((tap) => tap.pixel === pixel).length);
  const shape = view === "dense" ? [y.length, x.length] : [w.length, y.length];
  const copies = taps.filter(({ pixel }) => pixel !== null).length;
  const padding = taps.length - copies;
  const times = Math.max(...reads);
  const read = { pixels: reads.filter(Boolean).length, most: reads.indexOf(times), times };
  return { shape, entries: shape[0] * shape[1], copies, weights: w.length, padding, ...read };
}
