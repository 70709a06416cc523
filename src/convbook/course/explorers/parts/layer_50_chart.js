// A panel of curves: thin lines for the seeds, a thick one for their median, grey for what is kept.

import { h, setAttribute, setText } from "../lib/dom.js";
import { medians } from "../lib/medians.js";
import { draft, px } from "../lib/svg.js";

const HEIGHT = 190;
const PAD = { left: 42, right: 12, top: 8, bottom: 38 };

/**
 * One axis: from where to where, where its marks are, and what is written there.
 * @typedef {{ low: number, high: number, marks: number[], text: (mark: number) => string }} Axis
 */

/** The multiples of `step` within [low, high]. */
function multiples(low, high, step) {
  const marks = [];
  for (let mark = Math.ceil(low / step) * step; mark <= high; mark += step) marks.push(mark);
  return marks;
}

/**
 * An axis with no more than six marks.
 * @param {number} low
 * @param {number} high
 * @param {(mark: number) => string} [text]
 * @returns {Axis}
 */
export function axisOf(low, high, text = String) {
  const step = [1, 2, 5, 10, 20].find((one) => (high - low) / one <= 5.5) ?? 50;
  return { low, high, marks: multiples(low, high, step), text };
}

/** Whole decades around all that is drawn, and at least three to each side of 1. */
export function decadesAround(/** @type {number[][]} */ curves) {
  const all = curves.flat();
  return [Math.min(-3, Math.floor(Math.min(...all))), Math.max(3, Math.ceil(Math.max(...all)))];
}

/** Rules, marks and the axis's name. */
function axes(width, x, y, at, { name, rule, ruleName = "" }) {
  const text = (left, top, words, anchor) =>
    draft("text", { x: px(left), y: px(top), "text-anchor": anchor }, words);
  const line = (mark, kind) =>
    draft("path", {
      class: `cb-l50-${kind}`,
      d: `M${PAD.left} ${at(x.low, mark)[1]}H${px(width - PAD.right)}`,
    });
  return [
    ...y.marks.map((mark) => line(mark, "rules")),
    line(rule, "rule"),
    ...y.marks.map((mark) => text(PAD.left - 6, at(x.low, mark)[1], y.text(mark), "end")),
    ...x.marks.map((mark) => text(at(mark, y.low)[0], HEIGHT - 28, x.text(mark), "middle")),
    text((PAD.left + width - PAD.right) / 2, HEIGHT - 10, name, "middle"),
    text(width - PAD.right, at(x.low, rule)[1] - 8, ruleName, "end"),
  ];
}

/** The points of a curve as a path; from a point that is no number on there is none. */
function pathOf(curve, spacing, at) {
  const end = curve.indexOf(Infinity);
  const points = (end < 0 ? curve : curve.slice(0, end)).map((y, i) => at(i * spacing, y));
  return points.length ? `M${points.map((point) => point.join(" ")).join("L")}` : "";
}

/** A panel: { root, draw(options) }. */
export function createPanel() {
  const title = h("p", { class: "cb-l50-title" });
  const svg = draft("svg", { class: "cb-l50-chart", role: "img", height: HEIGHT });
  const root = h("div", {}, title, svg);

  /**
   * @param {object} options
   * @param {string} options.title
   * @param {string} options.sentence what the curves do, for who does not see them
   * @param {number} options.width
   * @param {Axis} options.x
   * @param {Axis} options.y
   * @param {string} options.name of the axis across
   * @param {number} options.rule the height that is marked
   * @param {string} [options.ruleName] what is written there
   * @param {number} options.spacing from point to point
   * @param {number[][]} options.curves by seed
   * @param {number[][]} [options.kept] those that are shown in grey
   */
  function draw({ title: words, sentence, width, x, y, spacing, curves, kept, ...marks }) {
    const [w, v] = [width - PAD.left - PAD.right, HEIGHT - PAD.top - PAD.bottom];
    const reach = 2 * (y.high - y.low);
    const at = (across, up) => [
      px(PAD.left + (w * (across - x.low)) / (x.high - x.low)),
      px(PAD.top + (v * (y.high - Math.min(up, y.high + reach))) / (y.high - y.low)),
    ];
    const path = (curve, kind) =>
      draft("path", { class: `cb-l50-${kind}`, d: pathOf(curve, spacing, at) });
    // What is above the axis is cut off.
    const frame = { width: px(width), height: HEIGHT - PAD.bottom + 2 };
    const inside = draft(
      "svg",
      frame,
      ...(kept ? [path(medians(kept), "kept")] : []),
      ...curves.map((curve) => path(curve, "seed")),
      path(medians(curves), "median"),
    );
    svg.replaceChildren(...axes(width, x, y, at, /** @type {any} */ (marks)), inside);
    setAttribute(svg, "width", px(width));
    setAttribute(svg, "aria-label", `${words}. ${sentence}`);
    setText(title, words);
  }

  return { root, draw };
}

/** A piece of a line, for the legend. */
export function keyOf(/** @type {string} */ kind) {
  const line = draft("path", { class: `cb-l50-${kind}`, d: "M0 5H26" });
  return draft(
    "svg",
    { class: "cb-l50-chart", width: 26, height: 10, "aria-hidden": "true" },
    line,
  );
}

/** A table under its caption: rows of texts, the first of each its head. */
export function tableOf(caption, /** @type {string[]} */ heads, /** @type {string[][]} */ rows) {
  const row = ([head, ...cells]) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, head),
      cells.map((cell) => h("td", {}, cell)),
    );
  const top = heads.map((head) => h("th", { scope: "col" }, head));
  return h(
    "table",
    {},
    h("caption", {}, caption),
    h("thead", {}, h("tr", {}, top)),
    h("tbody", {}, rows.map(row)),
  );
}
