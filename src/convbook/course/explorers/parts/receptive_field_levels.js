// Receptive field: from a stack of layers to what each output sees, and where it is drawn. Level 0
// is the input, level m the output of layer m: { count, size, jump, start }, as in
// `convbook.arithmetic`.

import { convOutputSize, kernelSpan } from "../lib/arithmetic.js";
import { runsOf } from "../lib/ranges.js";
import { LIMITS } from "./receptive_field_stacks.js";

/** One row on an input of `size` pixels, as the shared arithmetic wants it. */
function settingsOf(size, [, kernel, stride, padding, dilation]) {
  return { size, kernel, stride, before: padding, after: padding, dilation };
}

/** Why a layer has no output, as Python says it; null when it has one. */
function problemOf(s, jump) {
  const [span, most] = [kernelSpan(s), LIMITS.jump[1]];
  if (convOutputSize(s) !== null) {
    return jump > most ? `jump=${jump} is more than ${most}; use smaller strides` : null;
  }
  const much = `with dilation=${s.dilation} spans ${span} pixels, more than`;
  return (
    `kernel_size=${s.kernel} ${s.dilation > 1 ? much : "is larger than"} the padded input ` +
    `${s.size}+2*${s.before}; use padding>=${Math.ceil((span - s.size) / 2)} or a smaller kernel`
  );
}

/**
 * The levels up to the first layer that has no output, why that one has none, and what is selected,
 * [layer, output], brought inside what there is: { levels, problem, chosen }.
 * @param {Record<string, any>} stack
 */
export function measure({ input_size: inputSize, rows }, selected = [0, 0]) {
  const levels = [{ count: inputSize, size: 1, jump: 1, start: 0 }];
  let problem = null;
  for (const [i, row] of rows.entries()) {
    const below = levels[i];
    const s = settingsOf(below.count, row);
    const jump = below.jump * s.stride;
    problem = problemOf(s, jump);
    if (problem) break;
    const size = below.size + s.dilation * (s.kernel - 1) * below.jump;
    const start = below.start - s.before * below.jump;
    levels.push({ count: convOutputSize(s), size, jump, start });
  }
  const layer = Math.min(selected[0], levels.length - 1);
  const output = Math.min(selected[1], levels[layer].count - 1);
  if (problem) problem = `Layer ${levels.length} (${rows[levels.length - 1][0]}): ${problem}`;
  return { levels, problem, chosen: levels.length > 1 ? [layer, output] : null };
}

/** The middle one of a level's outputs, the first of two; 0 where there is no level. */
export function middleOf(level) {
  return level ? Math.floor((level.count - 1) / 2) : 0;
}

/**
 * What feeds output `output` of level `layer`, for each level from the input on: from `first` to
 * `last` end to end, beyond the border too; the runs `read` that feed it, and those of padding.
 */
export function reachOf(levels, rows, layer, output) {
  const reach = [{ first: output, last: output, read: [[output, output]], padded: [] }];
  let read = [output];
  for (let m = layer; m > 0; m -= 1) {
    const { count } = levels[m - 1];
    const s = settingsOf(count, rows[m - 1]);
    const { first, last } = reach[0];
    const marks = new Uint8Array(count + 2 * s.before);
    for (const index of read) {
      const start = index * s.stride; // of its window, counted from the padding's border
      for (let k = 0; k < s.kernel; k += 1) marks[start + k * s.dilation] = 1;
    }
    const [inside, padded] = [[], []];
    marks.forEach((mark, i) => {
      const pixel = i - s.before;
      if (mark) (pixel >= 0 && pixel < count ? inside : padded).push(pixel);
    });
    read = inside;
    reach.unshift({
      first: first * s.stride - s.before,
      last: last * s.stride - s.before + kernelSpan(s) - 1,
      read: runsOf(read),
      padded: runsOf(padded),
    });
  }
  return reach;
}

/** How many numbers lie in runs. */
export function lengthOf(runs) {
  return runs.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** The pixels [low, high) that a drawing shows, and how many screen pixels each gets. */
export function scaleOf({ levels, rows, chosen }, width, largest) {
  const [input, padding] = [levels[0].count, rows[0][3]];
  const end = ({ count, size, jump, start }) => start + (count - 1) * jump + size;
  const bounds = (some) => [
    Math.min(-padding, ...some.map(({ start }) => start)),
    Math.max(input + padding, ...some.map(end)),
  ];
  // One scale for all layers, unless the deep ones reach so far that little is left for the others.
  let [low, high] = bounds(levels);
  if (high - low > 2 * (input + 2 * padding)) [low, high] = bounds([levels[chosen?.[0] ?? 0]]);
  return { low, high, scale: Math.min(largest, width / (high - low)) };
}

/** Left edge of output `index` of a level, in pixels of the input: it stands over what it sees. */
export function edgeOf({ size, jump, start }, index) {
  return start + index * jump + (size - jump) / 2;
}

/** The output of a level whose place is nearest to a pixel of the input. */
export function outputAt(level, pixel) {
  const index = Math.floor((pixel - edgeOf(level, 0)) / level.jump);
  return Math.max(0, Math.min(level.count - 1, index));
}
