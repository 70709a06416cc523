// A table of layers, of which the one shown can be edited.

import { button, wholeField } from "./controls.js";
import { h, setAttribute, setChildren, setText, uniqueName } from "./dom.js";

/**
 * @typedef {object} LayerRow
 * @property {string} title
 * @property {(number | null)[]} numbers one for each setting; null where the layer has none
 * @property {string[]} values one for each of `values`
 */

const DASH = "\u2013";
const makeCell = (role, props, ...content) => h("div", { role, ...props }, ...content);

/** A row; its fields are made when it is first shown. */
function createLayer(number, group, onInvalid, options) {
  const { onEdit, onShow, titleField } = options;
  const radio = h("input", { type: "radio", name: group, "aria-label": `Show layer ${number}` });
  radio.addEventListener("change", () => onShow(number));
  const name = h("span", {});
  const makeField = ([label, limits], i) =>
    wholeField({
      ...{ label, limits, onInvalid },
      name: `${label} of layer ${number}`,
      onInput: (value) => onEdit(number, i, value),
    });
  const settings = options.settings.map(() => makeCell("cell", {}));
  const values = options.values.map((label) => makeCell("cell", { "data-label": label }));
  const title = h("label", {}, radio, h("b", {}, String(number)), name);
  const head = makeCell("rowheader", { class: "cb-layer-title" }, title);
  const root = h("div", { role: "row", class: "cb-layer" }, head, settings, values);
  let [fields, choice] = [null, null];

  // A press on a number brings its field.
  root.addEventListener("click", ({ target }) => {
    if (radio.checked || head.contains(target)) return;
    onShow(number);
    if (settings.includes(target)) target.querySelector("input")?.focus();
  });

  function draw(/** @type {LayerRow} */ layer, shown) {
    if (shown) fields ??= options.settings.map(makeField);
    if (shown) choice ??= titleField?.(number);
    setText(name, layer.title);
    name.hidden = Boolean(shown && choice);
    setChildren(head, shown && choice ? [title, choice.root] : [title]);
    if (shown) choice?.set(layer);
    radio.checked = shown;
    settings.forEach((cell, i) => {
      const number = layer.numbers[i];
      const open = shown && number !== null;
      if (open) fields[i].set(number);
      if (open) setChildren(cell, [fields[i].root]);
      else setText(cell, number === null ? "" : String(number));
    });
    values.forEach((cell, i) => setText(cell, layer.values[i] ?? DASH));
    root.classList.toggle("cb-layer-shown", shown);
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

/**
 * The table of layers: { root, draw(layers, shown, problem) }. What it calls hears of layer
 * `number`, from 1; `shown` is such a number.
 * @param {object} options
 * @param {string} options.label
 * @param {[string, number[]][]} options.settings name and limits of each column that can be edited
 * @param {string[]} options.values names of the other columns
 * @param {number[]} options.limits the fewest and the most layers
 * @param {(number: number) => { root: Node, set: (layer: any) => void }} [options.titleField]
 *   what stands for the title of the layer shown
 * @param {(number: number) => void} options.onShow
 * @param {(number: number, setting: number, value: number) => void} options.onEdit
 * @param {(change: (rows: any[]) => void, shown: number) => void} options.alter changes the rows
 *   and shows a layer, or the last if there are not so many
 * @param {any[]} options.newRow what is added
 * @param {Record<string, string>} [options.titles] what a column's name stands for
 * @param {string} [options.note] stands below the table
 */
export function createLayerTable(options) {
  const { label, limits, alter, newRow, titles = {}, note } = options;
  const group = uniqueName("layer");
  const columns = ["Layer", ...options.settings.map(([name]) => name), ...options.values];
  const heads = columns.map((text) =>
    makeCell("columnheader", { title: titles[text], "aria-label": titles[text] }, text),
  );
  const head = h("div", { role: "row", class: "cb-layer cb-layer-head" }, heads);
  const body = h("div", { role: "table", "aria-label": label });
  const region = h("div", { class: "cb-layers", role: "region", "aria-label": "Layers" }, body);
  const trouble = h("p", { class: "cb-warning", role: "status" });
  const pool = [];
  let [shown, count, problem] = [0, 0, null];
  const onInvalid = (text) => setText(trouble, text ?? problem ?? "");

  const move = (by) =>
    alter((rows) => rows.splice(shown - 1 + by, 0, ...rows.splice(shown - 1, 1)), shown + by);
  const look = { class: "cb-button cb-tool" };
  const tools = [
    button("Add a layer", () => alter((rows) => rows.splice(shown, 0, newRow), shown + 1), look),
    button("Move up", () => move(-1), look),
    button("Move down", () => move(1), look),
    button("Remove", () => alter((rows) => rows.splice(shown - 1, 1), shown), look),
  ];
  const bar = h("div", { class: "cb-actions" }, tools);
  bar.addEventListener("click", ({ target }) => target.disabled && pool[shown - 1].radio.focus());

  function draw(/** @type {LayerRow[]} */ layers, layer, reason) {
    while (pool.length < layers.length) {
      pool.push(createLayer(pool.length + 1, group, onInvalid, options));
    }
    const drawn = pool.slice(0, layers.length);
    drawn.forEach((row, i) => row.draw(layers[i], i + 1 === layer));
    setChildren(body, [head, ...drawn.map((row) => row.root)]);
    problem = reason;
    onInvalid(null);
    const [fewest, most] = limits;
    const { length } = layers;
    const off = [length === most, layer === 1, layer === length, length === fewest];
    tools.forEach((tool, i) => {
      tool.disabled = off[i];
      if (i) setAttribute(tool, "aria-label", `${tool.textContent} layer ${layer}`);
    });
    if (shown !== layer || count !== length) keepInSight(region, head, drawn[layer - 1].root);
    [shown, count] = [layer, length];
  }

  const below = note ? h("p", { class: "cb-note" }, note) : null;
  return { root: h("div", { class: "cb-stack" }, region, trouble, bar, below), draw };
}
