// Presets: settings with a name, and a note on what to notice.

import { button } from "./controls.js";
import { h, setAttribute, setText } from "./dom.js";

/**
 * @typedef {object} Preset
 * @property {string} label
 * @property {string} [note] what to notice
 * @property {Record<string, any>} settings
 */

/**
 * A button for each preset, and the note of the one that is shown: { elements, pills, draw }.
 * @param {import("./in_step.js").Model} model
 * @param {Preset[]} presets
 * @param {(settings: Record<string, any>) => void} apply
 * @param {(preset: Preset) => boolean} [shows] left out, whether the model holds its settings
 */
export function createPresets(model, presets, apply, shows) {
  const note = h("p", { class: "cb-about" });
  const pills = presets.map((preset) => ({
    preset,
    root: button(preset.label, () => apply(preset.settings), { class: "cb-button cb-preset" }),
  }));
  const buttons = pills.map((pill) => pill.root);
  const group = h("div", { class: "cb-presets", role: "group", "aria-label": "Examples" }, buttons);
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const holds = ({ settings }) =>
    Object.entries(settings).every(([trait, value]) => same(model.get(trait), value));
  return {
    elements: presets.length ? [group, note] : [],
    pills,
    draw() {
      const shown = presets.find(shows ?? holds);
      for (const { preset, root } of pills) setAttribute(root, "aria-pressed", preset === shown);
      setText(note, shown ? (shown.note ?? "") : "Your own settings.");
    },
  };
}
