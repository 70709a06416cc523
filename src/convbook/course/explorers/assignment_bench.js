// Assignment bench: a network as rows, and the seven lamps of the assignment.

import { segmentedControl } from "./lib/controls.js";
import { h, inlineCode, setAttribute } from "./lib/dom.js";
import { withCommas } from "./lib/format.js";
import { createLayerTable } from "./lib/layer_table.js";
import { createShell } from "./lib/shell.js";
import { fileOf, gradeLine } from "./parts/assignment_bench_code.js";
import { createFigure } from "./parts/assignment_bench_figure.js";
import { lampsOf, notesOf } from "./parts/assignment_bench_lamps.js";
import { measure } from "./parts/assignment_bench_measure.js";
import {
  asKind,
  KINDS,
  LIMITS,
  NETWORK_FORMAT,
  named,
  PRESETS,
  PROFILES,
  SETTINGS,
} from "./parts/assignment_bench_rows.js";

const LABELS = ["2020: with max-pools", "2021, 2023: without"];
const COLUMNS = ["Filters", "Kernel", "Stride", "Padding", "Dilation"];

/** The rows as a table, of which one is open. */
function createRows(shell) {
  let shown = 1;
  function alter(change, to = shown) {
    const rows = [...shell.settings().rows];
    change(rows);
    shown = to;
    shell.change({ rows });
  }
  const put = (number, row) => alter((rows) => rows.splice(number - 1, 1, row));
  const rowAt = (number) => shell.settings().rows[number - 1];

  function titleField(number) {
    const look = { class: "cb-number", "aria-label": `Kind of layer ${number}` };
    const kinds = Object.entries(KINDS);
    const options = kinds.map(([value, { label }]) => h("option", { value }, label));
    const select = h("select", look, options);
    select.addEventListener("change", () => put(number, asKind(rowAt(number), select.value)));
    return { root: select, set: ({ kind }) => (select.value = kind) };
  }

  function onEdit(number, i, value) {
    const row = [...rowAt(number)];
    row[1 + KINDS[row[0]].settings.indexOf(SETTINGS[i])] = value;
    put(number, row);
  }

  const table = createLayerTable({
    label: "Layers, what they return and what they cost",
    limits: LIMITS.rows,
    newRow: ["conv", 32, 3, 1, 1, 1],
    alter,
    settings: COLUMNS.map((label, i) => [label, LIMITS[SETTINGS[i]]]),
    values: ["Output", "Parameters", "MACs", "Field"],
    titleField,
    onEdit,
    onShow(number) {
      shown = number;
      redraw();
    },
  });
  let last = null;
  function redraw() {
    const { rows, found } = last;
    shown = Math.min(shown, rows.length);
    const layers = rows.map((row, i) => {
      const [set, level] = [named(row), found.levels[i + 1]];
      const numbers = SETTINGS.map((setting) => set[setting] ?? null);
      return { kind: row[0], title: KINDS[row[0]].label, numbers, values: valuesOf(level) };
    });
    table.draw(layers, shown, found.problem);
  }
  return {
    root: table.root,
    draw(page) {
      last = page;
      redraw();
    },
  };
}

/** Output, parameters, MACs and field of a level, as texts. */
function valuesOf(level) {
  if (!level) return [];
  const { channels, side, params, macs, field } = level;
  const size = side === null ? String(channels) : `${channels} \u00d7 ${side} \u00d7 ${side}`;
  const costs = [params, macs].map((number) => (number ? withCommas(number) : ""));
  const local = level.convolves || level.kind === "max_pool";
  return [size, ...costs, local ? String(field.size) : ""];
}

/** One requirement: whether it is met, what was measured, and why. */
function lampOf({ requirement, measured, passed, why }) {
  const part = (name, ...text) => h("span", { class: `cb-lamp-${name}` }, text);
  const icon = part("icon", passed ? "\u2713" : "\u2717");
  setAttribute(icon, "aria-hidden", "true");
  return h(
    "li",
    { class: passed ? "cb-lamp cb-lamp-lit" : "cb-lamp" },
    ...[icon, part("asked", requirement), part("state", passed ? "met" : "not met")],
    ...[part("measured", ...inlineCode(measured)), part("why", ...inlineCode(why))],
  );
}

/** The seven lamps as a list, and notes that decide nothing. */
function createLamps() {
  const list = h("ol", { class: "cb-lamps", "aria-label": "Requirements" });
  const notes = h("div", { class: "cb-lamp-notes" });
  return {
    root: h("div", { class: "cb-bench-lamps" }, list, notes),
    draw({ lamps, found }) {
      list.replaceChildren(...lamps.map(lampOf));
      const told = notesOf(found).map((note) => h("p", {}, "Note: ", ...inlineCode(note)));
      notes.replaceChildren(...told);
    },
  };
}

/** Draw the bench into `el` and keep it in step with `model`. */
function render({ model, el }) {
  const shell = createShell({
    model,
    el,
    name: "assignment-bench",
    title: "Assignment bench",
    rules: {
      rows: { fits: Array.isArray, words: "a list of layers" },
      profile: Object.keys(PROFILES),
    },
    presets: PRESETS,
    format: NETWORK_FORMAT,
    writesAddress: true,
  });
  const profile = segmentedControl({
    legend: "Requirements of",
    options: Object.keys(PROFILES).map((key, i) => [key, LABELS[i]]),
    onChange: (value) => shell.change({ profile: value }),
  });
  const [rows, figure, lamps] = [createRows(shell), createFigure(), createLamps()];

  function draw() {
    const settings = shell.settings();
    const found = measure(settings.rows);
    const page = { ...settings, found, lamps: lampsOf(found, settings.profile) };
    profile.set(settings.profile);
    for (const part of [rows, figure, lamps]) part.draw(page);
    shell.showCode(gradeLine(settings.profile));
  }

  return shell.start({
    top: [profile.root],
    figure: figure.elements,
    below: [rows.root, lamps.root],
    code: {
      label: "Grade it",
      what: "the line",
      others: [["Copy my_net.py", () => fileOf(shell.settings().rows)]],
    },
    draw,
  });
}

export default { render };
