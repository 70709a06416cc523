// The player: plays, steps and scrubs through a figure's states. It never starts by itself.

import { button } from "./controls.js";
import { h, setAttribute, setText } from "./dom.js";
import { draft } from "./svg.js";

const SPEEDS = [1, 2, 4]; // steps a second
const STEPS = ["First", "Previous", "Next", "Last"];
// Drawn, because many fonts have no such signs; each in a square of 16.
const ICONS = {
  First: "M2 3h2v10h-2zM14 3v10l-9 -5z",
  Previous: "M12 3v10l-8 -5z",
  Next: "M4 3v10l8 -5z",
  Last: "M12 3h2v10h-2zM2 3v10l9 -5z",
  Play: "M4 2v12l10 -6z",
  Pause: "M3 2h4v12h-4zM9 2h4v12h-4z",
};

/** A button with a drawing: { root, show(name) }. */
function iconButton(name, onClick) {
  const path = draft("path", { d: ICONS[name] });
  const drawing = draft("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, path);
  const root = button("", onClick, { class: "cb-button cb-play" });
  root.append(drawing);
  label(root, name);
  return { root, draw: (other) => setAttribute(path, "d", ICONS[other]) };
}

function speedChoice() {
  const option = (steps) =>
    h("option", { value: steps, selected: steps === 2 }, `${steps} a second`);
  const select = h("select", { class: "cb-speed", "aria-label": "Speed" }, SPEEDS.map(option));
  return /** @type {HTMLSelectElement} */ (select);
}

function label(element, text) {
  setAttribute(element, "aria-label", text);
  setAttribute(element, "title", text);
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

  const toggle = iconButton("Play", () => (playing() ? stop() : play()));
  const slider = /** @type {HTMLInputElement} */ (h("input", { type: "range", min: 0, step: 1 }));
  slider.addEventListener("input", () => jump(Number(slider.value)));
  const speed = speedChoice();
  const place = h("span", { class: "cb-where" });
  const jumps = [
    () => jump(0),
    () => jump((index - 1 + count) % count),
    () => jump((index + 1) % count),
    () => jump(count - 1),
  ];
  const steps = STEPS.map((name, i) => iconButton(name, jumps[i]).root);
  const root = h("div", { class: "cb-player", role: "group", "aria-label": "Player" }, steps);
  steps[1].after(toggle.root);
  root.append(slider, place, speed);

  function nameStates(/** @type {string} */ word) {
    STEPS.forEach((which, i) => label(steps[i], `${which} ${word}`));
    setAttribute(slider, "aria-label", `Which ${word}`);
  }

  function drawButton() {
    const name = playing() ? "Pause" : "Play";
    toggle.draw(name);
    label(toggle.root, name);
  }

  new IntersectionObserver(([entry]) => !entry.isIntersecting && playing() && stop()).observe(root);
  document.addEventListener("visibilitychange", () => document.hidden && playing() && stop());
  drawButton();
  nameStates(what);

  return {
    root,
    stop,
    /**
     * Say which state is shown.
     * @param {object} state
     * @param {number} state.index
     * @param {number} state.count
     * @param {string} state.text what a screen reader hears of it
     * @param {string} [state.where] its place, where "2 of 9" would not do
     * @param {string} [state.what] what the states are called from now on
     */
    set(state) {
      if (playing() && !own) stop();
      ({ index, count } = state);
      if (state.what) nameStates(state.what);
      setAttribute(slider, "max", count - 1);
      if (slider.value !== String(index)) slider.value = String(index);
      setAttribute(slider, "aria-valuetext", state.text);
      setText(place, state.where ?? `${index + 1} of ${count}`);
    },
  };
}
