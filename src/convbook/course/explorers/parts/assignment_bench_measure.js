// Assignment bench: sizes, costs and receptive fields of a network's rows.

import { convOutputSize, kernelSpan } from "../lib/arithmetic.js";
import { range } from "../lib/ranges.js";
import { KINDS, named } from "./assignment_bench_rows.js";

const PICTURE = 32;
const PLAIN = { kernel_size: 1, stride: 1, padding: 0, dilation: 1 };
const FREE = { weights: 0, params: 0, macs: 0 };
const CONVOLUTIONS = ["conv", "depthwise", "pointwise"];

/**
 * What comes out of a row: its shape, field and costs. A map has `side` pixels along each axis;
 * numbers in a row have null.
 * `from` is the side of what goes in, and `fed` says of each place along an axis whether any pixel
 * of the picture reaches it.
 * @typedef {any} Level
 */

/** Why a window of these settings has no place on a map, with the remedy; null where it has one. */
function windowProblem(pool, { kernel_size: kernel, padding, dilation }, side) {
  const half = Math.floor(kernel / 2);
  if (pool && padding > half) return `padding is more than half the kernel; use ${half} at most`;
  const span = kernelSpan({ kernel, dilation });
  const missing = span - side - 2 * padding;
  if (missing <= 0) return null;
  const remedy = pool ? "leave a pool out" : `use padding ${padding + Math.ceil(missing / 2)}`;
  const room = `the padded map has ${side + 2 * padding}`;
  return `its window spans ${span} pixels, and ${room}; ${remedy}, or a smaller kernel`;
}

/** Why a row cannot follow what is before it, with the remedy; null where it can. */
function problemOf(kind, set, { side }, averaged) {
  const flat = side === null;
  if (kind === "linear" && !flat) return "takes numbers, no map; put a flatten before";
  if (kind === "linear" || kind === "flatten") return null;
  if (flat) return "takes a map, and the map is flattened before; move it up";
  if (kind === "average") return null;
  if (averaged && kind !== "pointwise") {
    return "comes after global average pooling, which has left one pixel; move it up";
  }
  return windowProblem(kind === "max_pool", set, side);
}

/** What a window makes of a map. */
function slide({ kernel_size: kernel, stride, padding, dilation }, { side: size, fed, field }) {
  const pads = { before: padding, after: padding };
  const side = convOutputSize({ size, kernel, stride, dilation, ...pads });
  const reads = (o) => range(0, kernel).some((k) => fed[o * stride - padding + k * dilation]);
  return {
    side,
    fed: range(0, side).map(reads),
    field: {
      size: field.size + dilation * (kernel - 1) * field.jump,
      jump: field.jump * stride,
      start: field.start - padding * field.jump,
    },
  };
}

/** What comes out of a row behind a level. */
function levelOf([kind, ...numbers], number, before) {
  const given = named([kind, ...numbers]);
  const set = { ...PLAIN, ...given };
  const name = `${kind.replace("max_", "")}${number}`;
  const convolves = CONVOLUTIONS.includes(kind);
  const { side: from, channels: inputs } = before;
  const groups = kind === "depthwise" ? inputs : 1;
  const level = { ...before, ...FREE, kind, name, set, convolves, groups, inputs, from };
  if (convolves || kind === "max_pool") Object.assign(level, slide(set, before));
  if (kind === "average") level.side = 1;
  if (kind === "flatten") Object.assign(level, { side: null, channels: inputs * (from ?? 1) ** 2 });
  level.channels = given.filters ?? level.channels;
  if (convolves || kind === "linear") {
    const weights = (inputs / groups) * level.channels * set.kernel_size ** 2;
    level.weights = weights;
    level.macs = weights * (level.side ?? 1) ** 2;
    // Batch norm has two numbers for each channel, a linear layer a bias, and a depthwise none.
    const others = kind === "linear" ? 1 : kind === "depthwise" ? 0 : 2;
    level.params = weights + others * level.channels;
  }
  return level;
}

/** Measure a network: its levels, the picture first, up to the first row that cannot be, and why. */
export function measure(rows) {
  const field = { size: 1, jump: 1, start: 0 };
  const picture = {
    kind: "picture",
    channels: 3,
    side: PICTURE,
    fed: Array(PICTURE).fill(true),
    field,
    ...FREE,
  };
  const levels = /** @type {any[]} */ ([picture]);
  let problem = null;
  for (const [i, row] of rows.entries()) {
    const averaged = levels.some(({ kind }) => kind === "average");
    problem = problemOf(row[0], { ...PLAIN, ...named(row) }, levels[i], averaged);
    const level = problem ? null : levelOf(row, i + 1, levels[i]);
    if (level && !level.fed.includes(true)) problem = "reads nothing but padding; use less of it";
    if (problem) {
      problem = `Layer ${i + 1} (${KINDS[row[0]].label.toLowerCase()}): ${problem}.`;
      break;
    }
    levels.push(level);
  }
  const total = (what) => levels.reduce((sum, level) => sum + level[what], 0);
  return { levels, problem, params: total("params"), macs: total("macs") };
}

/** The last map, before anything is averaged or flattened. */
export function lastMap(/** @type {Level[]} */ levels) {
  const end = levels.findIndex(({ kind }) => kind === "average" || kind === "flatten");
  return levels.at(end < 0 ? -1 : end - 1);
}

/** The first and the last pixel, inside the picture, that a place of a map sees. */
export function pixelsSeen({ field: { size, jump, start } }, place) {
  const first = start + place * jump;
  return [Math.max(first, 0), Math.min(first + size, PICTURE) - 1];
}
