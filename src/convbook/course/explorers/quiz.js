// Quiz: one question, one right choice, and why each choice is right or wrong.

import { h, inlineCode, uniqueName } from "./lib/dom.js";
import { keepKeys } from "./lib/keyboard.js";

/** Draw the question into `el`. The answer stays on the page: nothing is written to the model. */
function render({ model, el }) {
  const name = uniqueName("quiz");
  const choices = model.get("choices");
  const radios = choices.map((choice, i) => h("input", { type: "radio", name, value: i }));
  const verdict = h("div", { class: "cb-verdict" });
  const live = h("div", { role: "status" }, verdict);

  /** Show what is said about the choice made, or ask for one. */
  function check(event) {
    event.preventDefault();
    const choice = choices[radios.findIndex((radio) => radio.checked)];
    verdict.className = "cb-verdict";
    if (!choice) {
      verdict.replaceChildren("Choose an answer first.");
      return;
    }
    verdict.classList.add(choice.correct ? "cb-right" : "cb-wrong");
    const heading = choice.correct ? "\u2713 Right." : "\u2717 Not yet.";
    const again = choice.correct ? "" : " Try again.";
    verdict.replaceChildren(h("strong", {}, heading), " ", ...inlineCode(choice.why), again);
  }

  // Another choice: what was said about the last one no longer holds.
  for (const radio of radios) radio.addEventListener("change", () => verdict.replaceChildren());

  const form = h(
    "form",
    { on: { submit: check } },
    h(
      "fieldset",
      { class: "cb-quiz-form" },
      h(
        "legend",
        { class: "cb-question" },
        h("span", { class: "cb-eyebrow" }, "Question"),
        inlineCode(model.get("question")),
      ),
      choices.map((choice, i) =>
        h("label", { class: "cb-choice" }, radios[i], h("span", {}, inlineCode(choice.text))),
      ),
    ),
    h(
      "div",
      { class: "cb-quiz-foot" },
      h("button", { type: "submit", class: "cb-button cb-main" }, "Check"),
    ),
    live,
  );
  el.replaceChildren(keepKeys(h("div", { class: "convbook-root cb-quiz" }, form)));
}

export default { render };
