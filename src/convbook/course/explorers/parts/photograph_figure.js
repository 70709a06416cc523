// Photograph: the kernel between the picture and its map; below, the probe's pixels and products.

import { h, setAttribute, setText } from "../lib/dom.js";
import { block, setCellSize } from "../lib/figure.js";
import { formatNumber } from "../lib/format.js";
import { createGrid } from "../lib/grid.js";
import { exact, patchOf, SIDE } from "./photograph_arithmetic.js";
import { isWeight, WEIGHT_WORDS } from "./photograph_kernels.js";
import { probedPicture } from "./photograph_pictures.js";
import { keyEnds, productText, weightText } from "./photograph_words.js";

const NARROW = 560;

/** The grid of weights, which are typed in. */
function createWeights(shell) {
  const grid = createGrid({
    kind: "weight",
    label: "Kernel",
    rule: { fits: isWeight, words: WEIGHT_WORDS },
    onEdit(row, col, value, wrong) {
      shell.warn(wrong);
      const { kernel } = shell.settings();
      shell.change({ kernel: kernel.with(row, kernel[row].with(col, value)) });
    },
  });
  return grid;
}

/** Write a grid of numbers in the colours of their signs, as deep as they are large. */
function paintSigned(grid, numbers, textOf) {
  const largest = Math.max(...numbers.flat().map(Math.abs)) || 1;
  numbers.forEach((line, row) => {
    line.forEach((value, col) => {
      const cell = grid.cell(row, col);
      const sign = ["cb-below", "", "cb-above"][Math.sign(value) + 1];
      grid.paint(cell, textOf(value, numbers.length), `cb-cell ${sign}`);
      const tint = Math.round(15 + (35 * Math.abs(value)) / largest);
      setAttribute(cell.element, "style", `--tint:${tint}%`);
    });
  });
}

/** Write pixels as greys; (row, col) is where the first of them lies in the picture. */
function paintPixels(grid, patch, [row, col]) {
  const outside = (i) => i < 0 || i >= SIDE;
  patch.forEach((line, i) => {
    line.forEach((value, j) => {
      const cell = grid.cell(i, j);
      const border = outside(row + i) || outside(col + j) ? "cb-beyond" : "";
      grid.paint(cell, String(value), `cb-cell ${border}`);
      const style = `background:rgb(${value} ${value} ${value});color:${value < 118 ? "#fff" : "#000"}`;
      setAttribute(cell.element, "style", style);
    });
  });
}

/** The figure: { root, draw, drawProbe }. `where` and `move` are those of the two pictures. */
export function createFigure(shell, where, move) {
  const [picture, map] = ["Picture", "Map"].map((label) => probedPicture(label, where, move));
  const [patch, products] = ["pixel", "product"].map((kind) =>
    createGrid({ kind, label: kind === "pixel" ? "Pixels under the kernel" : "Products" }),
  );
  const weights = createWeights(shell);
  const [low, high] = [h("span"), h("span")];
  const key = h("div", { class: "cb-key" }, low, h("i"), high);
  const blocks = {
    x: block("x", "Picture", "x", picture),
    w: block("w", "Kernel", "w", weights),
    y: block("y", "Map", "y", map),
    patch: block("patch", "Pixels under the kernel", "", patch),
    products: block("products", "Pixels times weights", "", products),
  };
  blocks.y.root.append(key);
  const operators = ["\u22c6", "="].map((text, i) =>
    h("span", { class: `cb-operator cb-op${i + 1}`, "aria-hidden": "true" }, text),
  );
  const all = Object.values(blocks).map((one) => one.root);
  const root = h("div", { class: "cb-photo-flow" }, all, operators);
  for (const grid of [weights, patch, products]) grid.outline(null);

  let shown = null; // the pixels that the picture's canvas holds

  function fit(width, size) {
    const narrow = width < NARROW;
    const single = narrow && size > 5;
    setAttribute(root, "data-layout", single ? "single" : narrow ? "narrow" : "wide");
    const usual = 46 - 3 * size;
    const inside = (room) => Math.min(narrow ? 40 : usual, Math.floor(room / size) - 3);
    setCellSize(blocks.w.root, inside(width));
    setCellSize(blocks.patch.root, inside(single ? width : width / 2 - 6));
    setCellSize(blocks.products.root, inside(single ? width : width / 2 - 6));
  }

  return {
    root,
    draw({ kernel, view }, { pixels, map: sums }, fill, most) {
      const size = kernel.length;
      fit(shell.width(), size);
      for (const grid of [weights, patch, products]) {
        const sort = grid === weights ? "field" : "still";
        grid.arrange([0, size], [0, size], () => sort, String(size));
      }
      paintSigned(weights, kernel, weightText);
      if (pixels !== shown) {
        picture.show((colours) => {
          for (const [i, v] of pixels.entries()) colours[i] = 0xff000000 | (v << 16) | (v << 8) | v;
        });
        shown = pixels;
      }
      map.show(fill);
      setAttribute(key, "data-view", view);
      const [left, right] = keyEnds(view, sums, most);
      setText(low, left);
      setText(high, right);
    },
    /** Mark the probe, write its pixels and products, and return their sum. */
    drawProbe([row, col], state) {
      const { kernel, wide } = state;
      const size = kernel.length;
      picture.mark([row, col], size);
      map.mark([row, col], 1);
      const values = patchOf(wide, SIDE, size, [row, col]);
      const r = (size - 1) / 2;
      paintPixels(patch, values, [row - r, col - r]);
      const found = values.map((line, i) => line.map((value, j) => exact(value * kernel[i][j])));
      paintSigned(products, found, productText);
      const sum = state.map[row * SIDE + col] / 100;
      setText(blocks.patch.size, `row ${row}, column ${col}`);
      setText(blocks.products.size, `sum ${formatNumber(sum)}`);
      return sum;
    },
  };
}
