// Photograph: what is said of the pixel under the probe, of a wrong weight and of a map to match.

import { formatNumber } from "../lib/format.js";
import { exact } from "./photograph_arithmetic.js";
import { presetOf, TARGETS, totalOf } from "./photograph_kernels.js";

/** Of each edge: which side is brighter when the sum is above zero. */
const SIDES = {
  vertical: "on the right",
  horizontal: "below",
  rising: "at the lower right",
  falling: "at the upper right",
};

const spoken = (value) => formatNumber(value).replace("\u2212", "minus ");

/** What a sum says of the picture at its place. */
function meaningOf(kernel, sum, pixel, most) {
  if (kernel.flat().every((weight) => weight === 0)) return "every weight is 0";
  const total = totalOf(kernel);
  const [large, more] = [Math.abs(sum) / most, sum > (total === 0 ? 0 : pixel)];
  if (total === 0) {
    if (sum === 0) return "no answer: the two signs balance";
    const strength = large > 0.6 ? "a strong" : large > 0.2 ? "a clear" : "a weak";
    const side = SIDES[presetOf(kernel)];
    const what = `${strength} ${side ? "edge" : "answer"}, ${more ? "brighter" : "darker"}`;
    return `${what} ${side ?? "under the positive weights"}`;
  }
  if (total !== 1) return `where an even area of ${pixel} gives ${spoken(exact(total * pixel))}`;
  if (sum === pixel) return "as bright as the pixel itself";
  const by = formatNumber(exact(Math.abs(sum - pixel)));
  return `${by} ${more ? "brighter" : "darker"} than the pixel itself`;
}

/** The pixel under the probe, in a sentence; `most` is the map's scale. */
export function probeSentence([row, col], kernel, sum, pixel, most) {
  const products = `${kernel.length ** 2} products, sum ${spoken(sum)}`;
  return `Row ${row}, column ${col}: ${products}, ${meaningOf(kernel, sum, pixel, most)}.`;
}

/** A weight as it is; of large kernels without the zero before the point. */
export function weightText(value, size) {
  const text = formatNumber(value);
  return size === 3 ? text : text.replace(/^(\u2212?)0\./, "$1.");
}

/** A product, short enough for its cell. */
export function productText(value, size) {
  const decimals = Math.abs(value) < 10 ? (size === 3 ? 2 : 1) : Number(size === 3);
  return formatNumber(Number(value.toFixed(Math.abs(value) < 100 ? decimals : 0)));
}

/** What stands at the ends of the colours' key: a colour that means more than its number says so. */
export function keyEnds(view, sums, most) {
  const beyond = (test) => sums.some((sum) => test(sum / 100));
  const low = view === "signed" ? -most : 0;
  const below = ["signed", "grey"].includes(view) && beyond((sum) => sum < low);
  const above = beyond((sum) => (view === "absolute" ? Math.abs(sum) : sum) > most);
  return [
    (below ? "\u2264 " : "") + formatNumber(low),
    (above ? "\u2265 " : "") + formatNumber(most),
  ];
}

/** How near the map is to the one to match. */
export function targetSentence(index, distance) {
  if (distance === 0) return `Distance 0: found. ${TARGETS[index].told}`;
  const text = distance < 0.1 ? "below 0.1" : distance.toFixed(1);
  return `Distance ${text} grey levels (root mean square).`;
}
