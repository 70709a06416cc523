// Grids of numbers, walked with the arrow keys.

import { createCell, paintCell } from "./cells.js";
import { h, setAttribute, setChildren } from "./dom.js";
import { ANY, parseNumber, refusal } from "./format.js";
import { range } from "./ranges.js";

const HEAD_SPACE = 14; // after the heads of rows, as in grid.css

/**
 * A grid of cells with one tab stop, walked with the arrow keys.
 *
 * Cells are kept and reused: `arrange` puts rows together again only when the shape changes,
 * `cell(row, col)` returns the cell to paint. A cell is a "field" that holds a number, "still", or
 * one to choose: "pick", or the head of a "column" or a "row". `onPoint` hears of the cell under
 * the mouse and `onFocus` of the one with the focus, both of null when there is none. `onEdit` hears
 * of the number that counts in a field, and why what stands there does not, if that is another;
 * `rule` says which numbers count.
 *
 * @param {object} options
 * @param {string} options.kind
 * @param {string} options.label
 * @param {(row: number, col: number) => void} [options.onPick]
 * @param {(row: number, col: number, value: number, wrong: string | null) => void} [options.onEdit]
 * @param {{ fits: (value: number) => boolean, words: string }} [options.rule]
 * @param {(cell: any) => void} [options.onPoint]
 * @param {(cell: any) => void} [options.onFocus]
 */
export function createGrid({ kind, label, onPick, onEdit, rule = ANY, onPoint, onFocus }) {
  const root = h("div", { class: `cb-grid cb-grid-${kind}`, role: "grid", "aria-label": label });
  const frame = h("div", { class: "cb-frame", "aria-hidden": "true" });
  const shell = h("div", { class: "cb-shell" }, root, frame);
  const pool = new Map();
  const rows = new Map();
  let shape = "";
  let [firstRow, firstCol] = [0, 0]; // of those that are no heads
  let [top, left] = [0, 0];
  let live = []; // rows of cells
  let lit = new Set();
  let active = null;

  /** Make, or find again, the cell at (row, col) of one sort. */
  function make(sort, row, col) {
    const key = `${sort} ${row} ${col}`;
    if (!pool.has(key)) pool.set(key, createCell(kind, sort, row, col));
    return pool.get(key);
  }

  /**
   * Lay out rows [first, last + 1] and columns likewise; sortOf says what each cell is, and
   * `between` how many pixels the style sheet puts between some columns. Returns whether there was
   * anything to do.
   */
  function arrange(rowSpan, colSpan, sortOf, shapeKey, between = 0) {
    if (shapeKey === shape) return false;
    shape = shapeKey;
    // The frame counts from the first cell that is no head.
    const above = sortOf(rowSpan[0], colSpan[0]) === "column";
    const before = sortOf(rowSpan[0], colSpan[0]) === "row";
    shell.dataset.heads = above ? "above" : before ? "before" : "";
    const space = `${before ? HEAD_SPACE : between}px`;
    root.style.width = `calc(${colSpan[1] - colSpan[0]} * (var(--cb-cell) + var(--cb-gap)) - var(--cb-gap) + ${space})`;
    [firstRow, firstCol] = [rowSpan[0] + Number(above), colSpan[0] + Number(before)];
    [top, left] = [rowSpan[0], colSpan[0]];
    const cols = range(...colSpan);
    live = range(...rowSpan).map((row) => cols.map((col) => make(sortOf(row, col), row, col)));
    live.forEach((cells, i) => {
      if (!rows.has(top + i)) rows.set(top + i, h("div", { role: "row", class: "cb-row" }));
      const elements = cells.map((one) => one.element);
      setChildren(rows.get(top + i), elements);
    });
    const wanted = new Set(range(...rowSpan).map((row) => rows.get(row)));
    const spare = [...rows.values()].filter((row) => !wanted.has(row));
    for (const row of rows.values()) setSpare(row, !wanted.has(row));
    setChildren(root, [...wanted, ...spare]);
    if (!active || cell(active.row, active.col) !== active) {
      activate(live.flat().find((one) => one.focus) ?? null);
    }
    return true;
  }

  /** Make `cell` the grid's one tab stop. */
  function activate(cell) {
    if (active?.focus) active.focus.tabIndex = -1;
    active = cell;
    if (active?.focus) active.focus.tabIndex = 0;
  }

  /** Cell at (row, col), or undefined outside the grid. */
  function cell(row, col) {
    return live[row - top]?.[col - left];
  }

  const paint = (target, ...look) => paintCell(target, lit.has(target), ...look);

  /** Light these cells and no others, touching only those that change. */
  function light(cells) {
    const wanted = new Set(cells);
    for (const one of lit) if (!wanted.has(one)) one.element.classList.remove("cb-lit");
    for (const one of wanted) if (!lit.has(one)) one.element.classList.add("cb-lit");
    lit = wanted;
  }

  /** Rest the tab stop on one of these cells: where it is, if it is on one already. */
  function restOn(cells) {
    if (!cells.includes(active) && cells.length) activate(cells[0]);
  }

  /** Draw a frame around rows and columns [first, last], or hide it. */
  function outline(box) {
    setAttribute(frame, "hidden", box ? null : "");
    if (box) placeFrame(frame, box.top - firstRow, box.left - firstCol, box);
  }

  const grid = { shell, root, arrange, cell, paint, light, outline, activate, restOn };
  listenToFocus(grid, onFocus, onPoint);
  listenToFields(grid, kind, rule, onEdit);
  listenToPicks(grid, onPick);
  return grid;
}

/** Rows not wanted stay, out of sight: to take them out and in again would cost a frame. */
function setSpare(row, spare) {
  row.classList.toggle("cb-spare", spare);
  setAttribute(row, "aria-hidden", spare ? "true" : null);
}

function placeFrame(frame, y, x, { top, bottom, left, right }) {
  const place = { y, x, h: bottom - top + 1, w: right - left + 1 };
  for (const [name, cells] of Object.entries(place)) frame.style.setProperty(`--${name}`, cells);
}

const cellUnder = (event) => event.target.closest?.(".cb-cell")?.cbCell;

/** Hear of the cell with the focus, and of the one under the mouse. */
function listenToFocus({ root, activate }, onFocus, onPoint) {
  let under = null; // until the mouse moves again, what has the focus counts
  root.addEventListener("focusin", (event) => {
    const target = cellUnder(event);
    if (!target?.focus) return;
    activate(target);
    under = null;
    target.field?.select();
    onFocus?.(target);
  });
  root.addEventListener("focusout", () => onFocus?.(null));
  if (!onPoint) return;
  // A finger has no hover: it picks, and on its way, scrolling, it lights nothing.
  const mouse = (event) => event.pointerType !== "touch";
  root.addEventListener("pointermove", (event) => {
    const target = cellUnder(event);
    if (!target || target === under || !mouse(event)) return;
    under = target;
    onPoint(target.focus ? target : null);
  });
  root.addEventListener("pointerleave", (event) => {
    under = null;
    if (mouse(event)) onPoint(null);
  });
}

function setInvalid({ element, field }, invalid) {
  setAttribute(field, "aria-invalid", invalid ? "true" : null);
  element.toggleAttribute("data-invalid", invalid);
}

/** Hear of the numbers that are typed into fields. */
function listenToFields({ root }, kind, { fits, words }, onEdit) {
  let kept = ""; // what stood in the field before it was typed in
  root.addEventListener("focusin", (event) => {
    kept = cellUnder(event)?.text;
  });
  root.addEventListener("input", (event) => {
    const target = cellUnder(event);
    if (!target?.field) return;
    const { row, col, field } = target;
    const value = parseNumber(field.value);
    const fine = value !== null && fits(value);
    setInvalid(target, !fine);
    const name = `${kind[0].toUpperCase()}${kind.slice(1)} row ${row}, column ${col}`;
    const wrong = fine ? null : refusal(name, field.value, words, kept);
    onEdit(row, col, fine ? value : parseNumber(kept), wrong);
  });
  root.addEventListener("focusout", (event) => {
    // Leaving a field: what counts is shown, so nothing half typed stays behind.
    const target = cellUnder(event);
    if (!target?.field) return;
    const invalid = target.field.hasAttribute("aria-invalid");
    setInvalid(target, false);
    target.field.value = target.text;
    if (invalid) onEdit(target.row, target.col, parseNumber(target.text), null);
  });
}

/** Hear of the cells that are clicked or walked to. */
function listenToPicks({ root, cell }, onPick) {
  root.addEventListener("click", (event) => {
    const target = cellUnder(event);
    if (!target?.picks) return;
    target.focus.focus();
    onPick(target.row, target.col);
  });
  root.addEventListener("keydown", (event) => {
    const target = cellUnder(event);
    if (!target || event.altKey || event.ctrlKey || event.metaKey) return;
    if ((event.key === "Enter" || event.key === " ") && target.picks) {
      event.preventDefault();
      onPick(target.row, target.col);
      return;
    }
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const step = steps[event.key] ?? (event.key === "Enter" ? [1, 0] : null);
    if (!step) return;
    if (target.field && step[1]) {
      // Inside a number the arrow moves the caret; from its end, or with all selected, the cell.
      const { selectionStart: start, selectionEnd: end, value } = target.field;
      const all = start === 0 && end === value.length;
      const edge = start === end && (step[1] < 0 ? start === 0 : end === value.length);
      if (!all && !edge) return;
    }
    const next = cell(target.row + step[0], target.col + step[1]);
    if (event.key !== "Enter") event.preventDefault();
    if (!next?.focus) return;
    next.focus.focus();
    if (next.picks) onPick(next.row, next.col);
  });
}
