// Receptive field: the table of layers.

import { button, wholeField } from "../lib/controls.js";
import { h, setAttribute, setChildren, setText, uniqueName } from "../lib/dom.js";
import { formatNumber } from "../lib/format.js";
import { SETTINGS } from "./receptive_field_words.js";

const NAMES = ["Kernel size", "Stride", "Padding", "Dilation"];
export const FIELD_NAMES = ["Output", "Field", "Jump", "Start"];

/**
 * The table of layers: { root, draw }. `onEdit(number, column, value)`, `onShow(number)`,
 * `onMove(number, by)` and `onRemove(number)` hear of layer `number`, from 1.
 */
export function createTable({ limits, onEdit, onShow, onMove, onRemove, onAdd, onInvalid }) {
  const group = uniqueName("layer");
  const cell = (role, css, ...content) =>
    h("div", { role, class: `cb-rf-cell ${css}` }, ...content);
  const head = h(
    "div",
    { role: "row", class: "cb-rf-row cb-rf-head" },
    ["Layer", ...NAMES, ...FIELD_NAMES].map((text) => cell("columnheader", "", text)),
  );
  const problem = cell("cell", "cb-rf-problem");
  const problemRow = h("div", { role: "row" }, problem);
  const body = h("div", { role: "table", "aria-label": "Layers", class: "cb-rf-table" });
  const add = button("Add a layer", () => onAdd());
  const root = h("div", { class: "cb-stack" }, body, add);
  const pool = [];
  let shown = 0;

  const tools = [
    ["Move up", () => onMove(shown, -1)],
    ["Move down", () => onMove(shown, 1)],
    ["Remove", () => onRemove(shown)],
  ].map(([label, act]) => {
    const element = button(
      label,
      () => {
        act();
        (element.disabled ? pool[shown - 1].radio : element).focus();
      },
      { class: "cb-button cb-tool" },
    );
    return { element, label };
  });

  function make(number) {
    const radio = h("input", { type: "radio", name: group, "aria-label": `Show layer ${number}` });
    radio.addEventListener("change", () => onShow(number));
    const name = h("span", {});
    const fields = SETTINGS.map((setting, i) =>
      wholeField({
        label: NAMES[i],
        name: `${NAMES[i]} of layer ${number}`,
        limits: limits[setting],
        onInvalid,
        onInput: (value) => onEdit(number, i + 1, value),
      }),
    );
    const values = FIELD_NAMES.map((label) => {
      const text = h("span", { class: "cb-value" });
      const name = h("span", { class: "cb-name" }, label);
      const css = label === "Field" ? "cb-rf-value" : "cb-rf-value cb-rf-closes";
      return { text, root: cell("cell", css, name, text) };
    });
    const actions = cell("cell", "cb-rf-tools");
    const title = h("label", {}, radio, h("b", {}, String(number)), name);
    const element = h(
      "div",
      { role: "row", class: "cb-rf-row" },
      cell("rowheader", "cb-rf-title", title),
      fields.map((field) => cell("cell", "cb-rf-closes", field.root)),
      values.map((value) => value.root),
      actions,
    );
    return { element, radio, name, fields, values, actions };
  }

  function draw({ levels, rows, layer, problem: reason }) {
    while (pool.length < rows.length) pool.push(make(pool.length + 1));
    shown = layer;
    const lines = [head];
    rows.forEach(([name, ...numbers], i) => {
      const row = pool[i];
      const level = levels[i + 1];
      setText(row.name, name);
      row.radio.checked = i + 1 === layer;
      row.fields.forEach((field, j) => field.set(numbers[j]));
      const found = level ? [level.count, level.size, level.jump, level.start] : [];
      row.values.forEach(({ text }, j) => setText(text, level ? formatNumber(found[j]) : "\u2013"));
      row.element.classList.toggle("cb-rf-shown", i + 1 === layer);
      setChildren(row.actions, i + 1 === layer ? tools.map(({ element }) => element) : []);
      lines.push(row.element);
      if (reason && i + 1 === levels.length) lines.push(problemRow);
    });
    setText(problem, reason ?? "");
    setChildren(body, lines);
    const off = [layer === 1, layer === rows.length, rows.length === limits.layers[0]];
    tools.forEach(({ element, label }, i) => {
      element.disabled = off[i];
      setAttribute(element, "aria-label", `${label} layer ${layer}`);
    });
    add.disabled = rows.length === limits.layers[1];
  }

  return { root, draw };
}
