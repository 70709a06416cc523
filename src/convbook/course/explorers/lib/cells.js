// The cells of a grid of numbers.

import { h, setAttribute } from "./dom.js";

const ROLES = { column: "columnheader", row: "rowheader" };

/** The cell of a `sort` at (row, col): { element, field or words, focus, picks, row, col, ... }. */
export function createCell(kind, sort, row, col) {
  const element = h("div", { role: ROLES[sort] ?? "gridcell", class: "cb-cell" });
  const picks = sort !== "field" && sort !== "still";
  const cell = { element, picks, row, col, focus: null, classes: "cb-cell", text: null };
  if (sort === "field") {
    cell.field = h("input", { type: "text", autocomplete: "off", spellcheck: "false" });
    cell.field.setAttribute("aria-label", `${kind}, row ${row}, column ${col}`);
    cell.field.size = 1;
  }
  cell.words = document.createTextNode("");
  element.append(cell.field ?? cell.words);
  cell.focus = sort === "still" ? null : (cell.field ?? element);
  if (cell.focus) cell.focus.tabIndex = -1;
  element.cbCell = cell;
  return cell;
}

/** Write a cell's text, classes and label where they changed. */
export function paintCell(target, isLit, text, classes, label) {
  if (target.classes !== classes) {
    target.element.className = isLit ? `${classes} cb-lit` : classes;
    target.classes = classes;
  }
  if (target.text !== text) writeText(target, text);
  if (target.label !== label) {
    if (label) (target.field ?? target.element).setAttribute("aria-label", label);
    target.label = label;
  }
}

function writeText(target, text) {
  // A field being typed in keeps what the reader typed ("1." or "-").
  if (target.field && document.activeElement !== target.field) target.field.value = text;
  if (!target.field) target.words.data = text;
  target.text = text;
  setAttribute(target.element, "data-length", text.length > 2 ? Math.min(text.length, 9) : null);
}
