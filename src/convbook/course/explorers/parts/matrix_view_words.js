// Matrix view: its examples, its names, and what it says.

import { counted, formatFactor, formatNumber, tensorLines } from "../lib/format.js";
import { countsOf } from "./matrix_view_matrices.js";

/** @typedef {import("./matrix_view_matrices.js").Page} Page */

const FIRST = { view: "dense", input_size: 3, kernel_size: 2, stride: 1, padding: 0 };

export const LIMITS = { input_size: [3, 5], kernel_size: [1, 3], stride: [1, 2], padding: [0, 1] };
export const PRESETS = [
  {
    label: "Nine letters",
    note: "Every row of M holds the same four weights, each under the pixel that it meets.",
    settings: { ...FIRST, show: "letters" },
  },
  {
    label: "As windows",
    note: "Each window becomes a column of U: no zero is left, but pixel e is written four times.",
    settings: { ...FIRST, view: "im2col" },
  },
  {
    label: "Stride 2",
    note: "Every second window only: 4 rows instead of 9, and each pixel is read once.",
    settings: { ...FIRST, input_size: 4, stride: 2 },
  },
  {
    label: "With padding",
    note: "As many outputs as pixels. Padding has no column: only the middle row of M is full.",
    settings: { ...FIRST, kernel_size: 3, padding: 1 },
  },
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
export function summaryOf(/** @type {Page} */ page) {
  const c = countsOf(page);
  const size = `${c.shape.join(" \u00d7 ")} matrix: ${c.entries} entries`;
  if (page.view === "dense") {
    const lost = c.padding ? ` ${c.padding} taps fall on padding and have no column.` : "";
    const copies = `${c.copies} ${c.copies === 1 ? "copy" : "copies"}`;
    const zeros = counted(c.entries - c.copies, "zero");
    return `${size}, ${zeros}, ${copies} of ${counted(c.weights, "weight")}.${lost}`;
  }
  const every = page.x.length;
  const who = c.pixels === every ? `The ${every} pixels` : `${c.pixels} of the ${every} pixels`;
  const one = page.letters ? `pixel ${pixelName(page.s, c.most)}` : "one pixel";
  const often = c.times === 1 ? "once" : `${c.copies} times, ${one} ${c.times} times`;
  const zeros = c.padding ? `${c.padding} zeros from padding` : "no zeros";
  return `${size}, ${zeros}. ${who} ${c.pixels === 1 ? "is" : "are"} written ${often}.`;
}

/**
 * The sum behind an output, or where a pixel or a weight goes: texts, and [role, text] in colour.
 * @returns {(string | string[])[]}
 */
export function sentenceOf(/** @type {Page} */ page, [kind, index]) {
  const { s, view, x, w, y, letters } = page;
  const taps = page.taps.filter((tap) => tap[kind] === index);
  const real = taps.filter(({ pixel }) => pixel !== null);
  const write = (name, value) => (letters ? name : formatFactor(value));
  const product = ({ weight, pixel }) => [
    ["kernel", write(weightName(s, weight), w[weight])],
    "\u00b7",
    pixel === null ? ["padding", "0"] : ["input", write(pixelName(s, pixel), x[pixel])],
  ];
  const title = (name, value) => (letters ? name : `${name} = ${formatNumber(value)}`);
  if (kind === "output") {
    const shown = view === "dense" ? real : taps; // the dense matrix has no column for padding
    const sum = shown.flatMap((tap, i) => [i ? " + " : " = ", ...product(tap)]);
    const total = letters ? [] : [" = ", ["output", formatNumber(y[index])]];
    const found = sum.length ? [...sum, ...total] : [" = 0: this window sees padding only."];
    return [["output", numbered("y", index)], ...found];
  }
  if (kind === "pixel") {
    const name = title(pixelName(s, index), x[index]);
    const readers = real.length ? counted(real.length, "window") : "no window";
    const outputOf = (tap) => ["output", numbered("y", tap.output)];
    const list = real.flatMap((tap, i) => [
      i ? ", " : ": ",
      ...product(tap),
      " in ",
      outputOf(tap),
    ]);
    return ["Pixel ", ["input", name], ` is read by ${readers}`, ...list, "."];
  }
  const name = ["kernel", title(weightName(s, index), w[index])];
  const lost = taps.length - real.length;
  if (view === "dense") {
    const others = lost ? `; in the other ${lost} it falls on padding` : "";
    return [
      "Weight ",
      name,
      ` stands in ${real.length} of ${counted(taps.length, "row")}${others}.`,
    ];
  }
  const zeros = lost ? `, ${lost} of them padding` : "";
  const windows = counted(taps.length, "window");
  return ["Weight ", name, ` multiplies row ${index + 1} of U: a pixel from ${windows}${zeros}.`];
}

/** How the chosen window shows in the matrix; of a pixel or a weight, nothing. */
export function tieOf(/** @type {Page} */ { view }, [kind, index]) {
  const name = numbered("y", index);
  if (kind !== "output") return "";
  return view === "dense"
    ? `Row ${name} of M has these weights in the columns of their pixels, and zeros elsewhere.`
    : `The window, read row by row, is column ${name} of U.`;
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
export function packageScript(/** @type {Page} */ page) {
  const [x, w] = page.grids;
  const builder = page.view === "dense" ? "conv2d_matrix" : "unfold";
  const start = ["import torch", `from convbook.functional import ${builder}`, ""];
  const line = `y = ${packageLine(page)}`;
  return [...start, tensorLines("x", x), tensorLines("w", w), line, "print(y.flatten())"].join(
    "\n",
  );
}
