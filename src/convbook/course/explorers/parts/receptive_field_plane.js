// Receptive field: the field on the input, in two dimensions.

import { setAttribute } from "../lib/dom.js";
import { followPointer } from "../lib/pointer.js";
import { range } from "../lib/ranges.js";
import { draft, drafts, px, rectangles, SMALLEST_CELL } from "../lib/svg.js";
import { middleOf, reachOf, scaleOf } from "./receptive_field_levels.js";

const PLANE = 180;
const MARGIN = 4; // around the plane, for the frame
const NOTHING = { first: 0, last: -1, read: [] };

/** Input and field in two dimensions; the output shown stands in the middle row. */
export function createPlane(onPick, onPoint) {
  const tags = { padding: "path", wet: "path", cells: "path", lit: "path", lines: "path" };
  const parts = drafts("cb-rf", { ...tags, frame: "path" });
  const root = draft("svg", { class: "cb-rf-plane", role: "img" }, ...Object.values(parts));
  let place = { low: 0, high: 0, scale: 1 };

  const pixelAt = (x) => (x - MARGIN) / place.scale + place.low;
  followPointer(
    root,
    (x) => onPick(0, pixelAt(x)),
    (x) => onPoint(0, pixelAt(x)),
  );

  function draw(page) {
    const { levels, rows, shown, reach } = page;
    const [input, padding] = [levels[0].count, rows[0][3]];
    place = scaleOf(page, PLANE, 20);
    const { low, high, scale } = place;
    const across = reach[0] ?? NOTHING;
    const middle = shown && middleOf(levels[shown[0]]);
    const down = shown ? reachOf(levels, rows, shown[0], middle)[0] : NOTHING;
    const top = Math.min(-padding, down.first);
    const bottom = Math.max(input + padding, down.last + 1);
    const box = (left, right, first, last) => [
      MARGIN + (left - low) * scale,
      MARGIN + (first - top) * scale,
      (right - left + 1) * scale,
      (last - first + 1) * scale,
    ];
    const [x, y, side] = box(0, input - 1, 0, input - 1);
    const cross = (at) => `M${px(x)} ${px(y + at)}h${px(side)}M${px(x + at)} ${px(y)}v${px(side)}`;
    const steps = scale < SMALLEST_CELL ? [] : range(1, input).map((i) => cross(i * scale));
    const square = (from, to) => rectangles([box(from, to, from, to)]);
    const field = shown ? rectangles([box(across.first, across.last, down.first, down.last)]) : "";
    const lit = down.read.flatMap(([v, w]) => across.read.map(([t, u]) => box(t, u, v, w)));
    setAttribute(root, "width", px((high - low) * scale + 2 * MARGIN));
    setAttribute(root, "height", px((bottom - top) * scale + 2 * MARGIN));
    setAttribute(parts.padding, "d", padding ? square(-padding, input + padding - 1) : "");
    setAttribute(parts.cells, "d", square(0, input - 1));
    setAttribute(parts.lines, "d", steps.join(""));
    setAttribute(parts.wet, "d", field);
    setAttribute(parts.lit, "d", rectangles(lit));
    setAttribute(parts.frame, "d", field);
  }

  return { root, draw };
}
