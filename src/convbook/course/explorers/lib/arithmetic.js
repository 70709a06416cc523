// Sizes, taps and sums of convolutions, as in `convbook.arithmetic`. Rows and columns do not meet: each
// axis has its own settings, sizes and taps.

/**
 * The settings along one axis.
 * @typedef {object} Axis
 * @property {number} size of the input
 * @property {number} kernel
 * @property {number} stride
 * @property {number} before padding above, or on the left
 * @property {number} after
 * @property {number} dilation
 * @property {number} [outputPadding]
 */

/** Pixels a dilated kernel spans from its first tap to its last. */
export function kernelSpan(/** @type {Pick<Axis, "kernel" | "dilation">} */ s) {
  return s.dilation * (s.kernel - 1) + 1;
}

/** Size of a convolution's output along one axis, or null when no window fits. */
export function convOutputSize(/** @type {Axis} */ s) {
  const room = s.size + s.before + s.after - kernelSpan(s);
  return room < 0 ? null : Math.floor(room / s.stride) + 1;
}

/** Size of a transposed convolution's output along one axis, or null when there is none. */
export function convTransposeOutputSize(/** @type {Axis} */ s) {
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
export function convTaps(/** @type {Axis} */ s, /** @type {number} */ o) {
  return Array.from({ length: s.kernel }, (_, k) => [o * s.stride - s.before + k * s.dilation, k]);
}

/** Taps [input index, kernel index] of the stamps that land on output index `o`. */
export function convTransposeTaps(/** @type {Axis} */ s, /** @type {number} */ o) {
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
      const value = x[row]?.[col];
      const padding = value === undefined;
      return { row, col, kRow, kCol, x: padding ? 0 : value, w: w[kRow][kCol], padding };
    }),
  );
}

/**
 * The output: for each of its rows, and of its columns, the taps behind it are given.
 * @param {number[][]} x
 * @param {number[][]} w
 * @param {number[][][]} rows for each row of the output its taps [row of x, row of w]
 * @param {number[][][]} cols
 * @returns {number[][]}
 */
export function sumTaps(x, w, rows, cols) {
  return rows.map((rowTaps) =>
    cols.map((colTaps) => {
      let sum = 0;
      for (const [row, kRow] of rowTaps) {
        const [line, weights] = [x[row], w[kRow]];
        if (!line) continue;
        for (const [col, kCol] of colTaps) sum += (line[col] ?? 0) * weights[kCol];
      }
      return sum;
    }),
  );
}
