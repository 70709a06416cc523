// Coverage: how often each position is reached, and by which paths.

import { range } from "../lib/ranges.js";

/**
 * @typedef {{ mode: string, dilations: number[], kernel_size: number, stride: number,
 *   dilation: number, size: number, position?: number }} Settings
 * @typedef {{ taps: number, stride: number, dilation: number }} Step from a row to the next
 * @typedef {{ level: number, index: number }} Point an entry of a row
 *
 * A row of the drawing: the paths to each entry, where entry 0 stands and how far apart they are,
 * in positions of the last row.
 * @typedef {{ counts: number[], left: number, pitch: number }} Level
 */

/** Entries of the next row on which the taps of entry `i` fall. */
export function targetsOf(/** @type {Step} */ { taps, stride, dilation }, i) {
  return range(0, taps).map((tap) => i * stride + tap * dilation);
}

/** Counts after each entry of `counts` has gone through a step. */
function countsAfter(counts, /** @type {Step} */ { taps, stride, dilation }) {
  const sums = new Array((counts.length - 1) * stride + (taps - 1) * dilation + 1).fill(0);
  counts.forEach((count, i) => {
    for (let tap = 0; tap < taps; tap += 1) sums[i * stride + tap * dilation] += count;
  });
  return sums;
}

/** The steps from the top row to the bottom one. */
export function stepsOf(/** @type {Settings} */ s) {
  const taps = s.kernel_size;
  if (s.mode === "transposed") return [{ taps, stride: s.stride, dilation: s.dilation }];
  return [...s.dilations].reverse().map((dilation) => ({ taps, stride: 1, dilation }));
}

/**
 * The rows, from the top. Each entry stands over the middle of what it reaches.
 * @returns {Level[]}
 */
export function levelsOf(/** @type {Settings} */ s) {
  const steps = stepsOf(s);
  const top = s.mode === "transposed" ? new Array(s.size).fill(1) : [1];
  const levels = [{ counts: top, left: 0, pitch: 1 }];
  for (const step of steps)
    levels.push({ counts: countsAfter(levels[levels.length - 1].counts, step), left: 0, pitch: 1 });
  for (let m = steps.length - 1; m >= 0; m -= 1) {
    const { left, pitch } = levels[m + 1];
    levels[m].left = left + ((steps[m].taps - 1) * steps[m].dilation * pitch) / 2;
    levels[m].pitch = pitch * steps[m].stride;
  }
  return levels;
}

/** Paths to each position of the receptive field, or taps on each output position. */
export function countsOf(/** @type {Settings} */ s) {
  return levelsOf(s)[stepsOf(s).length].counts;
}

/**
 * For each row, which of its entries lie on a path through one of them.
 * @param {Level[]} levels
 * @param {Step[]} steps
 * @param {Point} point
 */
export function litOf(levels, steps, { level, index }) {
  const lit = levels.map(({ counts }) => counts.map(() => false));
  lit[level][index] = true;
  const spread = (from, to, next) =>
    lit[from].forEach((on, i) => {
      if (on) for (const j of next(i)) if (levels[to].counts[j] > 0) lit[to][j] = true;
    });
  for (let m = level; m < steps.length; m += 1) spread(m, m + 1, (i) => targetsOf(steps[m], i));
  for (let m = level - 1; m >= 0; m -= 1) {
    const { taps, stride, dilation } = steps[m];
    spread(m + 1, m, (i) => range(0, taps).map((tap) => (i - tap * dilation) / stride));
  }
  return lit;
}

/** Greatest common divisor. */
export function gcd(a, b) {
  return b ? gcd(b, a % b) : a;
}

/** The taps that repeat away from the borders of a transposed convolution, smallest ones first. */
export function innerTaps(/** @type {Settings} */ s) {
  const counts = new Array(s.stride).fill(0);
  for (let t = 0; t < s.kernel_size; t += 1) counts[(t * s.dilation) % s.stride] += 1;
  // No count has two digits: as texts the turns of the pattern sort as they should.
  const turns = counts.map((_, i) => [...counts.slice(i), ...counts.slice(0, i)]);
  return turns.reduce((a, b) => (b.join() < a.join() ? b : a));
}

/** How many positions are reached at all. */
export function reachedOf(counts) {
  return counts.filter((count) => count > 0).length;
}

/** The middle of `counts`, the first of two. */
export function middleOf(counts) {
  return Math.floor((counts.length - 1) / 2);
}
