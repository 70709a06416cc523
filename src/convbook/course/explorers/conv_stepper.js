// Conv stepper: one convolution, one output cell at a time.

import { h, setContent, setText } from "./lib/dom.js";
import { formatNumber } from "./lib/format.js";
import { createGrid } from "./lib/grid.js";
import { createPlayer } from "./lib/player.js";
import { boxOf } from "./lib/ranges.js";
import { resultRow } from "./lib/results.js";
import { createShell } from "./lib/shell.js";
import { createControls } from "./parts/conv_stepper_controls.js";
import {
  createFlow,
  drawNumbers,
  drawShape,
  inked,
  writeWords,
} from "./parts/conv_stepper_drawing.js";
import {
  canvasOf,
  linksOf,
  outputSizeOf,
  PRESETS,
  problemWith,
  pytorchLine,
  RULES,
  readSettings,
  valuesOf,
} from "./parts/conv_stepper_settings.js";
import { FORMULAS, formulaOf, pytorchScript } from "./parts/conv_stepper_words.js";

const NUMBERS = { x: "input_values", w: "kernel_values" };

/** Draw the stepper into `el` and keep it in step with `model`. */
function render({ model, el }) {
  let stop = mount(model, el);
  const again = () => {
    stop();
    stop = mount(model, el);
  };
  model.on("change:plain", again);
  return () => {
    model.off("change:plain", again);
    stop();
  };
}

/** Draw the plain stepper, or the one with controls. */
function mount(model, el) {
  const plain = model.get("plain");
  const traits = Object.values(NUMBERS);
  const first = Object.fromEntries(traits.map((name) => [name, model.get(name)]));
  const shell = createShell({
    ...{ model, el, name: "stepper", title: "Convolution stepper", rules: RULES, traits },
    presets: plain ? [] : PRESETS,
    apply(settings) {
      const { selected = [0, 0] } = PRESETS.find((preset) => preset.settings === settings) ?? {};
      shell.change({ selected, ...settings, ...first });
    },
  });
  const controls = plain ? null : createControls(model.get, shell.change);
  const figure = createFigure(model, shell);
  const numbers = h("div", { class: "cb-formula" });
  const names = h("div", { class: "cb-formula cb-muted" });
  const size = resultRow("Size", h("div", {}, numbers, names));

  function draw() {
    controls?.set();
    const { s, problem } = figure.draw();
    shell.root.classList.toggle("cb-no-output", problem !== null);
    if (problem !== null) return;
    shell.showCode(pytorchLine(s));
    const axes = s.same
      ? [["", s.axes[0]]]
      : [
          ["Rows: ", s.axes[0]],
          ["Columns: ", s.axes[1]],
        ];
    setContent(numbers, ...axes.map(([of, axis]) => h("div", {}, of, inked(formulaOf(axis)))));
    setText(names, FORMULAS[s.mode]);
  }

  return shell.start({
    top: controls ? [controls.mode] : [],
    controls: controls?.roots,
    figure: figure.roots,
    results: plain ? [figure.products] : [figure.products, size],
    code: {
      label: "PyTorch",
      what: "the PyTorch line",
      others: [["Copy with numbers", figure.script]],
    },
    draw,
  });
}

/** The three grids with the player and the sum: { roots, products, script, draw }. */
function createFigure(model, shell) {
  let complaint = ""; // why what a field holds does not count
  let page = null; // all that `draw` worked out, for the selection to use
  let [shape, numbers] = ["", ""];
  const sum = h("div", { class: "cb-sum", role: "status" });
  const selection = createSelection(model, shell, sum, () => page);

  /** Replace one number of a grid. */
  const editor = (name) => (row, col, value, wrong) => {
    const grid = model.get(name).map((line) => [...line]);
    grid[row][col] = value;
    complaint = wrong ?? "";
    shell.change({ [name]: grid });
  };
  const { onCell } = selection;
  const grids = {
    x: createGrid({ kind: "input", label: "Input x", onEdit: editor(NUMBERS.x), ...onCell("x") }),
    w: createGrid({ kind: "kernel", label: "Kernel w", onEdit: editor(NUMBERS.w), ...onCell("w") }),
    y: createGrid({ kind: "output", label: "Output y", ...onCell("y") }),
  };
  const flow = createFlow(grids);

  /** Draw what changed: all of it, or the numbers, or only what is chosen. */
  function draw() {
    const { selected, ...settings } = shell.settings();
    const s = readSettings(settings);
    const [x, w] = Object.values(NUMBERS).map((name, i) => {
      const [rows, cols] = s.axes.map((axis) => [axis.size, axis.kernel][i]);
      const lines = model.get(name).slice(0, rows);
      return lines.map((line) => line.slice(0, cols));
    });
    const old = { shape, numbers };
    shape = JSON.stringify([settings, shell.width()]);
    numbers = JSON.stringify([x, w]);
    if (shape !== old.shape) {
      const problem = problemWith(s);
      const of = (count) => (problem ? null : s.axes.map(count));
      const links = of(linksOf) ?? [[], []];
      page = { s, problem, links, canvas: of(canvasOf), size: of(outputSizeOf) };
      drawShape(flow, page, shell.width());
    }
    if (shape !== old.shape || numbers !== old.numbers) {
      Object.assign(page, { x, w, y: page.problem ? null : valuesOf(s, x, w) });
      drawNumbers(flow, page);
    }
    shell.say([page.problem, complaint].filter(Boolean).join(" "));
    selection.draw(flow, shape + numbers, shape !== old.shape);
    return page;
  }

  return {
    roots: [flow.flow, selection.player, flow.legend, flow.note],
    products: resultRow("Products", sum),
    script: () => pytorchScript(page.s, page.x, page.w),
    draw,
  };
}

/** What is lit and written out: { player, onCell, draw }. */
function createSelection(model, shell, sum, pageOf) {
  // A cell under the mouse, else an input cell or a weight with the focus, else the chosen output.
  let [pointed, focused] = [null, null];
  let [flow, drawn, chosen] = [null, "", null];
  let version = "";

  function choose(row, col) {
    pointed = focused = null;
    shell.change({ selected: [row, col] });
  }

  /** What a grid does when a cell is pointed at, focused or picked. */
  const onCell = (kind) => ({
    onPick: kind === "y" ? choose : () => {},
    onPoint(cell) {
      pointed = cell && [kind, cell.row, cell.col];
      light();
    },
    onFocus(cell) {
      focused = cell && kind !== "y" ? [kind, cell.row, cell.col] : null;
      if (cell) pointed = null; // the arrows go on from here, wherever the mouse rests
      light();
    },
  });
  const player = createPlayer({
    what: "output cell",
    live: [sum],
    onShow(index) {
      const cols = pageOf().size[1];
      choose(Math.floor(index / cols), index % cols);
    },
  });

  function draw(newFlow, newVersion, moved) {
    if (moved) pointed = focused = null;
    [flow, version] = [newFlow, newVersion];
    light();
  }

  /** Light what belongs to the cell, in all grids, and write it out. */
  function light() {
    const { links, size, canvas, y, problem } = pageOf();
    const [row, col] = model
      .get("selected")
      .map((index, i) => Math.min(index, problem ? 0 : size[i] - 1));
    const cell = pointed ?? focused ?? ["y", row, col];
    const key = `${cell} ${row} ${col} ${version}`;
    if (key === drawn) return;
    drawn = key;
    // The links of rows and of columns that lead through the cell.
    const lit = links.map((own, i) => own.filter((link) => link[cell[0]] === cell[1 + i]));
    const { grids, legend } = flow;
    for (const [kind, grid] of Object.entries(grids)) {
      const [rows, cols] = lit.map((own) => [...new Set(own.map((link) => link[kind]))]);
      grid.light(rows.flatMap((r) => cols.map((c) => grid.cell(r, c))));
      grid.outline((kind === "w") === (cell[0] === "w") ? boxOf(rows, cols) : null);
    }
    if (problem) return;
    const target = grids.y.cell(row, col);
    chosen?.element.setAttribute("aria-selected", "false");
    target.element.setAttribute("aria-selected", "true");
    chosen = target;
    grids.y.activate(target);
    const value = formatNumber(y[row - canvas[0][0]][col - canvas[1][0]]);
    const text = `row ${row}, column ${col}: sum ${value}`;
    player.set({ index: row * size[1] + col, count: size[0] * size[1], text });
    writeWords(sum, legend, pageOf(), lit, cell);
  }

  return { player: player.root, onCell, draw };
}

export default { render };
