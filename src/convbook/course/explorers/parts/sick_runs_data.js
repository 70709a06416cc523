// Recorded runs: medians over the seeds, and what their curves do, in words.

import { withCommas } from "../lib/format.js";
import { median, medians } from "../lib/medians.js";

/**
 * A recorded run. A series has a row for each seed, with a number for each epoch.
 * @typedef {object} Run
 * @property {string} name
 * @property {number[][]} train_loss
 * @property {number[][]} loss of the validation pictures
 * @property {number[][]} train_accuracy in evaluation mode
 * @property {number[][]} accuracy of the validation pictures, as the run measures it
 * @property {number[][]} gradient its mean length in each epoch
 * @property {number[]} predicted how often the first seed names each class in the end
 * @property {number[]} reordered accuracy of the validation pictures in another order, by seed
 * @property {number[]} test accuracy, by seed
 */

const GUESSING = Math.log(10);

/** A loss as it is read: two decimals, three below a tenth. */
export function lossText(/** @type {number} */ loss) {
  return loss.toFixed(loss < 0.0995 ? 3 : 2);
}

function percent(/** @type {number} */ share) {
  return `${Math.round(100 * share)}\u00a0%`;
}

/** How often, at the median seed, a curve rises by more than a twentieth from epoch to epoch. */
export function rises(/** @type {number[][]} */ series) {
  const count = (seed) => seed.filter((value, i) => i && value > 1.05 * seed[i - 1]).length;
  return median(series.map(count));
}

/** What the training loss does. */
function trainSentence(/** @type {Run} */ run) {
  const curve = medians(run.train_loss);
  const [first, last] = [curve[0], curve[curve.length - 1]];
  const again = rises(run.train_loss);
  const jumps = again > 1 ? ` and rises again in ${Math.round(again)} of the epochs` : "";
  const [low, high] = [Math.min(...curve), Math.max(...curve)];
  if (low > 0.95 * high) return `stays between ${lossText(low)} and ${lossText(high)}${jumps}`;
  if (low > GUESSING) {
    return `never gets below ${lossText(low)}, though guessing would be at 2.30${jumps}`;
  }
  const half = (first - curve[(curve.length - 1) >> 1]) / (first - last);
  const early = half > 0.62 ? ", most of it in the first half" : "";
  const how = half < 0.6 ? ", in a nearly straight line" : early;
  return `falls from ${lossText(first)} to ${lossText(last)}${how}${jumps}`;
}

/** What the validation loss does. */
function validationSentence(/** @type {Run} */ run) {
  const [train, curve] = [medians(run.train_loss), medians(run.loss)];
  const [first, last] = [curve[0], curve[curve.length - 1]];
  const gap = last - train[train.length - 1];
  const lowest = curve.indexOf(Math.min(...curve));
  if (last > 1.1 * first) return `rises from ${lossText(first)} to ${lossText(last)}`;
  if (Math.abs(gap) < 0.25) return `follows it and ends at ${lossText(last)}`;
  if (last > 1.03 * curve[lowest]) {
    return `is lowest after epoch ${lowest + 1}, ${lossText(curve[lowest])}, and ends at ${lossText(last)}`;
  }
  return `stays far above it and ends at ${lossText(last)}`;
}

/** What the two curves of a run do, at the median of its seeds. */
export function curveSentence(/** @type {Run} */ run) {
  return `The training loss ${trainSentence(run)}; the validation loss ${validationSentence(run)}.`;
}

const last = (series) => median(series.map((seed) => seed[seed.length - 1]));

/** The numbers of a run that sentences about it name, as text. */
export function factsOf(/** @type {Run} */ run) {
  return {
    train: lossText(last(run.train_loss)),
    validation: lossText(last(run.loss)),
    trainRight: percent(last(run.train_accuracy)),
    right: percent(last(run.accuracy)),
    reordered: percent(median(run.reordered)),
    test: percent(median(run.test)),
  };
}

/**
 * Each piece of evidence as a sentence.
 * @type {Record<string, (run: Run, healthy: Run, classes: string[]) => string>}
 */
const TELLS = {
  accuracy(run, healthy) {
    const [one, other] = [factsOf(run), factsOf(healthy)];
    return `After the last epoch ${one.trainRight} of the training pictures are right, in evaluation mode, and ${one.right} of the validation pictures, as this run measures them. The healthy run: ${other.trainRight} and ${other.right}.`;
  },
  gradient(run, healthy) {
    const ends = (one) => {
      const curve = medians(one.gradient);
      return `${lossText(curve[0])} in the first epoch and ${lossText(curve[curve.length - 1])} in the last`;
    };
    return `The gradient's mean length is ${ends(run)}. The healthy run: ${ends(healthy)}.`;
  },
  classes(run, _healthy, classes) {
    const { predicted } = run;
    const total = predicted.reduce((a, b) => a + b, 0);
    const most = Math.max(...predicted);
    const never = predicted.filter((count) => !count).length;
    const none = never ? `; classes never named: ${never}` : "";
    return `There are ${total / classes.length} validation pictures of each class. The first seed calls ${withCommas(most)} of the ${withCommas(total)} \u201c${classes[predicted.indexOf(most)]}\u201d${none}.`;
  },
  order(run) {
    const { right, reordered } = factsOf(run);
    return `The validation pictures lie sorted by class, and ${right} are right. The same pictures in a random order: ${reordered}.`;
  },
  test(run) {
    const { right, test } = factsOf(run);
    return `Of the test pictures, looked at for the first time and in evaluation mode, ${test} are right; of the validation pictures ${right}.`;
  },
};

/** What a piece of evidence says. */
export function tell(kind, /** @type {Run} */ run, /** @type {Run} */ healthy, classes) {
  return TELLS[kind](run, healthy, classes);
}
