// Matrix view: its examples, its names, and what it says.

import { counted, formatFactor, formatNumber, tensorLines } from "../lib/format.js";
import { range } from "../lib/ranges.js";
import { countsOf, tapsOf } from "./matrix_view_matrices.js";

export const LIMITS = { input_size: [3, 5], kernel_size: [1, 3], stride: [1, 2], padding: [0, 1] };

/** Settings of an example; left out, they are those of the first. */
function example(label, note, settings) {
  const first = { view: "dense", input_size: 3, kernel_size: 2, stride: 1, padding: 0 };
  return { label, note, settings: { ...first, ...settings } };
}

export const PRESETS = [
  example(
    "Nine letters",
    "Every row of M holds the same four weights, each under the pixel that it meets.",
    { show: "letters" },
  ),
  example(
    "The same as windows",
    "Each window becomes a column of U: no zero is left, but pixel e is written four times.",
    { view: "im2col" },
  ),
  example(
    "Stride 2",
    "Every second window only: 4 rows instead of 9, and each pixel is read once.",
    { input_size: 4, stride: 2 },
  ),
  example(
    "With padding",
    "As many outputs as pixels. Padding has no column, so only the middle row of M is full.",
    { kernel_size: 3, padding: 1 },
  ),
];

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

/** What there is to count in the matrix shown, in a sentence or two. */
export function summaryOf({ s, view, letters }) {
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
  const one = letters ? `pixel ${pixelName(s, c.most)}` : "one pixel";
  const often = c.times === 1 ? "once" : `${c.copies} times, ${one} ${c.times} times`;
  const zeros = c.padding ? `${c.padding} zeros from padding` : "no zeros";
  return `${size}, ${zeros}. ${who} ${c.pixels === 1 ? "is" : "are"} written ${often}.`;
}

/**
 * The sum behind an output, or where a pixel or a weight goes: texts, and [role, text] in colour.
 * @returns {(string | string[])[]}
 */
export function sentenceOf(
  /** @type {import("./matrix_view_matrices.js").Page} */ page,
  selection,
) {
  const { s, view, windows, x, w, y, letters } = page;
  const [kind, index] = selection;
  const taps = tapsOf(windows, selection);
  const real = taps.filter(({ pixel }) => pixel !== null);
  const write = (name, value) => (letters ? name : formatFactor(value));
  const product = ({ weight, pixel }) => [
    ["kernel", write(weightName(s, weight), w[weight])],
    "\u00b7",
    pixel === null ? ["padding", "0"] : ["input", write(pixelName(s, pixel), x[pixel])],
  ];
  const title = (role, name, value) => [role, letters ? name : `${name} = ${formatNumber(value)}`];
  if (kind === "output") {
    const shown = view === "dense" ? real : taps;
    const sum = shown.flatMap((tap, i) => [...(i ? [" + "] : []), ...product(tap)]);
    const total = letters ? [] : [" = ", ["output", formatNumber(y[index])]];
    const found = sum.length ? [...sum, ...total] : ["0: this window sees padding only."];
    return [["output", numbered("y", index)], " = ", ...found];
  }
  if (kind === "pixel") {
    const name = title("input", pixelName(s, index), x[index]);
    const readers = real.length ? counted(real.length, "window") : "no window";
    const list = real.flatMap((tap, i) => {
      const output = ["output", numbered("y", tap.output)];
      return [i ? ", " : ": ", ...product(tap), " in ", output];
    });
    return ["Pixel ", name, ` is read by ${readers}`, ...list, "."];
  }
  const name = title("kernel", weightName(s, index), w[index]);
  return ["Weight ", name, weightWords(view, index, taps.length, taps.length - real.length)];
}

/** Where a weight stands in the matrix of a view, if `lost` of its `count` taps are padding. */
function weightWords(view, index, count, lost) {
  if (view === "im2col") {
    const padding = lost ? `, ${lost} of them padding` : "";
    const windows = counted(count, "window");
    return ` multiplies row ${index + 1} of U: one pixel from each of ${windows}${padding}.`;
  }
  if (!lost && count === 1) return " stands in the only row.";
  if (!lost) return ` stands in all ${count} rows, once in each.`;
  return ` stands in ${count - lost} of ${count} rows; in the other ${lost} it falls on padding.`;
}

/** How the chosen window shows in the matrix of the view; of a pixel or a weight, nothing. */
export function tieOf({ s, view, windows }, [kind, index]) {
  if (kind !== "output") return "";
  const name = numbered("y", index);
  if (view === "im2col") {
    return `Read row by row, the window is column ${name} of U. The kernel, read the same way, multiplies it.`;
  }
  const real = windows[index].filter(({ pixel }) => pixel !== null).length;
  if (!real) return `Row ${name} of M is all zeros: padding has no column.`;
  const zeros = real < s.size ** 2 ? ", and zeros" : "";
  const lost = real < s.kernel ** 2 ? " Padding has no column." : "";
  return `Row ${name} of M has each weight in the column of its pixel${zeros}.${lost}`;
}

/** The line that computes the flattened output from x and w, of shape (1, 1, side, side). */
export function packageLine({ s, view }) {
  const stride = s.stride > 1 ? `, stride=${s.stride}` : "";
  const padding = s.before ? `, padding=${s.before}` : "";
  return view === "dense"
    ? `conv2d_matrix(w, (${s.size}, ${s.size})${stride}${padding}) @ x.flatten()`
    : `w.flatten() @ unfold(x, ${s.kernel}${padding}${stride})`;
}

/** A script that runs as it stands: imports, the numbers on the page, the line. */
export function packageScript(page) {
  const { s, view, x, w } = page;
  const square = (values, side) =>
    range(0, side).map((row) => values.slice(row * side, (row + 1) * side));
  return [
    "import torch",
    `from convbook.functional import ${view === "dense" ? "conv2d_matrix" : "unfold"}`,
    "",
    tensorLines("x", square(x, s.size)),
    tensorLines("w", square(w, s.kernel)),
    `y = ${packageLine(page)}`,
    "print(y.flatten())",
  ].join("\n");
}
