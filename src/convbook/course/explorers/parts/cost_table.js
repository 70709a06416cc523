// Cost: the table of kinds, a bar for each of its numbers.

import { h, setText, uniqueName } from "../lib/dom.js";
import { withCommas } from "../lib/format.js";
import { range } from "../lib/ranges.js";
import { inNumbers, macsFormula, paramsFormula, ratioText, total } from "./cost_formulas.js";

export const COLUMNS = [
  ["params", "Parameters"],
  ["macs", "MACs"],
];
const DASH = "\u2013";

/** A number with its ratio, its bar and its formula: { root, draw }. */
function createMeasure(name, title) {
  const [number, ratio] = [h("b", {}), h("span", { class: "cb-cost-ratio" })];
  const bars = range(0, 2).map(() => h("span", { class: "cb-bar-part" }));
  const bar = h("div", { class: `cb-bar cb-bar-${name}`, "aria-hidden": "true" }, bars);
  const formula = h("p", { class: "cb-cost-formula" });
  const root = h(
    "div",
    { role: "cell", class: "cb-cost-cell" },
    h("p", { class: "cb-cost-head" }, h("span", { class: "cb-name" }, title), number, ratio),
    bar,
    formula,
  );
  return {
    root,
    /** Draw `parts`, a number for each layer, on a scale from 0 to `largest`; null draws none. */
    draw(parts, standard, largest, text) {
      const sum = total(parts ?? []);
      setText(number, parts ? withCommas(sum) : DASH);
      setText(ratio, parts ? `ratio ${ratioText(sum, standard)}` : "");
      bars.forEach((element, i) => {
        const part = parts?.[i];
        element.hidden = part === undefined;
        if (part !== undefined) element.style.width = `${(100 * part) / largest}%`;
      });
      bar.style.setProperty("--standard", `${(100 * standard) / largest}%`);
      setText(formula, text);
    },
  };
}

/** The table of kinds: { root, draw }; `onShow(key)` hears which one is chosen. */
export function createTable(kinds, onShow) {
  const group = uniqueName("kind");
  const rows = kinds.map((kind) => {
    const radio = h("input", { type: "radio", name: group, value: kind.key });
    radio.addEventListener("change", () => onShow(kind.key));
    const what = h("span", { class: "cb-cost-what" });
    const measures = COLUMNS.map(([name, title]) => createMeasure(name, title));
    const title = h("label", {}, radio, h("span", {}, h("b", {}, kind.label), " ", what));
    const root = h(
      "div",
      { role: "row", class: "cb-cost-row" },
      h("div", { role: "rowheader", class: "cb-cost-title" }, title),
      measures.map((measure) => measure.root),
    );
    return { kind, radio, what, measures, root };
  });
  const head = ["Convolution", ...COLUMNS.map(([, title]) => title)].map((text) =>
    h("div", { role: "columnheader" }, text),
  );
  const root = h(
    "div",
    { role: "table", class: "cb-cost-table", "aria-label": "Costs" },
    h("div", { role: "row", class: "cb-cost-row cb-cost-heads" }, head),
    rows.map((row) => row.root),
  );
  return {
    root,
    draw(s, costs, show) {
      const sums = COLUMNS.map(([name]) => costs.map((cost) => total(cost?.[name] ?? [])));
      rows.forEach(({ kind, radio, what, measures, root: row }, i) => {
        radio.checked = kind.key === show;
        row.classList.toggle("cb-cost-shown", kind.key === show);
        setText(what, inNumbers(kind.what, s));
        const formulas = [paramsFormula(kind, s), macsFormula(kind, s)];
        measures.forEach((measure, j) => {
          const text = costs[i] ? inNumbers(formulas[j], s) : "";
          measure.draw(costs[i]?.[COLUMNS[j][0]], sums[j][0], Math.max(...sums[j]), text);
        });
      });
    },
  };
}
