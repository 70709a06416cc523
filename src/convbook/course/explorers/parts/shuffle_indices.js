// Shuffle: which number goes where, in words and code.

import { counted } from "../lib/format.js";

// `s` holds the settings, by the names of the traits. The small maps have C·r·r channels, the large
// ones C; a cell is [channel, row, column], on either side.

/** The smallest and the largest of each number, as in Python. */
export const LIMITS = { upscale_factor: [2, 4], channels: [1, 3], size: [1, 3] };

// Label, upscale factor, channels, direction and order; the small maps are 2 by 2.
const EXAMPLES = {
  example: ["\u00d72, two channels", 2, 2, "shuffle", "pytorch"],
  one: ["\u00d72, one channel", 2, 1, "shuffle", "pytorch"],
  colour: ["\u00d73, three channels", 3, 3, "shuffle", "pytorch"],
  tensorflow: ["depth_to_space, two channels", 2, 2, "shuffle", "tensorflow"],
  back: ["pixel_unshuffle", 2, 2, "unshuffle", "pytorch"],
};
const NOTES = {
  example: "Four channels in a row share an output channel, one for each sub-pixel.",
  one: "With one channel out, PyTorch and TensorFlow agree.",
  colour: "27 channels make a colour image three times as high and as wide.",
  tensorflow:
    "In TensorFlow's order channels in a row share a sub-pixel, one for each output channel.",
  back: "The way back: resolution becomes channels, and nothing is lost.",
};
export const PRESETS = Object.entries(EXAMPLES).map(([key, [label, r, channels, ...words]]) => {
  const [direction, order] = words;
  const settings = { upscale_factor: r, channels, size: 2, direction, order };
  return { key, label: String(label), note: NOTES[key], settings };
});

/** The output channel and the sub-pixel that a channel fills: [c, i, j]. */
export function subPixel(channel, { upscale_factor: r, channels, order }) {
  const [c, place] =
    order === "pytorch"
      ? [Math.floor(channel / (r * r)), channel % (r * r)]
      : [channel % channels, Math.floor(channel / channels)];
  return [c, Math.floor(place / r), place % r];
}

/** The channel that fills sub-pixel (i, j) of output channel c. */
export function channelOf([c, i, j], { upscale_factor: r, channels, order }) {
  const place = i * r + j;
  return order === "pytorch" ? c * r * r + place : place * channels + c;
}

/** The cell of the large maps that belongs to one of the small maps. */
export function largeOf(/** @type {any} */ [channel, row, col], s) {
  const [c, i, j] = subPixel(channel, s);
  return [c, row * s.upscale_factor + i, col * s.upscale_factor + j];
}

/** The cell of the small maps that belongs to one of the large maps. */
export function smallOf(/** @type {any} */ [c, row, col], s) {
  const r = s.upscale_factor;
  return [channelOf([c, row % r, col % r], s), Math.floor(row / r), Math.floor(col / r)];
}

/** How many channels the small maps have. */
export const channelsIn = (s) => s.channels * s.upscale_factor ** 2;

/** What is selected, brought inside what there is. */
export function chosenOf(s) {
  const ends = [channelsIn(s) - 1, s.size - 1, s.size - 1];
  return s.selected.map((index, axis) => Math.min(index, ends[axis]));
}

/** A cell's number in the input, whose numbers count on map by map; `small` is one of the small. */
export function numberOf(small, s) {
  const [cell, side] =
    s.direction === "shuffle" ? [small, s.size] : [largeOf(small, s), s.size * s.upscale_factor];
  return (cell[0] * side + cell[1]) * side + cell[2];
}

/** What becomes of what, in a sentence. */
export function summaryOf(s) {
  const [r, side] = [s.upscale_factor, s.size * s.upscale_factor];
  const small = `${counted(channelsIn(s), "channel")} of ${s.size} \u00d7 ${s.size}`;
  const large = `${counted(s.channels, "channel")} of ${side} \u00d7 ${side}`;
  const pytorch = `c\u00b7${r * r} + i\u00b7${r} + j`;
  const formula = s.order === "pytorch" ? pytorch : `(i\u00b7${r} + j)\u00b7${s.channels} + c`;
  const verb = s.direction === "shuffle" || s.channels > 1 ? "become" : "becomes";
  return s.direction === "shuffle"
    ? `${small} ${verb} ${large}: channel ${formula} goes to sub-pixel (i, j) of channel c.`
    : `${large} ${verb} ${small}: sub-pixel (i, j) of channel c goes to channel ${formula}.`;
}

/** Where a cell of the small maps comes from and goes to, in a sentence. */
export function placeOf(chosen, s) {
  const [c, i, j] = subPixel(chosen[0], s);
  const nhwc = s.order === "tensorflow";
  const [small, large] = [chosen, largeOf(chosen, s)].map(([k, row, col]) =>
    (nhwc ? [row, col, k] : [k, row, col]).join(", "),
  );
  const end = nhwc ? ", in NHWC" : "";
  return s.direction === "shuffle"
    ? `Channel ${chosen[0]} goes to sub-pixel (${i}, ${j}) of channel ${c}: ` +
        `input[${small}] becomes output[${large}]${end}.`
    : `Sub-pixel (${i}, ${j}) of channel ${c} goes to channel ${chosen[0]}: ` +
        `input[${large}] becomes output[${small}]${end}.`;
}

/** The formula of a channel, with its numbers. */
export function workingOf(channel, s) {
  const [r, [c, i, j]] = [s.upscale_factor, subPixel(channel, s)];
  return s.order === "pytorch"
    ? `Channel = c\u00b7r\u00b7r + i\u00b7r + j = ${c}\u00b7${r}\u00b7${r} + ${i}\u00b7${r} + ${j} = ${channel}`
    : `Channel = (i\u00b7r + j)\u00b7C + c = (${i}\u00b7${r} + ${j})\u00b7${s.channels} + ${c} = ${channel}`;
}

/** Which channel has the same sub-pixel in the order that is not shown. */
export function comparisonOf(channel, s) {
  const [c, i, j] = subPixel(channel, s);
  const pytorch = s.order === "pytorch";
  const there = channelOf([c, i, j], { ...s, order: pytorch ? "tensorflow" : "pytorch" });
  const start = `In ${pytorch ? "TensorFlow" : "PyTorch"}'s order`;
  if (there === channel) return `${start} the same channel has this sub-pixel.`;
  return `${start} channel ${there} has sub-pixel (${i}, ${j}) of channel ${c}.`;
}

/** The PyTorch line that does it to x, of shape (N, C, H, W). */
export function pytorchLine(s) {
  const r = s.upscale_factor;
  const reorder = s.order === "tensorflow" && s.channels > 1;
  const swap = (a, b) =>
    reorder ? `.unflatten(1, (${a}, ${b})).transpose(1, 2).flatten(1, 2)` : "";
  return s.direction === "shuffle"
    ? `F.pixel_shuffle(x${swap(r * r, s.channels)}, ${r})`
    : `F.pixel_unshuffle(x, ${r})${swap(s.channels, r * r)}`;
}

/** A script that runs as it stands: a numbered input and what becomes of it. */
export function pytorchScript(s) {
  const shuffle = s.direction === "shuffle";
  const side = shuffle ? s.size : s.size * s.upscale_factor;
  const shape = [shuffle ? channelsIn(s) : s.channels, side, side];
  return [
    "import torch\nimport torch.nn.functional as F\n",
    `x = torch.arange(${shape.reduce((a, b) => a * b)}).reshape(1, ${shape.join(", ")})`,
    `y = ${pytorchLine(s)}`,
    "print(y[0])",
  ].join("\n");
}
