// Matrix view: the matrices, their names, and what is said of them.

import { convOutputSize, convTaps } from "../lib/arithmetic.js";
import { counted, formatCell, formatNumber, tensorLines } from "../lib/format.js";
import { range } from "../lib/ranges.js";

const WEIGHT_TINTS = 9;

/** The settings in the model, as the arithmetic wants them. */
export function readSettings(model) {
  return {
    size: model.get("input_size"),
    kernel: model.get("kernel_size"),
    stride: model.get("stride"),
    before: model.get("padding"),
    after: model.get("padding"),
    dilation: 1,
  };
}

/**
 * The windows in reading order, each a list of its taps, one for each weight: { row, col, pixel },
 * where `pixel` counts in reading order and is null in the padding.
 */
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

/** The dense matrix: for each window a row, for each pixel its weight's index, or null for zero. */
export function denseMatrix(s) {
  return windowsOf(s).map((taps) => {
    const row = Array(s.size ** 2).fill(null);
    taps.forEach(({ pixel }, weight) => {
      if (pixel !== null) row[pixel] = weight;
    });
    return row;
  });
}

/** The windows as columns: for each weight a row of pixels' indices, null for padding. */
export function windowMatrix(s) {
  const windows = windowsOf(s);
  return range(0, s.kernel ** 2).map((weight) => windows.map((taps) => taps[weight].pixel));
}

/** A matrix of indices into `values` as numbers, with 0 for null. */
function filled(indices, values) {
  return indices.map((row) => row.map((index) => (index === null ? 0 : values[index])));
}

/** The product of two matrices, lists of rows. */
function multiply(a, b) {
  return a.map((row) =>
    b[0].map((_, col) => row.reduce((sum, value, i) => sum + value * b[i][col], 0)),
  );
}

/** The product shown: [left, right, left times right], all three lists of rows of numbers. */
export function productOf(s, view, x, w) {
  const factors =
    view === "dense"
      ? [filled(denseMatrix(s), w), x.map((value) => [value])]
      : [[w], filled(windowMatrix(s), x)];
  return [...factors, multiply(...factors)];
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

/** The taps that belong to a selection: { output, weight, row, col, pixel }. */
export function tapsOf(windows, [kind, index]) {
  return windows
    .flatMap((taps, output) => taps.map((tap, weight) => ({ ...tap, output, weight })))
    .filter((tap) => tap[kind] === index);
}

/**
 * Where a selection shows: for each grid the places [row, col] that are `lit`, those `framed`,
 * which are the selection itself, and the `stops`, which choose it again: Tab comes back to them.
 * Row and column -1 are a matrix's heads.
 */
export function placesOf(s, view, windows, [kind, index]) {
  const dense = view === "dense";
  const taps = tapsOf(windows, [kind, index]);
  const real = taps.filter(({ pixel }) => pixel !== null);
  const shown = dense ? real : taps; // the dense matrix has no column for padding
  const all = (what, among) => (kind === what ? [index] : [...new Set(among.map((t) => t[what]))]);
  const [outputs, pixels, weights] = [
    all("output", shown),
    all("pixel", real),
    all("weight", shown),
  ];
  const square = (side) => (i) => [Math.floor(i / side), i % side];
  const column = (i) => [i, 0];
  const row = (i) => [0, i];
  const itself = (what, place) => (kind === what ? [place(index)] : []);
  const across = (what, count) => (kind === what ? range(0, count).map((i) => [index, i]) : []);
  const down = (what, count) => (kind === what ? range(0, count).map((i) => [i, index]) : []);
  /** Lit and framed places, and the stops where they are not the framed ones. */
  const grid = (lit, framed, stops = framed) => ({ lit, framed, stops });

  const [inX, inW, inY] = [square(s.size), square(s.kernel), square(convOutputSize(s))];
  const line = dense ? column : row;
  const seen = taps.map((tap) => [tap.row, tap.col]);
  const [rowOfC, columnOfC] = [across("output", s.size ** 2), down("pixel", windows.length)];
  const [columnOfU, rowOfU] = [down("output", s.kernel ** 2), across("weight", windows.length)];
  return {
    x:
      kind === "output"
        ? grid(
            seen,
            seen,
            seen.filter(([i, j]) => windowAt(s, i, j) === index),
          )
        : grid([...seen, ...pixels.map(inX)], itself("pixel", inX)),
    w: grid(weights.map(inW), itself("weight", inW)),
    y: grid(outputs.map(inY), itself("output", inY)),
    left: dense
      ? grid(
          [...real.map((t) => [t.output, t.pixel]), ...pixels.map((i) => [-1, i])],
          [...rowOfC, ...columnOfC],
          [...rowOfC, ...itself("pixel", (i) => [-1, i])],
        )
      : grid(weights.map(row), itself("weight", row)),
    right: dense
      ? grid(pixels.map(column), itself("pixel", column))
      : grid(
          [...taps.map((t) => [t.weight, t.output]), ...itself("weight", (i) => [i, -1])],
          [...columnOfU, ...rowOfU],
          [...columnOfU, ...itself("weight", (i) => [i, -1])],
        ),
    result: grid(outputs.map(line), itself("output", line)),
  };
}

/** What the cell (row, col) of a grid stands for. */
export function selectionAt({ s, view }, name, row, col) {
  if (name === "x") {
    const window = windowAt(s, row, col);
    return window === null ? ["pixel", row * s.size + col] : ["output", window];
  }
  if (name === "w") return ["weight", row * s.kernel + col];
  if (name === "y") return ["output", row * convOutputSize(s) + col];
  if (view === "dense") {
    const isPixel = name === "right" || row < 0;
    return isPixel ? ["pixel", name === "right" ? row : col] : ["output", row];
  }
  const isWeight = name === "left" || col < 0;
  return isWeight ? ["weight", name === "left" ? col : row] : ["output", col];
}

/** What the matrix of a view is made of; `most` is the pixel read most often, `times` times. */
export function countsOf(s, view) {
  const windows = windowsOf(s);
  const reads = new Map();
  for (const { pixel } of windows.flat()) reads.set(pixel, (reads.get(pixel) ?? 0) + 1);
  const padding = reads.get(null) ?? 0;
  reads.delete(null);
  const weights = s.kernel ** 2;
  const shape = view === "dense" ? [windows.length, s.size ** 2] : [weights, windows.length];
  const times = Math.max(...reads.values());
  return {
    shape,
    entries: shape[0] * shape[1],
    copies: windows.length * weights - padding,
    weights,
    padding,
    pixels: reads.size,
    most: Math.min(...[...reads.keys()].filter((pixel) => reads.get(pixel) === times)),
    times,
  };
}

/** A letter with an index that counts from 0, as in y\u2080. */
export function numbered(letter, index) {
  return letter + String(index).replace(/\d/g, (d) => String.fromCharCode(0x2080 + Number(d)));
}

/** Letters a to i where they suffice; x\u2080, x\u2081, ... beyond: p, q, r and s are weights. */
export function pixelName(s, index) {
  return s.size === 3 ? String.fromCharCode(97 + index) : numbered("x", index);
}

export function weightName(s, index) {
  return s.kernel < 3 ? "pqrs"[index] : numbered("w", index);
}

/** The number, 1 to 9, of a weight's tint: as far apart as there is room for. */
export function tintOf(weight, count) {
  const step = count === 1 ? 0.5 : weight / (count - 1);
  return Math.round(step * (WEIGHT_TINTS - 1)) + 1;
}

/** Text, class and spoken name of a pixel, a weight and an output. */
export function lookOf({ s, x, w, y, letters }) {
  const look = (name, value, css, spoken) => ({
    text: letters ? name : formatCell(value),
    css: `cb-cell ${css}`,
    label: letters ? `${spoken} ${name}` : `${spoken} ${name} = ${formatNumber(value)}`,
  });
  const weights = w.map((value, i) => {
    const css = `cb-tint cb-tint-${tintOf(i, w.length)}`;
    return look(weightName(s, i), value, css, "weight");
  });
  return {
    pixels: x.map((value, i) => look(pixelName(s, i), value, "cb-x", "pixel")),
    outputs: y.map((value, i) => look(numbered("y", i), value, "cb-y", "output")),
    weights,
    padding: { text: "0", css: "cb-cell cb-pad", label: "padding, 0" },
    zero: { text: "", css: "cb-cell cb-zero", label: "zero" },
  };
}

/** What there is to count in the matrix shown, in a sentence or two. */
export function summaryOf(s, view, show) {
  const c = countsOf(s, view);
  const size = `${c.shape.join(" \u00d7 ")} matrix: ${c.entries} entries`;
  if (view === "dense") {
    const lost = c.padding ? ` ${c.padding} taps fall on padding and have no column.` : "";
    const copies = `${c.copies} ${c.copies === 1 ? "copy" : "copies"}`;
    const zeros = counted(c.entries - c.copies, "zero");
    return `${size}, ${zeros}, ${copies} of ${counted(c.weights, "weight")}.${lost}`;
  }
  const every = s.size ** 2;
  const who = c.pixels === every ? `The ${every} pixels` : `${c.pixels} of the ${every} pixels`;
  const one = show === "letters" ? `pixel ${pixelName(s, c.most)}` : "one pixel";
  const often = c.times === 1 ? "once" : `${c.copies} times, ${one} ${c.times} times`;
  const zeros = c.padding ? `${c.padding} zeros from padding` : "no zeros";
  return `${size}, ${zeros}. ${who} ${c.pixels === 1 ? "is" : "are"} written ${often}.`;
}

/** Where a weight stands in the matrix of a view, if `lost` of its `count` taps are padding. */
export function weightWords(view, index, count, lost) {
  if (view === "im2col") {
    const padding = lost ? `, ${lost} of them padding` : "";
    const windows = counted(count, "window");
    return ` multiplies row ${index + 1} of U: one pixel from each of ${windows}${padding}.`;
  }
  if (!lost && count === 1) return " stands in the only row.";
  if (!lost) return ` stands in all ${count} rows, once in each.`;
  return ` stands in ${count - lost} of ${count} rows; in the other ${lost} it falls on padding.`;
}

/** The line that computes the flattened output from x and w, of shape (1, 1, side, side). */
export function packageLine(s, view) {
  const stride = s.stride > 1 ? `, stride=${s.stride}` : "";
  const padding = s.before ? `, padding=${s.before}` : "";
  return view === "dense"
    ? `conv2d_matrix(w, (${s.size}, ${s.size})${stride}${padding}) @ x.flatten()`
    : `w.flatten() @ unfold(x, ${s.kernel}${padding}${stride})`;
}

/** A script that runs as it stands: imports, the numbers on the page, the line. */
export function packageScript(s, view, x, w) {
  return [
    "import torch",
    `from convbook.functional import ${view === "dense" ? "conv2d_matrix" : "unfold"}`,
    "",
    tensorLines("x", x),
    tensorLines("w", w),
    `y = ${packageLine(s, view)}`,
    "print(y.flatten())",
  ].join("\n");
}
