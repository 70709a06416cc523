// The shell of an explorer: what each of them has around its own controls and its own figure.

import { addressOf, queryFormat } from "./address.js";
import { button } from "./controls.js";
import { codeBox } from "./copy.js";
import { h, setText } from "./dom.js";
import { keepInStep } from "./in_step.js";
import { keepKeys } from "./keyboard.js";
import { presentIn } from "./present.js";
import { createPresets } from "./presets.js";
import { resultRow } from "./results.js";

/**
 * @typedef {object} Shell
 * @property {HTMLElement} root
 * @property {HTMLElement} ruler stands in the figure; its width is the width there is
 * @property {{ preset: import("./presets.js").Preset, root: HTMLElement }[]} pills the presets' buttons
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
 * @param {import("./presets.js").Preset[]} [options.presets]
 * @param {(patch: Record<string, any>) => void} [options.apply] takes over a preset or a link
 * @param {import("./address.js").AddressFormat} [options.format]
 * @param {boolean} [options.writesAddress] whether the address follows every change of the settings
 * @param {(preset: import("./presets.js").Preset) => boolean} [options.isShown] whether the
 *   model shows a preset; left out, whether it holds its settings
 * @returns {Shell}
 */
export function createShell({ model, el, name, title, rules, traits = [], ...options }) {
  const { format = queryFormat(name, rules), writesAddress = false } = options;
  const names = Object.keys(rules);
  const all = [...names, ...traits];
  const read = (list) => Object.fromEntries(list.map((trait) => [trait, model.get(trait)]));
  const first = read(all);
  const address = addressOf(el, format);
  const ruler = h("div", { class: "cb-ruler" });
  const link = keepInStep({ model, traits: all, ruler, draw });
  let parts = /** @type {Parts | null} */ (null);

  /** Write settings into the model, and draw. */
  function change(patch) {
    link.change(patch);
    if (writesAddress && names.some((one) => one in patch)) address?.write(read(names));
    setText(trouble, "");
  }

  function reset() {
    link.change(first);
    if (writesAddress) address?.clear();
    setText(trouble, "");
  }

  const apply = options.apply ?? change;
  const presets = createPresets(model, options.presets ?? [], apply, options.isShown);
  const [trouble, message] = [0, 1].map(() => h("p", { class: "cb-message", role: "status" }));
  const warning = h("p", { class: "cb-warning", role: "status" });
  const root = h("div", {
    class: `convbook-root cb-${name}`,
    role: "group",
    "aria-label": title,
  });

  function draw() {
    presets.draw();
    parts?.draw();
  }

  function start(/** @type {Parts} */ own) {
    parts = own;
    const copyLink = () => address?.link(read(names)) ?? "";
    const others = [...(own.code?.others ?? []), ...(address ? [["Copy link", copyLink]] : [])];
    const code = own.code && codeBox(own.code.what, others);
    shell.showCode = (text) => code && setText(code.line, text);
    const choice = [...(own.top ?? []), ...presets.elements, trouble, button("Reset", reset)];
    layOut(root, own, { choice, warning, ruler, message, code });
    el.replaceChildren(keepKeys(root));
    link.start();
    const readAddress = () => takeOver(address?.read(), { apply, root, trouble });
    readAddress();
    const stops = [
      address?.listen(readAddress),
      presentIn(root, Boolean(address?.read())),
      link.stop,
    ];
    return () => stops.forEach((stop) => stop?.());
  }

  const shell = {
    root,
    ruler,
    pills: presets.pills,
    settings: () => read(names),
    change,
    width: link.width,
    say(/** @type {string} */ text, mild = false) {
      setText(message, text);
      message.classList.toggle("cb-mild", mild);
    },
    warn: (/** @type {string | null} */ text) => setText(warning, text ?? ""),
    showCode(/** @type {string} */ _text) {},
    start,
  };
  return shell;
}

/** Put an explorer's parts in their places. */
function layOut(root, own, { choice, warning, ruler, message, code }) {
  root.append(
    h("div", { class: "cb-top" }, choice),
    ...(own.controls ? [h("div", { class: "cb-controls" }, own.controls, warning)] : []),
    h("div", { class: "cb-figure" }, ruler, message, own.figure),
    ...(own.below ?? []),
    h(
      "div",
      { class: "cb-results" },
      own.results ?? [],
      code && resultRow(own.code.label, code.root),
    ),
  );
}

/** Take over the settings found in the page's address, if it holds any, and come into view. */
function takeOver(found, { apply, root, trouble }) {
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
