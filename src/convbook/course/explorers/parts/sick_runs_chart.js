// A chart of a few series over the epochs: thin lines for the seeds, a thick one for the median.

import { h, setAttribute, setText } from "../lib/dom.js";
import { medians } from "../lib/medians.js";
import { range } from "../lib/ranges.js";
import { draft, px } from "../lib/svg.js";

const HEIGHT = 180;
const PAD = { left: 34, right: 8, top: 8, bottom: 22 };

/**
 * Lines of one colour: "training", "validation", "left" or "right"; dashed ones are validation.
 * @typedef {object} Line
 * @property {string} kind
 * @property {boolean} dashed
 * @property {number[][]} series
 */

/**
 * Some series of a run as lines, the validation's last; in a comparison all are of one `kind`.
 * @returns {Line[]}
 */
export function linesOf(run, /** @type {string[]} */ keys, kind = "") {
  const kinds = ["training", "validation"];
  return keys.map((key, i) => ({ kind: kind || kinds[i], dashed: i > 0, series: run[key] }));
}

/** A round number above all medians, for the axis. */
export function topOf(/** @type {Line[]} */ lines) {
  const largest = Math.max(...lines.flatMap((line) => medians(line.series)));
  return [0.5, 1, 1.5, 2, 3, 4, 5, 6, 8].find((top) => top >= largest) ?? Math.ceil(largest);
}

/** Axis, marks and numbers. */
function axes(width, top, epochs, at) {
  const text = (x, y, words, anchor) =>
    draft("text", { x: px(x), y: px(y), "text-anchor": anchor }, words);
  const values = [0, top / 2, top];
  const marks = range(1, epochs + 1).filter((epoch) => epoch === 1 || epoch % 4 === 0);
  const rules = values.map((value) => `M${PAD.left} ${at(0, value)[1]}H${px(width - PAD.right)}`);
  return draft(
    "g",
    {},
    draft("path", { class: "cb-sick-rules", d: rules.join("") }),
    ...values.map((value) => text(PAD.left - 6, at(0, value)[1], String(value), "end")),
    ...marks.map((epoch) => text(at(epoch - 1, 0)[0], HEIGHT - 8, String(epoch), "middle")),
  );
}

/** A chart under its title: { root, draw(options) }. */
export function createChart() {
  const title = h("p", { class: "cb-sick-title" });
  const svg = draft("svg", { class: "cb-sick-chart", role: "img" });
  const words = h("p", { class: "cb-sick-words", role: "status" });
  const root = h("div", { class: "cb-sick-panel" }, title, svg, words);

  /**
   * @param {object} options
   * @param {string} options.name its title
   * @param {string} options.sentence what the curves do
   * @param {Line[]} options.lines
   * @param {number} options.width
   * @param {number} [options.top] the axis's end
   */
  function draw({ name, sentence, lines, width, top = topOf(lines) }) {
    setText(title, name);
    setText(words, sentence);
    svg.toggleAttribute("hidden", !lines.length);
    if (!lines.length) return;
    const epochs = lines[0].series[0].length;
    const [w, v] = [width - PAD.left - PAD.right, HEIGHT - PAD.top - PAD.bottom];
    const at = (i, value) => [
      px(PAD.left + (i * w) / (epochs - 1)),
      px(PAD.top + v * (1 - Math.min(value, top) / top)),
    ];
    const path = (curve, kind) =>
      draft("path", {
        class: kind,
        d: `M${curve.map((value, i) => at(i, value).join(" ")).join("L")}`,
      });
    const curves = lines.flatMap(({ kind, dashed, series }) => {
      const look = `cb-sick-line cb-sick-${kind}${dashed ? " cb-sick-dashed" : ""}`;
      const seeds = series.map((seed) => path(seed, `${look} cb-sick-seed`));
      return [...seeds, path(medians(series), look)];
    });
    svg.replaceChildren(axes(width, top, epochs, at), ...curves);
    for (const [key, value] of Object.entries({ width, height: HEIGHT }))
      setAttribute(svg, key, value);
    setAttribute(svg, "aria-label", name);
  }

  return { root, draw };
}

/** Bars, one for each class, as an element. */
export function classBars(/** @type {string[]} */ classes, /** @type {number[]} */ counts) {
  const most = Math.max(...counts);
  const bars = classes.map((name, i) =>
    h(
      "li",
      {},
      h("span", {}, name),
      h("span", { class: "cb-sick-bar", style: `--share: ${counts[i] / most}` }),
      h("span", {}, String(counts[i])),
    ),
  );
  return h("ul", { class: "cb-sick-bars" }, bars);
}

/** A table of medians: a row for each epoch, a column for each [label, series]. */
export function numbersTable(/** @type {[string, number[][]][]} */ columns) {
  const cell = (tag, text, scope) => h(tag, { scope }, text);
  const curves = columns.map(([, series]) => medians(series));
  const rows = curves[0].map((_, epoch) =>
    h(
      "tr",
      {},
      cell("th", String(epoch + 1), "row"),
      curves.map((curve) => cell("td", curve[epoch].toFixed(3), null)),
    ),
  );
  const heads = ["epoch", ...columns.map(([label]) => label)].map((text) =>
    cell("th", text, "col"),
  );
  return h("table", {}, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows));
}
