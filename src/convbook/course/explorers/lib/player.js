// The player: plays, steps and scrubs through a figure's states. It never starts by itself.

import { button } from "./controls.js";
import { h, setAttribute, setText } from "./dom.js";

const SPEEDS = [1, 2, 4]; // steps a second

function icon(sign, name, onClick) {
  return button(sign, onClick, { class: "cb-button cb-play", "aria-label": name, title: name });
}

function speedChoice() {
  const option = (steps) =>
    h("option", { value: steps, selected: steps === 2 }, `${steps} a second`);
  const select = h("select", { class: "cb-speed", "aria-label": "Speed" }, SPEEDS.map(option));
  return /** @type {HTMLSelectElement} */ (select);
}

/**
 * A player of `count` states: { root, set({ index, count, text }), stop }.
 *
 * It stops at the last state, off screen, in a hidden tab, and when anybody else changes the state.
 * While it plays, the elements in `live` say nothing.
 *
 * @param {object} options
 * @param {string} options.what one state, such as "output cell"
 * @param {(index: number) => void} options.onShow shows a state
 * @param {Element[]} [options.live] the live regions that speak of the state
 */
export function createPlayer({ what, onShow, live = [] }) {
  let [index, count] = [0, 1];
  let timer = 0;
  let own = false; // whether it is the player that changes the state
  const playing = () => timer !== 0;

  function show(wanted) {
    own = true;
    onShow(Math.max(0, Math.min(wanted, count - 1)));
    own = false;
  }

  function stop() {
    clearTimeout(timer);
    timer = 0;
    for (const element of live) element.removeAttribute("aria-live");
    drawButton();
  }

  function next() {
    timer = setTimeout(() => {
      show(index + 1);
      if (index >= count - 1 || !root.isConnected) stop();
      else next();
    }, 1000 / Number(speed.value));
  }

  function play() {
    for (const element of live) element.setAttribute("aria-live", "off");
    if (index >= count - 1) show(0);
    next();
    drawButton();
  }

  function jump(wanted) {
    if (playing()) stop();
    show(wanted);
  }

  const toggle = icon("\u25b6", "Play", () => (playing() ? stop() : play()));
  const slider = /** @type {HTMLInputElement} */ (
    h("input", { type: "range", min: 0, step: 1, "aria-label": `Which ${what}` })
  );
  slider.addEventListener("input", () => jump(Number(slider.value)));
  const speed = speedChoice();
  const place = h("span", { class: "cb-where" });
  const root = h(
    "div",
    { class: "cb-player", role: "group", "aria-label": "Player" },
    icon("\u23ee\ufe0e", `First ${what}`, () => jump(0)),
    icon("\u2039", `Previous ${what}`, () => jump((index - 1 + count) % count)),
    toggle,
    icon("\u203a", `Next ${what}`, () => jump((index + 1) % count)),
    icon("\u23ed\ufe0e", `Last ${what}`, () => jump(count - 1)),
    slider,
    place,
    speed,
  );

  function drawButton() {
    const name = playing() ? "Pause" : "Play";
    setText(toggle, playing() ? "\u23f8\ufe0e" : "\u25b6\ufe0e");
    setAttribute(toggle, "aria-label", name);
    setAttribute(toggle, "title", name);
  }

  new IntersectionObserver(([entry]) => !entry.isIntersecting && playing() && stop()).observe(root);
  document.addEventListener("visibilitychange", () => document.hidden && playing() && stop());
  drawButton();

  return {
    root,
    stop,
    /** Say which state is shown: `text` is what a screen reader hears of it, `where` its place. */
    set(/** @type {{ index: number, count: number, text: string, where?: string }} */ state) {
      if (playing() && !own) stop();
      ({ index, count } = state);
      setAttribute(slider, "max", count - 1);
      if (slider.value !== String(index)) slider.value = String(index);
      setAttribute(slider, "aria-valuetext", state.text);
      setText(place, state.where ?? `${index + 1} of ${count}`);
    },
  };
}
