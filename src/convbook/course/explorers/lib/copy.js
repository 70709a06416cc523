// Copying text, and a line of code with buttons that copy it.

import { button } from "./controls.js";
import { h } from "./dom.js";

/** Put text on the clipboard; true when it worked. */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No permission or no secure context: the old way, through a selection.
    const area = h("textarea", { class: "cb-hidden", "aria-hidden": "true", tabindex: "-1" });
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    area.value = text;
    document.body.append(area);
    area.select();
    const worked = document.execCommand("copy");
    area.remove();
    focused?.focus();
    return worked;
  }
}

/**
 * A line of code with a button that copies it, and one for each [label, text()] of `others`, which
 * copies what `text()` returns.
 */
export function codeBox(what, others) {
  const line = h("code", { class: "cb-code" });
  const copied = h("span", { class: "cb-copied", role: "status" });
  const copy = async (text) => {
    const worked = await copyText(text);
    copied.textContent = worked ? "Copied" : "Copying is blocked here: select the line instead";
    setTimeout(() => (copied.textContent = ""), 2500);
  };
  const actions = h(
    "div",
    { class: "cb-actions" },
    button("Copy", () => copy(line.textContent), { "aria-label": `Copy ${what}` }),
    others.map(([label, text]) => button(label, () => copy(text()))),
    copied,
  );
  return { root: h("div", { class: "cb-copy" }, line, actions), line };
}
