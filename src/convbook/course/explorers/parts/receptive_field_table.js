// Receptive field: the table of layers, of which the one shown can be edited.

import { button, wholeField } from "../lib/controls.js";
import { h, setAttribute, setChildren, setText, uniqueName } from "../lib/dom.js";
import { formatNumber } from "../lib/format.js";
import { LIMITS, SETTINGS } from "./receptive_field_stacks.js";

const NAMES = ["Kernel size", "Stride", "Padding", "Dilation"];
const FIELD_NAMES = ["Output", "Field", "Jump", "Start"];

const makeCell = (role, props, ...content) => h("div", { role, ...props }, ...content);

/** A row; its fields are made when it is first shown. */
function createLayer(number, group, { onEdit, onShow, onInvalid }) {
  const radio = h("input", { type: "radio", name: group, "aria-label": `Show layer ${number}` });
  radio.addEventListener("change", () => onShow(number));
  const name = h("span", {});
  const makeField = (setting, i) =>
    wholeField({
      label: NAMES[i],
      name: `${NAMES[i]} of layer ${number}`,
      limits: LIMITS[setting],
      onInvalid,
      onInput: (value) => onEdit(number, i + 1, value),
    });
  const settings = SETTINGS.map(() => makeCell("cell", {}));
  const values = FIELD_NAMES.map((label) => makeCell("cell", { "data-label": label }));
  const title = h("label", {}, radio, h("b", {}, String(number)), name);
  const head = makeCell("rowheader", { class: "cb-rf-title" }, title);
  const root = h("div", { role: "row", class: "cb-rf-row" }, head, settings, values);
  let fields = null;

  // A press on a number brings its field.
  root.addEventListener("click", ({ target }) => {
    if (radio.checked || head.contains(target)) return;
    onShow(number);
    if (settings.includes(target)) target.querySelector("input").focus();
  });

  function draw([title, ...numbers], level, shown) {
    if (shown) fields ??= SETTINGS.map(makeField);
    setText(name, title);
    radio.checked = shown;
    settings.forEach((cell, i) => {
      if (shown) fields[i].set(numbers[i]);
      if (shown) setChildren(cell, [fields[i].root]);
      else setText(cell, String(numbers[i]));
    });
    const found = level && [level.count, level.size, level.jump, level.start];
    values.forEach((cell, i) => setText(cell, found ? formatNumber(found[i]) : "\u2013"));
    root.classList.toggle("cb-rf-shown", shown);
  }

  return { root, radio, draw };
}

/** Bring a row into what is seen of a region, without a move of the page. */
function keepInSight(region, head, row) {
  setAttribute(region, "tabindex", region.scrollHeight > region.clientHeight ? "0" : null);
  const least = row.offsetTop + row.offsetHeight - region.clientHeight;
  const most = row.offsetTop - head.offsetHeight;
  region.scrollTop = Math.max(least, Math.min(most, region.scrollTop));
}

/** The table of layers: { root, draw }. What it calls hears of layer `number`, from 1. */
export function createTable({ onMove, onRemove, onAdd, onEdit, onShow }) {
  const group = uniqueName("layer");
  const columns = ["Layer", ...NAMES, ...FIELD_NAMES];
  const heads = columns.map((text) => makeCell("columnheader", {}, text));
  const start = "Start: where the field of output 0 begins; below 0 it begins in the padding.";
  for (const name of ["title", "aria-label"]) setAttribute(heads.at(-1), name, "Start of output 0");
  const head = h("div", { role: "row", class: "cb-rf-row cb-rf-head" }, heads);
  const body = h("div", { role: "table", "aria-label": "Layers and what their outputs see" });
  const region = h("div", { class: "cb-rf-scroll", role: "region", "aria-label": "Layers" }, body);
  const trouble = h("p", { class: "cb-warning", role: "status" });
  const pool = [];
  let [shown, count, problem] = [0, 0, null];
  const onInvalid = (text) => setText(trouble, text ?? problem ?? "");

  const look = { class: "cb-button cb-tool" };
  const tools = [
    button("Add a layer", () => onAdd(shown), look),
    button("Move up", () => onMove(shown, -1), look),
    button("Move down", () => onMove(shown, 1), look),
    button("Remove", () => onRemove(shown), look),
  ];
  const bar = h("div", { class: "cb-actions" }, tools);
  bar.addEventListener("click", ({ target }) => target.disabled && pool[shown - 1].radio.focus());
  const root = h(
    "div",
    { class: "cb-stack" },
    region,
    trouble,
    bar,
    h("p", { class: "cb-note" }, start),
  );

  function draw({ levels, rows, selected, problem: reason }) {
    while (pool.length < rows.length) {
      pool.push(createLayer(pool.length + 1, group, { onEdit, onShow, onInvalid }));
    }
    const layer = Math.min(selected[0], rows.length);
    const drawn = pool.slice(0, rows.length);
    drawn.forEach((row, i) => row.draw(rows[i], levels[i + 1], i + 1 === layer));
    setChildren(body, [head, ...drawn.map((row) => row.root)]);
    problem = reason;
    onInvalid(null);
    const [fewest, most] = LIMITS.layers;
    const off = [rows.length === most, layer === 1, layer === rows.length, rows.length === fewest];
    tools.forEach((tool, i) => {
      tool.disabled = off[i];
      if (i) setAttribute(tool, "aria-label", `${tool.textContent} layer ${layer}`);
    });
    if (shown !== layer || count !== rows.length) keepInSight(region, head, drawn[layer - 1].root);
    [shown, count] = [layer, rows.length];
  }

  return { root, draw };
}
