// One case: what else there is to see, a diagnosis, a remedy.

import { button } from "../lib/controls.js";
import { h, setAttribute, setChildren, setText, uniqueName } from "../lib/dom.js";
import { classBars, createChart, linesOf } from "./sick_runs_chart.js";
import { tell } from "./sick_runs_data.js";
import {
  cureOf,
  diagnosisVerdict,
  EVIDENCE,
  LABELS,
  REMEDIES,
  remediesFor,
  remedyVerdict,
} from "./sick_runs_words.js";

/** The series that a piece of evidence draws. */
const SERIES = { accuracy: ["train_accuracy", "accuracy"], gradient: ["gradient"] };

/**
 * A question with radio buttons: { root, draw }. The choice counts when the button is pressed, so
 * that the arrow keys may pass over the others.
 * @param {string} legend
 * @param {string} check what the button is called
 * @param {(key: string) => void} onCheck
 */
function createQuestion(legend, check, onCheck) {
  const group = uniqueName("sick");
  const verdict = h("p", { class: "cb-sick-verdict", role: "status", tabindex: "-1" });
  const list = h("div", { class: "cb-sick-choices" });
  const submit = h("button", { type: "submit", class: "cb-button cb-main" }, check);
  const root = h(
    "form",
    { class: "cb-sick-part" },
    h("fieldset", {}, h("legend", { class: "cb-sick-title" }, legend), list),
    h("div", { class: "cb-sick-row" }, submit, verdict),
  );
  root.addEventListener("submit", (event) => {
    event.preventDefault();
    const radio = /** @type {HTMLInputElement | null} */ (list.querySelector("input:checked"));
    if (radio) onCheck(radio.value);
    else setText(verdict, "Choose one first.");
  });
  let drawn = "";

  /**
   * Show the options of a case, each [key, label], the one that was checked, or "", and what is
   * said of it: [whether it is right, why].
   */
  function draw(number, options, checked, said) {
    const key = `${number} ${checked}`;
    if (key === drawn) return; // what is chosen and not yet checked stays
    drawn = key;
    const right = said ? said[0] : null;
    const entries = options.map(([value, label]) => {
      const radio = {
        type: "radio",
        name: group,
        value,
        checked: value === checked,
        disabled: right,
      };
      return h("label", {}, h("input", radio), h("span", {}, label));
    });
    const focused = document.activeElement;
    const [inForm, inList] = [root.contains(focused), list.contains(focused)];
    list.replaceChildren(...entries);
    submit.hidden = right === true;
    setText(verdict, said ? `${right ? "\u2713 Right." : "\u2717 Not this."} ${said[1]}` : "");
    // What had the focus is gone: it goes to what is said.
    if (inForm && right) verdict.focus();
    else if (inList) list.querySelector("input:checked")?.focus();
    setAttribute(verdict, "data-right", right);
  }

  return { root, draw };
}

/** Evidence to reveal, piece by piece: { root, draw(s, runs, width) }. */
function createEvidence(edit) {
  const count = h("p", { class: "cb-sick-title" });
  const pieces = Object.entries(EVIDENCE).map(([key, label]) => {
    const ask = button(label, () => edit({ show: key }), { class: "cb-button cb-preset" });
    return { key, label, ask, chart: createChart(), bars: h("div", {}), body: h("div", {}) };
  });
  for (const { chart, bars, body } of pieces) body.append(chart.root, bars);
  const label = { role: "group", "aria-label": "Further evidence" };
  const asks = h("div", { class: "cb-sick-row", ...label });
  asks.append(...pieces.map(({ ask }) => ask));
  const shown = h("div", { class: "cb-sick-panels" });
  const root = h("div", { class: "cb-sick-part" }, count, asks, shown);

  function draw(s, run, healthy, width) {
    const solved = s.solved[s.case - 1];
    const used = solved < 0 ? s.seen.length : solved;
    setText(count, `Further evidence: ${used} of ${pieces.length} used`);
    for (const { key, ask } of pieces) setAttribute(ask, "aria-pressed", s.seen.includes(key));
    const open = s.seen.map((key) => pieces.find((piece) => piece.key === key));
    setChildren(
      shown,
      open.map(({ body }) => body),
    );
    for (const { key, label: name, chart, bars } of open) {
      const sentence = tell(key, run, healthy, s.classes);
      const lines = linesOf(run, SERIES[key] ?? []);
      chart.draw({ name, sentence, lines, width, top: key === "accuracy" ? 1 : undefined });
      bars.replaceChildren(...(key === "classes" ? [classBars(s.classes, run.predicted)] : []));
    }
  }

  return { root, draw };
}

/** The part of a case below its curves: { root, draw(s, runs, width) }. */
export function createCase(edit) {
  const diagnosis = createQuestion("What ails this run?", "Check the diagnosis", (key) =>
    edit({ diagnosis: key }),
  );
  const remedy = createQuestion("What helps?", "Check the remedy", (key) => edit({ remedy: key }));
  const evidence = createEvidence(edit);
  const root = h("div", {}, evidence.root, diagnosis.root, remedy.root);
  const diseases = Object.entries(LABELS).slice(1);

  function draw(s, runs, width) {
    root.hidden = s.view !== "cases";
    if (root.hidden) return;
    const run = runs[s.cases[s.case - 1]];
    const done = s.solved[s.case - 1] >= 0;
    const [ailment, cure] = done ? [run.name, cureOf(run.name)] : [s.diagnosis, s.remedy];
    evidence.draw(s, run, runs.healthy, width);
    diagnosis.draw(s.case, diseases, ailment, ailment && diagnosisVerdict(run, ailment));
    remedy.root.hidden = ailment !== run.name;
    const offered = remediesFor(run.name);
    const said = offered.includes(cure) && remedyVerdict(run.name, cure);
    remedy.draw(
      s.case,
      Object.entries(REMEDIES).filter(([key]) => offered.includes(key)),
      cure,
      said,
    );
  }

  return { root, draw };
}
