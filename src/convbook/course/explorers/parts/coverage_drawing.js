// Coverage: the rows of positions with the taps between them, and a bar for each count.

import { setAttribute, setText } from "../lib/dom.js";
import { followPointer } from "../lib/pointer.js";
import { range, runsOf } from "../lib/ranges.js";
import { draft, px, rectangles, spaceFor } from "../lib/svg.js";
import { levelsOf, litOf, reachedOf, stepsOf, targetsOf } from "./coverage_counts.js";

const LARGEST_CELL = 36;
const LONGEST_BAR = 56;
const SMALLEST_STEP = 3; // between positions; closer ones have no lines
const DIGIT = 7; // the width of a digit

// The drawing's paths and groups of texts, in the order that they are drawn, with their classes.
const PATHS = {
  lines: "cb-cov-lines",
  litLines: "cb-cov-lines cb-cov-on",
  upper: "cb-rf-cells",
  litUpper: "cb-rf-lit",
  lower: "cb-rf-cells",
  litLower: "cb-rf-lit",
  holes: "cb-cov-hole",
  bars: "cb-cov-bars",
  litBars: "cb-cov-bars cb-cov-on",
  base: "cb-cov-base",
  frame: "cb-rf-frame",
};
const TEXTS = {
  labels: "cb-cov-labels",
  digits: "cb-rf-digits",
  indices: "cb-rf-digits cb-cov-indices",
  reach: "cb-rf-count",
};

/** Let a group have as many elements as these values; `write` writes one into each. */
export function fill(group, tag, values, write) {
  while (group.childNodes.length < values.length) group.append(draft(tag));
  while (group.childNodes.length > values.length) group.lastChild.remove();
  values.forEach((value, i) => write(group.childNodes[i], value));
}

/** Put these texts, each [x, y, text], into a group. */
export function writeTexts(group, texts) {
  fill(group, "text", texts, (element, [x, y, text]) => {
    setAttribute(element, "x", px(x));
    setAttribute(element, "y", px(y));
    setText(element, String(text));
  });
}

/** Where everything stands; `x(m, i)` and `y(m)` are the corner of entry `i` of row `m`. */
function layoutOf(levels, room) {
  const last = levels.length - 1;
  const total = levels[last].counts.length;
  const wide = room >= 520;
  const [left, right] = wide ? [124, 76] : [40, 0];
  const scale = Math.min(LARGEST_CELL, (room - left - right) / total);
  const space = spaceFor(scale);
  const height = Math.max(14, Math.min(24, scale - space));
  const pitch = height + (last > 4 ? 34 : 42);
  const y = (m) => 4 + m * pitch;
  const x = (m, i) => left + (levels[m].left + i * levels[m].pitch) * scale;
  const end = left + total * scale;
  const floor = y(last) + height + LONGEST_BAR + 14; // of the bars
  return {
    ...{ levels, last, total, wide, left, end, width: end + right },
    ...{ scale, space, height, pitch, x, y, floor },
  };
}

/** Some entries of row `m` as boxes; without space between them they flow together. */
function boxesOf({ levels, x, y, scale, space, height }, m, some) {
  const runs = space || levels[m].pitch > 1 ? some.map((i) => [i, i]) : runsOf(some);
  return runs.map(([a, b]) => [x(m, a) + space / 2, y(m), (b - a + 1) * scale - space, height]);
}

/** The lines of the taps between two rows, those that are not lit and those that are. */
function linesOf({ levels, x, y, scale, height }, steps, lit) {
  const lines = [[], []];
  steps.forEach((step, m) => {
    const [top, bottom] = [px(y(m) + height), px(y(m + 1))];
    const middle = (row, i) => px(x(row, i) + scale / 2);
    // Where lines would only be a smear, their outline stands for them.
    const outline = (/** @type {number[]} */ [a, b], /** @type {number[]} */ [c, d]) =>
      `M${middle(m, a)} ${top}H${middle(m, b)}L${middle(m + 1, d)} ${bottom}H${middle(m + 1, c)}z`;
    if (scale < SMALLEST_STEP) {
      const ends = (row) => [row.indexOf(true), row.lastIndexOf(true)];
      const all = (row) => [0, levels[row].counts.length - 1];
      lines[0].push(outline(all(m), all(m + 1)));
      if (lit[m].includes(true)) lines[1].push(outline(ends(lit[m]), ends(lit[m + 1])));
      return;
    }
    levels[m].counts.forEach((count, i) => {
      for (const to of count ? targetsOf(step, i) : []) {
        const on = Number(lit[m][i] && lit[m + 1][to]);
        lines[on].push(`M${middle(m, i)} ${top}L${middle(m + 1, to)} ${bottom}`);
      }
    });
  });
  return lines.map((list) => list.join(""));
}

/** A bar for each of these positions, from zero at the base. */
function barsOf({ levels, last, x, scale, space, floor }, some) {
  const { counts } = levels[last];
  const most = Math.max(...counts);
  return some
    .map((i) => {
      const long = px((counts[i] / most) * LONGEST_BAR);
      const wide = px(scale - space);
      return `M${px(x(last, i) + space / 2)} ${px(floor - long)}h${wide}v${long}h${-wide}z`;
    })
    .join("");
}

/** What the paths of the drawing are, by their names in PATHS. */
function shapesOf(place, steps, lit, point) {
  const { levels, last, left, end, floor } = place;
  const some = (m, holds) =>
    range(0, levels[m].counts.length).filter((i) => holds(levels[m].counts[i], lit[m][i]));
  const cells = (rows, holds) => rectangles(rows.flatMap((m) => boxesOf(place, m, some(m, holds))));
  const plain = (count, on) => count > 0 && !on;
  const bright = (count, on) => count > 0 && on;
  const upper = range(0, last);
  const [lines, litLines] = linesOf(place, steps, lit);
  const [[x, y, w, h]] = boxesOf(place, point.level, [point.index]);
  return {
    lines,
    litLines,
    upper: cells(upper, plain),
    litUpper: cells(upper, bright),
    lower: cells([last], plain),
    litLower: cells([last], bright),
    holes: cells([last], (count) => count === 0),
    bars: barsOf(place, some(last, plain)),
    litBars: barsOf(place, some(last, bright)),
    base: `M${left} ${px(floor + 0.5)}H${px(end)}`,
    frame: rectangles([[x - 2, y - 2, w + 4, h + 4]]),
  };
}

/** What is written in the drawing, each [x, y, text]. */
function textsOf(place, s, steps) {
  const { levels, last, total, wide, scale, height, pitch, x, y, floor, width } = place;
  const { counts } = levels[last];
  const dilated = s.mode === "dilated";
  const labels = steps.map(({ stride, dilation }, m) => {
    const layer = dilated ? `Layer ${last - m}` : `Stride ${stride}`;
    const text = wide ? `${layer}, dilation ${dilation}` : `d = ${dilation}`;
    return [0, y(m) + height + (pitch - height) / 2, text];
  });
  const names = dilated ? ["Output", "Input"] : ["Input", "Output"];
  labels.push([0, y(0) + height / 2, names[0]], [0, y(last) + height / 2, names[1]]);
  labels.push([0, floor - LONGEST_BAR / 2, dilated ? "Paths" : "Taps"]);
  if (wide) labels.push([0, floor + 13, "Position"]);
  const middle = (i) => x(last, i) + scale / 2;
  const room = DIGIT * String(total - 1).length + 6;
  const every = [1, 2, 5, 10, 20, 50, 100].find((step) => step * scale >= room) ?? 200;
  const written = range(0, total).filter((i) => i % every === 0);
  const numbered = scale >= DIGIT * String(Math.max(...counts)).length + 5;
  const reach = [width, y(last) + height / 2, `${reachedOf(counts)} of ${total}`];
  return {
    labels,
    digits: numbered ? counts.map((count, i) => [middle(i), y(last) + height / 2, count]) : [],
    indices: written.map((i) => [middle(i), floor + 13, i]),
    reach: wide ? [reach] : [],
  };
}

/** The entry at a place of the drawing: of an upper row, or the position below. */
function pointAt({ levels, last, total, left, scale, height, pitch, y }, across, down) {
  const at = (across - left) / scale;
  const level = Math.round((down - y(0) - height / 2) / pitch);
  if (level >= 0 && level < last && Math.abs(down - y(level) - height / 2) < height) {
    const index = Math.round((at - 0.5 - levels[level].left) / levels[level].pitch);
    if (levels[level].counts[index] > 0) return { level, index };
  }
  return { level: last, index: Math.max(0, Math.min(total - 1, Math.floor(at))) };
}

/** The entry that an arrow key leads to: the next one of its row, or the nearest of another. */
function pointBeside({ levels, last, x }, { level, index }, /** @type {number[]} */ [down, right]) {
  const row = level + down;
  if (row < 0 || row > last) return null;
  const reached = range(0, levels[row].counts.length).filter(
    (i) => (row === last || levels[row].counts[i] > 0) && (i - index) * right >= Math.abs(right),
  );
  const far = (i) => Math.abs(x(row, i) - x(level, index));
  const nearest = reached.reduce((a, b) => (a === null || far(b) < far(a) ? b : a), null);
  return nearest === null ? null : { level: row, index: nearest };
}

/**
 * Rows from the top, lines for the taps between them, and a bar for each count of the last.
 * `onPick` hears of a position of the last row that is pressed, `onPoint` of the entry under the
 * mouse or the arrow keys, or null when it is left.
 */
export function createTree({ onPick, onPoint }) {
  const make = (tag, classes) => {
    const pairs = Object.entries(classes).map(([name, css]) => [name, draft(tag, { class: css })]);
    return Object.fromEntries(pairs);
  };
  const [path, text] = [make("path", PATHS), make("g", TEXTS)];
  const { lines, litLines, upper, litUpper, lower, litLower, ...others } = path;
  const rows = [draft("g", {}, upper, litUpper), draft("g", {}, lower, litLower)];
  const parts = [lines, litLines, ...rows, ...Object.values(others), ...Object.values(text)];
  const look = { class: "cb-rf-section cb-cov-tree", role: "application", tabindex: 0 };
  const root = draft("svg", look, ...parts);
  let place = null; // how the last drawing was laid out
  let shown = null; // whose paths are lit

  followPointer(
    root,
    (x) => onPick(pointAt(place, x, -1).index),
    (x, y) => onPoint(Number.isNaN(x) ? null : pointAt(place, x, y)),
  );
  root.addEventListener("blur", () => onPoint(null));
  root.addEventListener("keydown", (event) => {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (!steps[event.key]) return;
    event.preventDefault();
    const next = pointBeside(place, shown, steps[event.key]);
    if (next?.level === place.last) onPick(next.index);
    else if (next) onPoint(next);
  });

  function draw(s, point, width) {
    const [levels, steps] = [levelsOf(s), stepsOf(s)];
    [place, shown] = [layoutOf(levels, width), point];
    const shapes = shapesOf(place, steps, litOf(levels, steps, point), point);
    for (const [name, d] of Object.entries(shapes)) setAttribute(path[name], "d", d);
    const texts = textsOf(place, s, steps);
    for (const [name, list] of Object.entries(texts)) writeTexts(text[name], list);
    const roles = ["cb-rf-output", "cb-rf-input"];
    if (s.mode === "transposed") roles.reverse();
    const narrow = place.space < 2 ? " cb-rf-narrow" : "";
    rows.forEach((row, i) => setAttribute(row, "class", roles[i] + narrow));
    root.toggleAttribute("data-crowded", place.scale < SMALLEST_STEP);
    setAttribute(root, "data-mode", s.mode);
    setAttribute(root, "width", px(place.width));
    setAttribute(root, "height", px(place.floor + 22));
  }

  return { root, draw };
}
