// Receptive field: what an output sees, in words and code.

import { counted, formatFactor, formatNumber } from "../lib/format.js";
import { countsOf, reachOf } from "./receptive_field_levels.js";

export const SETTINGS = ["kernel_size", "stride", "padding", "dilation"];

/** What the chosen output sees, in a sentence or two. */
export function summaryOf(levels, rows, chosen) {
  if (chosen === null) return "No layer has an output.";
  const [layer, output] = chosen;
  const [seen] = reachOf(levels, rows, layer, output);
  const { size, inside, outside, skipped } = countsOf(levels[0].count, seen);
  const [first, last] = [formatNumber(seen.first), formatNumber(seen.last)];
  const span = size > 1 ? `pixels ${first} to ${last}` : `pixel ${first}`;
  const part = inside ? `${outside} of them ` : "";
  const beyond = outside ? `, ${part}outside the input, where padding stands in` : "";
  const holes = skipped ? `. Of the ${inside} inside it skips ${skipped}` : "";
  const what = `Output ${output} of layer ${layer} sees input ${span}`;
  return `${what}: ${counted(size, "pixel")}${beyond}${holes}.`;
}

/** Field, jump and start of layer `layer` from those before, each [name, rule, numbers, result]. */
export function recurrenceOf(levels, rows, layer) {
  const [below, level] = [levels[layer - 1], levels[layer]];
  const [, kernel, stride, padding, dilation] = rows[layer - 1];
  const from = formatFactor(below.start);
  return [
    [
      "Field",
      "before + dilation \u00b7 (kernel_size \u2212 1) \u00b7 jump before",
      `${below.size} + ${dilation}\u00b7(${kernel} \u2212 1)\u00b7${below.jump}`,
      level.size,
    ],
    ["Jump", "before \u00b7 stride", `${below.jump}\u00b7${stride}`, level.jump],
    [
      "Start",
      "before \u2212 padding \u00b7 jump before",
      `${from} \u2212 ${padding}\u00b7${below.jump}`,
      level.start,
    ],
  ];
}

/** A row as the Python call that makes its layer. */
function layerCall([, kernel, ...others]) {
  const options = others
    .map((value, i) => [SETTINGS[i + 1], value])
    .filter(([name, value]) => value !== (name === "padding" ? 0 : 1))
    .map(([name, value]) => `, ${name}=${value}`);
  return `Layer(${kernel}${options.join("")})`;
}

/** The line that computes size, jump and start of every layer. */
export function packageLine(rows) {
  return `receptive_field([${rows.map(layerCall).join(", ")}])`;
}

/** A script that runs as it stands and prints every layer with its field. */
export function packageScript(rows) {
  return [
    "from convbook.arithmetic import Layer, receptive_field",
    "",
    "layers = [",
    ...rows.map((row) => `    ${layerCall(row)},`),
    "]",
    "for layer, field in zip(layers, receptive_field(layers)):",
    "    print(layer, field)",
  ].join("\n");
}
