// Matrix view: one convolution as a product of matrices, the dense one or that of its windows.

const LIMITS = { input: [3, 5], kernel: [1, 3], stride: [1, 2], padding: [0, 1] };
const WEIGHT_TINTS = 9;

const SETTINGS = ["view", "show", "input_size", "kernel_size", "stride", "padding"];
const TRAITS = [...SETTINGS, "selected", "input_values", "kernel_values"];

// ---------------------------------------------------------------- from settings to matrices

/** The settings in the model, as the arithmetic wants them. */
function readSettings(model) {
  return {
    size: model.get("input_size"),
    kernel: model.get("kernel_size"),
    stride: model.get("stride"),
    before: model.get("padding"),
    after: model.get("padding"),
    dilation: 1,
  };
}

/**
 * The windows in reading order, each a list of its taps, one for each weight: { row, col, pixel },
 * where `pixel` counts in reading order and is null in the padding.
 */
function windowsOf(s) {
  const inside = (index) => index >= 0 && index < s.size;
  const axis = range(0, convOutputSize(s)).map((o) => convTaps(s, o).map(([index]) => index));
  const tap = (row, col) => {
    const pixel = inside(row) && inside(col) ? row * s.size + col : null;
    return { row, col, pixel };
  };
  return axis.flatMap((rows) =>
    axis.map((cols) => rows.flatMap((row) => cols.map((col) => tap(row, col)))));
}

/** The dense matrix: for each window a row, for each pixel its weight's index, or null for zero. */
function denseMatrix(s) {
  return windowsOf(s).map((taps) => {
    const row = Array(s.size ** 2).fill(null);
    taps.forEach(({ pixel }, weight) => {
      if (pixel !== null) row[pixel] = weight;
    });
    return row;
  });
}

/** The windows as columns: for each weight a row of pixels' indices, null for padding. */
function windowMatrix(s) {
  const windows = windowsOf(s);
  return range(0, s.kernel ** 2).map((weight) => windows.map((taps) => taps[weight].pixel));
}

/** A matrix of indices into `values` as numbers, with 0 for null. */
function filled(indices, values) {
  return indices.map((row) => row.map((index) => (index === null ? 0 : values[index])));
}

/** The product of two matrices, lists of rows. */
function multiply(a, b) {
  return a.map((row) =>
    b[0].map((_, col) => row.reduce((sum, value, i) => sum + value * b[i][col], 0)));
}

/** The product shown: [left, right, left times right], all three lists of rows of numbers. */
function productOf(s, view, x, w) {
  const factors =
    view === "dense"
      ? [filled(denseMatrix(s), w), x.map((value) => [value])]
      : [[w], filled(windowMatrix(s), x)];
  return [...factors, multiply(...factors)];
}

/**
 * The window that a pixel stands for, or null when no window reads it: along each axis the last
 * window that starts at the pixel or before it. If that one ends too early, all others do.
 */
function windowAt(s, row, col) {
  const size = convOutputSize(s);
  const last = (index) => Math.min(Math.floor((index + s.before) / s.stride), size - 1);
  const reads = (index) => index < last(index) * s.stride - s.before + s.kernel;
  return reads(row) && reads(col) ? last(row) * size + last(col) : null;
}

/** The taps that belong to a selection: { output, weight, row, col, pixel }. */
function tapsOf(windows, [kind, index]) {
  return windows
    .flatMap((taps, output) => taps.map((tap, weight) => ({ ...tap, output, weight })))
    .filter((tap) => tap[kind] === index);
}

/**
 * Where a selection shows: for each grid the places [row, col] that are `lit`, those `framed`,
 * which are the selection itself, and the `stops`, which choose it again: Tab comes back to them.
 * Row and column -1 are a matrix's heads.
 */
function placesOf(s, view, windows, [kind, index]) {
  const dense = view === "dense";
  const taps = tapsOf(windows, [kind, index]);
  const real = taps.filter(({ pixel }) => pixel !== null);
  const shown = dense ? real : taps; // the dense matrix has no column for padding
  const all = (what, among) => (kind === what ? [index] : [...new Set(among.map((t) => t[what]))]);
  const [outputs, pixels, weights] = [
    all("output", shown), all("pixel", real), all("weight", shown),
  ];
  const square = (side) => (i) => [Math.floor(i / side), i % side];
  const column = (i) => [i, 0];
  const row = (i) => [0, i];
  const itself = (what, place) => (kind === what ? [place(index)] : []);
  const across = (what, count) => (kind === what ? range(0, count).map((i) => [index, i]) : []);
  const down = (what, count) => (kind === what ? range(0, count).map((i) => [i, index]) : []);
  /** Lit and framed places, and the stops where they are not the framed ones. */
  const grid = (lit, framed, stops = framed) => ({ lit, framed, stops });

  const [inX, inW, inY] = [square(s.size), square(s.kernel), square(convOutputSize(s))];
  const line = dense ? column : row;
  const seen = taps.map((tap) => [tap.row, tap.col]);
  const [rowOfC, columnOfC] = [across("output", s.size ** 2), down("pixel", windows.length)];
  const [columnOfU, rowOfU] = [down("output", s.kernel ** 2), across("weight", windows.length)];
  return {
    x:
      kind === "output"
        ? grid(seen, seen, seen.filter(([i, j]) => windowAt(s, i, j) === index))
        : grid([...seen, ...pixels.map(inX)], itself("pixel", inX)),
    w: grid(weights.map(inW), itself("weight", inW)),
    y: grid(outputs.map(inY), itself("output", inY)),
    left: dense
      ? grid(
          [...real.map((t) => [t.output, t.pixel]), ...pixels.map((i) => [-1, i])],
          [...rowOfC, ...columnOfC],
          [...rowOfC, ...itself("pixel", (i) => [-1, i])],
        )
      : grid(weights.map(row), itself("weight", row)),
    right: dense
      ? grid(pixels.map(column), itself("pixel", column))
      : grid(
          [...taps.map((t) => [t.weight, t.output]), ...itself("weight", (i) => [i, -1])],
          [...columnOfU, ...rowOfU],
          [...columnOfU, ...itself("weight", (i) => [i, -1])],
        ),
    result: grid(outputs.map(line), itself("output", line)),
  };
}

/** What the matrix of a view is made of; `most` is the pixel read most often, `times` times. */
function countsOf(s, view) {
  const windows = windowsOf(s);
  const reads = new Map();
  for (const { pixel } of windows.flat()) reads.set(pixel, (reads.get(pixel) ?? 0) + 1);
  const padding = reads.get(null) ?? 0;
  reads.delete(null);
  const weights = s.kernel ** 2;
  const shape = view === "dense" ? [windows.length, s.size ** 2] : [weights, windows.length];
  const times = Math.max(...reads.values());
  return {
    shape,
    entries: shape[0] * shape[1],
    copies: windows.length * weights - padding,
    weights,
    padding,
    pixels: reads.size,
    most: Math.min(...[...reads.keys()].filter((pixel) => reads.get(pixel) === times)),
    times,
  };
}

// ---------------------------------------------------------------- names and sentences

/** A letter with an index that counts from 0, as in y\u2080. */
function numbered(letter, index) {
  return letter + String(index).replace(/\d/g, (d) => String.fromCharCode(0x2080 + Number(d)));
}

/** Letters a to i where they suffice; x\u2080, x\u2081, ... beyond: p, q, r and s are weights. */
function pixelName(s, index) {
  return s.size === 3 ? String.fromCharCode(97 + index) : numbered("x", index);
}

function weightName(s, index) {
  return s.kernel < 3 ? "pqrs"[index] : numbered("w", index);
}

/** The number, 1 to 9, of a weight's tint: as far apart as there is room for. */
function tintOf(weight, count) {
  const step = count === 1 ? 0.5 : weight / (count - 1);
  return Math.round(step * (WEIGHT_TINTS - 1)) + 1;
}

/** What there is to count in the matrix shown, in a sentence or two. */
function summaryOf(s, view, show) {
  const c = countsOf(s, view);
  const size = `${c.shape.join(" \u00d7 ")} matrix: ${c.entries} entries`;
  if (view === "dense") {
    const lost = c.padding ? ` ${c.padding} taps fall on padding and have no column.` : "";
    const copies = `${c.copies} ${c.copies === 1 ? "copy" : "copies"}`;
    const zeros = counted(c.entries - c.copies, "zero");
    return `${size}, ${zeros}, ${copies} of ${counted(c.weights, "weight")}.${lost}`;
  }
  const every = s.size ** 2;
  const who = c.pixels === every ? `The ${every} pixels` : `${c.pixels} of the ${every} pixels`;
  const one = show === "letters" ? `pixel ${pixelName(s, c.most)}` : "one pixel";
  const often = c.times === 1 ? "once" : `${c.copies} times, ${one} ${c.times} times`;
  const zeros = c.padding ? `${c.padding} zeros from padding` : "no zeros";
  return `${size}, ${zeros}. ${who} ${c.pixels === 1 ? "is" : "are"} written ${often}.`;
}

/** Where a weight stands in the matrix of a view, if `lost` of its `count` taps are padding. */
function weightWords(view, index, count, lost) {
  if (view === "im2col") {
    const padding = lost ? `, ${lost} of them padding` : "";
    const windows = counted(count, "window");
    return ` multiplies row ${index + 1} of U: one pixel from each of ${windows}${padding}.`;
  }
  if (!lost && count === 1) return " stands in the only row.";
  if (!lost) return ` stands in all ${count} rows, once in each.`;
  return ` stands in ${count - lost} of ${count} rows; in the other ${lost} it falls on padding.`;
}

/** The line that computes the flattened output from x and w, of shape (1, 1, side, side). */
function packageLine(s, view) {
  const stride = s.stride > 1 ? `, stride=${s.stride}` : "";
  const padding = s.before ? `, padding=${s.before}` : "";
  return view === "dense"
    ? `conv2d_matrix(w, (${s.size}, ${s.size})${stride}${padding}) @ x.flatten()`
    : `w.flatten() @ unfold(x, ${s.kernel}${padding}${stride})`;
}

/** A script that runs as it stands: imports, the numbers on the page, the line. */
function packageScript(s, view, x, w) {
  return [
    "import torch",
    `from convbook.functional import ${view === "dense" ? "conv2d_matrix" : "unfold"}`,
    "",
    tensorLines("x", x),
    tensorLines("w", w),
    `y = ${packageLine(s, view)}`,
    "print(y.flatten())",
  ].join("\n");
}

// ---------------------------------------------------------------- the page

const LARGEST_CELL = 34;
const SMALLEST_LETTER = 14; // in a smaller cell a letter cannot be read
const TALLEST = 620; // a taller matrix no longer fits on a screen together with its sentence

/** Pixels for a sign, for the brackets of one matrix, and for the title of a vector. */
const SPACES = {
  wide: { sign: 40, brackets: 20, vector: 36 },
  narrow: { sign: 16, brackets: 12, vector: 22 },
};
const TITLE = 80; // the longest title above a matrix
const HEADS = 14; // between a matrix and the heads of its rows, as in the style sheet

/** The two factors and the product: title, symbol and spoken name. */
const VIEWS = {
  dense: [
    ["Matrix", "M", "Matrix M, one row for each output"],
    ["", "x", "Input x as a column"],
    ["", "y", "Output y as a column"],
  ],
  im2col: [
    ["Kernel", "w", "Kernel w as a row"],
    ["Windows", "U", "Matrix U, one column for each window"],
    ["Output", "y", "Output y as a row"],
  ],
};

/** Smallest cell in which a text of this length can be read. */
function smallestFor(length) {
  return length < 2 ? SMALLEST_LETTER : Math.min(Math.max(18, 6 * length), LARGEST_CELL);
}

/** Largest cell, up to LARGEST_CELL, for which `widthOf(step)` and `rows` fit; 0 for none. */
function productCell(widthOf, rows, width) {
  const fits = (cell) => {
    const step = cell + gapFor(cell);
    return widthOf(step) <= width && rows * step <= TALLEST;
  };
  return range(0, LARGEST_CELL).map((i) => LARGEST_CELL - i).find(fits) ?? 0;
}

/**
 * Arrangement and cell size of the product in `width`: "row", or "stack" where a row is tight.
 * Alone on its line the kernel has cells of its `own`.
 */
function productFit(s, view, width) {
  const [pixels, weights, outputs] = [s.size ** 2, s.kernel ** 2, convOutputSize(s) ** 2];
  const spaces = width < 480 ? SPACES.narrow : SPACES.wide;
  const { sign, brackets, vector } = spaces;
  if (view === "dense") {
    const widthOf = (step) => pixels * step + 2 * Math.max(step, vector) + 3 * brackets + 2 * sign;
    const cell = productCell(widthOf, Math.max(outputs + 1, pixels), width);
    return { layout: "row", cell, own: cell, spaces };
  }
  const windows = (step) =>
    Math.max((1 + outputs) * step + HEADS + brackets, TITLE) + sign;
  const kernel = (step) => Math.max(weights * step + brackets, TITLE);
  const row = productCell((step) => kernel(step) + windows(step), weights, width);
  const stack = productCell(windows, weights, width);
  if (row >= Math.min(24, stack)) return { layout: "row", cell: row, own: row, spaces };
  const own = productCell((step) => kernel(step) + sign, 1, width);
  return { layout: "stack", cell: stack, own: Math.min(own, 28), spaces };
}

/** Draw the view into `el` and keep it in step with `model`. */
function render({ model, el }) {
  const first = Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
  const ruler = h("div", { class: "cb-ruler" });
  const link = keepInStep({ model, traits: TRAITS, ruler, draw });
  const { change } = link;
  // What is lit: under the mouse, else under a focus that only came by, else what was chosen.
  let pointed = null;
  let focused = null;
  let page = null; // all that `draw` worked out, for the selection to use

  // -- controls
  const slider = (label, trait, [min, max]) =>
    rangeControl({ label, min, max, onInput: (value) => change({ [trait]: value }) });
  const controls = {
    input_size: slider("Input size", "input_size", LIMITS.input),
    kernel_size: slider("Kernel size", "kernel_size", LIMITS.kernel),
    stride: slider("Stride", "stride", LIMITS.stride),
    padding: slider("Padding", "padding", LIMITS.padding),
    view: segmentedControl({
      legend: "As",
      options: [["dense", "Dense matrix"], ["im2col", "Windows as columns (im2col)"]],
      onChange: (value) => change({ view: value }),
    }),
    show: segmentedControl({
      legend: "Show",
      options: [["letters", "Letters"], ["numbers", "Numbers"]],
      onChange: (value) => change({ show: value }),
    }),
  };
  const reset = button("Reset", () => change(first));

  // -- figure: the convolution, and the product
  const grid = (name, kind, label) =>
    createGrid({
      kind, label,
      onPick: (row, col) => choose(selectionAt(name, row, col)),
      onPoint(cell) {
        pointed = cell && selectionAt(name, cell.row, cell.col);
        drawSelection();
      },
      onFocus(cell) {
        focused = cell && selectionAt(name, cell.row, cell.col);
        drawSelection();
      },
    });
  const grids = {
    x: grid("x", "input", "Input x; a pixel lights the window that starts there"),
    w: grid("w", "kernel", "Kernel w"),
    y: grid("y", "output", "Output y"),
    left: grid("left", "left", ""),
    right: grid("right", "right", ""),
    result: grid("result", "result", ""),
  };
  const sign = (area, text) =>
    h("span", { class: `cb-operator cb-${area}`, "aria-hidden": "true" }, text);
  const blocks = {
    x: block("x", "Input", "x", grids.x),
    w: block("w", "Kernel", "w", grids.w),
    y: block("y", "Output", "y", grids.y),
    left: block("left", "", "", grids.left),
    right: block("right", "", "", grids.right),
    result: block("result", "", "", grids.result),
  };
  const legend = h("ul", { class: "cb-legend" });
  const flow = h(
    "div", { class: "cb-flow" },
    blocks.x.root, sign("op1", "\u22c6"), blocks.w.root, sign("op2", "="), blocks.y.root,
  );
  const product = h(
    "div", { class: "cb-product" },
    blocks.left.root, sign("op1", "\u00b7"), blocks.right.root, sign("op2", "="),
    blocks.result.root, legend,
  );
  const caption = h("p", { class: "cb-caption" });

  // -- the sum, the counts, the line
  const sum = h("div", { class: "cb-sum", role: "status" });
  const steps = stepButtons(step);
  const summary = h("div", { class: "cb-summary" });
  const script = () => {
    const { s, view } = page;
    const x = corner(model.get("input_values"), s.size);
    const w = corner(model.get("kernel_values"), s.kernel);
    return packageScript(s, view, x, w);
  };
  const code = codeBox("the line", [["Copy with numbers", script]]);

  const root = h(
    "div", { class: "convbook-root cb-matrix-view", role: "group", "aria-label": "Matrix view" },
    h("div", { class: "cb-top" }, controls.view.root, controls.show.root, reset),
    h(
      "div", { class: "cb-controls cb-four" },
      ["input_size", "kernel_size", "stride", "padding"].map((name) => controls[name].root),
    ),
    h("div", { class: "cb-figure" }, ruler, flow, caption, product),
    h(
      "div", { class: "cb-results" },
      resultRow("Products", h("div", {}, steps.root, sum)),
      resultRow("Counts", summary),
      resultRow("Code", code.root),
    ),
  );

  // -- what is chosen

  /** Keep a selection, in the model too. */
  function choose(selection) {
    pointed = focused = null;
    change({ selected: selection });
  }

  /** How many there are of each kind. */
  function sizesOf({ s, windows }) {
    return { output: windows.length, pixel: s.size ** 2, weight: s.kernel ** 2 };
  }

  /** What the model says is chosen, brought inside what there is. */
  function kept() {
    const [kind, index] = model.get("selected");
    return [kind, Math.min(index, sizesOf(page)[kind] - 1)];
  }

  /** Choose the window, pixel or weight `by` places on, round the corner at either end. */
  function step(by) {
    const [kind, index] = kept();
    const count = sizesOf(page)[kind];
    choose([kind, (index + by + count) % count]);
  }

  /** What the cell (row, col) of a grid stands for. */
  function selectionAt(name, row, col) {
    const { s, view } = page;
    if (name === "x") {
      const window = windowAt(s, row, col);
      return window === null ? ["pixel", row * s.size + col] : ["output", window];
    }
    if (name === "w") return ["weight", row * s.kernel + col];
    if (name === "y") return ["output", row * convOutputSize(s) + col];
    if (view === "dense") {
      const isPixel = name === "right" || row < 0;
      return isPixel ? ["pixel", name === "right" ? row : col] : ["output", row];
    }
    const isWeight = name === "left" || col < 0;
    return isWeight ? ["weight", name === "left" ? col : row] : ["output", col];
  }

  // -- drawing

  let drawn = "";
  /** Everything on the page from what is in the model; only the selection if that is all. */
  function draw() {
    const settings = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
    const s = readSettings(model);
    const x = corner(model.get("input_values"), s.size).flat();
    const w = corner(model.get("kernel_values"), s.kernel).flat();
    const width = link.width();
    const key = JSON.stringify([settings, x, w, width]);
    if (key !== drawn) {
      drawn = key;
      pointed = focused = null;
      const { view, show } = settings;
      const y = productOf(s, view, x, w)[2].flat();
      page = { key, s, view, x, w, y, windows: windowsOf(s), letters: show === "letters", width };
      for (const [name, control] of Object.entries(controls)) control.set(settings[name]);
      drawConvolution(page);
      drawProduct(page);
      setText(summary, summaryOf(s, view, show));
      setText(code.line, packageLine(s, view));
      drawLegend(page);
    }
    drawSelection();
  }

  /** Text, class and spoken name of a pixel, a weight and an output. */
  function lookOf({ s, x, w, y, letters }) {
    const look = (name, value, css, spoken) => ({
      text: letters ? name : formatCell(value),
      css: `cb-cell ${css}`,
      label: letters ? `${spoken} ${name}` : `${spoken} ${name} = ${formatNumber(value)}`,
    });
    const weights = w.map((value, i) => {
      const css = `cb-tint cb-tint-${tintOf(i, w.length)}`;
      return look(weightName(s, i), value, css, "weight");
    });
    return {
      pixels: x.map((value, i) => look(pixelName(s, i), value, "cb-x", "pixel")),
      outputs: y.map((value, i) => look(numbered("y", i), value, "cb-y", "output")),
      weights,
      padding: { text: "0", css: "cb-cell cb-pad", label: "padding, 0" },
      zero: { text: "", css: "cb-cell cb-zero", label: "zero" },
    };
  }

  /** Paint every cell of a grid as `lookAt(row, col)` says; text too small to read is not shown. */
  function paintAll(target, [rows, cols], cell, lookAt) {
    const looks = range(...rows).map((row) => range(...cols).map((col) => lookAt(row, col)));
    const longest = Math.max(...looks.flat().map(({ text }) => text.length));
    target.root.toggleAttribute("data-mute", cell < smallestFor(longest));
    looks.forEach((line, i) => line.forEach(({ text, css, label }, j) => {
      const spoken = label[0].toUpperCase() + label.slice(1);
      target.paint(target.cell(rows[0] + i, cols[0] + j), text, css, spoken);
    }));
  }

  /** Lay out a grid and paint it. `sortOf` says which cells are more than cells to pick. */
  function fill(target, rows, cols, cell, lookAt, sortOf = () => "pick", shape = "") {
    target.arrange(rows, cols, sortOf, `${rows} ${cols} ${shape}`);
    paintAll(target, [rows, cols], cell, lookAt);
  }

  function drawConvolution(p) {
    const { s, width } = p;
    const look = lookOf(p);
    const size = convOutputSize(s);
    const cells = { x: s.size + s.before + s.after, w: s.kernel, y: size };
    fitFlow(flow, cells, width, { enough: 18, largest: LARGEST_CELL });
    const cell = Number.parseInt(flow.style.getPropertyValue("--cell"), 10);
    const span = [-s.before, s.size + s.after];
    const inside = (index) => index >= 0 && index < s.size;
    const real = (row, col) => inside(row) && inside(col);
    fill(
      grids.x, span, span, cell,
      (row, col) => (real(row, col) ? look.pixels[row * s.size + col] : look.padding),
      (row, col) => (real(row, col) ? "pick" : "still"), s.size,
    );
    fill(grids.w, [0, s.kernel], [0, s.kernel], cell, (r, c) => look.weights[r * s.kernel + c]);
    fill(grids.y, [0, size], [0, size], cell, (row, col) => look.outputs[row * size + col]);
    setText(blocks.x.size, `${s.size} \u00d7 ${s.size}${s.before ? ", padding 1" : ""}`);
    setText(blocks.w.size, `${s.kernel} \u00d7 ${s.kernel}`);
    setText(blocks.y.size, `${size} \u00d7 ${size}`);
  }

  function drawProduct(p) {
    const { s, view, windows, width } = p;
    const look = lookOf(p);
    const { layout, cell, own, spaces } = productFit(s, view, width);
    product.dataset.view = view;
    product.dataset.layout = layout;
    setCellSize(product, cell);
    setCellSize(blocks.left.root, own);
    product.toggleAttribute("data-tiny", cell < SMALLEST_LETTER);
    product.style.setProperty("--sign", `${spaces.sign}px`);
    product.style.setProperty("--brackets", `${spaces.brackets}px`);
    product.style.setProperty("--rows", windows.length);
    const letter = (kind, text) => h("var", { class: `cb-ink-${kind}` }, text);
    const factors = [["kernel", VIEWS[view][0][1]], ["input", VIEWS[view][1][1]]];
    const [left, right] = factors.map((factor) => letter(...factor));
    const same = "The same as one matrix product: ";
    caption.replaceChildren(same, letter("output", "y"), " = ", left, " \u00b7 ", right);
    const [pixels, weights, outputs] = [s.size ** 2, s.kernel ** 2, windows.length];
    const at = (place, part) => ({ ...part, label: `${place}: ${part.label}` });
    const shapes = [];
    if (view === "dense") {
      const matrix = denseMatrix(s);
      const entry = (row, col) => {
        if (row < 0) return { ...look.pixels[col], css: "cb-cell cb-x cb-of-column" };
        const weight = matrix[row][col];
        const place = `row ${numbered("y", row)}, column ${pixelName(s, col)}`;
        return at(place, weight === null ? look.zero : look.weights[weight]);
      };
      const sort = (row) => (row < 0 ? "column" : "pick");
      fill(grids.left, [-1, outputs], [0, pixels], cell, entry, sort, "dense");
      fill(grids.right, [0, pixels], [0, 1], cell, (row) => look.pixels[row]);
      fill(grids.result, [0, outputs], [0, 1], cell, (row) => look.outputs[row]);
      shapes.push([outputs, pixels], [pixels, 1], [outputs, 1]);
    } else {
      const matrix = windowMatrix(s);
      const entry = (row, col) => {
        if (col < 0) return look.weights[row];
        const pixel = matrix[row][col];
        const place = `column ${numbered("y", col)}, row ${weightName(s, row)}`;
        return at(place, pixel === null ? look.padding : look.pixels[pixel]);
      };
      const sort = (row, col) => (col < 0 ? "row" : "pick");
      fill(grids.left, [0, 1], [0, weights], own, (row, col) => look.weights[col]);
      fill(grids.right, [0, weights], [-1, outputs], cell, entry, sort, "im2col");
      fill(grids.result, [0, 1], [0, outputs], cell, (row, col) => look.outputs[col]);
      shapes.push([1, weights], [weights, outputs], [1, outputs]);
    }
    ["left", "right", "result"].forEach((part, i) => {
      const [title, symbol, label] = VIEWS[view][i];
      blocks[part].name(title, symbol);
      const roomy = spaces === SPACES.wide || Math.min(...shapes[i]) > 1 || view === "im2col";
      setText(blocks[part].size, roomy ? shapes[i].join(" \u00d7 ") : "\u00a0");
      setAttribute(grids[part].root, "aria-label", label);
    });
  }

  function drawLegend({ s, view }) {
    const weight = (i) => h("span", {
      class: `cb-cell cb-sample cb-tint cb-tint-${tintOf(i, s.kernel ** 2)}`, "aria-hidden": "true",
    });
    const all = range(0, s.kernel ** 2).map(weight);
    const words = all.length > 1 ? "equal colours: the same weight" : "the weight";
    legend.replaceChildren(
      h("li", {}, h("span", { class: "cb-samples" }, all), words),
      ...(view === "dense" ? [legendEntry("cb-zero", "zero: the window does not read it")] : []),
      ...(s.before ? [legendEntry("cb-pad", "padding")] : []),
    );
  }

  let litKey = "";
  /** Light what belongs to the selection, in all grids, and write it out. */
  function drawSelection() {
    const chosen = pointed ?? focused ?? kept();
    const key = `${chosen} ${pointed === null && focused === null} ${page.key}`;
    if (key === litKey) return;
    litKey = key;
    const places = placesOf(page.s, page.view, page.windows, chosen);
    for (const [name, { lit, framed, stops }] of Object.entries(places)) {
      const target = grids[name];
      target.light(lit.map(([row, col]) => target.cell(row, col)));
      target.outline(boxOf(framed.map(([row]) => row), framed.map(([, col]) => col)));
      if (pointed === null && focused === null) {
        const cells = stops.map(([row, col]) => target.cell(row, col));
        target.restOn(cells.filter((cell) => cell.focus));
      }
    }
    product.dataset.kind = chosen[0];
    drawWords(chosen);
  }

  /** Write out the sum behind an output, or where a pixel or a weight goes. */
  function drawWords([kind, index]) {
    const { s, view, windows, x, w, y, letters } = page;
    const noun = kind === "output" ? "window" : kind;
    const place = `${noun[0].toUpperCase()}${noun.slice(1)} ${index + 1} of ${sizesOf(page)[kind]}`;
    steps.set(noun, place);
    const taps = tapsOf(windows, [kind, index]);
    const real = taps.filter(({ pixel }) => pixel !== null);
    const write = (name, value) => (letters ? name : formatFactor(value));
    const weight = (tap) => ["kernel", write(weightName(s, tap.weight), w[tap.weight])];
    const pixel = (tap) =>
      tap.pixel === null
        ? ["padding", "0"]
        : ["input", write(pixelName(s, tap.pixel), x[tap.pixel])];
    const name = (plain, value) => plain + (letters ? "" : ` = ${formatNumber(value)}`);
    const say = (...parts) => sum.replaceChildren(h("span", {}, ...parts));

    if (kind === "output") {
      const start = `${numbered("y", index)} = `;
      const shown = view === "dense" ? real : taps;
      const lines = range(0, s.kernel)
        .map((row) => shown.filter((tap) => Math.floor(tap.weight / s.kernel) === row))
        .filter((line) => line.length > 0)
        .map((line) => line.map((tap) => [weight(tap), pixel(tap)]));
      if (lines.length) writeSum(sum, start, lines, letters ? null : formatNumber(y[index]));
      else say(h("span", { class: "cb-start" }, start), "0: this window sees padding only.");
    } else if (kind === "pixel") {
      const list = real.map((tap, i) => [
        i ? ", " : ": ", ink(...weight(tap)), "\u00b7", ink(...pixel(tap)), " in ",
        ink("output", numbered("y", tap.output)),
      ]);
      const title = ink("input", name(pixelName(s, index), x[index]));
      const readers = real.length ? counted(real.length, "window") : "no window";
      say("Pixel ", title, ` is read by ${readers}`, ...list.flat(), ".");
    } else {
      const title = ink("kernel", name(weightName(s, index), w[index]));
      say("Weight ", title, weightWords(view, index, taps.length, taps.length - real.length));
    }
  }

  el.replaceChildren(keepKeys(root));
  link.start();
  return link.stop;
}

export {
  countsOf,
  denseMatrix,
  packageLine,
  pixelName,
  placesOf,
  productOf,
  summaryOf,
  tintOf,
  weightName,
  windowAt,
  windowMatrix,
  windowsOf,
};
export default { render };
