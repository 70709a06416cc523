// Receptive field: from a stack of layers to what each output sees.

import { convOutputSize, kernelSpan } from "../lib/arithmetic.js";
import { runsOf } from "../lib/ranges.js";

// A row is [name, kernel_size, stride, padding, dilation]. Level 0 is the input, level m the
// output of layer m; `size`, `jump` and `start` are those of `convbook.arithmetic`.

/** One row on an input of `size` pixels, as the shared arithmetic wants it. */
function settingsOf(size, [, kernel, stride, padding, dilation]) {
  return { size, kernel, stride, before: padding, after: padding, dilation };
}

/** Why a layer has no output, in Python's words; null when it has one. */
function problemOf(s, jump, limits) {
  const span = kernelSpan(s);
  if (convOutputSize(s) === null) {
    const much =
      s.dilation > 1
        ? `with dilation=${s.dilation} spans ${span} pixels, more than`
        : "is larger than";
    return (
      `kernel_size=${s.kernel} ${much} the padded input ${s.size}+2*${s.before}; ` +
      `use padding>=${Math.ceil((span - s.size) / 2)} or a smaller kernel`
    );
  }
  const [, largest] = limits.jump;
  return jump > largest ? `jump=${jump} is more than ${largest}; use smaller strides` : null;
}

/**
 * The levels { count, size, jump, start }, up to the first layer that has no output, and why that
 * one has none: { levels, problem }.
 */
export function measure(inputSize, rows, limits) {
  const levels = [{ count: inputSize, size: 1, jump: 1, start: 0 }];
  for (const [i, row] of rows.entries()) {
    const below = levels[i];
    const s = settingsOf(below.count, row);
    const jump = below.jump * s.stride;
    const reason = problemOf(s, jump, limits);
    if (reason) return { levels, problem: `Layer ${i + 1} (${row[0]}): ${reason}` };
    levels.push({
      count: convOutputSize(s),
      size: below.size + s.dilation * (s.kernel - 1) * below.jump,
      jump,
      start: below.start - s.before * below.jump,
    });
  }
  return { levels, problem: null };
}

/** The middle one of a level's outputs, the first of two. */
export function middleOf({ count }) {
  return Math.floor((count - 1) / 2);
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
    const tapped = [...marks.keys()].filter((i) => marks[i]).map((i) => i - s.before);
    read = tapped.filter((i) => i >= 0 && i < count);
    reach.unshift({
      first: first * s.stride - s.before,
      last: last * s.stride - s.before + kernelSpan(s) - 1,
      read: runsOf(read),
      padded: runsOf(tapped.filter((i) => i < 0 || i >= count)),
    });
  }
  return reach;
}

/** What is selected, [layer, output], brought inside what there is; null when there is nothing. */
export function chosenOf(levels, [layer, output]) {
  if (levels.length < 2) return null;
  const level = Math.min(layer, levels.length - 1);
  return [level, Math.min(output, levels[level].count - 1)];
}

/** How many numbers lie in runs. */
export function lengthOf(runs) {
  return runs.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** Numbers of a reach: what lies inside the input, outside, and what is skipped inside. */
export function countsOf(inputSize, { first, last, read }) {
  const size = last - first + 1;
  const inside = Math.max(0, Math.min(last, inputSize - 1) - Math.max(first, 0) + 1);
  return { size, inside, outside: size - inside, skipped: inside - lengthOf(read) };
}
