// Matrix view: one convolution as a product of matrices, the dense one or that of its windows.

import { rangeControl, segmentedControl } from "./lib/controls.js";
import { h, setText } from "./lib/dom.js";
import { createPlayer } from "./lib/player.js";
import { corner } from "./lib/ranges.js";
import { ink, resultRow } from "./lib/results.js";
import { createShell } from "./lib/shell.js";
import { createFigure } from "./parts/matrix_view_figure.js";
import { howMany, outputsOf, sizesOf, windowsOf } from "./parts/matrix_view_matrices.js";
import {
  LIMITS,
  packageLine,
  packageScript,
  PRESETS,
  sentenceOf,
  summaryOf,
  tieOf,
} from "./parts/matrix_view_words.js";

const NOUNS = { output: "window", pixel: "pixel", weight: "weight" };
const RULES = {
  view: ["dense", "im2col"],
  show: ["letters", "numbers"],
  ...LIMITS,
  selected: (value) =>
    Array.isArray(value) &&
    value.length === 2 &&
    value[0] in NOUNS &&
    value[1] in Array(49).fill(0),
};

function createControls(change) {
  const slider = (label, trait) => {
    const [min, max] = LIMITS[trait];
    return rangeControl({ label, min, max, onInput: (value) => change({ [trait]: value }) });
  };
  const choice = (legend, trait, labels) =>
    segmentedControl({
      legend,
      options: RULES[trait].map((value, i) => [value, labels[i]]),
      onChange: (value) => change({ [trait]: value }),
    });
  return {
    view: choice("As", "view", ["Dense matrix", "Windows as columns (im2col)"]),
    show: choice("Show", "show", ["Letters", "Numbers"]),
    input_size: slider("Input size", "input_size"),
    kernel_size: slider("Kernel size", "kernel_size"),
    stride: slider("Stride", "stride"),
    padding: slider("Padding", "padding"),
  };
}

/** All that is drawn, from what is in the model. */
function pageOf(model, settings, width) {
  const { selected: _, ...rest } = settings;
  const s = sizesOf(settings);
  const x = corner(model.get("input_values"), s.size).flat();
  const w = corner(model.get("kernel_values"), s.kernel).flat();
  const [y, windows] = [outputsOf(s, x, w), windowsOf(s)];
  const letters = settings.show === "letters";
  const key = JSON.stringify([rest, x, w, width]);
  return { key, s, view: settings.view, letters, x, w, y, windows, width };
}

/** What is said below the figure, with the player: { results, summary, show }. */
function createWords(onShow) {
  const sum = h("div", { class: "cb-sum", role: "status" });
  const tie = h("p", { class: "cb-muted" });
  const summary = h("div", { class: "cb-formula" });
  const player = createPlayer({ what: NOUNS.output, onShow, live: [sum] });
  return {
    rows: [
      resultRow("Products", h("div", {}, player.root, sum, tie)),
      resultRow("Counts", summary),
    ],
    summary,
    stop: player.stop,
    show(page, [kind, index]) {
      const parts = sentenceOf(page, [kind, index]);
      const inked = parts.map((part) => (typeof part === "string" ? part : ink(part[0], part[1])));
      sum.replaceChildren(h("span", {}, inked));
      setText(tie, tieOf(page, [kind, index]));
      const count = howMany(page.s)[kind];
      player.set({ index, count, text: sum.textContent, what: NOUNS[kind] });
    },
  };
}

/** Draw the view into `el` and keep it in step with `model`. */
function render({ model, el }) {
  const shell = createShell({
    model,
    el,
    name: "matrix-view",
    title: "Matrix view",
    rules: RULES,
    traits: ["input_values", "kernel_values"],
    presets: PRESETS,
    apply: (patch) => shell.change({ selected: ["output", 0], ...patch }),
  });
  const controls = createControls(shell.change);
  // What is lit: under the mouse, else under a focus that only came by, else what was chosen.
  let [pointed, focused] = [null, null];
  let page = null;
  let lit = ["output", 0];
  let shown = ""; // what is lit, and on which page

  /** Keep a selection, in the model too. */
  function choose(selection) {
    pointed = focused = null;
    shell.change({ selected: selection });
  }

  const figure = createFigure({
    onPick: choose,
    onPoint(selection) {
      pointed = selection;
      drawSelection();
    },
    onFocus(selection) {
      focused = selection;
      drawSelection();
    },
  });
  const words = createWords((index) => choose([lit[0], index]));

  /** Everything on the page from what is in the model; only the selection if that is all. */
  function draw() {
    const settings = shell.settings();
    const next = pageOf(model, settings, shell.width());
    if (next.key !== page?.key) {
      page = next;
      pointed = focused = null;
      for (const [name, control] of Object.entries(controls)) control.set(settings[name]);
      figure.draw(page);
      setText(words.summary, summaryOf(page));
      shell.showCode(packageLine(page));
    }
    drawSelection();
  }

  /** Light what belongs to the selection, in all grids, and write it out. */
  function drawSelection() {
    const [kind, index] = model.get("selected");
    const kept = [kind, Math.min(index, howMany(page.s)[kind] - 1)];
    const isKept = pointed === null && focused === null;
    lit = pointed ?? focused ?? kept;
    const key = `${lit} ${isKept} ${page.key}`;
    if (key === shown) return;
    shown = key;
    figure.light(page, lit, isKept);
    words.show(page, lit);
  }

  const { view, show, ...sliders } = controls;
  const unmount = shell.start({
    top: [view.root, show.root],
    controls: Object.values(sliders).map(({ root }) => root),
    figure: figure.elements,
    results: words.rows,
    code: {
      label: "Code",
      what: "the line",
      others: [["Copy with numbers", () => packageScript(page)]],
    },
    draw,
  });
  return () => {
    words.stop();
    unmount();
  };
}

export default { render };
