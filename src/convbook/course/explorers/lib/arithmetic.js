// Sizes, taps and sums of convolutions, as in `convbook.arithmetic`.

import { range } from "./ranges.js";

/** Pixels a dilated kernel spans from its first tap to its last. */
export function kernelSpan(s) {
  return s.dilation * (s.kernel - 1) + 1;
}

/** Size of a convolution's output along one axis, or null when no window fits. */
export function convOutputSize(s) {
  const room = s.size + s.before + s.after - kernelSpan(s);
  return room < 0 ? null : Math.floor(room / s.stride) + 1;
}

/** Size of a transposed convolution's output along one axis, or null when there is none. */
export function convTransposeOutputSize(s) {
  if (s.outputPadding >= Math.max(s.stride, s.dilation)) return null;
  const size = (s.size - 1) * s.stride - s.before - s.after + kernelSpan(s) + s.outputPadding;
  return size < 1 ? null : size;
}

/** Padding before and after that keeps the size at stride 1, the odd pixel after. */
export function samePadding(kernel, dilation = 1) {
  const total = dilation * (kernel - 1);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** Taps [input index, kernel index] behind output index `o`; an index outside 0..size-1 is padding. */
export function convTaps(s, o) {
  return Array.from({ length: s.kernel }, (_, k) => [o * s.stride - s.before + k * s.dilation, k]);
}

/** Taps [input index, kernel index] of the stamps that land on output index `o`. */
export function convTransposeTaps(s, o) {
  const taps = [];
  for (let i = 0; i < s.size; i += 1) {
    const k = (o + s.before - i * s.stride) / s.dilation;
    if (Number.isInteger(k) && k >= 0 && k < s.kernel) taps.push([i, k]);
  }
  return taps;
}

/** The products behind one output cell, row by row: { row, col, kRow, kCol, x, w, padding }. */
export function productsOf(x, w, rowTaps, colTaps) {
  return rowTaps.map(([row, kRow]) =>
    colTaps.map(([col, kCol]) => {
      const padding = row < 0 || col < 0 || row >= x.length || col >= x.length;
      return { row, col, kRow, kCol, x: padding ? 0 : x[row][col], w: w[kRow][kCol], padding };
    }),
  );
}

/** The sum of products over given taps, for each pair of a row's taps and a column's taps. */
export function sumTaps(x, w, taps) {
  return taps.map((rowTaps) =>
    taps.map((colTaps) => {
      let sum = 0;
      for (const [row, kRow] of rowTaps) {
        if (row < 0 || row >= x.length) continue;
        for (const [col, kCol] of colTaps) {
          if (col >= 0 && col < x.length) sum += x[row][col] * w[kRow][kCol];
        }
      }
      return sum;
    }),
  );
}

/** Convolve square `x` with square `w`; null when no window fits. */
export function convolve(x, w, s) {
  const size = convOutputSize(s);
  return size === null
    ? null
    : sumTaps(
        x,
        w,
        range(0, size).map((o) => convTaps(s, o)),
      );
}

/** Transposed convolution of square `x` with square `w`; null when there is no output. */
export function convTranspose(x, w, s) {
  const size = convTransposeOutputSize(s);
  return size === null
    ? null
    : sumTaps(
        x,
        w,
        range(0, size).map((o) => convTransposeTaps(s, o)),
      );
}
