// Receptive field: the levels as rows of cells, and the input as a plane.

import { setAttribute, setChildren, setText } from "../lib/dom.js";
import { counted, formatNumber } from "../lib/format.js";
import { followPointer } from "../lib/pointer.js";
import { range } from "../lib/ranges.js";
import { draft, px, rectangles, SMALLEST_CELL, spaceFor } from "../lib/svg.js";
import { lengthOf, middleOf, reachOf } from "./receptive_field_levels.js";

const LARGEST_CELL = 38;
const SMALLEST_INDEX = 19; // a narrower cell has no room for its index
const MOST_INDEXED = 8; // more levels than that have low rows
const TALLEST = 400; // for all levels, unless there are very many
const PLANE = 240;
const MARGIN = 4; // around the plane, for the frame

/** The pixels [low, high) that the drawing shows, and how many screen pixels each gets. */
function scaleOf(levels, rows, layer, width, largest) {
  const input = levels[0].count;
  const padding = rows[0][3];
  const bounds = (some) => [
    Math.min(-padding, ...some.map(({ start }) => start)),
    Math.max(
      input + padding,
      ...some.map(({ count, size, jump, start }) => start + (count - 1) * jump + size),
    ),
  ];
  // One scale for all layers, unless the deep ones reach so far that little is left for the others.
  let [low, high] = bounds(levels);
  if (high - low > 2 * (input + 2 * padding)) [low, high] = bounds([levels[layer]]);
  return { low, high, scale: Math.min(largest, width / (high - low)) };
}

/** Left edge of output `index` of a level, in pixels of the input: it stands over what it sees. */
function edgeOf({ size, jump, start }, index) {
  return start + index * jump + (size - jump) / 2;
}

/** The output of a level whose place is nearest to a pixel of the input. */
export function outputAt(level, pixel) {
  const index = Math.floor((pixel - edgeOf(level, 0)) / level.jump);
  return Math.max(0, Math.min(level.count - 1, index));
}

/** A row of the cross-section: cells, padding, what is lit of both, its name, its count. */
function createRow() {
  const path = (name) => draft("path", { class: `cb-rf-${name}` });
  const row = {
    cells: path("cells"),
    padding: path("padding"),
    lit: path("lit"),
    wet: path("wet"),
    name: draft("text", { class: "cb-rf-name", x: 0 }),
    count: draft("text", { class: "cb-rf-count" }),
    digits: draft("g", { class: "cb-rf-digits" }),
  };
  return { ...row, root: draft("g", {}, ...Object.values(row)) };
}

/**
 * The cross-section: the input on top, one row for each layer, and what feeds the chosen output.
 * `onPick(level, pixel)` hears of a press on a row and of moves along it, and over which pixel.
 */
export function createSection(onPick) {
  const cone = draft("path", { class: "cb-rf-cone" });
  const frame = draft("path", { class: "cb-rf-frame" });
  const unit = draft("path", { class: "cb-rf-unit" });
  const span = draft("text", { class: "cb-rf-span" });
  const levels = draft("g");
  const parts = [cone, levels, frame, unit, span];
  const root = draft("svg", { class: "cb-rf-section", role: "img" }, ...parts);
  const pool = [];
  let place = null; // how the last drawing was laid out, for the pointer
  let held = 0;

  followPointer(root, (x, y, starts) => {
    if (!place) return;
    const { page, left, scale, low, top, pitch, height } = place;
    const nearest = Math.round((y - top - height / 2) / pitch);
    if (starts) held = Math.max(0, Math.min(page.levels.length - 1, nearest));
    onPick(held, (x - left) / scale + low);
  });

  /**
   * Rectangles of the cells in runs of indices, each with its index, as far as the drawing goes;
   * too narrow ones flow together.
   */
  function cellsIn(level, runs, y) {
    const { left, low, high, scale, height } = place;
    const width = level.jump * scale;
    const space = spaceFor(width);
    const xOf = (index) => left + (edgeOf(level, index) - low) * scale;
    return runs.flatMap(([first, last]) => {
      if (space === 0) return [[xOf(first), y, (last - first + 1) * width, height]];
      const from = Math.max(first, Math.floor((low - edgeOf(level, 0)) / level.jump));
      const to = Math.min(last, Math.ceil((high - edgeOf(level, 0)) / level.jump));
      return range(from, to + 1).map((i) => [xOf(i) + space / 2, y, width - space, height, i]);
    });
  }

  /** Write the index into each cell that has room for it. */
  function writeDigits(digits, level, y, fits) {
    const cells = fits ? cellsIn(level, [[0, level.count - 1]], y) : [];
    while (digits.childNodes.length < cells.length) digits.append(draft("text"));
    while (digits.childNodes.length > cells.length) digits.lastChild.remove();
    cells.forEach(([x, , width, , index], i) => {
      const text = digits.childNodes[i];
      setAttribute(text, "x", px(x + width / 2));
      setAttribute(text, "y", px(y + place.height / 2));
      setText(text, String(index));
    });
  }

  /** Draw the rows, the cone from the chosen output to the input, and the field's frame. */
  function draw(page) {
    const { rows, chosen, reach, width } = page;
    const wide = width >= 520;
    const longest = Math.max(...rows.map(([name]) => name.length));
    const [left, right] = wide ? [40 + 6.5 * Math.max(longest, 5), 88] : [24, 34];
    const [layer, output] = chosen ?? [0, 0];
    const fit = scaleOf(page.levels, rows, layer, width - left - right, LARGEST_CELL);
    const pitch = Math.min(64, Math.max(16, TALLEST / page.levels.length));
    const height = Math.min(0.6 * pitch, Math.max(fit.scale - 3, 16), LARGEST_CELL - 3);
    place = { page, left, top: 34, pitch, height, ...fit };
    const total = left + (fit.high - fit.low) * fit.scale + right;
    const yOf = (m) => place.top + m * pitch;
    setAttribute(root, "width", px(total));
    setAttribute(root, "height", px(yOf(page.levels.length - 1) + height + 6));

    while (pool.length < page.levels.length) pool.push(createRow());
    setChildren(
      levels,
      pool.slice(0, page.levels.length).map((row) => row.root),
    );
    page.levels.forEach((level, m) => {
      const [row, y, seen] = [pool[m], yOf(m), reach[m]];
      const padding = rows[m]?.[3] ?? 0;
      const far = level.count + padding - 1;
      const borders = padding
        ? [
            [-padding, -1],
            [level.count, far],
          ]
        : [];
      const paint = (path, runs) => setAttribute(path, "d", rectangles(cellsIn(level, runs, y)));
      paint(row.cells, [[0, level.count - 1]]);
      paint(row.padding, borders);
      paint(row.lit, seen?.read ?? []);
      paint(row.wet, seen?.padded ?? []);
      const cell = level.jump * fit.scale;
      const fits = cell >= SMALLEST_INDEX && height > 15 && page.levels.length <= MOST_INDEXED;
      writeDigits(row.digits, level, y, fits);
      const css = [m ? "cb-rf-output" : "cb-rf-input"];
      if (!seen) css.push("cb-rf-later");
      if (spaceFor(cell) === 1) css.push("cb-rf-narrow");
      setAttribute(row.root, "class", css.join(" "));
      const middle = px(y + height / 2);
      setAttribute(row.name, "y", middle);
      setText(row.name, m ? (wide ? `${m}  ${rows[m - 1][0]}` : String(m)) : wide ? "Input" : "");
      setAttribute(row.count, "x", px(total));
      setAttribute(row.count, "y", middle);
      const count = seen ? (m ? lengthOf(seen.read) : seen.last - seen.first + 1) : 0;
      const words = wide ? counted(count, m ? "output" : "pixel") : String(count);
      setText(row.count, seen ? words : "");
    });

    const [field] = reach;
    if (!field) {
      for (const path of [cone, frame, unit]) setAttribute(path, "d", "");
      setText(span, "");
      return;
    }
    const screen = (pixel) => left + (pixel - fit.low) * fit.scale;
    const sides = reach.map(({ first, last }, m) => {
      const level = page.levels[m];
      const ends = [edgeOf(level, first), edgeOf(level, last + 1)].map(screen).map(px);
      return { ends, top: px(yOf(m)), bottom: px(yOf(m) + height) };
    });
    const down = sides.map(({ ends, top, bottom }) => `${ends[0]} ${top} ${ends[0]} ${bottom}`);
    const up = sides.map(({ ends, top, bottom }) => `${ends[1]} ${bottom} ${ends[1]} ${top}`);
    setAttribute(cone, "d", `M${down.join(" ")} ${up.reverse().join(" ")}z`);
    const [start, stop] = sides[0].ends;
    const around = (x, y, w, grow) =>
      rectangles([[x - grow, y - grow, w + 2 * grow, height + 2 * grow]]);
    setAttribute(frame, "d", around(start, yOf(0), stop - start, 3));
    const level = page.levels[layer];
    const [[x, y, w]] = cellsIn(level, [[output, output]], yOf(layer));
    setAttribute(unit, "d", around(x, y, Math.max(w, 3), 1));

    const ends = [field.first, field.last].map((index) => formatNumber(index));
    setText(span, ends[0] === ends[1] ? `pixel ${ends[0]}` : `pixels ${ends.join(" to ")}`);
    const half = 4 * span.textContent.length;
    setAttribute(span, "x", px(Math.max(half, Math.min(total - half, (start + stop) / 2))));
    setAttribute(span, "y", 18);
  }

  return { root, draw };
}

/** What the middle output of a level sees. */
function middleReach(levels, rows, layer) {
  return reachOf(levels, rows, layer, middleOf(levels[layer]))[0];
}

/** The plane: input and field in two dimensions. `onPick(pixel)` hears of the column pressed. */
export function createPlane(onPick) {
  const path = (name) => draft("path", { class: `cb-rf-${name}` });
  const parts = {
    padding: path("padding"),
    beyond: path("wet"),
    cells: path("cells"),
    lit: path("lit"),
    grid: path("lines"),
    frame: path("frame"),
  };
  const root = draft("svg", { class: "cb-rf-plane", role: "img" }, ...Object.values(parts));
  let place = null;

  followPointer(root, (x) => place && onPick((x - MARGIN) / place.scale + place.low));

  /** Draw input and field; the chosen output stands in the middle row. */
  function draw({ levels, rows, chosen, reach }) {
    const [layer] = chosen ?? [0];
    const input = levels[0].count;
    const padding = rows[0][3];
    place = scaleOf(levels, rows, layer, PLANE, 22);
    const { low, high, scale } = place;
    const [across, down] = [reach[0], middleReach(levels, rows, layer)];
    const top = Math.min(-padding, down.first);
    const bottom = Math.max(input + padding, down.last + 1);
    const box = ([left, right], [first, last]) => [
      MARGIN + (left - low) * scale,
      MARGIN + (first - top) * scale,
      (right - left + 1) * scale,
      (last - first + 1) * scale,
    ];
    const square = (from, to) => rectangles([box([from, to], [from, to])]);
    setAttribute(root, "width", px((high - low) * scale + 2 * MARGIN));
    setAttribute(root, "height", px((bottom - top) * scale + 2 * MARGIN));
    setAttribute(parts.padding, "d", padding ? square(-padding, input + padding - 1) : "");
    setAttribute(parts.cells, "d", square(0, input - 1));
    const [x, y, side] = box([0, input - 1], [0, input - 1]);
    const steps = scale < SMALLEST_CELL ? [] : range(1, input).map((i) => i * scale);
    const cross = (at) => `M${px(x)} ${px(y + at)}h${px(side)}M${px(x + at)} ${px(y)}v${px(side)}`;
    setAttribute(parts.grid, "d", steps.map(cross).join(""));
    const ends = ({ first, last }) => [first, last];
    const field = across ? rectangles([box(ends(across), ends(down))]) : "";
    const lit = across ? down.read.flatMap((v) => across.read.map((u) => box(u, v))) : [];
    setAttribute(parts.beyond, "d", field);
    setAttribute(parts.lit, "d", rectangles(lit));
    setAttribute(parts.frame, "d", field);
  }

  return { root, draw };
}
