// Conv stepper: one convolution, one output cell at a time.

const LIMITS = { input: 10, kernel: 5, stride: 4, padding: 4, dilation: 3, outputPadding: 3 };
const LARGEST_CANVAS = 20; // cells per side that still fit a phone

const DEFAULTS = {
  mode: "convolution",
  input_size: 5,
  kernel_size: 3,
  stride: 1,
  padding: [0, 0],
  dilation: 1,
  output_padding: 0,
  selected: [0, 0],
};

const PRESETS = [
  ["Stride 2, padding 1", { stride: 2, padding: [1, 1] }],
  ["Floor drops pixels", { input_size: 10, stride: 2 }],
  ["Same, even kernel", { kernel_size: 4, padding: samePadding(4) }],
  ["Dilation 2", { input_size: 7, dilation: 2, selected: [1, 1] }],
  ["Transposed", { mode: "transposed", input_size: 3, stride: 2, selected: [2, 2] }],
].map(([label, patch]) => [label, { ...DEFAULTS, ...patch }]);

// ---------------------------------------------------------------- from settings to what is shown

/** The settings in the model, as the arithmetic wants them. */
function readSettings(model) {
  const [before, after] = model.get("padding");
  return {
    mode: model.get("mode"),
    size: model.get("input_size"),
    kernel: model.get("kernel_size"),
    stride: model.get("stride"),
    before,
    after,
    dilation: model.get("dilation"),
    outputPadding: model.get("mode") === "transposed" ? model.get("output_padding") : 0,
  };
}

/** Why these settings give no output, in a sentence with the remedy; null when they do. */
function problemWith(s) {
  const span = kernelSpan(s);
  if (s.mode === "convolution") {
    const room = s.size + s.before + s.after;
    if (span <= room) return null;
    const spread = s.dilation > 1 ? ` at dilation ${s.dilation}` : "";
    return (
      `No window fits: a kernel of ${s.kernel}${spread} spans ${span} pixels, and the padded input ` +
      `has ${s.size} + ${s.before} + ${s.after} = ${room}. Use a larger input, more padding, ` +
      `${s.dilation > 1 ? "a smaller dilation or " : "or "}a smaller kernel.`
    );
  }
  if (s.outputPadding >= Math.max(s.stride, s.dilation)) {
    return (
      `Output padding ${s.outputPadding} is too large: it must be smaller than the stride ` +
      `(${s.stride}) or than the dilation (${s.dilation}). Use ` +
      `${Math.max(s.stride, s.dilation) - 1} or less, or a larger stride.`
    );
  }
  if (convTransposeOutputSize(s) === null) {
    const full = (s.size - 1) * s.stride + span + s.outputPadding;
    return (
      `Nothing is left: padding crops ${s.before} + ${s.after} cells from an output of ${full}. ` +
      "Use less padding, a larger input or a larger kernel."
    );
  }
  const canvas = canvasOf(s);
  if (canvas.bottom - canvas.top > LARGEST_CANVAS) {
    const side = canvas.bottom - canvas.top;
    return (
      `Legal, but ${side} \u00d7 ${side} cells are more than fit here (${LARGEST_CANVAS} \u00d7 ` +
      `${LARGEST_CANVAS}). Use a smaller input, stride, dilation or kernel.`
    );
  }
  return null;
}

/** First and last + 1 index of the cells drawn for the output, cropped ones included. */
function canvasOf(s) {
  if (s.mode === "convolution") return { top: 0, bottom: convOutputSize(s) };
  const full = (s.size - 1) * s.stride + kernelSpan(s);
  return { top: -s.before, bottom: Math.max(full - s.before, convTransposeOutputSize(s)) };
}

/** Output size in either mode. */
function outputSizeOf(s) {
  return s.mode === "convolution" ? convOutputSize(s) : convTransposeOutputSize(s);
}

/** Taps behind output index `o` in either mode. */
function tapsOf(s, o) {
  return s.mode === "convolution" ? convTaps(s, o) : convTransposeTaps(s, o);
}

/** The PyTorch line that computes this output from x and w. */
function pytorchLine(s) {
  const even = s.before === s.after;
  const options = [
    s.stride > 1 && `stride=${s.stride}`,
    even && s.before > 0 && `padding=${s.before}`,
    s.outputPadding > 0 && `output_padding=${s.outputPadding}`,
    s.dilation > 1 && `dilation=${s.dilation}`,
  ].filter(Boolean);
  const call = (name, x) => `F.${name}(${[x, "w", ...options].join(", ")})`;
  if (s.mode === "convolution") {
    const sides = `${s.before}, ${s.after}, ${s.before}, ${s.after}`;
    return call("conv2d", even ? "x" : `F.pad(x, (${sides}))`);
  }
  const crop = [s.before, s.after, s.before, s.after].map((side) => (side ? -side : 0)).join(", ");
  const line = call("conv_transpose2d", "x");
  return even ? line : `F.pad(${line}, (${crop}))`;
}

/** A script that runs as it stands: imports, the numbers on the page, the line. */
function pytorchScript(s, x, w) {
  return [
    "import torch",
    "import torch.nn.functional as F",
    "",
    tensorLines("x", x),
    tensorLines("w", w),
    `y = ${pytorchLine(s)}`,
    "print(y[0, 0])",
  ].join("\n");
}

/** What the reader should notice about these settings, in one or two sentences. */
function noteOn(s, read) {
  if (s.mode === "transposed") {
    const counts = range(0, convTransposeOutputSize(s)).map((o) => convTransposeTaps(s, o).length);
    const products = [...new Set(counts.flatMap((a) => counts.map((b) => a * b)))];
    products.sort((a, b) => a - b);
    const last = products.pop();
    const list = products.length ? `${products.join(", ")} or ${last}` : `${last}`;
    const cropped = s.before + s.after > 0 ? " Padding crops the hatched border." : "";
    return `Every output cell adds ${list} product${list === "1" ? "" : "s"}.${cropped}`;
  }
  const left = (s.size + s.before + s.after - kernelSpan(s)) % s.stride;
  const inside = range(0, s.size).filter((i) => read.has(i)).length;
  const unread = s.size ** 2 - inside ** 2;
  const sentences = [];
  if (left > 0) {
    const last = left === 1 ? "row and column" : `${left} rows and columns`;
    const lost = left <= s.after ? ", all of it padding" : "";
    sentences.push(`The floor drops the last ${last}${lost}.`);
  }
  if (unread > 0) {
    const verb = unread === 1 ? "is" : "are";
    sentences.push(`${unread} of ${s.size ** 2} input pixels ${verb} read by no window.`);
  } else {
    sentences.push("Every input pixel is read by at least one window.");
  }
  return sentences.join(" ");
}

/** The size formula, in names and with the current numbers, as nodes. */
function formulaOf(s) {
  const size = ink("input", s.size);
  const kernel = ink("kernel", s.kernel);
  if (s.mode === "transposed") {
    const out = convTransposeOutputSize(s);
    return {
      names:
        "(input \u2212 1) \u00b7 stride \u2212 before \u2212 after " +
        "+ dilation \u00b7 (kernel \u2212 1) + output padding + 1",
      numbers: [
        "(", size, ` \u2212 1) \u00b7 ${s.stride} \u2212 ${s.before} \u2212 ${s.after}`,
        ` + ${s.dilation} \u00b7 (`,
        kernel, ` \u2212 1) + ${s.outputPadding} + 1 = `, ink("output", out),
      ],
    };
  }
  const room = s.size + s.before + s.after - kernelSpan(s);
  return {
    names:
      "\u230a(input + before + after \u2212 dilation \u00b7 (kernel \u2212 1) \u2212 1) " +
      "/ stride\u230b + 1",
    numbers: [
      "\u230a(", size, ` + ${s.before} + ${s.after} \u2212 ${s.dilation} \u00b7 (`, kernel,
      ` \u2212 1) \u2212 1) / ${s.stride}\u230b + 1 = \u230a${room} / ${s.stride}\u230b + 1 = `,
      ink("output", convOutputSize(s)),
    ],
  };
}

// ---------------------------------------------------------------- the page

const OPERATORS = { convolution: "\u22c6", transposed: "\u22c6\u1d40" };

/** Draw the stepper into `el` and keep it in step with `model`. */
function render({ model, el }) {
  const traits = [...Object.keys(DEFAULTS), "input_values", "kernel_values"];
  const first = Object.fromEntries(traits.map((name) => [name, model.get(name)]));
  let linked = first.padding[0] === first.padding[1];
  let complaint = null; // what a field holds that is no number
  const ruler = h("div", { class: "cb-ruler" });
  const link = keepInStep({ model, traits, ruler, draw });
  const { change } = link;

  /** Replace one number of a grid. */
  function edit(trait, row, col, value, wrong) {
    const grid = model.get(trait).map((line) => [...line]);
    grid[row][col] = value;
    complaint = wrong === null ? null : { trait, row, col, wrong };
    change({ [trait]: grid });
  }

  const pick = (row, col) => change({ selected: [row, col] });
  const grids = {
    x: createGrid({
      kind: "input", label: "Input x", onPick() {},
      onEdit: (...args) => edit("input_values", ...args),
    }),
    w: createGrid({
      kind: "kernel", label: "Kernel w", onPick() {},
      onEdit: (...args) => edit("kernel_values", ...args),
    }),
    y: createGrid({ kind: "output", label: "Output y", onPick: pick, onEdit() {} }),
  };

  // -- controls
  const presets = PRESETS.map(([label, patch]) => ({
    patch,
    root: button(
      label,
      () => {
        linked = patch.padding[0] === patch.padding[1];
        complaint = null;
        change({
          ...patch,
          input_values: first.input_values,
          kernel_values: first.kernel_values,
        });
      },
      { class: "cb-button cb-preset", "aria-pressed": "false" },
    ),
  }));
  const reset = button("Reset", () => {
    linked = first.padding[0] === first.padding[1];
    complaint = null;
    change(first);
  });
  const mode = segmentedControl({
    legend: "Operation",
    options: [["convolution", "Convolution"], ["transposed", "Transposed"]],
    onChange: (value) => change({ mode: value }),
  });
  const simple = (label, trait, min, max) =>
    rangeControl({ label, min, max, onInput: (value) => change({ [trait]: value }) });
  const pad = (label, hint, side) =>
    rangeControl({
      label, hint, min: 0, max: LIMITS.padding,
      onInput(value) {
        const padding = [...model.get("padding")];
        padding[side] = value;
        if (linked) padding[1 - side] = value;
        change({ padding });
      },
    });
  const controls = {
    input_size: simple("Input size", "input_size", 1, LIMITS.input),
    kernel_size: simple("Kernel size", "kernel_size", 1, LIMITS.kernel),
    stride: simple("Stride", "stride", 1, LIMITS.stride),
    dilation: simple("Dilation", "dilation", 1, LIMITS.dilation),
    before: pad("Padding before", "top/left", 0),
    after: pad("Padding after", "bottom/right", 1),
    output_padding: simple("Output padding", "output_padding", 0, LIMITS.outputPadding),
  };
  const equal = h("input", { type: "checkbox" });
  equal.addEventListener("change", () => {
    linked = equal.checked;
    const [before] = model.get("padding");
    if (linked) change({ padding: [before, before] });
  });

  // -- figure
  const blocks = {
    x: block("x", "Input", "x", grids.x),
    w: block("w", "Kernel", "w", grids.w),
    y: block("y", "Output", "y", grids.y),
  };
  const operator = h("span", { class: "cb-operator cb-op1", "aria-hidden": "true" });
  const equals = h("span", { class: "cb-operator cb-op2", "aria-hidden": "true" }, "=");
  const flow = h(
    "div", { class: "cb-flow" },
    blocks.x.root, operator, blocks.w.root, equals, blocks.y.root,
  );
  const nothing = h("div", { class: "cb-nothing" }, "no output");
  blocks.y.root.append(nothing);
  const message = h("p", { class: "cb-message", role: "status" });
  const legend = h("ul", { class: "cb-legend" });
  const note = h("p", { class: "cb-note" });

  // -- the sum, the size, the line
  const sum = h("div", { class: "cb-sum", role: "status" });
  const steps = stepButtons(step);
  const names = h("div", { class: "cb-formula cb-muted" });
  const numbers = h("div", { class: "cb-formula" });
  const crop = (trait, size) => corner(model.get(trait), size);
  const script = () => {
    const s = readSettings(model);
    return pytorchScript(s, crop("input_values", s.size), crop("kernel_values", s.kernel));
  };
  const code = codeBox("the PyTorch line", [["Copy with numbers", script]]);
  const results = h(
    "div", { class: "cb-results" },
    resultRow("Products", h("div", {}, steps.root, sum)),
    resultRow("Size", h("div", {}, numbers, names)),
    resultRow("PyTorch", code.root),
  );

  const root = h(
    "div", {
      class: "convbook-root cb-stepper",
      role: "group",
      "aria-label": "Convolution stepper",
    },
    h(
      "div", { class: "cb-top" },
      mode.root,
      reset,
      h("div", { class: "cb-presets", role: "group", "aria-label": "Examples" },
        presets.map((preset) => preset.root)),
    ),
    h(
      "div", { class: "cb-controls" },
      Object.values(controls).map((control) => control.root),
      h("label", { class: "cb-check" }, equal, "Equal on both sides"),
    ),
    h("div", { class: "cb-figure" }, ruler, message, flow, legend, note),
    results,
  );

  /** Choose the cell `by` places on, in reading order, round the corner at either end. */
  function step(by) {
    const s = readSettings(model);
    if (problemWith(s)) return;
    const size = outputSizeOf(s);
    const [row, col] = chosen(size);
    const place = (row * size + col + by + size * size) % (size * size);
    change({ selected: [Math.floor(place / size), place % size] });
  }

  /** The chosen output cell, brought inside an output of `size`. */
  function chosen(size) {
    return model.get("selected").map((index) => Math.min(Math.max(0, index), size - 1));
  }

  /** Fit the three grids into the width there is. */
  let fitted = "";
  function fit(s, canvas) {
    const width = link.width();
    const pads = s.mode === "convolution" ? s.before + s.after : 0;
    const cells = { x: s.size + pads, w: s.kernel, y: canvas ? canvas.bottom - canvas.top : 2 };
    const key = [width, cells.x, cells.w, cells.y].join();
    if (key === fitted) return;
    fitted = key;
    fitFlow(flow, cells, width, { enough: width < 480 ? 34 : 22 });
  }

  /** Everything on the page from what is in the model. */
  function draw() {
    const s = readSettings(model);
    const problem = problemWith(s);
    const x = crop("input_values", s.size);
    const w = crop("kernel_values", s.kernel);
    drawControls(s);
    const canvas = problem ? null : canvasOf(s);
    fit(s, canvas);
    const size = problem ? 0 : outputSizeOf(s);
    const here = problem ? null : chosen(size);
    const rowTaps = problem ? [] : tapsOf(s, here[0]);
    const colTaps = problem ? [] : tapsOf(s, here[1]);
    const read = new Set(range(0, size).flatMap((o) => tapsOf(s, o).map(([index]) => index)));
    drawInput(s, x, rowTaps, colTaps, read, Boolean(problem));
    drawKernel(s, w, rowTaps, colTaps);
    drawOutput(s, x, w, size, here, canvas);
    const shown = complaint && complaint.wrong !== "" ? complaint : null;
    const field = shown?.trait === "input_values" ? "Input" : "Kernel";
    const wrong = shown
      ? `${field} row ${shown.row}, column ${shown.col} holds \u201c${shown.wrong}\u201d, which is ` +
        `no number from \u2212${LARGEST} to ${LARGEST}; it counts as 0.`
      : "";
    setText(message, [problem, wrong].filter(Boolean).join(" "));
    message.hidden = !problem && !wrong;
    nothing.hidden = !problem;
    grids.y.shell.hidden = Boolean(problem);
    results.hidden = Boolean(problem);
    legend.hidden = Boolean(problem);
    note.hidden = Boolean(problem);
    if (!problem) drawResults(s, x, w, size, here, rowTaps, colTaps, read);
  }

  function drawControls(s) {
    mode.set(s.mode);
    for (const name of ["input_size", "kernel_size", "stride", "dilation", "output_padding"]) {
      controls[name].set(model.get(name));
    }
    controls.before.set(s.before);
    controls.after.set(s.after);
    controls.output_padding.root.hidden = s.mode !== "transposed";
    equal.checked = linked && s.before === s.after;
    const settings = Object.keys(DEFAULTS).filter((name) => name !== "selected");
    for (const { patch, root: presetButton } of presets) {
      const same = settings.every((name) => String(model.get(name)) === String(patch[name]));
      setAttribute(presetButton, "aria-pressed", String(same));
    }
    setText(operator, OPERATORS[s.mode]);
  }

  function drawInput(s, x, rowTaps, colTaps, read, quiet) {
    const padded = s.mode === "convolution";
    const top = padded ? -s.before : 0;
    const bottom = s.size + (padded ? s.after : 0);
    const inside = (index) => index >= 0 && index < s.size;
    const sort = (row, col) => (inside(row) && inside(col) ? "field" : "still");
    grids.x.arrange([top, bottom], [top, bottom], sort, `${top} ${bottom} ${s.size}`);
    const litRows = new Set(rowTaps.map(([index]) => index));
    const litCols = new Set(colTaps.map(([index]) => index));
    for (let row = top; row < bottom; row += 1) {
      for (let col = top; col < bottom; col += 1) {
        const real = inside(row) && inside(col);
        const lit = litRows.has(row) && litCols.has(col);
        const unread = padded && !quiet && !(read.has(row) && read.has(col));
        const classes =
          `cb-cell ${real ? "cb-x" : "cb-pad"}` + (lit ? " cb-lit" : "") + (unread ? " cb-unread" : "");
        const name = real ? `Input row ${row}, column ${col}` : "Padding";
        const state = (lit ? ", in the window" : "") + (unread ? ", read by no window" : "");
        const text = real ? formatNumber(x[row][col]) : "0";
        grids.x.paint(grids.x.cell(row, col), text, classes, real ? name + state : `${name}${state}: 0`);
      }
    }
    const pads = padded && s.before + s.after > 0 ? ` + ${s.before} + ${s.after}` : "";
    setText(blocks.x.size, `${s.size} \u00d7 ${s.size}${pads && ` (padding ${s.before}, ${s.after})`}`);
    grids.x.outline(boxOf(rowTaps.map(([index]) => index), colTaps.map(([index]) => index)));
  }

  function drawKernel(s, w, rowTaps, colTaps) {
    grids.w.arrange([0, s.kernel], [0, s.kernel], () => "field", String(s.kernel));
    const litRows = new Set(rowTaps.map(([, k]) => k));
    const litCols = new Set(colTaps.map(([, k]) => k));
    for (let row = 0; row < s.kernel; row += 1) {
      for (let col = 0; col < s.kernel; col += 1) {
        const lit = litRows.has(row) && litCols.has(col);
        grids.w.paint(
          grids.w.cell(row, col), formatNumber(w[row][col]), `cb-cell cb-w${lit ? " cb-lit" : ""}`,
          `Kernel row ${row}, column ${col}${lit ? ", used" : ""}`,
        );
      }
    }
    grids.w.outline(null);
    setText(blocks.w.size, `${s.kernel} \u00d7 ${s.kernel}`);
  }

  function drawOutput(s, x, w, size, here, canvas) {
    if (!canvas) {
      setText(blocks.y.size, "");
      return;
    }
    const { top, bottom } = canvas;
    const kept = (index) => index >= 0 && index < size;
    const sort = (row, col) => (kept(row) && kept(col) ? "pick" : "still");
    grids.y.arrange([top, bottom], [top, bottom], sort, `${top} ${bottom} ${size}`);
    const values = sumTaps(x, w, range(top, bottom).map((o) => tapsOf(s, o)));
    for (let row = top; row < bottom; row += 1) {
      for (let col = top; col < bottom; col += 1) {
        const target = grids.y.cell(row, col);
        const value = values[row - top][col - top];
        const text = formatCell(value);
        if (!target.picks) {
          grids.y.paint(target, text, "cb-cell cb-crop", `Cropped: ${text}`);
          continue;
        }
        const picked = row === here[0] && col === here[1];
        grids.y.paint(
          target, text, picked ? "cb-cell cb-y cb-lit" : "cb-cell cb-y",
          `Output row ${row}, column ${col}: ${formatNumber(value)}`,
        );
        if (target.picked !== picked) {
          target.picked = picked;
          target.element.setAttribute("aria-selected", String(picked));
        }
      }
    }
    grids.y.activate(grids.y.cell(...here));
    grids.y.outline(boxOf([here[0]], [here[1]]));
    setText(blocks.y.size, `${size} \u00d7 ${size}`);
  }

  function drawResults(s, x, w, size, here, rowTaps, colTaps, read) {
    const [row, col] = here;
    steps.set("output cell", `Cell ${row * size + col + 1} of ${size * size}`);
    drawSum(productsOf(x, w, rowTaps, colTaps), row, col);
    const formula = formulaOf(s);
    setText(names, formula.names);
    numbers.replaceChildren(...formula.numbers);
    setText(code.line, pytorchLine(s));
    setText(note, noteOn(s, read));
    const padded = s.mode === "convolution";
    const all = range(padded ? -s.before : 0, s.size + (padded ? s.after : 0));
    const someUnread = padded && !all.every((i) => read.has(i));
    legend.replaceChildren(
      legendEntry("cb-x cb-lit", "read for this cell"),
      ...(padded && s.before + s.after ? [legendEntry("cb-pad", "padding")] : []),
      ...(someUnread ? [legendEntry("cb-x cb-unread", "read by no window")] : []),
      ...(!padded && s.before + s.after ? [legendEntry("cb-crop", "cropped by padding")] : []),
    );
  }

  function drawSum(products, row, col) {
    const start = `y[${row}, ${col}] = `;
    const terms = products.flat();
    if (!terms.length) {
      const nothingLands = "0: no kernel tap lands on this cell.";
      sum.replaceChildren(h("span", { class: "cb-start" }, start), nothingLands);
      return;
    }
    const lines = products.map((line) =>
      line.map((t) => [
        [t.padding ? "padding" : "input", formatFactor(t.x)],
        ["kernel", formatFactor(t.w)],
      ]));
    const total = terms.reduce((value, term) => value + term.x * term.w, 0);
    writeSum(sum, start, lines, formatNumber(total));
  }

  el.replaceChildren(keepKeys(root));
  link.start();
  return link.stop;
}

export {
  convOutputSize,
  convTransposeOutputSize,
  convolve,
  convTranspose,
  formatNumber,
  parseNumber,
  problemWith,
  pytorchLine,
  samePadding,
};
export default { render };
