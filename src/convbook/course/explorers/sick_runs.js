// What ails this run: eight sick training runs to diagnose, each beside a healthy one.

import { h, setText } from "./lib/dom.js";
import { remember, remembered } from "./lib/memory.js";
import { createShell } from "./lib/shell.js";
import { createCase } from "./parts/sick_runs_case.js";
import { createChart, linesOf, numbersTable, topOf } from "./parts/sick_runs_chart.js";
import { curveSentence, tell } from "./parts/sick_runs_data.js";
import { cureOf, EVIDENCE, LABELS, progressText, remedyVerdict } from "./parts/sick_runs_words.js";

const MEMORY = "sick-runs";
const NAMES = Object.keys(LABELS);
export const RULES = { case: [1, 8], view: ["cases", "compare"], left: NAMES, right: NAMES };
const OWN = ["diagnosis", "remedy", "seen", "solved"];
const NOTE =
  "Beside it a healthy run on the same axes: what is different? Thin lines are seeds, thick ones their median.";
const CASES = [1, 2, 3, 4, 5, 6, 7, 8].map((number) => ({
  label: `Case ${number}`,
  note: NOTE,
  settings: { view: "cases", case: number },
}));
const COMPARE = { label: "Compare", note: "Any two of the runs.", settings: { view: "compare" } };

/** The line that makes this explorer. */
export function codeOf(s) {
  if (s.view === "cases") return `WhatAilsThisRun(case=${s.case})`;
  return `WhatAilsThisRun(view='compare', left='${s.left}', right='${s.right}')`;
}

/** The text that is remembered, as eight counts; null where it is something else. */
export function parsedSolved(text) {
  const counts = typeof text === "string" ? text.split(",").map(Number) : [];
  const most = Object.keys(EVIDENCE).length;
  const fine = (count) => Number.isInteger(count) && count >= -1 && count <= most;
  return counts.length === CASES.length && counts.every(fine) ? counts : null;
}

/**
 * What an action changes: another case starts afresh, or with its answers if it is solved; evidence
 * is shown, and hidden again where it costs nothing any more; the right remedy solves a case.
 */
export function consequences(s, patch) {
  const number = patch.case ?? s.case;
  const name = s.cases[number - 1];
  const done = s.solved[number - 1] >= 0;
  if (patch.show) {
    const others = s.seen.filter((one) => one !== patch.show);
    return { seen: done && others.length < s.seen.length ? others : [...others, patch.show] };
  }
  if (number !== s.case) {
    const answers = done
      ? { diagnosis: name, remedy: cureOf(name) }
      : { diagnosis: "", remedy: "" };
    return { ...patch, seen: [], ...answers };
  }
  if (done || s.diagnosis !== name || !patch.remedy) return patch;
  if (!remedyVerdict(name, patch.remedy)[0]) return patch;
  return { ...patch, solved: s.solved.with(s.case - 1, s.seen.length) };
}

/** A menu of the runs: { root, set(name) }. */
function runMenu(label, onChange) {
  const options = NAMES.map((value) => h("option", { value }, LABELS[value]));
  const select = /** @type {HTMLSelectElement} */ (h("select", { class: "cb-number" }, options));
  select.addEventListener("change", () => onChange(select.value));
  const root = h("label", { class: "cb-field" }, h("span", { class: "cb-name" }, label), select);
  return { root, set: (name) => (select.value = name) };
}

const LOSSES = ["train_loss", "loss"];

/** What the two panels show of a case. */
function casePanels(s, healthy, run) {
  const panel = (what, one) => ({
    name: `Loss of ${what}, by epoch`,
    sentence: curveSentence(one),
    lines: linesOf(one, LOSSES),
  });
  const panels = [panel("the healthy run", healthy), panel(`case ${s.case}`, run)];
  const top = topOf(panels.flatMap(({ lines }) => lines));
  return panels.map((one) => ({ ...one, top }));
}

/** What they show of two runs that are compared. */
function comparePanels(s, left, right) {
  const panel = (name, keys, words) => ({
    name: `${name} by epoch; dashed: validation`,
    sentence: [left, right].map((run) => `${LABELS[run.name]}: ${words(run)}`).join(" "),
    lines: [...linesOf(left, keys, "left"), ...linesOf(right, keys, "right")],
  });
  const test = (run) => tell("test", run, left, s.classes);
  const accuracy = panel("Accuracy", ["train_accuracy", "accuracy"], test);
  return [panel("Loss", LOSSES, curveSentence), { ...accuracy, top: 1 }];
}

/** The curves, two panels side by side, and their numbers: { root, draw(s, runs, width) }. */
function createCurves(edit) {
  const charts = [createChart(), createChart()];
  const menus = [
    runMenu("First run", (left) => edit({ left })),
    runMenu("Second run", (right) => edit({ right })),
  ];
  const roots = (list) => list.map(({ root }) => root);
  const compare = h("div", { class: "cb-sick-row" }, roots(menus));
  const legend = h("ul", { class: "cb-legend" });
  const region = { tabindex: "0", role: "region", "aria-label": "The numbers" };
  const table = h("div", { class: "cb-sick-table", ...region });
  const numbers = h("details", {}, h("summary", {}, "The numbers, medians of the seeds"), table);
  const panels = h("div", { class: "cb-sick-panels" }, roots(charts));

  function draw(s, runs, width) {
    const cases = s.view === "cases";
    const [one, other] = cases
      ? [runs.healthy, runs[s.cases[s.case - 1]]]
      : [runs[s.left], runs[s.right]];
    const shown = cases ? casePanels(s, one, other) : comparePanels(s, one, other);
    charts.forEach((chart, i) => chart.draw({ ...shown[i], width }));
    compare.hidden = cases;
    menus.forEach((menu, i) => menu.set([s.left, s.right][i]));
    const kinds = cases ? ["training", "validation"] : ["left", "right"];
    const titles = cases ? ["healthy", `case ${s.case}`] : [LABELS[s.left], LABELS[s.right]];
    const entry = (kind, i) => {
      const key = { class: `cb-sick-key cb-sick-${kind}`, "aria-hidden": "true" };
      return h("li", {}, h("span", key), cases ? kind : titles[i]);
    };
    legend.replaceChildren(...kinds.map(entry));
    const columns = [one, other].flatMap((run, i) => [
      [`${titles[i]}, training loss`, run.train_loss],
      [`${titles[i]}, validation loss`, run.loss],
    ]);
    table.replaceChildren(numbersTable(/** @type {[string, number[][]][]} */ (columns)));
  }

  return { root: h("div", {}, compare, panels, legend, numbers), draw };
}

/** Draw the cases into `el` and keep them in step with `model`. */
function render({ model, el }) {
  const [cases, classes] = [model.get("cases"), model.get("classes")];
  const runs = Object.fromEntries(model.get("runs").map((run) => [run.name, run]));
  const shell = createShell({
    ...{ model, el, name: "sick", title: "What ails this run?", rules: RULES, traits: OWN },
    presets: [...CASES, COMPARE],
    apply: edit,
    // A comparison has a case too, the one to go back to.
    isShown: ({ settings }) => Object.entries(settings).every(([k, v]) => model.get(k) === v),
  });
  const progress = h("p", { class: "cb-sick-part", role: "status" });
  const curves = createCurves(edit);
  const own = createCase(edit);
  let kept = "";

  function state() {
    const solved = /** @type {number[]} */ (model.get("solved"));
    const [diagnosis, remedy, seen] = OWN.map((name) => model.get(name));
    return {
      .../** @type {any} */ (shell.settings()),
      cases,
      classes,
      diagnosis,
      remedy,
      seen,
      solved,
    };
  }

  function edit(patch) {
    shell.change(consequences(state(), patch));
  }

  /** Take over what was solved last time. */
  function recall() {
    const solved = parsedSolved(remembered("choice", MEMORY));
    if (solved && state().solved.every((count) => count < 0)) shell.change({ solved });
  }

  function draw() {
    const s = state();
    const width = shell.width() < 600 ? shell.width() : (shell.width() - 24) / 2;
    curves.draw(s, runs, width);
    own.draw(s, runs, width);
    shell.pills.forEach(({ preset, root }, i) => {
      setText(root, `${preset.label}${s.solved[i] >= 0 ? " \u2713" : ""}`);
      if (preset === COMPARE) root.hidden = s.view === "cases" && s.solved.includes(-1);
    });
    setText(progress, progressText(s.solved));
    const solved = s.solved.join(",");
    if (kept && solved !== kept) remember("choice", MEMORY, solved);
    kept = solved;
    shell.showCode(codeOf(s));
  }

  const stop = shell.start({
    figure: [curves.root, own.root, progress],
    code: { label: "Code", what: "the line" },
    draw,
  });
  recall();
  return stop;
}

export default { render };
