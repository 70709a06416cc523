// Conv stepper: what is said of the settings, and of the cell that is chosen or pointed at.

import { kernelSpan, productsOf } from "../lib/arithmetic.js";
import { counted, formatFactor, formatNumber, tensorLines } from "../lib/format.js";
import { range } from "../lib/ranges.js";
import { outputSizeOf, pytorchLine } from "./conv_stepper_settings.js";

/** "padding 1", "padding 1, 2" for before and after, "padding 0 × 1" for rows and columns; or "". */
export function paddingWords({ axes }) {
  if (axes.every(({ before, after }) => before + after === 0)) return "";
  const sides = axes.map(({ before, after }) =>
    before === after ? before : `${before}, ${after}`,
  );
  return `padding ${[...new Set(sides)].join(" \u00d7 ")}`;
}

/** "row and column", "2 rows", "row and 2 columns": so many of each. */
function rowsAndColumns(/** @type {number[]} */ counts) {
  if (counts[0] === counts[1] && counts[0] > 1) return `${counts[0]} rows and columns`;
  const parts = counts.map((count, i) => {
    const noun = ["row", "column"][i];
    return count > 1 ? `${count} ${noun}s` : count && noun;
  });
  return parts.filter(Boolean).join(" and ");
}

/** What to notice about these settings; `links` are those of the two axes. */
export function noteOn({ mode, axes }, links) {
  if (mode === "transposed") {
    const [rows, cols] = links.map((own, i) =>
      range(0, outputSizeOf(axes[i])).map((o) => own.filter(({ y }) => y === o).length),
    );
    const products = [...new Set(rows.flatMap((a) => cols.map((b) => a * b)))];
    products.sort((a, b) => a - b);
    const last = counted(products.pop(), "product").replace("no", "0");
    const some = products.length ? `${products.join(", ")} or ` : "";
    const padded = axes.some((s) => s.before + s.after);
    const cropped = padded ? " Padding crops the hatched border." : "";
    return `Every output cell adds ${some}${last}.${cropped}`;
  }
  const left = axes.map((s) => (s.size + s.before + s.after - kernelSpan(s)) % s.stride);
  const read = links.map((own, i) => {
    const all = new Set(own.map(({ x }) => x));
    return range(0, axes[i].size).filter((index) => all.has(index)).length;
  });
  const all = axes[0].size * axes[1].size;
  const unread = all - read[0] * read[1];
  const lost = left.every((count, i) => count <= axes[i].after) ? ", all of it padding" : "";
  const floor = left.some(Boolean)
    ? `The floor drops the last ${rowsAndColumns(left)}${lost}. `
    : "";
  return unread
    ? `${floor}${unread} of ${all} input pixels ${unread === 1 ? "is" : "are"} read by no window.`
    : `${floor}Every input pixel is read by at least one window.`;
}

export const FORMULAS = {
  convolution:
    "\u230a(input + before + after \u2212 dilation \u00b7 (kernel \u2212 1) \u2212 1) " +
    "/ stride\u230b + 1 (\u230a \u230b: round down)",
  transposed:
    "(input \u2212 1) \u00b7 stride \u2212 before \u2212 after " +
    "+ dilation \u00b7 (kernel \u2212 1) + output padding + 1",
};

/** The size formula with one axis's numbers; between bars stand a role and what is in its colour. */
export function formulaOf(/** @type {import("./conv_stepper_settings.js").StepperAxis} */ s) {
  const [size, kernel] = [`|input:${s.size}|`, `|kernel:${s.kernel}|`];
  if (s.mode === "transposed") {
    return (
      `(${size} \u2212 1) \u00b7 ${s.stride} \u2212 ${s.before} \u2212 ${s.after} + ${s.dilation} ` +
      `\u00b7 (${kernel} \u2212 1) + ${s.outputPadding} + 1 = |output:${outputSizeOf(s)}|`
    );
  }
  const room = s.size + s.before + s.after - kernelSpan(s);
  return (
    `\u230a(${size} + ${s.before} + ${s.after} \u2212 ${s.dilation} \u00b7 (${kernel} \u2212 1) ` +
    `\u2212 1) / ${s.stride}\u230b + 1 = \u230a${room} / ${s.stride}\u230b + 1 = ` +
    `|output:${outputSizeOf(s)}|`
  );
}

/** "Input row 1, column 2"; what lies beyond the input is padding. */
export function cellName({ axes }, [kind, row, col]) {
  const inside = [row, col].every((index, i) => index >= 0 && index < axes[i].size);
  const grid = { y: "Output", w: "Kernel", x: inside ? "Input" : "Padding" }[kind];
  return `${grid} row ${formatNumber(row)}, column ${formatNumber(col)}`;
}

/** The sum behind an output cell: its name, rows of pairs of [role, text], its value. */
export function sumOf(x, w, [rows, cols], [, row, col]) {
  const [rowTaps, colTaps] = [rows, cols].map((links) => links.map((link) => [link.x, link.w]));
  const products = productsOf(x, w, rowTaps, colTaps);
  const pair = (term) => [
    [term.padding ? "padding" : "input", formatFactor(term.x)],
    ["kernel", formatFactor(term.w)],
  ];
  const total = products.flat().reduce((sum, term) => sum + term.x * term.w, 0);
  const start = `y[${row}, ${col}] = `;
  return { start, lines: products.map((line) => line.map(pair)), total: formatNumber(total) };
}

/** Where an input cell or a weight goes, marked as in `formulaOf`. */
export function readersOf(s, [rows, cols], cell) {
  const name = cellName(s, cell);
  const count = rows.length * cols.length;
  if (cell[0] === "w") {
    const all = outputSizeOf(s.axes[0]) * outputSizeOf(s.axes[1]);
    const some = count < all ? `${count} of ` : all > 1 ? "each of " : "";
    return `${name} makes one product in ${some}the ${counted(all, "output")}.`;
  }
  const list = rows.flatMap((r) =>
    cols.map((c) => `|output:y[${r.y}, ${c.y}]| through |kernel:w[${r.w}, ${c.w}]|`),
  );
  const verb = s.mode === "convolution" ? "is read by" : "goes into";
  const all = count ? `: ${list.join(", ")}` : "";
  return `${name} ${verb} ${counted(count, "output")}${all}.`;
}

/** A script that runs as it stands: imports, the numbers on the page, the line. */
export function pytorchScript(s, x, w) {
  const imports = ["import torch", "import torch.nn.functional as F", ""];
  const tensors = [tensorLines("x", x), tensorLines("w", w)];
  return [...imports, ...tensors, `y = ${pytorchLine(s)}`, "print(y[0, 0])"].join("\n");
}
