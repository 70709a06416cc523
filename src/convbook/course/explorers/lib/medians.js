// The middle of a few numbers, and of a few curves.

/** The middle one; of an even count the mean of the middle two. */
export function median(/** @type {number[]} */ list) {
  const sorted = [...list].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** The median over the curves, point by point. */
export function medians(/** @type {number[][]} */ curves) {
  return curves[0].map((_, i) => median(curves.map((curve) => curve[i])));
}
