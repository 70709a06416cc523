// Coverage on a map: a pixel has the product of the counts of its row and of its column.

import { setAttribute } from "../lib/dom.js";
import { range } from "../lib/ranges.js";
import { draft, px, SMALLEST_CELL } from "../lib/svg.js";
import { fill, writeTexts } from "./coverage_drawing.js";

const LARGEST_MAP = 240;
const SMALLEST_NUMBERED = 15; // of the cells

/** A map: { root, draw(s, counts) }. */
export function createMap() {
  const classes = ["cb-rf-lit", "cb-cov-hole", "cb-rf-lines"];
  const [ground, holes, lines] = classes.map((name) => draft("path", { class: name }));
  const [shades, digits] = ["cb-cov-shades", "cb-rf-digits"].map((name) =>
    draft("g", { class: name }),
  );
  const root = draft("svg", { role: "img" }, ground, shades, holes, lines, digits);

  function draw(s, counts) {
    const total = counts.length;
    const scale = Math.min(22, LARGEST_MAP / total);
    const [side, thick] = [px(total * scale), px(scale)];
    const dilated = s.mode === "dilated";
    setAttribute(root, "width", side + 2);
    setAttribute(root, "height", side + 2);
    setAttribute(root, "viewBox", `-1 -1 ${side + 2} ${side + 2}`);
    setAttribute(root, "class", `cb-cov-map cb-rf-${dilated ? "input" : "output"}`);
    const square = `M0 0h${side}v${side}h${-side}z`;
    setAttribute(ground, "d", dilated ? square : "");
    // A hole of the axis is a whole column and a whole row of the map.
    const strips = range(0, total)
      .filter((i) => counts[i] === 0)
      .map((i) => px(i * scale))
      .map((at) => `M${at} 0h${thick}v${side}h${-thick}zM0 ${at}h${side}v${thick}h${-side}z`);
    setAttribute(holes, "d", strips.join(""));
    const inner = scale < SMALLEST_CELL ? [] : range(1, total).map((i) => px(i * scale));
    const crosses = inner.map((at) => `M0 ${at}h${side}M${at} 0v${side}`);
    setAttribute(lines, "d", crosses.join("") + square);

    // The more taps, the darker; a path for each number of taps.
    const byCount = new Map();
    const pixels = dilated
      ? []
      : counts.flatMap((a, i) => counts.map((b, j) => [j * scale, i * scale, a * b]));
    for (const [x, y, count] of pixels) {
      const cell = `M${px(x)} ${px(y)}h${thick}v${thick}h${-thick}z`;
      if (count) byCount.set(count, (byCount.get(count) ?? "") + cell);
    }
    const most = Math.max(...counts) ** 2;
    fill(shades, "path", [...byCount], (path, [count, d]) => {
      setAttribute(path, "d", d);
      setAttribute(path, "fill-opacity", px(count / most));
    });
    const written = scale >= SMALLEST_NUMBERED ? pixels : [];
    writeTexts(
      digits,
      written.map(([x, y, count]) => [x + scale / 2, y + scale / 2, count]),
    );
  }

  return { root, draw };
}
