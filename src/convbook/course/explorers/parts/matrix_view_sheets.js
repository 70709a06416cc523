// Matrix view: the cells of every grid: what each shows, what it stands for, what lights it.

import { convOutputSize, convTaps, sumTaps } from "../lib/arithmetic.js";
import { formatCell, formatNumber } from "../lib/format.js";
import { corner, range } from "../lib/ranges.js";
import { tapsOf, windowAt } from "./matrix_view_matrices.js";
import { numbered, pixelName, weightName } from "./matrix_view_words.js";

/** The number, 1 to 9, of a weight's tint: as far apart as there is room for. */
export function tintOf(weight, count) {
  return 1 + Math.round(8 * (count === 1 ? 0.5 : weight / (count - 1)));
}

/** @typedef {import("./matrix_view_matrices.js").Page} Page */

/** @returns {Page} from settings and the numbers behind them */
export function pageOf(settings, input, kernel, width) {
  const { view, show, input_size: size, kernel_size, stride, padding } = settings;
  const s = { size, kernel: kernel_size, stride, before: padding, after: padding, dilation: 1 };
  const [x, w] = [corner(input, s.size), corner(kernel, s.kernel)];
  const taps = range(0, convOutputSize(s)).map((o) => convTaps(s, o));
  const flat = { x: x.flat(), w: w.flat(), y: sumTaps(x, w, taps, taps).flat() };
  const letters = show === "letters";
  const looks = looksOf(s, letters, flat);
  return { s, view, letters, grids: [x, w], ...flat, taps: tapsOf(s, x, w), looks, width };
}

/** Text, class and spoken name of each pixel, weight and output. */
function looksOf(s, letters, { x, w, y }) {
  const look = (name, value, css, spoken) => ({
    name,
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
export function sheetsOf(/** @type {Page} */ page) {
  const { s, view, x, w, y, taps } = page;
  const sheet = (name, rows, cols, means) => {
    const places = range(...rows).flatMap((row) => range(...cols).map((col) => ({ row, col })));
    const cells = places.map((at) => cellOf(page, name, Object.assign(at, means(at))));
    return { name, rows, cols, cells };
  };
  const plain = (name, kind, rows, cols) =>
    sheet(name, [0, rows], [0, cols], ({ row, col }) => ({ [kind]: row * cols + col }));
  const isPadding = ({ row, col }) => Math.min(row, col) < 0 || Math.max(row, col) >= s.size;
  const inX = (at) => ({ pixel: isPadding(at) ? null : at.row * s.size + at.col });
  const weightsOn = []; // of each output, by pixel
  for (const { output, weight, pixel } of taps) {
    if (pixel !== null) weightsOn[output * x.length + pixel] = weight;
  }
  const tapAt = (output, weight) => taps[output * w.length + weight];
  const weightOn = (output, pixel) => weightsOn[output * x.length + pixel] ?? null;
  const inM = ({ row, col }) =>
    row < 0 ? { pixel: col } : { output: row, pixel: col, weight: weightOn(row, col) };
  const inU = ({ row, col }) =>
    col < 0 ? { weight: row } : { output: col, weight: row, pixel: tapAt(col, row).pixel };
  const side = convOutputSize(s);
  const span = [-s.before, s.size + s.after];
  const picture = [
    sheet("x", span, span, inX),
    plain("w", "weight", s.kernel, s.kernel),
    plain("y", "output", side, side),
  ];
  const matrix =
    view === "dense"
      ? sheet("left", [-1, y.length], [0, x.length], inM)
      : sheet("right", [0, w.length], [-1, y.length], inU);
  const vectors =
    view === "dense"
      ? [plain("right", "pixel", x.length, 1), plain("result", "output", y.length, 1)]
      : [plain("left", "weight", 1, w.length), plain("result", "output", 1, y.length)];
  return [...picture, matrix, ...vectors];
}

/** Make `at` a cell, with its look, its sort and what it chooses. */
function cellOf({ s, view, looks }, name, at) {
  const { row, col, output, weight, pixel } = at;
  const become = (...more) => Object.assign(at, ...more);
  if (pixel === null && name === "x") return become(looks.padding, { sort: "still" });
  const kind = ["output", "pixel", "weight"].find((what) => at[what] !== undefined);
  become(looks[kind][at[kind]], { sort: "pick", chooses: [kind, at[kind]] });
  if (row < 0 && name === "left")
    return become({ css: "cb-cell cb-x cb-of-column", sort: "column" });
  if (col < 0) return become({ sort: "row" });
  if (name === "x") {
    const window = windowAt(s, row, col); // a pixel stands for the window that starts there
    return window === null ? at : become({ chooses: ["output", window] });
  }
  if (pixel === undefined || weight === undefined) return at;
  const [line, found, across] =
    view === "dense"
      ? ["row", looks.weight[weight] ?? looks.zero, `column ${looks.pixel[pixel].name}`]
      : ["column", looks.pixel[pixel] ?? looks.padding, `row ${looks.weight[weight].name}`];
  const label = `${line} ${looks.output[output].name}, ${across}: ${found.label}`;
  return become(found, { label, isEntry: true });
}

/**
 * The cells of a sheet that a selection lights; those that it frames, which are the selection
 * itself; and the `stops`, which choose it again: Tab comes back to them.
 */
export function placesOf({ view, taps }, { name, cells }, [kind, index]) {
  const own = taps.filter((tap) => tap[kind] === index);
  // The dense matrix has no column for padding.
  const shown = view === "dense" ? own.filter(({ pixel }) => pixel !== null) : own;
  const isLit = (cell) => {
    if (cell.isEntry) return cell.weight !== null && cell[kind] === index;
    if (cell[kind] === index) return true;
    if (name === "x") return own.some(({ row, col }) => row === cell.row && col === cell.col);
    const [what] = cell.chooses;
    return what !== kind && shown.some((tap) => tap[what] === cell[what]);
  };
  const lit = cells.filter(isLit);
  const stops = cells.filter(({ chooses }) => chooses?.[0] === kind && chooses[1] === index);
  // Of the matrix, whole rows and columns; the copies of a weight, or of a pixel, lie scattered.
  const scattered = view === "dense" ? "weight" : "pixel";
  const isItself = (cell) =>
    cell[kind] === index && (cell.isEntry ? kind !== scattered : cell.row >= 0 && cell.col >= 0);
  return { lit, stops, framed: name === "x" && kind === "output" ? lit : cells.filter(isItself) };
}
