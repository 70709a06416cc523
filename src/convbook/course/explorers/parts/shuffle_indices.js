// Shuffle: which number goes where, in words and code.

import { counted } from "../lib/format.js";
import { range } from "../lib/ranges.js";

// `s` is an object of SETTINGS. The small maps have C·r·r channels, the large ones C; a cell is
// [channel, row, column], on either side.

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
export function largeOf([channel, row, col], s) {
  const [c, i, j] = subPixel(channel, s);
  return [c, row * s.upscale_factor + i, col * s.upscale_factor + j];
}

/** The cell of the small maps that belongs to one of the large maps. */
export function smallOf([c, row, col], s) {
  const r = s.upscale_factor;
  return [channelOf([c, row % r, col % r], s), Math.floor(row / r), Math.floor(col / r)];
}

/** How many channels the small maps have. */
export function channelsIn(s) {
  return s.channels * s.upscale_factor ** 2;
}

/** The numbers 0, 1, 2, ... of the input, map by map, where they stand in the output. */
export function shuffled(s) {
  const [small, large] = [s.size, s.size * s.upscale_factor];
  const number = ([channel, row, col], side) => (channel * side + row) * side + col;
  const cells = (count, side) =>
    range(0, count).map((k) => range(0, side).map((i) => range(0, side).map((j) => [k, i, j])));
  const each = (maps, value) => maps.map((map) => map.map((row) => row.map(value)));
  return s.direction === "shuffle"
    ? each(cells(s.channels, large), (cell) => number(smallOf(cell, s), small))
    : each(cells(channelsIn(s), small), (cell) => number(largeOf(cell, s), large));
}

/** What is selected, brought inside what there is. */
export function chosenOf(s, [channel, row, col]) {
  return [
    Math.min(channel, channelsIn(s) - 1),
    Math.min(row, s.size - 1),
    Math.min(col, s.size - 1),
  ];
}

/** Which channel fills sub-pixel (i, j) of channel c, with the numbers put in. */
function formulaOf({ upscale_factor: r, channels, order }) {
  return order === "pytorch"
    ? `c\u00b7${r * r} + i\u00b7${r} + j`
    : `(i\u00b7${r} + j)\u00b7${channels} + c`;
}

/** What becomes of what, in a sentence. */
export function summaryOf(s) {
  const side = s.size * s.upscale_factor;
  const small = `${counted(channelsIn(s), "channel")} of ${s.size} \u00d7 ${s.size}`;
  const large = `${counted(s.channels, "channel")} of ${side} \u00d7 ${side}`;
  if (s.direction === "shuffle") {
    return `${small} become ${large}: channel ${formulaOf(s)} goes to sub-pixel (i, j) of channel c.`;
  }
  const verb = s.channels === 1 ? "becomes" : "become";
  return `${large} ${verb} ${small}: sub-pixel (i, j) of channel c goes to channel ${formulaOf(s)}.`;
}

/** Where a cell of the small maps comes from and goes to, in a sentence. */
export function placeOf(s, chosen) {
  const [c, i, j] = subPixel(chosen[0], s);
  const nhwc = s.order === "tensorflow";
  const text = ([k, row, col]) => `[${(nhwc ? [row, col, k] : [k, row, col]).join(", ")}]`;
  const texts = [text(chosen), text(largeOf(chosen, s))];
  let start = `Channel ${chosen[0]} goes to sub-pixel (${i}, ${j}) of channel ${c}`;
  if (s.direction === "unshuffle") {
    start = `Sub-pixel (${i}, ${j}) of channel ${c} goes to channel ${chosen[0]}`;
    texts.reverse();
  }
  return `${start}: input${texts[0]} becomes output${texts[1]}${nhwc ? ", in NHWC" : ""}.`;
}

/** The formula of a channel, with its numbers. */
export function workingOf(s, channel) {
  const r = s.upscale_factor;
  const [c, i, j] = subPixel(channel, s);
  if (s.order === "pytorch") {
    return (
      `c\u00b7r\u00b7r + i\u00b7r + j = ` +
      `${c}\u00b7${r}\u00b7${r} + ${i}\u00b7${r} + ${j} = ${channel}`
    );
  }
  return `(i\u00b7r + j)\u00b7C + c = (${i}\u00b7${r} + ${j})\u00b7${s.channels} + ${c} = ${channel}`;
}

/** Which channel has the same sub-pixel in the order that is not shown. */
export function comparisonOf(s, channel) {
  const [order, name] =
    s.order === "pytorch" ? ["tensorflow", "TensorFlow's"] : ["pytorch", "PyTorch's"];
  const [c, i, j] = subPixel(channel, s);
  const there = channelOf([c, i, j], { ...s, order });
  if (there === channel) return `In ${name} order the same channel has this sub-pixel.`;
  return `In ${name} order channel ${there} has sub-pixel (${i}, ${j}) of channel ${c}.`;
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
    "import torch",
    "import torch.nn.functional as F",
    "",
    `x = torch.arange(${shape.reduce((a, b) => a * b)}).reshape(1, ${shape.join(", ")})`,
    `y = ${pytorchLine(s)}`,
    "print(y[0])",
  ].join("\n");
}
