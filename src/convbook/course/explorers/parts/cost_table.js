// Cost: the table of kinds, a bar for each of its numbers.

import { h, setText, uniqueName } from "../lib/dom.js";
import { withCommas } from "../lib/format.js";
import { costOf, formulasOf, inNumbers, ratioText, total } from "./cost_formulas.js";
import { KINDS } from "./cost_settings.js";

const COLUMNS = { params: "Parameters", macs: "MACs (multiply-adds)" };

/** The part of a bar that stands for a layer; the second of a pair is lighter. */
const barPart = (column, isSecond) =>
  h("span", { class: `cb-bar-part cb-bar-${column} ${isSecond ? "cb-bar-second" : ""}` });

/** What the bars mean. */
export function createLegend() {
  const entry = (text, samples) =>
    h("li", {}, h("span", { class: "cb-samples", "aria-hidden": "true" }, samples), text);
  const parts = (isSecond) => Object.keys(COLUMNS).map((column) => barPart(column, isSecond));
  const first = entry("the convolution, or the first of a pair", parts(false));
  const second = entry("the second of a pair", parts(true));
  const mark = entry("the standard one", [h("span", { class: "cb-bar-mark" })]);
  return h("ul", { class: "cb-legend" }, first, second, mark);
}

/** A number with its ratio, its bar and its formula: { root, draw }. */
function createMeasure(column) {
  const [number, ratio] = [h("b", {}), h("span", { class: "cb-cost-ratio" })];
  const bars = [barPart(column, false), barPart(column, true)];
  const bar = h("div", { class: "cb-bar", "aria-hidden": "true" }, bars);
  const formula = h("p", { class: "cb-cost-formula" });
  const name = h("span", { class: "cb-name" }, COLUMNS[column]);
  const head = h("p", { class: "cb-cost-head" }, name, number, ratio);
  return {
    root: h("div", { role: "cell" }, head, bar, formula),
    draw(s, kind, costs) {
      const parts = costs[kind]?.[column] ?? []; // a number for each layer
      const sums = Object.values(costs).map((cost) => total(cost?.[column] ?? []));
      const [sum, standard, largest] = [total(parts), sums[0], Math.max(...sums)];
      setText(number, parts.length ? withCommas(sum) : "\u2013");
      setText(ratio, parts.length ? `ratio ${ratioText(sum, standard)}` : "");
      setText(formula, parts.length ? inNumbers(formulasOf(kind, s)[column], s) : "");
      bars.forEach((element, i) => {
        element.hidden = i >= parts.length;
        element.style.width = `${(100 * (parts[i] ?? 0)) / largest}%`;
      });
      bar.style.setProperty("--standard", `${(100 * standard) / largest}%`);
    },
  };
}

/** The row of one kind: { root, draw }; `onShow` hears that it is chosen. */
function createRow(kind, group, onShow) {
  const radio = h("input", { type: "radio", name: group, on: { change: onShow } });
  const what = h("span", { class: "cb-cost-what" });
  const measures = Object.keys(COLUMNS).map(createMeasure);
  const title = h("span", {}, h("b", {}, KINDS[kind].label), " ", what);
  const head = h("div", { role: "rowheader" }, h("label", { class: "cb-check" }, radio, title));
  const cells = measures.map((measure) => measure.root);
  const root = h("div", { role: "row", class: "cb-cost-row" }, head, cells);
  return {
    root,
    draw(s, costs) {
      radio.checked = kind === s.show;
      root.classList.toggle("cb-cost-shown", kind === s.show);
      setText(what, inNumbers(KINDS[kind].what, s));
      for (const measure of measures) measure.draw(s, kind, costs);
    },
  };
}

/** The table of kinds: { root, draw }; `onShow(kind)` hears which one is chosen. */
export function createTable(onShow) {
  const [group, kinds] = [uniqueName("kind"), Object.keys(KINDS)];
  const rows = kinds.map((kind) => createRow(kind, group, () => onShow(kind)));
  const titles = ["Convolution", ...Object.values(COLUMNS)];
  const heads = titles.map((text) => h("div", { role: "columnheader" }, text));
  const head = h("div", { role: "row", class: "cb-cost-row cb-cost-heads" }, heads);
  const body = rows.map((row) => row.root);
  return {
    root: h("div", { role: "table", class: "cb-cost-table", "aria-label": "Costs" }, head, body),
    draw(s) {
      const costs = Object.fromEntries(kinds.map((kind) => [kind, costOf(kind, s)]));
      for (const row of rows) row.draw(s, costs);
    },
  };
}
