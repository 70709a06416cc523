// Photograph: the map of a picture, what one of its pixels is made of, and how maps are coloured.

import { range } from "../lib/ranges.js";

export const SIDE = 256; // rows and columns of a picture and of its map
const KEPT = 0.99; // the share of a map's pixels that its scale holds

/** A number without the dust of binary fractions; weights, products and sums have two decimals. */
export const exact = (value) => Math.round(value * 100) / 100 + 0; // never -0

/** Where pixel `i` of a line is read, for each place from `r` before the line to `r` behind it. */
function places(side, r, border) {
  return range(-r, side + r).map((i) => {
    if (i >= 0 && i < side) return i;
    if (border === "reflect") return i < 0 ? -i : 2 * (side - 1) - i;
    return border === "replicate" ? Math.max(0, Math.min(i, side - 1)) : null;
  });
}

/**
 * The map of a picture, row by row, in hundredths, and the picture with the border around it.
 * @param {ArrayLike<number>} pixels row by row
 * @param {number[][]} kernel
 */
export function mapOf(pixels, side, kernel, border) {
  const across = side + kernel.length - 1;
  const sources = places(side, (kernel.length - 1) / 2, border);
  const wide = new Uint8Array(across * across); // zeros where there is no pixel to read
  sources.forEach((row, y) => {
    sources.forEach((col, x) => {
      if (row !== null && col !== null) wide[y * across + x] = pixels[row * side + col];
    });
  });
  const map = new Int32Array(side * side);
  for (let tap = 0; tap < kernel.length ** 2; tap += 1) {
    const [i, j] = [Math.floor(tap / kernel.length), tap % kernel.length];
    const weight = Math.round(kernel[i][j] * 100);
    for (let row = 0; weight && row < side; row += 1) {
      const [from, to] = [(row + i) * across + j, row * side];
      for (let col = 0; col < side; col += 1) map[to + col] += Math.imul(weight, wide[from + col]);
    }
  }
  return { map, wide };
}

/** The pixels under a kernel of `size` around (row, col), from a picture with its border. */
export function patchOf(wide, side, size, [row, col]) {
  const start = row * (side + size - 1) + col;
  return range(0, size).map((i) => {
    const from = start + i * (side + size - 1);
    return [...wide.slice(from, from + size)];
  });
}

/** The size of number, to two digits, that nearly all pixels of a map keep within. */
export function scaleOf(/** @type {Int32Array} */ map) {
  // Of every seventh pixel, which is enough, and quick.
  const count = Math.ceil(map.length / 7);
  const sizes = Int32Array.from({ length: count }, (_, i) => Math.abs(map[7 * i])).sort();
  const size = sizes[Math.floor(sizes.length * KEPT)] || sizes.at(-1) || 100;
  return Number((size / 100).toPrecision(2));
}

/**
 * Colours of the levels -255..255, as a canvas holds them: zero is blank, and the sign decides the
 * hue. In the view "grey" a level is a grey.
 * @param {string} view
 * @param {{ blank: number[], positive: number[], negative: number[] }} colours
 */
export function colourTable(view, { blank, positive, negative }) {
  return Uint32Array.from(range(-255, 256), (level) => {
    const hue = level > 0 || view === "absolute" ? positive : view === "relu" ? blank : negative;
    const share = Math.abs(level) / 255;
    const [red, green, blue] = blank.map((from, i) =>
      view === "grey" ? Math.max(0, level) : Math.round(from + (hue[i] - from) * share),
    );
    return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  });
}

/** Write a map's colours into `target`, and return it; `most` is what the ends of the table stand for. */
export function paintMap(target, map, most, table) {
  const factor = 255 / (most * 100);
  for (let i = 0; i < map.length; i += 1) {
    const level = Math.min(Math.round(Math.abs(map[i]) * factor), 255);
    target[i] = table[map[i] < 0 ? 255 - level : 255 + level];
  }
  return target;
}

/** How far apart two maps are: the root of the mean squared difference of their pixels. */
export function distanceOf(map, other) {
  const sum = map.reduce((total, value, i) => total + (value - other[i]) ** 2, 0);
  return Math.sqrt(sum / map.length) / 100;
}
