// Matrix view: the windows, the output, and what there is to count.

import { convOutputSize, convTaps } from "../lib/arithmetic.js";
import { range } from "../lib/ranges.js";

/**
 * All that is drawn: `view` is "dense" or "im2col"; x, w and y are flat, and so are the windows,
 * each a list of the taps of its weights. A tap's `pixel` is null in the padding.
 * @typedef {{ key: string, s: Record<string, number>, view: string, letters: boolean, x: number[],
 *   w: number[], y: number[], windows: Tap[][], width: number }} Page
 * @typedef {{ row: number, col: number, pixel: number | null }} Tap
 */

/** The settings as the arithmetic wants them. */
export function sizesOf(/** @type {Record<string, any>} */ settings) {
  const { input_size: size, kernel_size: kernel, stride, padding } = settings;
  return { size, kernel, stride, before: padding, after: padding, dilation: 1 };
}

/** @returns {Tap[][]} the windows in reading order */
export function windowsOf(s) {
  const inside = (index) => index >= 0 && index < s.size;
  const axis = range(0, convOutputSize(s)).map((o) => convTaps(s, o).map(([index]) => index));
  const tap = (row, col) => {
    const pixel = inside(row) && inside(col) ? row * s.size + col : null;
    return { row, col, pixel };
  };
  return axis.flatMap((rows) =>
    axis.map((cols) => rows.flatMap((row) => cols.map((col) => tap(row, col)))),
  );
}

/** The output, flat. */
export function outputsOf(s, x, w) {
  const add = (sum, { pixel }, i) => (pixel === null ? sum : sum + w[i] * x[pixel]);
  return windowsOf(s).map((taps) => taps.reduce(add, 0));
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

/** How many there are of each kind that can be chosen. */
export function howMany(s) {
  return { output: convOutputSize(s) ** 2, pixel: s.size ** 2, weight: s.kernel ** 2 };
}

/** The taps that belong to a selection, [kind, index]: { output, weight, row, col, pixel }. */
export function tapsOf(windows, [kind, index]) {
  return windows
    .flatMap((taps, output) => taps.map((tap, weight) => ({ ...tap, output, weight })))
    .filter((tap) => tap[kind] === index);
}

/** What the matrix of a view is made of; `most` is the pixel read most often, `times` times. */
export function countsOf(s, view) {
  const taps = windowsOf(s).flat();
  const reads = Array(s.size ** 2).fill(0);
  for (const { pixel } of taps) if (pixel !== null) reads[pixel] += 1;
  const { output, pixel, weight } = howMany(s);
  const shape = view === "dense" ? [output, pixel] : [weight, output];
  const copies = reads.reduce((a, b) => a + b);
  const times = Math.max(...reads);
  return {
    shape,
    entries: shape[0] * shape[1],
    copies,
    weights: weight,
    padding: taps.length - copies,
    pixels: reads.filter(Boolean).length,
    most: reads.indexOf(times),
    times,
  };
}
