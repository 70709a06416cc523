// Coverage: how often each position is reached.

import { range } from "../lib/ranges.js";

// `s` is an object of SETTINGS. A level is a row of the drawing; a step leads from one to the next.

/** Counts after each entry of `counts` has gone through `taps` taps, `stride` apart. */
function stamped(counts, { taps, stride, dilation }) {
  const sums = new Array((counts.length - 1) * stride + dilation * (taps - 1) + 1).fill(0);
  counts.forEach((count, i) => {
    for (let t = 0; t < taps; t += 1) sums[i * stride + t * dilation] += count;
  });
  return sums;
}

/** From the top row to the bottom one: what is done between two rows. */
export function stepsOf(s) {
  const taps = s.kernel_size;
  if (s.mode === "transposed") return [{ taps, stride: s.stride, dilation: s.dilation }];
  return [...s.dilations].reverse().map((dilation) => ({ taps, stride: 1, dilation }));
}

/**
 * The rows, from the top: `counts`, and where index 0 stands (`left`) and how far apart the others
 * (`pitch`), in positions of the bottom row. Each stands over the middle of what it reaches.
 */
export function levelsOf(s) {
  const steps = stepsOf(s);
  const levels = [{ counts: s.mode === "transposed" ? new Array(s.size).fill(1) : [1] }];
  for (const step of steps)
    levels.push({ counts: stamped(levels[levels.length - 1].counts, step) });
  let [left, pitch] = [0, 1];
  for (let m = levels.length - 1; m >= 0; m -= 1) {
    Object.assign(levels[m], { left, pitch });
    if (m === 0) break;
    const { taps, stride, dilation } = steps[m - 1];
    left += ((taps - 1) * dilation * pitch) / 2;
    pitch *= stride;
  }
  return levels;
}

/** Paths to each position of the receptive field, or taps on each output position. */
export function countsOf(s) {
  return stepsOf(s).reduce(stamped, s.mode === "transposed" ? new Array(s.size).fill(1) : [1]);
}

/** For each level, which of its entries lie on a path to `position` of the last. */
export function litOf(levels, steps, position) {
  const lit = [levels[levels.length - 1].counts.map((_, i) => i === position)];
  for (let m = steps.length - 1; m >= 0; m -= 1) {
    const { taps, stride, dilation } = steps[m];
    const below = lit[0];
    lit.unshift(
      levels[m].counts.map(
        (count, i) => count > 0 && range(0, taps).some((t) => below[i * stride + t * dilation]),
      ),
    );
  }
  return lit;
}

/** Greatest common divisor. */
export function gcd(a, b) {
  return b ? gcd(b, a % b) : a;
}

/** Whether a transposed convolution reaches every pixel inside equally often. */
export function isEvenOverlap(s) {
  return s.kernel_size % s.stride === 0 && gcd(s.dilation, s.stride) === 1;
}

/** The taps that repeat away from the borders, the smallest ones first. */
export function innerTaps(s) {
  const counts = new Array(s.stride).fill(0);
  for (let t = 0; t < s.kernel_size; t += 1) counts[(t * s.dilation) % s.stride] += 1;
  // No count has two digits: as texts the turns of the pattern sort as they should.
  const turns = counts.map((_, i) => [...counts.slice(i), ...counts.slice(0, i)]);
  return turns.reduce((a, b) => (b.join() < a.join() ? b : a));
}

/** Input pixels whose taps fall on output `position` of a transposed convolution. */
export function sourcesOf(s, position) {
  return range(0, s.size).filter((pixel) => {
    const tap = (position - pixel * s.stride) / s.dilation;
    return Number.isInteger(tap) && tap >= 0 && tap < s.kernel_size;
  });
}

/** How many positions are reached at all. */
export function reachedOf(counts) {
  return counts.filter((count) => count > 0).length;
}

/** The middle of `counts`, the first of two. */
export function middleOf(counts) {
  return Math.floor((counts.length - 1) / 2);
}
