// What is said below a figure: lines of results, and sums of products.

import { h, setContent } from "./dom.js";

/** A line of the results: a label and what it names. */
export function resultRow(label, ...content) {
  return h("div", { class: "cb-result" }, h("div", { class: "cb-label" }, label), ...content);
}

/** Text in the colour of one role: "input", "kernel", "output" or "padding". */
export function ink(kind, text) {
  return h("span", { class: `cb-ink-${kind}` }, String(text));
}

/** Write a sum of products, each a pair of [role, text]; `lines` are its rows, `end` follows. */
export function writeSum(element, start, lines, end) {
  const widths = lines.flat().map(([[, a], [, b]]) => a.length + b.length + 1);
  element.style.setProperty("--term", `${Math.max(...widths)}ch`);
  const terms = lines.map((line, i) =>
    h(
      "span",
      { class: "cb-line" },
      line.flatMap(([left, right], j) => [
        i + j ? h("span", { class: "cb-plus" }, " + ") : h("span", { class: "cb-plus cb-first" }),
        h("span", { class: "cb-term" }, ink(...left), "\u00b7", ink(...right)),
      ]),
    ),
  );
  setContent(
    element,
    h("span", { class: "cb-start" }, start),
    h("span", { class: "cb-terms" }, terms),
    ...(end === null ? [] : [h("span", { class: "cb-total" }, " = ", ink("output", end))]),
  );
}
