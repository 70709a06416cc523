// Recorded series of deep stacks: which there are, unpacked, and what they do, in words.

import { medians } from "../lib/medians.js";

export const NETWORKS = {
  plain: "Plain",
  batch_norm: "Batch norm",
  skip: "Skip only",
  residual: "Residual",
  pre_activation: "Pre-activation",
};

export const INITIALISATIONS = {
  default: "PyTorch\u2019s",
  glorot: "Glorot",
  he: "He",
  large: "Twice He",
  zero: "Zero-gamma",
};

/** What a pair of layers computes. */
export const FORMULAS = {
  plain: "relu(conv(relu(conv(x))))",
  batch_norm: "relu(bn(conv(relu(bn(conv(x))))))",
  skip: "x + conv(relu(conv(relu(x))))",
  residual: "relu(x + bn(conv(relu(bn(conv(x))))))",
  pre_activation: "x + conv(relu(bn(conv(relu(bn(x))))))",
};

export const DEPTHS = [6, 10, 20, 50];
export const EVERY = 5; // steps from one loss to the next
export const PICTURES = 20; // learnt by heart
export const RATE = 0.03; // at which all of them learn
const PER_DECADE = 100;
const LOST = 10000; // the code of a loss that is no number

/**
 * A network with an initialisation, as the page gets it: a text of numbers for each seed; gradient
 * and loss have such texts for each depth.
 * @typedef {object} Run
 * @property {string[]} signal
 * @property {string[][]} gradient
 * @property {string[][]} loss
 */

/**
 * The curves of one depth, a row for each seed. Signal and gradient are shares as decimal
 * logarithms, behind each pair of layers; a loss that is no number is infinite.
 * @typedef {{ signal: number[][], gradient: number[][], loss: number[][] }} Curves
 */

/** Whether a network has an initialisation: without a skip there is no branch to start at zero. */
export function has(/** @type {string} */ network, /** @type {string} */ initialisation) {
  return initialisation !== "zero" || !["plain", "batch_norm"].includes(network);
}

/** What follows from a change: a network that cannot start with zero-gamma starts with He's. */
export function settled(s, patch) {
  const { network, initialisation } = { ...s, ...patch };
  return has(network, initialisation) ? patch : { ...patch, initialisation: "he" };
}

/** The whole numbers in a text: a character is the step from one to the next, a long one ~step; */
function unpacked(/** @type {string} */ text) {
  let number = 0;
  return [...text.matchAll(/~(-?\d+);|./g)].map(([character, long]) => {
    number += long ? Number(long) : character.charCodeAt(0) - 80;
    return number;
  });
}

/** The curves of a run at a depth. @returns {Curves} */
export function curvesOf(/** @type {Run} */ run, /** @type {number} */ depth) {
  const logarithms = (rows) => rows.map((row) => unpacked(row).map((code) => code / PER_DECADE));
  const i = DEPTHS.indexOf(depth);
  return {
    signal: logarithms(run.signal).map((row) => row.slice(0, depth / 2 + 1)),
    gradient: logarithms(run.gradient[i]),
    loss: run.loss[i].map((row) =>
      unpacked(row).map((code) => (code >= LOST ? Infinity : code / 100)),
    ),
  };
}

const RAISED = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";

/** A power of ten, as 10⁻⁴. */
export function powerText(/** @type {number} */ power) {
  const digits = [...String(Math.abs(power))].map((digit) => RAISED[Number(digit)]);
  return `10${power < 0 ? "\u207b" : ""}${digits.join("")}`;
}

/** A share from its logarithm, with two digits: 0.052, 1.0, 13, 2.9 · 10⁻²⁰. */
export function shareText(/** @type {number} */ log) {
  if (log > -1.995 && log < 2.995) {
    const share = 10 ** log;
    return share < 99.5 ? share.toPrecision(2) : String(Math.round(share));
  }
  const power = Math.floor(log + 0.0022); // 9.95 is written as 10
  return `${(10 ** (log - power)).toFixed(1)} \u00b7 ${powerText(power)}`;
}

/** Where the median and the extremes of some curves are, at their first or last point. */
function endOf(curves, /** @type {"first" | "last"} */ which) {
  const ends = curves.map((curve) => (which === "last" ? curve[curve.length - 1] : curve[0]));
  return { middle: medians(ends.map((end) => [end]))[0], ends };
}

/** What becomes of a share on its way through all layers. */
function journey({ middle, ends }, depth) {
  const factor = (10 ** (middle / depth)).toFixed(2);
  const all = `${shareText(Math.min(...ends))} to ${shareText(Math.max(...ends))} over the seeds`;
  const rate = `\u00d7\u00a0${factor} a layer`;
  const verb = Math.abs(middle) < 0.5 ? "keeps its size" : middle < 0 ? "shrinks" : "grows";
  return `${verb}: ${shareText(middle)} times what was sent in (${all}; ${rate})`;
}

/** What the loss does: the median, and how many seeds are lost. */
function lossSentence(/** @type {number[][]} */ curves) {
  const text = (/** @type {number} */ loss) => (loss > 99 ? "over 99" : loss.toFixed(2));
  const { ends } = endOf(curves, "last");
  const lost = ends.filter((end) => end === Infinity).length;
  const count = lost === ends.length ? "all" : `${lost} of`;
  const gone = `in ${count} ${ends.length} seeds the loss is no number any more`;
  if (lost > ends.length / 2) return `Learning one batch by heart fails: ${gone}.`;
  const [first, last] = [endOf(curves, "first").middle, endOf(curves, "last").middle];
  const also = lost ? `; ${gone}` : "";
  return `Learning ${PICTURES} pictures by heart takes the loss from ${text(first)} to ${text(last)} in ${EVERY * (curves[0].length - 1)} steps; guessing would be 2.30${also}.`;
}

/** What signal, gradient and loss of a run do at a depth, a sentence each. */
export function toldOf(/** @type {Run} */ run, /** @type {number} */ depth) {
  const curves = curvesOf(run, depth);
  const [signal, gradient] = [endOf(curves.signal, "last"), endOf(curves.gradient, "first")];
  return {
    signal: `Behind ${depth} layers the signal ${journey(signal, depth)}.`,
    gradient: `Back at the first layer the gradient ${journey(gradient, depth)}.`,
    loss: lossSentence(curves.loss),
  };
}

/** A network and its initialisation, as they are named together. */
export function nameOf(/** @type {string} */ key) {
  const [network, initialisation] = key.split(".");
  return `${NETWORKS[network]}, ${INITIALISATIONS[initialisation]}`;
}
