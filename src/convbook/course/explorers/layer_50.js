// What reaches layer 50: signal, gradient and first steps of deep stacks, recorded by PyTorch.

import { button, rangeControl, segmentedControl } from "./lib/controls.js";
import { h, setContent, setText } from "./lib/dom.js";
import { medians } from "./lib/medians.js";
import { createShell } from "./lib/shell.js";
import { axisOf, createPanel, decadesAround, keyOf, tableOf } from "./parts/layer_50_chart.js";
import {
  curvesOf,
  DEPTHS,
  EVERY,
  FORMULAS,
  has,
  INITIALISATIONS,
  NETWORKS,
  nameOf,
  powerText,
  RATE,
  settled,
  shareText,
  toldOf,
} from "./parts/layer_50_data.js";

const GUESSING = Math.log(10);
const TOP = 4; // of the axis of the loss
const KEYS = Object.keys(NETWORKS).flatMap((network) =>
  Object.keys(INITIALISATIONS)
    .filter((initialisation) => has(network, initialisation))
    .map((initialisation) => `${network}.${initialisation}`),
);
export const RULES = {
  network: Object.keys(NETWORKS),
  initialisation: Object.keys(INITIALISATIONS),
  depth: { fits: (value) => DEPTHS.includes(value), words: DEPTHS.join(" or ") },
  against: ["", ...KEYS],
};

const preset = (label, [network, initialisation, depth, against], note) => ({
  label,
  note,
  settings: { network, initialisation, depth, against },
});
/** @type {import("./lib/presets.js").Preset[]} */
export const PRESETS = [
  preset(
    "As PyTorch starts",
    ["plain", "default", 50, ""],
    "Fifty convolutions with the weights PyTorch gives them: each layer keeps about 0.4 of the signal, and each keeps as little of the gradient on its way back. So nothing is learnt.",
  ),
  preset(
    "Six layers",
    ["plain", "default", 6, ""],
    "The same weights in six layers: of signal and gradient about a two-hundredth is left. That is little, not nothing, and yet its first steps lead nowhere.",
  ),
  preset(
    "He\u2019s weights",
    ["plain", "he", 50, "plain.default"],
    "Weights drawn \u221a6 times as large. The mean square over all draws is kept; a single draw, a thin line, wanders, and the typical one ends below.",
  ),
  preset(
    "Too large",
    ["plain", "large", 50, "plain.he"],
    "Weights twice as large as He\u2019s double the signal in every layer, in the mean, and 2\u2075\u2070 has sixteen digits.",
  ),
  preset(
    "Batch norm",
    ["batch_norm", "he", 50, "plain.he"],
    "Every layer rescales its map, so the weights\u2019 size no longer matters: try the others. But look at the gradient: it grows on its way back, by about a fifth in each layer.",
  ),
  preset(
    "Skips alone",
    ["skip", "default", 50, "plain.default"],
    "PyTorch\u2019s weights again, now with x added, and the cliff is gone. Then try He\u2019s: each pair adds about as much as there was, so the signal grows.",
  ),
  preset(
    "ResNet",
    ["residual", "he", 50, "batch_norm.he"],
    "Skips and batch norm together. Each branch adds about as much as the one before, so the sum grows slowly; and so does the gradient, far less than with batch norm alone. Fifty layers now learn the batch by heart.",
  ),
  preset(
    "Pre-activation",
    ["pre_activation", "he", 50, "residual.he"],
    "Batch norm and ReLU move into the branch, so that nothing stands in the skip\u2019s way. The gradient grows less still; at this one learning rate the first steps are slower.",
  ),
  preset(
    "Zero-gamma",
    ["residual", "zero", 50, "residual.he"],
    "The last batch norm of each branch starts with weight 0, so that at first every pair hands on what it gets, however deep the network. Its first steps are slower.",
  ),
];

/** The line that makes this explorer. */
export function codeOf(s) {
  const against = s.against ? `, against='${s.against}'` : "";
  return `WhatReachesLayer50('${s.network}', '${s.initialisation}', ${s.depth}${against})`;
}

/** A script that measures what the figure shows, with one seed. */
export function scriptOf(s) {
  return `import torch
from convbook.course.experiments.layer_50 import reach, stack

torch.manual_seed(0)
network = stack("${s.network}", "${s.initialisation}", depth=${s.depth}).double()
signal, gradient = reach(network, torch.randn(20, 3, 8, 8).double())
print(f"signal behind layer ${s.depth}: {signal[-1]:.1e}")
print(f"gradient at the first layer: {gradient[0]:.1e}")
`;
}

/** The three panels and their numbers: { root, draw(s, runs, width) }. */
function createFigure() {
  const panels = [createPanel(), createPanel(), createPanel()];
  const words = h("div", { class: "cb-l50-words", role: "status" });
  const formula = h("code", {});
  const legend = h("ul", { class: "cb-legend" });
  const region = { tabindex: "0", role: "region", "aria-label": "The numbers" };
  const tables = h("div", { class: "cb-l50-tables", ...region });
  const folded = h("details", {}, h("summary", {}, "The numbers as tables"), tables);
  const aside = h(
    "div",
    { class: "cb-l50-aside" },
    h("p", { class: "cb-l50-pair" }, "A pair of layers: ", formula),
    words,
    legend,
  );
  const grid = h("div", { class: "cb-l50-panels" }, aside, ...panels.map(({ root }) => root));
  const root = h("div", {}, grid, folded);

  function draw(s, runs, width) {
    const run = runs[`${s.network}.${s.initialisation}`];
    const [curves, told] = [curvesOf(run, s.depth), toldOf(run, s.depth)];
    const kept = s.against ? curvesOf(runs[s.against], s.depth) : undefined;
    const options = panelsOf(curves, kept, s.depth, told);
    panels.forEach((panel, i) => panel.draw({ ...options[i], width }));
    setContent(words, ...Object.values(told).map((sentence) => h("p", {}, sentence)));
    setText(formula, FORMULAS[s.network]);
    const entries = [
      ["seed", "five seeds"],
      ["median", "their median"],
      ...(s.against ? [["kept", `kept: ${nameOf(s.against)}`]] : []),
    ];
    legend.replaceChildren(...entries.map(([kind, text]) => h("li", {}, keyOf(kind), text)));
    tables.replaceChildren(...tablesOf(curves));
  }

  return { root, draw };
}

/** What the three panels show. */
function panelsOf(curves, kept, depth, told) {
  const both = [...curves.signal, ...curves.gradient];
  const all = kept ? [...both, medians(kept.signal), medians(kept.gradient)] : both;
  const [low, high] = decadesAround(all);
  const shares = axisOf(low, high, (mark) => (mark ? powerText(mark) : "1"));
  const steps = EVERY * (curves.loss[0].length - 1);
  const layers = { x: axisOf(0, depth), y: shares, rule: 0, spacing: 2 };
  const panel = (key, title, name) => ({
    ...{ title, name, sentence: told[key], curves: curves[key], kept: kept?.[key] },
  });
  return [
    { ...panel("signal", "Signal: share of what was sent in", "layer \u2192"), ...layers },
    { ...panel("gradient", "Gradient: share of what was sent back", "\u2190 layer"), ...layers },
    {
      ...panel("loss", `Loss while it learns a batch by heart, rate ${RATE}`, "step"),
      ...{ x: axisOf(0, steps), y: axisOf(0, TOP), rule: GUESSING, spacing: EVERY },
      ruleName: "guessing",
    },
  ];
}

/** A table each for signal, gradient and loss: their median and how far the seeds are apart. */
function tablesOf(curves) {
  const lossText = (value) => (value === Infinity ? "none" : value.toFixed(2));
  const table = (caption, series, first, spacing, text) => {
    const at = (i) => series.map((curve) => curve[i]);
    const rows = medians(series).map((middle, i) => [
      String(spacing * i),
      ...[middle, Math.min(...at(i)), Math.max(...at(i))].map(text),
    ]);
    return tableOf(caption, [first, "median", "smallest", "largest"], rows);
  };
  return [
    table("Signal", curves.signal, "layer", 2, shareText),
    table("Gradient", curves.gradient, "layer", 2, shareText),
    table("Loss", curves.loss, "step", EVERY, lossText),
  ];
}

/** The controls: { roots, draw(s) }. */
function createControls(edit) {
  const choice = (name, legend, labels, hint) => {
    const onChange = (value) => edit({ [name]: value });
    const bar = segmentedControl({ legend, options: Object.entries(labels), onChange });
    const title = h("span", { class: "cb-name", "aria-hidden": "true" }, legend, " ", hint);
    return { root: h("div", { class: "cb-l50-choice" }, title, bar.root), set: bar.set };
  };
  const hint = h("span", { class: "cb-hint" }, "zero-gamma needs a skip");
  const network = choice("network", "Network", NETWORKS, null);
  const weights = choice("initialisation", "Initial weights", INITIALISATIONS, hint);
  const zero = /** @type {HTMLInputElement} */ (weights.root.querySelector("[value=zero]"));
  const last = DEPTHS.length - 1;
  const onInput = (i) => edit({ depth: DEPTHS[i] });
  const depth = rangeControl({ label: "Depth", min: 0, max: last, onInput });
  const keep = button("Keep these in grey", () => edit({ against: null }));
  const drop = button("Drop the grey lines", () => edit({ against: "" }));
  const keeping = h("div", { class: "cb-l50-row" }, keep, drop);

  function draw(s) {
    network.set(s.network);
    weights.set(s.initialisation);
    depth.set(DEPTHS.indexOf(s.depth), `${s.depth} layers`);
    zero.disabled = !has(s.network, "zero");
    hint.hidden = !zero.disabled;
    drop.hidden = !s.against;
  }

  return { roots: [network.root, weights.root, depth.root, keeping], draw };
}

/** Draw the figure into `el` and keep it in step with `model`. */
function render({ model, el }) {
  const runs = model.get("runs");
  const shell = createShell({
    ...{ model, el, name: "layer-50", title: "What reaches layer 50", rules: RULES },
    presets: PRESETS,
    apply: edit,
  });
  const controls = createControls(edit);
  const figure = createFigure();

  function state() {
    const s = /** @type {any} */ (shell.settings());
    return { ...s, ...settled(s, {}) };
  }

  /** Change settings; `against` null keeps what is shown. */
  function edit(patch) {
    const s = state();
    const shown = `${s.network}.${s.initialisation}`;
    const kept = patch.against === null ? { against: shown } : {};
    shell.change(settled(s, { ...patch, ...kept }));
  }

  function draw() {
    const s = state();
    const width = shell.width() < 600 ? shell.width() : (shell.width() - 24) / 2;
    controls.draw(s);
    figure.draw(s, runs, width);
    shell.showCode(codeOf(s));
  }

  const others = [["Copy script", () => scriptOf(state())]];
  return shell.start({
    controls: controls.roots,
    figure: [figure.root],
    code: { label: "Code", what: "the line", others: /** @type {any} */ (others) },
    draw,
  });
}

export default { render };
