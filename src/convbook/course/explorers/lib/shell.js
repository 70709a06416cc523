// The shell of an explorer: what each of them has around its own controls and its own figure.

import { addressOf, queryFormat } from "./address.js";
import { button } from "./controls.js";
import { codeBox } from "./copy.js";
import { h, setAttribute, setText } from "./dom.js";
import { keepInStep } from "./in_step.js";
import { keepKeys } from "./keyboard.js";
import { presentIn } from "./present.js";
import { resultRow } from "./results.js";

/**
 * @typedef {object} Preset
 * @property {string} label
 * @property {string} [note] what to notice
 * @property {Record<string, any>} settings
 */

/**
 * @typedef {object} Shell
 * @property {HTMLElement} root
 * @property {HTMLElement} ruler stands in the figure; its width is the width there is
 * @property {{ preset: Preset, root: HTMLElement }[]} pills the presets' buttons
 * @property {() => Record<string, any>} settings what the model holds
 * @property {(patch: Record<string, any>) => void} change writes settings and draws
 * @property {() => number} width
 * @property {(text: string, mild?: boolean) => void} say a message above the figure; "" is none
 * @property {(text: string | null) => void} warn what is wrong in a field, below the controls
 * @property {(text: string) => void} showCode
 * @property {(parts: Parts) => () => void} start mounts everything; returns what takes it down
 */

/**
 * @typedef {object} Parts
 * @property {(Node | null)[]} [top] before the presets
 * @property {Node[]} [controls]
 * @property {Node[]} figure
 * @property {Node[]} [below] between figure and results
 * @property {Node[]} [results]
 * @property {{ label: string, what: string, others?: [string, () => string][] }} [code] the line to
 *   copy, and buttons that copy something longer
 * @property {() => void} draw everything that is the explorer's own, from what is in the model
 */

/**
 * Make the shell of one explorer.
 *
 * @param {object} options
 * @param {import("./in_step.js").Model} options.model
 * @param {HTMLElement} options.el
 * @param {string} options.name for the style sheet: the root's class is cb-NAME
 * @param {string} options.title for a screen reader
 * @param {Record<string, import("./address.js").Rule>} options.rules the settings, which presets and
 *   links hold, and what each may be
 * @param {string[]} [options.traits] followed and reset too, but in no link
 * @param {Preset[]} [options.presets]
 * @param {(patch: Record<string, any>) => void} [options.apply] takes over a preset or a link
 * @param {import("./address.js").AddressFormat} [options.format]
 * @param {boolean} [options.writesAddress] whether the address follows every change
 * @returns {Shell}
 */
export function createShell({ model, el, name, title, rules, traits = [], ...options }) {
  const { presets = [], format = queryFormat(name, rules) } = options;
  const names = Object.keys(rules);
  const read = (list) => Object.fromEntries(list.map((trait) => [trait, model.get(trait)]));
  const all = [...names, ...traits];
  const first = read(all);
  const address = addressOf(el, format);
  const ruler = h("div", { class: "cb-ruler" });
  let parts = /** @type {Parts | null} */ (null);
  const link = keepInStep({ model, traits: all, ruler, draw });
  const apply = options.apply ?? change;

  /** Write settings into the model and the address, and draw. */
  function change(patch) {
    link.change(patch);
    if (options.writesAddress) address?.write(read(names));
    setText(trouble, "");
  }

  const pills = presets.map((preset) => ({
    preset,
    root: button(preset.label, () => apply(preset.settings), { class: "cb-button cb-preset" }),
  }));
  const note = h("p", { class: "cb-about" });
  const reset = button("Reset", () => {
    link.change(first);
    if (options.writesAddress) address?.clear();
    setText(trouble, "");
  });
  const trouble = h("p", { class: "cb-message", role: "status" });
  const message = h("p", { class: "cb-message", role: "status" });
  const warning = h("p", { class: "cb-warning", role: "status" });
  const root = h("div", {
    class: `convbook-root cb-${name}`,
    role: "group",
    "aria-label": title,
  });
  let code = /** @type {{ root: HTMLElement, line: HTMLElement } | null} */ (null);

  /** The preset that is shown, by its settings. */
  function presetShown() {
    const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
    return presets.find(({ settings }) =>
      Object.entries(settings).every(([trait, value]) => same(model.get(trait), value)),
    );
  }

  function draw() {
    const preset = presetShown();
    for (const pill of pills) setAttribute(pill.root, "aria-pressed", pill.preset === preset);
    setText(note, preset ? (preset.note ?? "") : "Your own numbers.");
    parts?.draw();
  }

  /** Take over the settings in the page's address, if it holds any, and come into view. */
  function readAddress() {
    const found = address?.read();
    if (!found) return;
    if (found.problem) {
      const cannot = "The settings in this page's address cannot be shown";
      setText(trouble, `${cannot}: ${found.problem}. Below is what the page starts with.`);
    } else {
      apply(found);
    }
    // In the next frame, when what stood here for readers without JavaScript is gone.
    requestAnimationFrame(() => root.scrollIntoView());
  }

  function start(/** @type {Parts} */ own) {
    parts = own;
    const { top = [], controls = [], figure, below = [], results = [] } = own;
    if (own.code) {
      const others = [...(own.code.others ?? [])];
      if (address) others.push(["Copy link", () => address.link(read(names))]);
      code = codeBox(own.code.what, others);
    }
    const choices = h("div", { class: "cb-presets", role: "group", "aria-label": "Examples" });
    choices.append(...pills.map((pill) => pill.root));
    root.append(
      h("div", { class: "cb-top" }, top, pills.length ? [choices, note] : null, trouble, reset),
      ...(controls.length ? [h("div", { class: "cb-controls" }, controls, warning)] : []),
      h("div", { class: "cb-figure" }, ruler, message, figure),
      ...below,
      h("div", { class: "cb-results" }, results, code && resultRow(own.code.label, code.root)),
    );
    el.replaceChildren(keepKeys(root));
    link.start();
    readAddress();
    const stopListening = address?.listen(readAddress);
    const stopPresenting = presentIn(root, Boolean(address?.read()));
    return () => {
      stopPresenting();
      stopListening?.();
      link.stop();
    };
  }

  return {
    root,
    ruler,
    pills,
    settings: () => read(names),
    change,
    width: link.width,
    say(text, mild = false) {
      setText(message, text);
      message.classList.toggle("cb-mild", mild);
    },
    warn: (text) => setText(warning, text ?? ""),
    showCode: (text) => code && setText(code.line, text),
    start,
  };
}
