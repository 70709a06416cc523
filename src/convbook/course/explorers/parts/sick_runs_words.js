// The eight diseases: their names and signs, why a diagnosis or a remedy is right or wrong.

import { curveSentence, factsOf } from "./sick_runs_data.js";

/** @typedef {import("./sick_runs_data.js").Run} Run */

export const LABELS = {
  healthy: "Healthy",
  high: "Learning rate too high",
  low: "Learning rate too low",
  softmax: "Softmax before the loss",
  shuffled: "Labels shuffled",
  overfit: "Too few pictures, learnt by heart",
  small: "Network too small",
  mode: "Validated in training mode",
  leak: "Validation pictures leaked into training",
};

export const EVIDENCE = {
  accuracy: "Accuracy",
  gradient: "Length of the gradient",
  classes: "Which classes it names",
  order: "Validation in another order",
  test: "Test pictures",
};

/** What one would see if a run had this disease. */
const SIGNS = {
  high: "At too high a rate each step overshoots: the loss jumps about, or stays above that of guessing, 2.30.",
  low: "At too low a rate nothing is wrong but the time it takes: both curves still fall in a nearly straight line when the run ends.",
  softmax:
    "With a softmax before the loss, no loss can get below 1.46, and yet many answers are right: the accuracy does not fit the loss.",
  shuffled:
    "With shuffled labels there is nothing to find: the training loss stays close to guessing, 2.30, and the validation pictures at 10\u00a0% right.",
  overfit:
    "When few pictures are learnt by heart, the training loss goes to almost 0 and the validation loss stays far above it.",
  small:
    "A network that is too small cannot fit even the training pictures: both losses stay high together, and the answers stay wrong.",
  mode: "In training mode batch norm normalises a validation batch by itself, so what is said of a picture depends on the others in its batch: a validation batch of one class looks like any other: the validation is bad, and another order gives another accuracy.",
  leak: "When the network has trained on the validation pictures, the validation loss goes down to almost 0 with the training loss; only the test pictures know better.",
};

/** Where two diseases look alike: what tells the run's own (first) from the one guessed. */
const ALIKE = {
  "softmax small": (f) =>
    `A network that is too small gives wrong answers. Here ${f.trainRight} of the training pictures are right, at a loss of ${f.train}, for which one would expect far fewer.`,
  "softmax low": (f) =>
    `At too low a rate the answers would be as poor as the loss. Here ${f.trainRight} of the training pictures are right, at a loss of ${f.train}: the two do not fit.`,
  "small softmax": (f) =>
    `Behind a softmax the loss is high although the answers are right. Here they are wrong too: ${f.trainRight} of the training pictures are right, which fits a loss of ${f.train}.`,
  "shuffled high": () =>
    "At too high a rate the loss jumps. Here both curves are smooth and flat, at the level of guessing.",
  "shuffled small": (f) =>
    `Even a tiny network finds something where there is something to find. Here ${f.right} of the validation pictures are right: with ten classes, that is guessing.`,
  "mode overfit": (f) =>
    `The gap is that of a network that has learnt by heart. But ${f.trainRight} of the training pictures are right, no more than in the healthy run, the loss was bad from the first epoch on, and the same pictures in another order are ${f.reordered} right.`,
};

/** Why the right diagnosis is right. */
const BECAUSE = {
  high: () =>
    "Each step overshoots the valley and lands on the other side, higher up. In the end the network names one or a few classes only.",
  low: (f) =>
    `The steps go the right way and are too short: the loss is still falling when the run ends, at ${f.train}.`,
  softmax: (f) =>
    `PyTorch's cross_entropy has a softmax of its own. Probabilities lie between 0 and 1, so even a perfect answer costs ln(1 + 9/e) = 1.46. The answers are good all the same: ${f.trainRight} of the training pictures.`,
  shuffled: (f) =>
    `No picture says anything about its label, so the best there is to learn is to guess, at ln(10) = 2.30. Of the validation pictures, whose labels are true, ${f.right} are right.`,
  overfit: (f) =>
    `The network saw the same 200 pictures again and again, and knows them: ${f.trainRight} are right. That helps little with others: ${f.right}.`,
  small: (f) =>
    `Both curves agree, so nothing is learnt by heart; there is just too little to learn with. ${f.trainRight} of the training pictures are right, ${f.right} of the others.`,
  mode: (f) =>
    `The network itself is fine: ${f.test} of the test pictures are right. But the validation batches hold one class each, and normalised by themselves they lose what they have in common.`,
  leak: (f) =>
    `The validation pictures were among those trained on, so ${f.right} of them are right and say nothing. Of the test pictures ${f.test} are.`,
};

export const REMEDIES = {
  lower_rate: "Divide the learning rate by ten, and again if need be",
  raise_rate: "Multiply the learning rate by ten, and again if need be",
  scores: "Hand the loss the scores, without a softmax",
  labels: "Look at pictures beside their labels, and mend what pairs them",
  pictures: "More pictures, or pictures changed at random (augmentation)",
  larger: "A wider or deeper network",
  longer: "Train for more epochs",
  eval_mode: "model.eval() before validation, model.train() after it",
  split: "Split again, so that no picture is in two parts",
};

/** The remedies offered for each disease, with why; the right one stands first here. */
const CURES = {
  high: {
    lower_rate: "The largest rate at which the first epochs still fall smoothly is a good start.",
    longer: "More steps of this length are more jumps: the loss does not settle by itself.",
    larger: "A larger network overshoots as well: it is the length of the step that is wrong.",
  },
  low: {
    raise_rate:
      "The curves are smooth, so there is room. The healthy run takes steps a hundred times as long.",
    larger: "This network can do it: the healthy run has the same one.",
    pictures: "The network has hardly begun to use those it has: training and validation agree.",
  },
  softmax: {
    scores: "cross_entropy takes the scores as they come; a softmax is for whoever reads them.",
    raise_rate: "It would get to the floor sooner, and the floor is at 1.46.",
    larger: "The floor at 1.46 is the loss's, whatever network stands before it.",
  },
  shuffled: {
    labels:
      "A minute of looking would have shown it; usually pictures and labels were sorted apart.",
    larger: "It would learn the wrong labels by heart, and the validation would get worse.",
    lower_rate: "The curve is smooth already. There is nothing to find, at any rate.",
  },
  overfit: {
    pictures: "What never comes twice the same cannot be learnt by heart.",
    larger: "It would know the 200 pictures by heart even sooner.",
    longer: "The training loss has nothing left to fall by, so nothing changes any more.",
  },
  small: {
    larger: "The healthy run has the same layers, sixteen times as wide.",
    longer:
      "Four of the five seeds had most of their fall in the first six epochs, and end far from the healthy run. The fifth has only just begun to learn: so narrow a network is hard to train, too.",
    pictures: "That helps against learning by heart; here the training pictures do not fit either.",
  },
  mode: {
    eval_mode:
      "Then batch norm uses the statistics it gathered in training, and no picture depends on its neighbours.",
    pictures: "Training goes well, and the test pictures too. It is the measuring that is wrong.",
    lower_rate: "The training loss falls as in the healthy run; the rate is fine.",
  },
  leak: {
    split: "Split first, augment and copy afterwards, and look for duplicates across the parts.",
    longer: "The validation would look even better, and still say nothing.",
    larger: "It would remember the leaked pictures even better.",
  },
};

/** The remedies offered for a disease, in an order that gives nothing away. */
export function remediesFor(/** @type {string} */ disease) {
  return Object.keys(REMEDIES).filter((key) => key in CURES[disease]);
}

/** The one that helps. */
export function cureOf(/** @type {string} */ disease) {
  return Object.keys(CURES[disease])[0];
}

/** What is said about a remedy chosen: [whether it helps, why]. */
export function remedyVerdict(disease, remedy) {
  return [remedy === cureOf(disease), CURES[disease][remedy]];
}

/** What is said about a diagnosis: [whether it is right, why]. */
export function diagnosisVerdict(/** @type {Run} */ run, /** @type {string} */ guess) {
  const facts = factsOf(run);
  if (guess === run.name) return [true, BECAUSE[guess](facts)];
  const alike = ALIKE[`${run.name} ${guess}`];
  return [false, alike ? alike(facts) : `${SIGNS[guess]} Here: ${lowerFirst(curveSentence(run))}`];
}

function lowerFirst(text) {
  return text[0].toLowerCase() + text.slice(1);
}

/** How far the reader is: cases solved, and what was revealed for them. */
export function progressText(/** @type {number[]} */ solved) {
  const done = solved.filter((count) => count >= 0);
  if (!done.length) return "";
  const used = done.reduce((a, b) => a + b, 0);
  const more = done.length === solved.length ? " Now compare any two." : "";
  return `Solved: ${done.length} of ${solved.length}, with ${used} of ${done.length * Object.keys(EVIDENCE).length} pieces of further evidence.${more}`;
}
