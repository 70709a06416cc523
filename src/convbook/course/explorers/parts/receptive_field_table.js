// Receptive field: the table of layers and what they see.

import { formatNumber } from "../lib/format.js";
import { createLayerTable } from "../lib/layer_table.js";
import { LIMITS, SETTINGS } from "./receptive_field_stacks.js";

const NAMES = ["Kernel size", "Stride", "Padding", "Dilation"];

/** The table of layers: { root, draw }. What it calls hears of layer `number`, from 1. */
export function createTable(edits) {
  const table = createLayerTable({
    ...edits,
    onEdit: (number, setting, value) => edits.onEdit(number, setting + 1, value),
    label: "Layers and what their outputs see",
    limits: LIMITS.layers,
    newRow: ["conv", 3, 1, 0, 1],
    settings: NAMES.map((name, i) => [name, LIMITS[SETTINGS[i]]]),
    values: ["Output", "Field", "Jump", "Start"],
    titles: { Start: "Start of output 0" },
    note: "Start: where the field of output 0 begins; below 0 it begins in the padding.",
  });
  return {
    root: table.root,
    draw({ levels, rows, selected, problem }) {
      const layers = rows.map(([title, ...numbers], i) => {
        const { count, size, jump, start } = levels[i + 1] ?? {};
        const found = levels[i + 1] ? [count, size, jump, start] : [];
        return { title, numbers, values: found.map((number) => formatNumber(number)) };
      });
      table.draw(layers, Math.min(selected[0], rows.length), problem);
    },
  };
}
