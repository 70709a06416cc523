// Matrix view: the cells of every grid: what each shows, what it stands for, what lights it.

import { convOutputSize } from "../lib/arithmetic.js";
import { formatCell, formatNumber } from "../lib/format.js";
import { range } from "../lib/ranges.js";
import { howMany, tapsOf, windowAt } from "./matrix_view_matrices.js";
import { numbered, pixelName, weightName } from "./matrix_view_words.js";

const WEIGHT_TINTS = 9;

/** The number, 1 to 9, of a weight's tint: as far apart as there is room for. */
export function tintOf(weight, count) {
  const step = count === 1 ? 0.5 : weight / (count - 1);
  return Math.round(step * (WEIGHT_TINTS - 1)) + 1;
}

/** Text, class and spoken name of each pixel, weight and output. */
export function looksOf(/** @type {import("./matrix_view_matrices.js").Page} */ page) {
  const { s, x, w, y, letters } = page;
  const look = (name, value, css, spoken) => ({
    text: letters ? name : formatCell(value),
    css: `cb-cell ${css}`,
    label: letters ? `${spoken} ${name}` : `${spoken} ${name} = ${formatNumber(value)}`,
  });
  const tint = (i) => `cb-tint cb-tint-${tintOf(i, w.length)}`;
  return {
    pixel: x.map((value, i) => look(pixelName(s, i), value, "cb-x", "pixel")),
    weight: w.map((value, i) => look(weightName(s, i), value, tint(i), "weight")),
    output: y.map((value, i) => look(numbered("y", i), value, "cb-y", "output")),
    padding: { text: "0", css: "cb-cell cb-pad", label: "padding, 0" },
    zero: { text: "", css: "cb-cell cb-zero", label: "zero" },
  };
}

/**
 * The grids as { name, rows, cols, cells }. A cell has its place; the output, weight and pixel that
 * it stands for, of which a factor has one and an entry of the matrix all; its look; its sort; and
 * the selection that it `chooses`. Row and column -1 are the heads of the matrix.
 */
export function sheetsOf(/** @type {import("./matrix_view_matrices.js").Page} */ page) {
  const { s, view, windows } = page;
  const { output, pixel, weight } = howMany(s);
  const looks = looksOf(page);
  const sheet = (name, rows, cols, means, finish) => {
    const places = range(...rows).flatMap((row) => range(...cols).map((col) => ({ row, col })));
    const cells = places.map((at) => finish(page, looks, { ...at, ...means(at.row, at.col) }));
    return { name, rows, cols, cells };
  };
  const square = (name, kind, side) =>
    sheet(name, [0, side], [0, side], (row, col) => ({ [kind]: row * side + col }), factor);
  const line = (name, kind, rows, cols) =>
    sheet(name, [0, rows], [0, cols], (row, col) => ({ [kind]: row + col }), factor);
  const inside = (index) => index >= 0 && index < s.size;
  const span = [-s.before, s.size + s.after];
  const inX = (row, col) => ({ pixel: inside(row) && inside(col) ? row * s.size + col : null });
  const entryOfM = (row, col) => {
    const found = windows[row].findIndex((tap) => tap.pixel === col);
    return { output: row, pixel: col, weight: found < 0 ? null : found };
  };
  const inM = (row, col) => (row < 0 ? { pixel: col } : entryOfM(row, col));
  const entryOfU = (row, col) => ({ output: col, weight: row, pixel: windows[col][row].pixel });
  const inU = (row, col) => (col < 0 ? { weight: row } : entryOfU(row, col));
  const product =
    view === "dense"
      ? [
          sheet("left", [-1, output], [0, pixel], inM, entry),
          line("right", "pixel", pixel, 1),
          line("result", "output", output, 1),
        ]
      : [
          line("left", "weight", 1, weight),
          sheet("right", [0, weight], [-1, output], inU, entry),
          line("result", "output", 1, output),
        ];
  const picture = [
    sheet("x", span, span, inX, place),
    square("w", "weight", s.kernel),
    square("y", "output", convOutputSize(s)),
  ];
  return [...picture, ...product];
}

/** A place in the padded input: a pixel there chooses a window where one stands for it. */
function place({ s }, looks, at) {
  if (at.pixel === null) return { ...at, ...looks.padding, sort: "still" };
  const window = windowAt(s, at.row, at.col);
  const chooses = window === null ? ["pixel", at.pixel] : ["output", window];
  return { ...at, ...looks.pixel[at.pixel], sort: "pick", chooses };
}

/** A cell that stands for one thing, and chooses it. */
function factor(_, looks, at) {
  const kind = ["output", "pixel", "weight"].find((what) => at[what] !== undefined);
  return { ...at, ...looks[kind][at[kind]], sort: "pick", chooses: [kind, at[kind]] };
}

/** A head or an entry of the matrix. */
function entry({ s, view }, looks, at) {
  const head = { ...factor(null, looks, at), sort: at.row < 0 ? "column" : "row" };
  if (at.row < 0) return { ...head, css: "cb-cell cb-x cb-of-column" };
  if (at.col < 0) return head;
  const [line, found, across] =
    view === "dense"
      ? ["Row", looks.weight[at.weight] ?? looks.zero, `column ${pixelName(s, at.pixel)}`]
      : ["Column", looks.pixel[at.pixel] ?? looks.padding, `row ${weightName(s, at.weight)}`];
  const label = `${line} ${numbered("y", at.output)}, ${across}: ${found.label}`;
  return { ...at, ...found, label, sort: "pick", chooses: ["output", at.output], isEntry: true };
}

/**
 * The cells of a sheet that a selection lights; those that it frames, which are the selection
 * itself; and the `stops`, which choose it again: Tab comes back to them.
 */
export function placesOf({ view, windows }, { name, cells }, [kind, index]) {
  const taps = tapsOf(windows, [kind, index]);
  // The dense matrix has no column for padding.
  const shown = view === "dense" ? taps.filter(({ pixel }) => pixel !== null) : taps;
  const isRead = (cell) => taps.some(({ row, col }) => row === cell.row && col === cell.col);
  const isLit = (cell) => {
    if (cell.isEntry) return cell.weight !== null && cell[kind] === index;
    if (cell[kind] === index) return true;
    if (name === "x") return isRead(cell);
    const [own] = cell.chooses;
    return own !== kind && shown.some((tap) => tap[own] === cell[own]);
  };
  const lit = cells.filter(isLit);
  const stops = cells.filter(({ chooses }) => chooses?.[0] === kind && chooses[1] === index);
  const isBody = ({ row, col }) => name !== "x" && row >= 0 && col >= 0;
  const ofX = kind === "output" ? lit : lit.filter((cell) => cell[kind] === index);
  return { lit, stops, framed: name === "x" ? ofX : stops.filter(isBody) };
}
