// Quiz: one question, one right choice, and why each choice is right or wrong.

import { h, inlineCode, uniqueName } from "./lib/dom.js";
import { keepKeys } from "./lib/keyboard.js";
import { remember, remembered } from "./lib/memory.js";

/**
 * @typedef {object} Choice
 * @property {string} key names it in the reader's memory
 * @property {string} text
 * @property {string} why
 * @property {boolean} correct
 * @property {number[][]} [grid] drawn as cells in the colours of their signs
 * @property {string} [image] the address of a picture
 * @property {string} [alt] what grid or picture show
 */

/** A grid of numbers; a screen reader hears the text that stands for it. */
function gridPicture(/** @type {number[][]} */ grid, alt) {
  const largest = Math.max(...grid.flat().map(Math.abs)) || 1;
  const cells = grid.flat().map((number) => {
    const sign = number > 0 ? "cb-positive" : number < 0 ? "cb-negative" : "";
    const style = `--share: ${Math.abs(number) / largest}`;
    return h("span", { class: sign, style }, String(number).replace("-", "\u2212"));
  });
  const look = { class: "cb-kernel", role: "img", "aria-label": alt };
  return h("span", { ...look, style: `--columns: ${grid[0].length}` }, cells);
}

/** What a choice shows, as elements. */
function contentOf(/** @type {Choice} */ { text, grid, image, alt }) {
  return [
    grid ? gridPicture(grid, alt) : null,
    image ? h("img", { src: image, alt }) : null,
    text ? h("span", {}, inlineCode(text)) : null,
  ];
}

/** Draw the question into `el`. Nothing is written to the model; this browser keeps the answer. */
function render({ model, el }) {
  const choices = /** @type {Choice[]} */ (model.get("choices"));
  const id = model.get("name");
  const group = uniqueName("quiz");
  const radios = choices.map((_, i) => h("input", { type: "radio", name: group, value: i }));
  const verdict = h("div", { class: "cb-verdict" });

  function say(kind, heading, words) {
    verdict.className = `cb-verdict ${kind}`;
    verdict.replaceChildren(h("strong", {}, heading), " ", ...inlineCode(words));
  }

  /** Show what is said about the choice made, or ask for one. */
  function check(event) {
    event.preventDefault();
    const choice = choices[radios.findIndex((radio) => radio.checked)];
    if (!choice) {
      verdict.className = "cb-verdict";
      verdict.replaceChildren("Choose an answer first.");
      return;
    }
    if (choice.correct) say("cb-right", "\u2713 Right.", choice.why);
    else say("cb-wrong", "\u2717 Not yet.", `${choice.why} Try again.`);
    const before = remembered("quiz", id);
    const tries = (Number.isInteger(before?.tries) ? before.tries : 0) + 1;
    const had = choices.find(({ key, correct }) => correct && key === before?.chose);
    const chose = (had ?? choice).key;
    remember("quiz", id, { tries, right: Boolean(had) || choice.correct, at: Date.now(), chose });
  }

  /** Choose what was chosen last time, unless the question has changed since. */
  function recall() {
    const last = choices.findIndex(({ key }) => key === remembered("quiz", id)?.chose);
    if (last < 0) return;
    radios[last].checked = true;
    if (choices[last].correct) say("cb-right", "\u2713 You had this right.", "");
    else say("cb-wrong", "\u2717 Not yet.", "This is what you chose last time. Try again.");
  }

  // Another choice: what was said about the last one no longer holds.
  for (const radio of radios) radio.addEventListener("change", () => verdict.replaceChildren());

  const pictures = choices.some(({ grid, image }) => grid || image);
  const question = [
    h("span", { class: "cb-eyebrow" }, "Question"),
    inlineCode(model.get("question")),
  ];
  const labels = choices.map((choice, i) =>
    h("label", { class: "cb-choice" }, radios[i], contentOf(choice)),
  );
  const form = h(
    "form",
    { on: { submit: check } },
    h(
      "fieldset",
      { class: "cb-quiz-form" },
      h("legend", { class: "cb-question" }, question.flat()),
      h("div", { class: pictures ? "cb-pictures" : null }, labels),
    ),
    h("button", { type: "submit", class: "cb-button cb-main" }, "Check"),
    h("div", { role: "status" }, verdict),
  );
  recall();
  el.replaceChildren(keepKeys(h("div", { class: "convbook-root cb-quiz" }, form)));
}

export default { render };
