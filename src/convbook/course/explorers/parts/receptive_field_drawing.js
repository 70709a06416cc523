// Receptive field: the cross-section, the levels as rows of cells.

import { setAttribute, setChildren, setText, uniqueName } from "../lib/dom.js";
import { counted, formatNumber } from "../lib/format.js";
import { followPointer } from "../lib/pointer.js";
import { range } from "../lib/ranges.js";
import { draft, drafts, px, rectangles, spaceFor } from "../lib/svg.js";
import { edgeOf, lengthOf, scaleOf } from "./receptive_field_levels.js";

const LARGEST_CELL = 38;
const SMALLEST_INDEX = 19; // a narrower cell has no room for its index
const TALLEST = 320; // for all levels, unless there are very many
const LOWEST = 12; // a row, with the space below it
const HIGHEST = 60;

/** Where the rows stand and how large a pixel of the input is. */
function layOutRows(page) {
  const { levels, rows, width } = page;
  const wide = width >= 520;
  const longest = Math.max(...rows.map(([name]) => name.length));
  const [left, right] = wide ? [40 + 6.5 * Math.max(longest, 5), 88] : [24, 34];
  const fit = scaleOf(page, width - left - right, LARGEST_CELL);
  const pitch = Math.min(HIGHEST, Math.max(LOWEST, TALLEST / levels.length));
  const height = Math.min(0.6 * pitch, Math.max(fit.scale - 3, 16), LARGEST_CELL - 3);
  const total = left + (fit.high - fit.low) * fit.scale + right;
  const yOf = (m) => 34 + m * pitch;
  const xOf = (pixel) => left + (pixel - fit.low) * fit.scale;
  return { ...fit, wide, left, pitch, height, total, yOf, xOf, last: levels.length - 1 };
}

/**
 * Rectangles of the cells in runs of indices, each with its index, as far as the drawing goes; too
 * narrow ones flow together.
 */
function cellsIn({ low, high, scale, height, xOf }, level, runs, y) {
  const width = level.jump * scale;
  const space = spaceFor(width);
  const at = (index) => xOf(edgeOf(level, index));
  return runs.flatMap(([first, last]) => {
    if (space === 0) return [[at(first), y, (last - first + 1) * width, height]];
    const from = Math.max(first, Math.floor((low - edgeOf(level, 0)) / level.jump));
    const to = Math.min(last, Math.ceil((high - edgeOf(level, 0)) / level.jump));
    return range(from, to + 1).map((i) => [at(i) + space / 2, y, width - space, height, i]);
  });
}

/** A row: its cells, its padding, what is lit of both, its name, its count. */
function createRow(/** @type {string} */ clip) {
  const paths = { cells: "path", padding: "path", lit: "path", wet: "path" };
  const row = drafts("cb-rf", { ...paths, name: "text", count: "text", digits: "g" });
  const { name, count, ...cells } = row; // only the cells may reach beyond the plot
  const inside = draft("g", { "clip-path": clip }, ...Object.values(cells));
  return { ...row, root: draft("g", {}, inside, name, count) };
}

/** Draw level `m`, and of it what feeds the output shown, if anything does. */
function drawRow(row, place, { levels, rows, reach }, m) {
  const [level, y, seen] = [levels[m], place.yOf(m), reach[m]];
  const cell = level.jump * place.scale;
  const padding = rows[m]?.[3] ?? 0;
  const far = [level.count, level.count + padding - 1];
  const paint = (path, runs) => setAttribute(path, "d", rectangles(cellsIn(place, level, runs, y)));
  paint(row.cells, [[0, level.count - 1]]);
  paint(row.padding, padding ? [[-padding, -1], far] : []);
  paint(row.lit, seen?.read ?? []);
  paint(row.wet, seen?.padded ?? []);
  const fits = cell >= SMALLEST_INDEX && place.height > 17;
  const indexed = fits ? cellsIn(place, level, [[0, level.count - 1]], y) : [];
  const digits = indexed.map(([x, top, w, h, index]) =>
    draft("text", { x: px(x + w / 2), y: px(top + h / 2) }, String(index)),
  );
  row.digits.replaceChildren(...digits);
  const narrow = spaceFor(cell) === 1 ? " cb-rf-narrow" : "";
  const later = seen ? "" : " cb-rf-later";
  setAttribute(row.root, "class", `cb-rf-${m ? "output" : "input"}${narrow}${later}`);
  const middle = px(y + place.height / 2);
  setAttribute(row.name, "y", middle);
  const names = m ? [String(m), `${m}  ${rows[m - 1][0]}`] : ["", "Input"];
  setText(row.name, names[Number(place.wide)]);
  setAttribute(row.count, "x", px(place.total));
  setAttribute(row.count, "y", middle);
  const count = seen ? (m ? lengthOf(seen.read) : seen.last - seen.first + 1) : 0;
  const words = place.wide ? counted(count, m ? "output" : "pixel") : String(count);
  setText(row.count, seen ? words : "");
}

/** Draw the cone from the shown output to the input, and the field's frame. */
function drawMarks({ cone, frame, unit, span }, place, { levels, shown, reach }) {
  for (const mark of [cone, frame, unit, span])
    setAttribute(mark, "display", shown ? null : "none");
  if (!shown) return;
  const { height, total, yOf, xOf } = place;
  const [layer, output] = shown;
  const sides = reach.map(({ first, last }, m) => {
    const ends = [first, last + 1].map((index) => px(xOf(edgeOf(levels[m], index))));
    return { ends, top: px(yOf(m)), bottom: px(yOf(m) + height) };
  });
  const down = sides.map(({ ends, top, bottom }) => `${ends[0]} ${top} ${ends[0]} ${bottom}`);
  const up = sides.map(({ ends, top, bottom }) => `${ends[1]} ${bottom} ${ends[1]} ${top}`);
  setAttribute(cone, "d", `M${down.join(" ")} ${up.reverse().join(" ")}z`);
  const around = (x, y, w, grow) =>
    rectangles([[x - grow, y - grow, w + 2 * grow, height + 2 * grow]]);
  const [start, stop] = sides[0].ends;
  setAttribute(frame, "d", around(start, yOf(0), stop - start, 3));
  const [[x, y, w]] = cellsIn(place, levels[layer], [[output, output]], yOf(layer));
  setAttribute(unit, "d", around(x, y, Math.max(w, 3), 1));
  const ends = [reach[0].first, reach[0].last].map((index) => formatNumber(index));
  setText(span, ends[0] === ends[1] ? `pixel ${ends[0]}` : `pixels ${ends.join(" to ")}`);
  const half = 4 * span.textContent.length;
  setAttribute(span, "y", 18);
  setAttribute(span, "x", px(Math.max(half, Math.min(total - half, (start + stop) / 2))));
}

/**
 * The cross-section. `onPick(level, pixel)` hears of a press on a row and of moves along it, and
 * over which pixel; `onPoint(level, pixel)` of the mouse above a row, which need not be there.
 */
export function createSection(onPick, onPoint) {
  const marks = drafts("cb-rf", { cone: "path", frame: "path", unit: "path", span: "text" });
  const [rows, plot, id] = [draft("g"), draft("rect"), uniqueName("plot")];
  const parts = [draft("clipPath", { id }, plot), marks.cone, rows, marks.frame, marks.unit];
  parts.push(marks.span);
  for (const mark of [marks.cone, marks.frame, marks.unit]) {
    setAttribute(mark, "clip-path", `url(#${id})`);
  }
  const root = draft("svg", { class: "cb-rf-section", role: "img" }, ...parts);
  const pool = [];
  let place = null; // how the last drawing was laid out, for the pointer
  let held = 0;

  const levelAt = (y) => Math.round((y - place.yOf(0) - place.height / 2) / place.pitch);
  const pixelAt = (x) => (x - place.left) / place.scale + place.low;
  followPointer(
    root,
    (x, y, starts) => {
      if (starts) held = Math.max(0, Math.min(place.last, levelAt(y)));
      onPick(held, pixelAt(x));
    },
    (x, y) => onPoint(levelAt(y), pixelAt(x)),
  );

  function draw(page) {
    place = layOutRows(page);
    setAttribute(root, "width", px(place.total));
    setAttribute(root, "height", px(place.yOf(place.last) + place.height + 6));
    const { low, high, scale, left } = place;
    // With room for the frame, which stands around its cells.
    const box = { x: left - 5, y: 0, width: (high - low) * scale + 10, height: "100%" };
    for (const [name, value] of Object.entries(box)) setAttribute(plot, name, value);
    root.classList.toggle("cb-rf-low", place.pitch < 15);
    while (pool.length < page.levels.length) pool.push(createRow(`url(#${id})`));
    const used = pool.slice(0, page.levels.length);
    const drawn = used.map((row) => row.root);
    setChildren(rows, drawn);
    used.forEach((row, m) => drawRow(row, place, page, m));
    drawMarks(marks, place, page);
  }

  return { root, draw };
}
