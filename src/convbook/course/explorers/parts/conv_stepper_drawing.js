// Conv stepper: the three grids, and the sum or sentence below them.

import { h, setContent, setText } from "../lib/dom.js";
import { block, fitFlow, legendEntry } from "../lib/figure.js";
import { formatCell, formatNumber } from "../lib/format.js";
import { range } from "../lib/ranges.js";
import { ink, writeSum } from "../lib/results.js";
import { cellName, noteOn, paddingWords, readersOf, sumOf } from "./conv_stepper_words.js";

/** The elements of the figure, around the grids { x, w, y }. */
export function createFlow(grids) {
  const sign = (name) => h("span", { class: `cb-operator cb-${name}`, "aria-hidden": "true" });
  const [operator, equals] = [sign("op1"), sign("op2")];
  const x = block("x", "Input", "x", grids.x);
  const w = block("w", "Kernel", "w", grids.w);
  const y = block("y", "Output", "y", grids.y);
  y.root.append(h("div", { class: "cb-nothing" }, "no output"));
  equals.append("=");
  const flow = h("div", { class: "cb-flow" }, x.root, operator, w.root, equals, y.root);
  const [legend, note] = [h("ul", { class: "cb-legend" }), h("p", { class: "cb-note" })];
  return { grids, flow, operator, sizes: { x: x.size, w: w.size, y: y.size }, legend, note };
}

const isInside = (place, sizes) => place.every((i, axis) => i >= 0 && i < sizes[axis]);

/** Call `paint(row, col, cell)` for the rows and columns [first, last + 1] of a grid. */
function forEachCell(grid, [rows, cols], paint) {
  for (const row of range(...rows)) {
    for (const col of range(...cols)) paint(row, col, grid.cell(row, col));
  }
}

/** Lay the grids out, and write all that does not depend on their numbers. */
export function drawShape({ grids, flow, operator, sizes, legend, note }, page, width) {
  const { s, canvas, size, links } = page;
  const conv = s.mode === "convolution";
  const input = s.axes.map((axis) => axis.size);
  const kernel = s.axes.map((axis) => axis.kernel);
  const spans = s.axes.map((a) => (conv ? [-a.before, a.size + a.after] : [0, a.size]));
  const across = ([, [first, end]]) => end - first;
  const cells = { x: across(spans), w: kernel[1], y: canvas ? across(canvas) : 2 };
  const largest = cells.x > 14 ? 33 : 40;
  fitFlow(flow, cells, width, { enough: width < 480 ? 34 : 22, largest, steady: true });
  setContent(operator, "\u22c6", ...(conv ? [] : [h("sup", {}, "T")]));

  const isInput = (row, col) => isInside([row, col], input);
  const sort = (row, col) => (isInput(row, col) ? "field" : "pick");
  // The tab stop is an input cell, though arrows lead into the padding too.
  if (grids.x.arrange(...spans, sort, `${spans} ${input}`)) grids.x.restOn([grids.x.cell(0, 0)]);
  grids.w.arrange([0, kernel[0]], [0, kernel[1]], () => "field", String(kernel));
  const read = links.map((own) => new Set(own.map(({ x }) => x)));
  let unread = false;
  forEachCell(grids.x, spans, (row, col, cell) => {
    const lost = conv && canvas && !(read[0].has(row) && read[1].has(col));
    unread ||= lost;
    if (cell.lost === lost) return; // all else is said by its place
    cell.lost = lost;
    const classes = lost ? " cb-unread" : "";
    const label = cellName(s, ["x", row, col]) + (lost ? ", read by no window" : "");
    if (isInput(row, col)) grids.x.paint(cell, cell.text ?? "", `cb-cell cb-x${classes}`, label);
    else grids.x.paint(cell, "0", `cb-cell cb-pad${classes}`, `${label}: 0`);
  });
  const padding = paddingWords(s);
  const times = (sides) => sides.join(" \u00d7 ");
  setText(sizes.x, times(input) + (conv && padding ? ` (${padding})` : ""));
  setText(sizes.w, times(kernel));
  setText(sizes.y, canvas ? times(size) : "");
  if (!canvas) return;
  const kept = (row, col) => (isInside([row, col], size) ? "pick" : "still");
  grids.y.arrange(...canvas, kept, `${canvas} ${size}`);
  const hint =
    "Point at or tap an input cell to see where it goes. Type in a cell to change its number.";
  setText(note, `${noteOn(s, links)} ${hint}`);
  setContent(
    legend,
    legend.firstChild ?? h("li", {}), // `writeWords` writes it
    ...(padding && conv ? [legendEntry("cb-pad", "padding")] : []),
    ...(unread ? [legendEntry("cb-x cb-unread", "read by no window")] : []),
    ...(padding && !conv ? [legendEntry("cb-crop", "cropped by padding")] : []),
  );
}

/** Write the numbers into the cells. */
export function drawNumbers({ grids }, { s, x, w, y, canvas }) {
  forEachCell(
    grids.x,
    [
      [0, x.length],
      [0, x[0].length],
    ],
    (row, col, cell) => {
      grids.x.paint(cell, formatNumber(x[row][col]), cell.classes, cell.label);
    },
  );
  forEachCell(
    grids.w,
    [
      [0, w.length],
      [0, w[0].length],
    ],
    (row, col, cell) => {
      const label = cellName(s, ["w", row, col]);
      grids.w.paint(cell, formatNumber(w[row][col]), "cb-cell cb-w", label);
    },
  );
  if (!canvas) return;
  forEachCell(grids.y, canvas, (row, col, cell) => {
    const value = y[row - canvas[0][0]][col - canvas[1][0]];
    const text = formatCell(value);
    const name = cell.picks ? cellName(s, ["y", row, col]) : "Cropped";
    const classes = cell.picks ? "cb-cell cb-y" : "cb-cell cb-crop";
    grids.y.paint(cell, text, classes, `${name}: ${formatNumber(value)}`);
  });
}

/** Text in which the parts between bars, role:words, have the colour of their role. */
export function inked(text) {
  return text.split("|").map((part, i) => {
    const [role, words] = part.split(":");
    return i % 2 ? ink(role, words) : part;
  });
}

/** What is lit in the other grid, by the kind of the cell that is pointed at or chosen. */
const LIT = {
  y: ["cb-x cb-lit", "read for this cell"],
  x: ["cb-y cb-lit", "made with this cell"],
  w: ["cb-x cb-lit", "multiplied by this weight"],
};

/** Write out the sum behind an output cell, or where an input cell or a weight goes. */
export function writeWords(element, legend, { s, x, w }, lit, cell) {
  setContent(legend.firstChild, ...legendEntry(...LIT[cell[0]]).childNodes);
  element.style.setProperty("--lines", s.axes[0].kernel); // the page below keeps its place
  const { start, lines, total } = cell[0] === "y" ? sumOf(x, w, lit, cell) : {};
  if (!lines) setContent(element, h("span", {}, inked(readersOf(s, lit, cell))));
  else if (lines.flat().length) writeSum(element, start, lines, total);
  else setContent(element, start, "0: no kernel tap lands on this cell.");
}
