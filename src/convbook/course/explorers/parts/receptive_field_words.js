// Receptive field: what an output sees, in words and code.

import { counted, formatFactor, formatNumber } from "../lib/format.js";
import { lengthOf, reachOf } from "./receptive_field_levels.js";
import { SETTINGS } from "./receptive_field_stacks.js";

/** What an output sees, in a sentence or two. */
export function summaryOf(levels, rows, shown) {
  if (shown === null) return "No layer has an output.";
  const [layer, output] = shown;
  const { first, last, read } = reachOf(levels, rows, layer, output)[0];
  const size = last - first + 1;
  const inside = Math.max(0, Math.min(last + 1, levels[0].count) - Math.max(first, 0));
  const [outside, skipped] = [size - inside, inside - lengthOf(read)];
  const to = size > 1 ? `s ${formatNumber(first)} to` : "";
  const part = inside ? `${outside} of them ` : "";
  const beyond = outside ? `, ${part}outside the input, where padding stands in` : "";
  const holes = skipped ? `. Of the ${inside} inside it skips ${skipped}` : "";
  const what = `Output ${output} of layer ${layer} sees input pixel${to} ${formatNumber(last)}`;
  return `${what}: ${counted(size, "pixel")}${beyond}${holes}.`;
}

/** Field, jump and start of layer `layer` from those before, each [name, rule, numbers, result]. */
export function stepsOf(levels, rows, layer) {
  const [{ size, jump, start }, level] = [levels[layer - 1], levels[layer]];
  const [, kernel, stride, padding, dilation] = rows[layer - 1];
  const rule = "before + dilation \u00b7 (kernel_size \u2212 1) \u00b7 jump before";
  const field = `${size} + ${dilation}\u00b7(${kernel} \u2212 1)\u00b7${jump}`;
  const from = `${formatFactor(start)} \u2212 ${padding}\u00b7${jump}`;
  return [
    ["Field", rule, field, level.size],
    ["Jump", "before \u00b7 stride", `${jump}\u00b7${stride}`, level.jump],
    ["Start of output 0", "before \u2212 padding \u00b7 jump before", from, level.start],
  ];
}

/** A row as the Python call that makes its layer. */
function layerCall([, kernel, ...others]) {
  const option = (value, i) => (value === [1, 0, 1][i] ? "" : `, ${SETTINGS[i + 1]}=${value}`);
  return `Layer(${kernel}${others.map(option).join("")})`;
}

/** The line that computes size, jump and start of every layer. */
export function packageLine(rows) {
  return `receptive_field([${rows.map(layerCall).join(", ")}])`;
}

/** A script that runs as it stands and prints every layer with its field. */
export function packageScript(rows) {
  const layers = rows.map((row) => `    ${layerCall(row)},\n`).join("");
  return (
    `from convbook.arithmetic import Layer, receptive_field\n\nlayers = [\n${layers}]\n` +
    "for layer, field in zip(layers, receptive_field(layers)):\n    print(layer, field)"
  );
}
