// `?present` in the page's address: one explorer fills the window, for a projector.

import { button } from "./controls.js";
import { h } from "./dom.js";

/**
 * Let an explorer fill the window where the address asks for it: the one that its end names, else
 * the page's first. Escape brings the page back. Returns what takes the listener away.
 * @param {HTMLElement} root
 * @param {boolean} named whether the end of the address names this one
 */
export function presentIn(root, named) {
  const asked = new URLSearchParams(window.location.search).has("present");
  const taken = document.querySelector(".cb-present");
  if (!asked || !root.closest(".convbook-explorer") || (taken && !named)) return () => {};
  if (taken) close(taken);
  const leave = () => close(root);
  const onKey = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && leave();
  root.classList.add("cb-present");
  root.prepend(h("div", { class: "cb-leave" }, button("Back to the page", leave)));
  root.addEventListener("keydown", onKey);
  document.addEventListener("keydown", onKey);
  return () => {
    leave();
    document.removeEventListener("keydown", onKey);
  };
}

function close(/** @type {Element} */ root) {
  root.classList.remove("cb-present");
  root.querySelector(":scope > .cb-leave")?.remove();
}
