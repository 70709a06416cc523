// Matrix view: one convolution as a product of matrices, the dense one or that of its windows.

import { rangeControl, segmentedControl } from "./lib/controls.js";
import { h, setContent, setText } from "./lib/dom.js";
import { createPlayer } from "./lib/player.js";
import { ink, resultRow } from "./lib/results.js";
import { createShell } from "./lib/shell.js";
import { createFigure } from "./parts/matrix_view_figure.js";
import { pageOf } from "./parts/matrix_view_sheets.js";
import {
  LIMITS,
  packageLine,
  packageScript,
  PRESETS,
  sentenceOf,
  summaryOf,
  tieOf,
} from "./parts/matrix_view_words.js";

/** What can be chosen: what the player calls it, and where the page keeps as many. */
const KINDS = { output: ["window", "y"], pixel: ["pixel", "x"], weight: ["weight", "w"] };
const RULES = {
  view: ["dense", "im2col"],
  show: ["letters", "numbers"],
  ...LIMITS,
  selected: {
    fits: (value) => value?.length === 2 && value[0] in KINDS && value[1] in Array(49).fill(0),
    words: `a pair such as ["output",0]`,
  },
};

function createControls(change) {
  const choice = (legend, trait, labels) => {
    const options = RULES[trait].map((value, i) => [value, labels[i]]);
    return segmentedControl({ legend, options, onChange: (value) => change({ [trait]: value }) });
  };
  const slider = ([trait, [min, max]]) => {
    const label = trait[0].toUpperCase() + trait.slice(1).replace("_", " ");
    const onInput = (value) => change({ [trait]: value });
    return [trait, rangeControl({ label, min, max, onInput })];
  };
  return {
    view: choice("As", "view", ["Dense matrix", "Windows as columns (im2col)"]),
    show: choice("Show", "show", ["Letters", "Numbers"]),
    ...Object.fromEntries(Object.entries(LIMITS).map(slider)),
  };
}

/** What is said below the figure, with the player: { rows, stop, draw(page), show(page, selection) }. */
function createWords(onShow) {
  const sum = h("div", { class: "cb-sum", role: "status" });
  const tie = h("p", { class: "cb-muted" });
  const summary = h("div", { class: "cb-formula" });
  const player = createPlayer({ what: "window", onShow, live: [sum] });
  return {
    rows: [
      resultRow("Products", h("div", {}, player.root, sum, tie)),
      resultRow("Counts", h("div", {}, summary)),
    ],
    stop: player.stop,
    draw: (page) => setText(summary, summaryOf(page)),
    show(page, selection) {
      const inked = (part) => (typeof part === "string" ? part : ink(part[0], part[1]));
      setContent(sum, h("span", {}, sentenceOf(page, selection).map(inked)));
      setText(tie, tieOf(page, selection));
      const [kind, index] = selection;
      const [what, flat] = KINDS[kind];
      player.set({ index, count: page[flat].length, text: sum.textContent, what });
    },
  };
}

/** Draw the view into `el` and keep it in step with `model`. */
function render({ model, el }) {
  const numbers = ["input_values", "kernel_values"];
  const settings = { name: "matrix-view", title: "Matrix view", rules: RULES, presets: PRESETS };
  const apply = (patch) => shell.change({ selected: ["output", 0], ...patch });
  const shell = createShell({ model, el, ...settings, traits: numbers, apply });
  const controls = createControls(shell.change);
  // What is lit: under the mouse, else under a focus that only came by, else what was chosen.
  let passed = { pointed: null, focused: null };
  let lit = null;
  let page = null;
  let [drawn, shown] = ["", ""]; // settings and numbers on the page, and what is lit there

  /** Keep a selection, in the model too. */
  function choose(selection) {
    passed = { pointed: null, focused: null };
    shell.change({ selected: selection });
  }

  const figure = createFigure(choose, (how, selection) => {
    passed[how] = selection;
    drawSelection();
  });
  const words = createWords((index) => choose([lit[0], index]));

  /** Everything on the page from what is in the model; only the selection if that is all. */
  function draw() {
    const { selected: _, ...own } = shell.settings();
    const [input, kernel] = numbers.map((name) => model.get(name));
    const key = JSON.stringify([own, input, kernel, shell.width()]);
    if (key !== drawn) {
      drawn = key;
      passed = { pointed: null, focused: null };
      page = pageOf(own, input, kernel, shell.width());
      for (const [name, control] of Object.entries(controls)) control.set(own[name]);
      figure.draw(page);
      words.draw(page);
      shell.showCode(packageLine(page));
    }
    drawSelection();
  }

  /** Light what belongs to the selection, in all grids, and write it out. */
  function drawSelection() {
    const [kind, index] = model.get("selected");
    const passing = passed.pointed ?? passed.focused;
    lit = passing ?? [kind, Math.min(index, page[KINDS[kind][1]].length - 1)];
    const key = `${lit} ${passing} ${drawn}`;
    if (key === shown) return;
    shown = key;
    figure.light(page, lit, passing === null);
    words.show(page, lit);
  }

  const { view, show, ...sliders } = controls;
  /** @type {[string, () => string][]} */
  const others = [["Copy with numbers", () => packageScript(page)]];
  const unmount = shell.start({
    top: [view.root, show.root],
    controls: Object.values(sliders).map(({ root }) => root),
    figure: figure.elements,
    results: words.rows,
    code: { label: "Code", what: "the line", others },
    draw,
  });
  return () => {
    words.stop();
    unmount();
  };
}

export default { render };
