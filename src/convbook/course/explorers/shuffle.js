// Shuffle: which channel pixel shuffle takes to which sub-pixel, in PyTorch's order and another.

import { button, rangeControl, segmentedControl, stepButtons } from "./lib/controls.js";
import { codeBox } from "./lib/copy.js";
import { h, setAttribute, setChildren, setText } from "./lib/dom.js";
import { block, legendEntry, setCellSize } from "./lib/figure.js";
import { counted } from "./lib/format.js";
import { createGrid } from "./lib/grid.js";
import { keepInStep } from "./lib/in_step.js";
import { keepKeys } from "./lib/keyboard.js";
import { corner, range } from "./lib/ranges.js";
import { resultRow } from "./lib/results.js";
import {
  channelOf,
  channelsIn,
  chosenOf,
  comparisonOf,
  largeOf,
  placeOf,
  pytorchLine,
  pytorchScript,
  shuffled,
  smallOf,
  subPixel,
  summaryOf,
  workingOf,
} from "./parts/shuffle_indices.js";

const SETTINGS = ["upscale_factor", "channels", "size", "direction", "order"];
const TRAITS = [...SETTINGS, "show", "selected"];

// ---------------------------------------------------------------- the two sides
// Both sides are one grid each: C·r rows of r small maps, and C large maps one below the other.
// So they have equally many rows and columns, C·r·size and r·size.

const LARGEST_CELL = 36;
const SMALLEST_SIDE = 20; // of a cell, side by side
const TALLEST = 560;

/** The cell of the small maps at (row, col) of their grid. */
function smallAt(s, row, col) {
  const n = s.size;
  const map = Math.floor(row / n) * s.upscale_factor + Math.floor(col / n);
  return [map, row % n, col % n];
}

/** Where a cell of the small maps stands in their grid. */
function placeOfSmall(s, [channel, row, col]) {
  const r = s.upscale_factor;
  return [Math.floor(channel / r) * s.size + row, (channel % r) * s.size + col];
}

/** The cell of the large maps at (row, col) of their grid. */
function largeAt(s, row, col) {
  const side = s.size * s.upscale_factor;
  return [Math.floor(row / side), row % side, col];
}

/** Where a cell of the large maps stands in their grid. */
function placeOfLarge(s, [channel, row, col]) {
  return [channel * s.size * s.upscale_factor + row, col];
}

const SIDES = {
  small: { at: smallAt, place: placeOfSmall },
  large: { at: largeAt, place: placeOfLarge },
};

/** Whether both sides stand in a row in `width`, and the size of their cells. */
function fitSides(s, width) {
  const cols = s.upscale_factor * s.size;
  const rows = cols * s.channels;
  // What the cells of one side do not take: gaps, and the space between maps.
  const extra = 3 * cols + 15 * s.upscale_factor;
  const cellIn = (room) => Math.floor((room - extra) / cols);
  const most = Math.max(SMALLEST_SIDE, Math.min(LARGEST_CELL, Math.floor(TALLEST / rows)));
  const beside = cellIn((width - (width < 530 ? 44 : 70)) / 2); // without the arrow
  const layout = beside >= SMALLEST_SIDE ? "row" : "stack";
  return { layout, cell: Math.min(most, layout === "row" ? beside : cellIn(width)) };
}

// ---------------------------------------------------------------- the page

/** Draw both sides into `el` and keep them in step with `model`. */
function render({ model, el }) {
  const first = Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
  const [presets, limits] = [model.get("presets"), model.get("limits")];
  const ruler = h("div", { class: "cb-ruler" });
  const link = keepInStep({ model, traits: TRAITS, ruler, draw });
  const settings = () => Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
  let pointed = null; // the cell of the small maps that the mouse lights

  function choose(cell) {
    pointed = null;
    link.change({ selected: cell });
  }

  // -- controls
  const choice = (legend, trait, options) =>
    segmentedControl({ legend, options, onChange: (value) => link.change({ [trait]: value }) });
  const switches = {
    direction: choice("Direction", "direction", [
      ["shuffle", "pixel_shuffle"],
      ["unshuffle", "pixel_unshuffle"],
    ]),
    order: choice("Order of the channels", "order", [
      ["pytorch", "PyTorch order"],
      ["tensorflow", "TensorFlow order"],
    ]),
    show: choice("Cells show", "show", [
      ["channels", "Channels"],
      ["values", "Values"],
    ]),
  };
  const slider = (label, trait, hint) => {
    const [min, max] = limits[trait];
    const onInput = (value) => link.change({ [trait]: value });
    return rangeControl({ label, hint, min, max, onInput });
  };
  const controls = {
    upscale_factor: slider("Upscale factor", "upscale_factor", "r"),
    channels: slider("Channels", "channels", "C, of the large maps"),
    size: slider("Map size", "size", "of the small maps"),
  };
  const pills = presets.map((preset) => ({
    preset,
    root: button(preset.label, () => link.change(preset.settings), {
      class: "cb-button cb-preset",
    }),
  }));
  const note = h("p", { class: "cb-about" });
  const reset = button("Reset", () => link.change(first));

  // -- figure
  /** What a place of a side's grid stands for, as a cell of the small maps. */
  const smallFor = (name, s, row, col) => {
    const cell = SIDES[name].at(s, row, col);
    return name === "small" ? cell : smallOf(cell, s);
  };
  const grids = {};
  const blocks = {};
  for (const name of ["small", "large"]) {
    grids[name] = createGrid({
      kind: name,
      label: "",
      onPick: (row, col) => choose(smallFor(name, settings(), row, col)),
      onPoint(cell) {
        pointed = cell && smallFor(name, settings(), cell.row, cell.col);
        drawSelection(settings());
      },
    });
    grids[name].outline(null); // cells with space between them have no frame
    blocks[name] = block(name, "", "", grids[name]);
  }
  const arrow = h("span", { class: "cb-operator", "aria-hidden": "true" }, "\u2192");
  const flow = h("div", { class: "cb-shuffle-flow" });
  const legend = h("ul", { class: "cb-legend" });
  const place = h("p", { class: "cb-place", role: "status" });
  const steps = stepButtons((by) => {
    const s = settings();
    const [channel, row, col] = chosenOf(s, model.get("selected"));
    const count = channelsIn(s);
    choose([(channel + by + count) % count, row, col]);
  });
  const working = h("p", { class: "cb-formula" });
  const comparison = h("p", { class: "cb-muted" });
  const summary = h("p", {});
  const code = codeBox("the PyTorch line", [["Copy script", () => pytorchScript(settings())]]);

  const root = h(
    "div",
    { class: "convbook-root cb-shuffle", role: "group", "aria-label": "Pixel shuffle" },
    h(
      "div",
      { class: "cb-top" },
      h(
        "div",
        { class: "cb-presets" },
        pills.map((pill) => pill.root),
      ),
      h(
        "div",
        { class: "cb-shuffle-switches" },
        Object.values(switches).map((one) => one.root),
      ),
      note,
      reset,
    ),
    h(
      "div",
      { class: "cb-controls" },
      Object.values(controls).map((control) => control.root),
    ),
    h("div", { class: "cb-figure" }, ruler, flow, legend),
    h(
      "div",
      { class: "cb-results" },
      resultRow("Channel", h("div", {}, steps.root, place)),
      resultRow("Index", h("div", {}, working, comparison)),
      resultRow("Rule", summary),
      resultRow("PyTorch", code.root),
    ),
  );

  // -- drawing

  /** Text of a cell, as a cell of the small maps: its channel, or its number in the input. */
  function textOf(s, small) {
    if (model.get("show") === "channels") return String(small[0]);
    const [cell, side] =
      s.direction === "shuffle" ? [small, s.size] : [largeOf(small, s), s.size * s.upscale_factor];
    return String((cell[0] * side + cell[1]) * side + cell[2]);
  }

  /** The classes that keep maps, and the blocks of sub-pixels, apart. */
  function spaceOf(s, name, cell, col) {
    const [, row, column] = cell;
    const r = s.upscale_factor;
    const css = [];
    if (row === 0) css.push("cb-first-row");
    else if (name === "large" && row % r === 0) css.push("cb-block-row");
    if (name === "small" && column === 0 && col > 0) css.push("cb-next-map");
    if (name === "large" && column % r === 0 && col > 0) css.push("cb-next-block");
    return css.map((one) => ` ${one}`).join("");
  }

  function drawSide(name, s) {
    const grid = grids[name];
    const cols = s.upscale_factor * s.size;
    const rows = cols * s.channels;
    const input = (name === "small") === (s.direction === "shuffle");
    grid.arrange([0, rows], [0, cols], () => "pick", `${rows} ${cols}`);
    for (const row of range(0, rows)) {
      for (const col of range(0, cols)) {
        const cell = SIDES[name].at(s, row, col);
        const target = grid.cell(row, col);
        const text = textOf(s, name === "small" ? cell : smallOf(cell, s));
        const css = `cb-cell ${input ? "cb-x" : "cb-y"}${spaceOf(s, name, cell, col)}`;
        const what = model.get("show") === "channels" && name === "large" ? "channel " : "";
        const shown = what || model.get("show") === "values" ? `: ${what}${text}` : "";
        const [k, i, j] = cell;
        grid.paint(target, text, css, `channel ${k}, row ${i}, column ${j}${shown}`);
        const corner = i === 0 && j === 0;
        const label = name === "small" ? String(k) : `channel ${k}`;
        setAttribute(target.element, "data-map", corner ? label : null);
      }
    }
    const [count, side] = name === "small" ? [channelsIn(s), s.size] : [s.channels, cols];
    blocks[name].name(input ? "Input" : "Output", input ? "x" : "y");
    setText(blocks[name].size, `${counted(count, "channel")} of ${side} \u00d7 ${side}`);
    const title = input ? "Input" : "Output";
    setAttribute(grid.root, "aria-label", `${title}, ${counted(count, "channel")}`);
    blocks[name].root.className = `cb-block cb-block-${input ? "x" : "y"}`;
  }

  let pair = [];
  /** Light a channel on both sides, mark the pair of cells, and write both out. */
  function drawSelection(s) {
    const chosen = pointed ?? chosenOf(s, model.get("selected"));
    const pixels = range(0, s.size).flatMap((i) => range(0, s.size).map((j) => [chosen[0], i, j]));
    const found = (name, cells) =>
      cells.map((cell) => grids[name].cell(...SIDES[name].place(s, cell)));
    const all = { small: pixels, large: pixels.map((cell) => largeOf(cell, s)) };
    const two = { small: [chosen], large: [largeOf(chosen, s)] };
    for (const cell of pair) cell.element.classList.remove("cb-pair");
    pair = [];
    for (const [name, grid] of Object.entries(grids)) {
      grid.light(found(name, all[name]));
      const cells = found(name, two[name]);
      pair.push(...cells);
      if (!pointed) grid.restOn(cells);
    }
    for (const cell of pair) cell.element.classList.add("cb-pair");
    steps.set("channel", `Channel ${chosen[0]} of 0\u2013${channelsIn(s) - 1}`);
    setText(place, placeOf(s, chosen));
    setText(working, `Channel = ${workingOf(s, chosen[0])}`);
    setText(comparison, comparisonOf(s, chosen[0]));
  }

  let legendOf = "";
  function drawLegend(s) {
    if (s.direction === legendOf) return;
    legendOf = s.direction;
    const kinds = s.direction === "shuffle" ? ["cb-x", "cb-y"] : ["cb-y", "cb-x"];
    legend.replaceChildren(
      legendEntry(`${kinds[0]} cb-lit`, "the channel"),
      legendEntry(`${kinds[1]} cb-lit`, "its sub-pixel, in each block"),
      legendEntry(`${kinds[0]} cb-pair`, "the cell chosen, and its partner"),
    );
  }

  /** Everything on the page from what is in the model. */
  function draw() {
    const s = settings();
    pointed = null;
    const preset = presets.find(({ settings: wanted }) =>
      SETTINGS.every((name) => wanted[name] === s[name]),
    );
    for (const pill of pills) setAttribute(pill.root, "aria-pressed", pill.preset === preset);
    setText(note, preset?.note ?? "Your own numbers.");
    for (const [name, control] of Object.entries(controls)) control.set(s[name]);
    for (const [name, control] of Object.entries(switches)) control.set(model.get(name));

    const { layout, cell } = fitSides(s, link.width());
    setAttribute(flow, "data-layout", layout);
    setCellSize(flow, cell);
    const order = s.direction === "shuffle" ? ["small", "large"] : ["large", "small"];
    setChildren(flow, [blocks[order[0]].root, arrow, blocks[order[1]].root]);
    drawSide("small", s);
    drawSide("large", s);
    drawLegend(s);
    drawSelection(s);
    setText(summary, summaryOf(s));
    setText(code.line, pytorchLine(s));
  }

  el.replaceChildren(keepKeys(root));
  link.start();
  return link.stop;
}

export {
  channelOf,
  comparisonOf,
  largeOf,
  placeOf,
  pytorchLine,
  shuffled,
  smallOf,
  subPixel,
  summaryOf,
  workingOf,
};
export default { render };
