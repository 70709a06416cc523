// Shuffle: which channel pixel shuffle takes to which sub-pixel, in PyTorch's order and another.

import { moreSettings, rangeControl, segmentedControl } from "./lib/controls.js";
import { h, setText } from "./lib/dom.js";
import { createPlayer } from "./lib/player.js";
import { resultRow } from "./lib/results.js";
import { createShell } from "./lib/shell.js";
import {
  channelsIn,
  chosenOf,
  comparisonOf,
  LIMITS,
  PRESETS,
  placeOf,
  pytorchLine,
  pytorchScript,
  summaryOf,
  workingOf,
} from "./parts/shuffle_indices.js";
import { createSides } from "./parts/shuffle_sides.js";

const CHOICES = {
  direction: { shuffle: "pixel_shuffle", unshuffle: "pixel_unshuffle" },
  order: { pytorch: "PyTorch order", tensorflow: "TensorFlow order" },
  show: { channels: "Show channels", values: "Show values" },
};
const words = Object.entries(CHOICES).map(([trait, choice]) => [trait, Object.keys(choice)]);
/** @type {Record<string, import("./lib/address.js").Rule>} */
const RULES = {
  ...LIMITS,
  ...Object.fromEntries(words),
  selected: {
    fits: (cell) => Array.isArray(cell) && /^\d+,\d+,\d+$/.test(String(cell)),
    words: "three whole numbers, [channel,row,column]",
  },
};

/** Each setting's control, by its name. */
function createControls(change) {
  const setter = (trait) => (value) => change({ [trait]: value });
  const choice = (trait, legend) => {
    const options = Object.entries(CHOICES[trait]);
    return segmentedControl({ legend, options, onChange: setter(trait) });
  };
  const slider = (trait, label, hint) => {
    const [min, max] = LIMITS[trait];
    return rangeControl({ label, hint, min, max, onInput: setter(trait) });
  };
  return {
    direction: choice("direction", "Direction"),
    order: choice("order", "Order of the channels"),
    upscale_factor: slider("upscale_factor", "Upscale factor", "r"),
    channels: slider("channels", "Channels", "C, of the large maps"),
    size: slider("size", "Map size", "of the small maps"),
    show: choice("show", "Cells show"),
  };
}

/** Draw both sides into `el` and keep them in step with `model`. */
function render({ model, el }) {
  const own = { name: "shuffle", title: "Pixel shuffle", rules: RULES, presets: PRESETS };
  const shell = createShell({ model, el, ...own });
  const settings = shell.settings;
  const controls = createControls(shell.change);
  const onPick = (selected) => shell.change({ selected });
  const onPoint = (cell) => drawSelection(settings(), cell);
  const sides = createSides({ settings, onPick, onPoint });
  const place = h("p", { class: "cb-place", role: "status" });
  const onShow = (channel) => onPick([channel, ...chosenOf(settings()).slice(1)]);
  const player = createPlayer({ what: "channel", live: [place], onShow });
  const working = h("p", { class: "cb-formula" });
  const comparison = h("p", { class: "cb-muted" });
  const summary = h("p", {});

  /** Light a channel on both sides, and write it out: the one chosen, or the one pointed at. */
  function drawSelection(s, pointed) {
    const chosen = pointed ?? chosenOf(s);
    sides.mark(chosen, Boolean(pointed));
    setText(place, placeOf(chosen, s));
    setText(working, workingOf(chosen[0], s));
    setText(comparison, comparisonOf(chosen[0], s));
  }

  function draw() {
    const s = settings();
    const [index, count] = [chosenOf(s)[0], channelsIn(s)];
    for (const [name, control] of Object.entries(controls)) control.set(s[name]);
    sides.draw(s, shell.width());
    drawSelection(s, null);
    const where = `channel ${index} (0 to ${count - 1})`;
    player.set({ index, count, where, text: placeOf(chosenOf(s), s) });
    setText(summary, summaryOf(s));
    shell.showCode(pytorchLine(s));
  }

  const roots = Object.values(controls).map((control) => control.root);
  const script = () => pytorchScript(settings());
  return shell.start({
    top: roots.slice(0, 2),
    controls: [...roots.slice(2, 4), moreSettings(roots.slice(4))],
    figure: sides.nodes,
    results: [
      resultRow("Channel", h("div", {}, player.root, place)),
      resultRow("Rule", h("div", {}, summary, working, comparison)),
    ],
    code: { label: "PyTorch", what: "the PyTorch line", others: [["Copy script", script]] },
    draw,
  });
}

export default { render };
