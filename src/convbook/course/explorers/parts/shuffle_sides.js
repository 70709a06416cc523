// Shuffle: the small maps on one side, the large ones on the other.

import { h, setAttribute, setChildren, setContent, setText } from "../lib/dom.js";
import { block, legendEntry, setCellSize } from "../lib/figure.js";
import { counted } from "../lib/format.js";
import { createGrid } from "../lib/grid.js";
import { range } from "../lib/ranges.js";
import { channelsIn, numberOf, smallOf } from "./shuffle_indices.js";

// Both sides are one grid each: C·r rows of r small maps, and C large maps one below the other.
// So they have equally many rows and columns, C·r·size and r·size.

const LARGEST_CELL = 36;
const SMALLEST_SIDE = 20; // of a cell, side by side
const TALLEST = 560;
const NEXT_MAP = 14; // space before a map, as in the style sheet
const NEXT_BLOCK = 5;

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

/** One side: { root, draw(s), mark(chosen, isPointed) }. */
function createSide(name, { settings, onPick, onPoint }) {
  const isSmall = name === "small";
  /** The cell at a place of the grid, and the cell of the small maps that is there. */
  function cellsAt(s, row, col) {
    const [n, across] = isSmall ? [s.size, s.upscale_factor] : [s.size * s.upscale_factor, 1];
    const map = Math.floor(row / n) * across + Math.floor(col / n);
    const cell = [map, row % n, col % n];
    return [cell, isSmall ? cell : smallOf(cell, s)];
  }
  const grid = createGrid({
    kind: name,
    label: "",
    onPick: (row, col) => onPick(cellsAt(settings(), row, col)[1]),
    onPoint: (cell) => onPoint(cell && cellsAt(settings(), cell.row, cell.col)[1]),
  });
  grid.outline(null); // cells with space between them have no frame
  const titled = block(name, "", "", grid);
  const shown = new Map(); // cell of the small maps -> what shows it
  let pair = null;

  function drawCell(s, role, row, col) {
    const r = s.upscale_factor;
    const [[k, i, j], small] = cellsAt(s, row, col);
    const text = String(s.show === "values" ? numberOf(small, s) : small[0]);
    const says = s.show === "values" ? `: ${text}` : isSmall ? "" : `: channel ${text}`;
    // What keeps maps, and the blocks of sub-pixels, apart.
    const above = i === 0 ? " cb-first-row" : !isSmall && i % r === 0 ? " cb-block-row" : "";
    const edge = isSmall ? "cb-next-map" : "cb-next-block";
    const before = col > 0 && j % (isSmall ? s.size : r) === 0 ? edge : "";
    const target = grid.cell(row, col);
    const label = `channel ${k}, row ${i}, column ${j}${says}`;
    if (col === 0) setAttribute(target.element.parentElement, "class", `cb-row${above}`);
    grid.paint(target, text, `cb-cell cb-${role} ${before}`, label);
    const map = isSmall ? String(k) : `channel ${k}`;
    setAttribute(target.element, "data-map", i === 0 && j === 0 ? map : null);
    shown.set(String(small), target);
  }

  function draw(s) {
    const [title, role] =
      isSmall === (s.direction === "shuffle") ? ["Input", "x"] : ["Output", "y"];
    const cols = s.upscale_factor * s.size;
    const rows = cols * s.channels;
    const [maps, blocks] = [s.upscale_factor, s.size];
    const between = isSmall ? NEXT_MAP * (maps - 1) : NEXT_BLOCK * (blocks - 1);
    grid.arrange([0, rows], [0, cols], () => "pick", `${rows} ${cols} ${between}`, between);
    shown.clear();
    for (const row of range(0, rows)) {
      for (const col of range(0, cols)) drawCell(s, role, row, col);
    }
    const [count, size] = isSmall ? [channelsIn(s), s.size] : [s.channels, cols];
    titled.name(title, role);
    titled.root.className = `cb-block cb-block-${role}`;
    setText(titled.size, `${counted(count, "channel")} of ${size} \u00d7 ${size}`);
    setAttribute(grid.root, "aria-label", `${title}, ${counted(count, "channel")}`);
  }

  function mark(chosen, isPointed) {
    const own = [...shown].filter(([small]) => small.startsWith(`${chosen[0]},`));
    grid.light(own.map(([, cell]) => cell));
    pair?.element.classList.remove("cb-pair");
    pair = shown.get(String(chosen));
    pair.element.classList.add("cb-pair");
    if (!isPointed) grid.restOn([pair]);
  }
  return { root: titled.root, draw, mark };
}

/**
 * Both sides, an arrow from input to output, and the legend: { nodes, draw(s, width), mark }.
 * `onPick` and `onPoint` hear of a cell of the small maps; `mark` lights its channel, and marks it.
 */
export function createSides(handlers) {
  const [small, large] = ["small", "large"].map((name) => createSide(name, handlers));
  const arrow = h("span", { class: "cb-operator", "aria-hidden": "true" }, "\u2192");
  const flow = h("div", { class: "cb-shuffle-flow" });
  const legend = h("ul", { class: "cb-legend" });
  return {
    nodes: [flow, legend],
    draw(s, width) {
      const { layout, cell } = fitSides(s, width);
      const shuffle = s.direction === "shuffle";
      setAttribute(flow, "data-layout", layout);
      setCellSize(flow, cell);
      const [first, last] = shuffle ? [small, large] : [large, small];
      setChildren(flow, [first.root, arrow, last.root]);
      small.draw(s);
      large.draw(s);
      const [from, to] = shuffle ? ["cb-x", "cb-y"] : ["cb-y", "cb-x"];
      setContent(
        legend,
        legendEntry(`${from} cb-lit`, "the channel"),
        legendEntry(`${to} cb-lit`, "its sub-pixel, in each block"),
        legendEntry(`${from} cb-pair`, "the cell chosen, and its partner"),
      );
    },
    mark: (chosen, isPointed) => [small, large].forEach((side) => side.mark(chosen, isPointed)),
  };
}
