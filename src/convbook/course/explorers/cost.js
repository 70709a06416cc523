// Cost: parameters and multiply-adds of a convolution and of three cheaper ones.

const SETTINGS = [
  "in_channels", "out_channels", "kernel_size", "groups", "input_size", "stride", "bias", "middle",
];
const TRAITS = [...SETTINGS, "show"];

// ---------------------------------------------------------------- costs
// `s` is an object of SETTINGS. A kind is one of the model's `kinds`: its layers, in symbols, are
// those of `convbook.course.explorers.cost_formulas`, which says what the symbols mean.

/** The number behind each symbol. */
function valuesOf(s) {
  return {
    1: 1, k: s.kernel_size, s: s.stride, g: s.groups,
    C_in: s.in_channels, C_out: s.out_channels,
    C_mid: s.middle === "in" ? s.in_channels : s.out_channels,
    n: s.input_size, m: mapSize(s.input_size, s.kernel_size, s.stride),
  };
}

/** Padding that keeps the size at stride 1; kernels are odd. */
function paddingOf(kernel) {
  return (kernel - 1) / 2;
}

/** Size of the map that goes out, along one axis. */
function mapSize(size, kernel, stride) {
  const padding = paddingOf(kernel);
  return convOutputSize({ size, kernel, stride, before: padding, after: padding, dilation: 1 });
}

/** Numbers that divide both channel numbers, smallest first. */
function commonDivisors(s) {
  const most = Math.min(s.in_channels, s.out_channels);
  return range(1, most + 1).filter((n) => s.in_channels % n === 0 && s.out_channels % n === 0);
}

/** The largest number of groups, at most `groups`, that divides both channel numbers. */
function largestGroups(s, groups) {
  return Math.max(...commonDivisors(s).filter((n) => n <= groups));
}

/** Why there is no grouped convolution, in Python's words; null when there is one. */
function problemOf(s) {
  if (s.in_channels % s.groups === 0 && s.out_channels % s.groups === 0) return null;
  return (
    `groups=${s.groups} must divide in_channels=${s.in_channels} and ` +
    `out_channels=${s.out_channels}; use groups=${largestGroups(s, s.groups)}, ` +
    `or channel numbers that are multiples of ${s.groups}`
  );
}

/** Parameters and MACs, a number for each layer; null where the groups divide no channels. */
function costOf(kind, s) {
  const values = valuesOf(s);
  let size = [s.input_size, s.input_size];
  const params = [];
  const macs = [];
  for (const part of kind.parts) {
    const kernel = part.kernel.map((side) => values[side]);
    const [inputs, outputs, groups] = [part.inputs, part.outputs, part.groups].map((n) => values[n]);
    if (inputs % groups || outputs % groups) return null;
    size = size.map((side, axis) => mapSize(side, kernel[axis], values[part.stride[axis]]));
    const weights = (inputs / groups) * kernel[0] * kernel[1]; // of one filter
    params.push(outputs * (weights + Number(s.bias)));
    macs.push(size[0] * size[1] * outputs * weights);
  }
  return { params, macs };
}

/** The sum of numbers. */
function total(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0);
}

// ---------------------------------------------------------------- formulas, words and code

/** A formula or a name with the numbers put in for its symbols. */
function inNumbers(text, s) {
  const values = valuesOf(s);
  return text.replace(/C_(in|mid|out)|\b[kgnm]\b/g, (symbol) => values[symbol]);
}

/** The formula of one layer's parameters: what a filter has, times the filters. */
function weightsOf(part, bias) {
  const own = part.kernel.filter((side) => side !== "1");
  if (part.groups === "1") own.push(part.inputs);
  else if (part.groups !== part.inputs) own.push(`${part.inputs}/${part.groups}`);
  const text = own.join("\u00b7");
  return bias ? `(${text} + 1)\u00b7${part.outputs}` : `${text}\u00b7${part.outputs}`;
}

/** The formula of the parameters, in symbols. */
function paramsFormula(kind, s) {
  return kind.parts.map((part) => weightsOf(part, s.bias)).join(" + ");
}

/** The formula of the multiply-adds, in symbols; the map is put outside the brackets. */
function macsFormula(kind, s) {
  let size = ["n", "n"];
  const maps = kind.parts.map((part) => {
    if (s.stride > 1) size = size.map((side, axis) => (part.stride[axis] === "s" ? "m" : side));
    return size.join("\u00b7");
  });
  const terms = kind.parts.map((part) => weightsOf(part, false));
  if (terms.length > 1 && maps.every((map) => map === maps[0])) {
    return `${maps[0]}\u00b7(${terms.join(" + ")})`;
  }
  return terms.map((term, i) => `${maps[i]}\u00b7${term}`).join(" + ");
}

/** A ratio with three digits. */
function ratioText(part, whole) {
  return String(Number((part / whole).toPrecision(3)));
}

/** "656 parameters", "1 MAC". */
function amount(number, noun) {
  return `${withCommas(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** What a kind costs, in a sentence. */
function summaryOf(kind, standard, s) {
  const cost = costOf(kind, s);
  if (!cost) return `${problemOf(s)}.`;
  const [params, macs] = [total(cost.params), total(cost.macs)];
  const words = `${kind.label}: ${amount(params, "parameter")} and ${amount(macs, "MAC")}`;
  if (kind.key === standard.key) return `${words}.`;
  const whole = costOf(standard, s);
  const sums = [total(whole.params), total(whole.macs)];
  if (params === sums[0] && macs === sums[1]) {
    return `${words}, as many as the standard convolution.`;
  }
  const ratios = [ratioText(params, sums[0]), ratioText(macs, sums[1])];
  const both = ratios[0] === ratios[1] ? ratios[0] : ratios.join(" and ");
  return `${words}, ${both} times those of the standard convolution.`;
}

/** Two sides as Python writes them, or one where they are equal. */
function oneOrPair([rows, cols]) {
  return rows === cols ? String(rows) : `(${rows}, ${cols})`;
}

/** The call that makes one layer. */
function layerCall(part, s) {
  const values = valuesOf(s);
  const kernel = part.kernel.map((side) => values[side]);
  const stride = part.stride.map((side) => values[side]);
  const padding = kernel.map(paddingOf);
  const groups = values[part.groups];
  const options = [values[part.inputs], values[part.outputs], oneOrPair(kernel)];
  if (Math.max(...stride) > 1) options.push(`stride=${oneOrPair(stride)}`);
  if (Math.max(...padding) > 0) options.push(`padding=${oneOrPair(padding)}`);
  if (groups > 1) options.push(`groups=${groups}`);
  if (!s.bias) options.push("bias=False");
  return `nn.Conv2d(${options.join(", ")})`;
}

/** The PyTorch lines that make a kind. */
function pytorchLines(kind, s) {
  const calls = kind.parts.map((part) => layerCall(part, s));
  if (calls.length === 1) return calls[0];
  return `nn.Sequential(\n${calls.map((call) => `    ${call},\n`).join("")})`;
}

/** A script that runs as it stands and prints what each of the kinds costs. */
function pytorchScript(kinds, s) {
  const made = kinds
    .filter((kind) => costOf(kind, s))
    .map((kind) => `    "${kind.key}": ${pytorchLines(kind, s)},`.replaceAll("\n", "\n    "));
  const size = `(${s.in_channels}, ${s.input_size}, ${s.input_size})`;
  return [
    "import torch",
    "from torch import nn",
    "",
    "from convbook.analysis import trace",
    "",
    'with torch.device("meta"):  # the shapes alone, without memory for the weights',
    "    convolutions = {",
    ...made.map((lines) => `    ${lines}`),
    "    }",
    "for name, convolution in convolutions.items():",
    `    table = trace(convolution, ${size})`,
    '    print(f"{name}: {table.params:,} parameters, {table.macs:,} MACs")',
  ].join("\n");
}

// ---------------------------------------------------------------- controls

/** A field for a whole number and a slider over `usual` ones: { root, set(value) }. */
function pickControl({ label, limits, usual, onInput, onInvalid }) {
  const field = wholeField({ label, name: label, limits, onInput, onInvalid });
  const slider = h("input", {
    type: "range", min: 0, max: usual.length - 1, step: 1, "aria-label": `${label}, usual numbers`,
  });
  slider.addEventListener("input", () => onInput(usual[Number(slider.value)]));
  return {
    root: h("div", { class: "cb-pick" }, field.root, slider),
    set(value) {
      field.set(value);
      const place = String(usual.filter((number) => number <= value).length - 1);
      if (slider.value !== place) slider.value = place;
      setAttribute(slider, "aria-valuetext", value);
    },
  };
}

/** A slider over a list of numbers: { root, set(value, numbers) }. */
function listControl({ label, hint, onInput }) {
  let numbers = [];
  const control = rangeControl({
    label, hint, min: 0, max: 0, onInput: (place) => onInput(numbers[place]),
  });
  return {
    root: control.root,
    set(value, list) {
      numbers = list;
      control.limit(list.length - 1);
      control.set(list.filter((number) => number <= value).length - 1, String(value));
    },
  };
}

/** A box to tick: { root, set(on) }. */
function checkControl({ label, onChange }) {
  const input = h("input", { type: "checkbox" });
  input.addEventListener("change", () => onChange(input.checked));
  return {
    root: h("label", { class: "cb-check" }, input, label),
    set(on) {
      input.checked = on;
    },
  };
}

// ---------------------------------------------------------------- the table

const COLUMNS = [["params", "Parameters"], ["macs", "MACs"]];
const DASH = "\u2013";

/** A number with its ratio, its bar and its formula: { root, draw }. */
function createMeasure(name, title) {
  const [number, ratio] = [h("b", {}), h("span", { class: "cb-cost-ratio" })];
  const bars = range(0, 2).map(() => h("span", { class: "cb-bar-part" }));
  const bar = h("div", { class: `cb-bar cb-bar-${name}`, "aria-hidden": "true" }, bars);
  const formula = h("p", { class: "cb-cost-formula" });
  const root = h(
    "div", { role: "cell", class: "cb-cost-cell" },
    h("p", { class: "cb-cost-head" }, h("span", { class: "cb-name" }, title), number, ratio),
    bar, formula,
  );
  return {
    root,
    /** Draw `parts`, a number for each layer, on a scale from 0 to `largest`; null draws none. */
    draw(parts, standard, largest, text) {
      const sum = total(parts ?? []);
      setText(number, parts ? withCommas(sum) : DASH);
      setText(ratio, parts ? `ratio ${ratioText(sum, standard)}` : "");
      bars.forEach((element, i) => {
        const part = parts?.[i];
        element.hidden = part === undefined;
        if (part !== undefined) element.style.width = `${(100 * part) / largest}%`;
      });
      bar.style.setProperty("--standard", `${(100 * standard) / largest}%`);
      setText(formula, text);
    },
  };
}

/** The table of kinds: { root, draw }; `onShow(key)` hears which one is chosen. */
function createTable(kinds, onShow) {
  const group = uniqueName("kind");
  const rows = kinds.map((kind) => {
    const radio = h("input", { type: "radio", name: group, value: kind.key });
    radio.addEventListener("change", () => onShow(kind.key));
    const what = h("span", { class: "cb-cost-what" });
    const measures = COLUMNS.map(([name, title]) => createMeasure(name, title));
    const title = h("label", {}, radio, h("span", {}, h("b", {}, kind.label), " ", what));
    const root = h(
      "div", { role: "row", class: "cb-cost-row" },
      h("div", { role: "rowheader", class: "cb-cost-title" }, title),
      measures.map((measure) => measure.root),
    );
    return { kind, radio, what, measures, root };
  });
  const head = ["Convolution", ...COLUMNS.map(([, title]) => title)].map((text) =>
    h("div", { role: "columnheader" }, text));
  const root = h(
    "div", { role: "table", class: "cb-cost-table", "aria-label": "Costs" },
    h("div", { role: "row", class: "cb-cost-row cb-cost-heads" }, head), rows.map((row) => row.root),
  );
  return {
    root,
    draw(s, costs, show) {
      const sums = COLUMNS.map(([name]) => costs.map((cost) => total(cost?.[name] ?? [])));
      rows.forEach(({ kind, radio, what, measures, root: row }, i) => {
        radio.checked = kind.key === show;
        row.classList.toggle("cb-cost-shown", kind.key === show);
        setText(what, inNumbers(kind.what, s));
        const formulas = [paramsFormula(kind, s), macsFormula(kind, s)];
        measures.forEach((measure, j) => {
          const text = costs[i] ? inNumbers(formulas[j], s) : "";
          measure.draw(costs[i]?.[COLUMNS[j][0]], sums[j][0], Math.max(...sums[j]), text);
        });
      });
    },
  };
}

// ---------------------------------------------------------------- the page

/** Symbols as nodes: C_in becomes a C with a small "in" below. */
function symbols(text) {
  return text.split(/C_(in|mid|out)/).flatMap((part, i) =>
    i % 2 ? ["C", h("sub", {}, part)] : [document.createTextNode(part)]);
}

/** The samples of one entry of the legend, in the colours of both columns. */
function barEntry(css, text) {
  const samples = COLUMNS.map(([name]) =>
    h("span", { class: `cb-bar-${name}` }, h("span", { class: `cb-bar-part ${css}` })));
  return h("li", {}, h("span", { class: "cb-samples", "aria-hidden": "true" }, samples), text);
}

/** Draw the comparison into `el` and keep it in step with `model`. */
function render({ model, el }) {
  const first = Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
  const [kinds, presets, limits, usual] = ["kinds", "presets", "limits", "usual"].map((name) =>
    model.get(name));
  const odd = range(...limits.kernel_size).concat(limits.kernel_size[1]).filter((k) => k % 2);
  const ruler = h("div", { class: "cb-ruler" });
  const link = keepInStep({ model, traits: TRAITS, ruler, draw });
  const settings = () => Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));

  // -- changes

  // How many groups the reader asked for: they come back when the channels allow them again.
  let wanted = model.get("groups");
  let given = wanted;

  /** Change settings; the groups follow the channels. */
  function edit(patch) {
    if ("groups" in patch) wanted = patch.groups;
    given = largestGroups({ ...settings(), ...patch }, wanted);
    link.change({ ...patch, groups: given });
  }

  const onInvalid = (text) => setText(warning, text ?? "");

  // -- controls
  const pills = presets.map((preset) => ({
    preset,
    root: button(
      preset.label, () => edit({ ...preset.settings, show: preset.show }),
      { class: "cb-button cb-preset" },
    ),
  }));
  const note = h("p", { class: "cb-about" });
  const reset = button("Reset", () => {
    [wanted, given] = [first.groups, first.groups];
    link.change(first);
  });
  const pick = (label, trait, numbers) =>
    pickControl({
      label, limits: limits[trait], usual: numbers, onInvalid,
      onInput: (value) => edit({ [trait]: value }),
    });
  const list = (label, trait, hint) =>
    listControl({ label, hint, onInput: (value) => edit({ [trait]: value }) });
  const controls = {
    in_channels: pick("Channels in", "in_channels", usual.channels),
    out_channels: pick("Channels out", "out_channels", usual.channels),
    input_size: pick("Map size", "input_size", usual.input_size),
    kernel_size: list("Kernel size", "kernel_size"),
    groups: list("Groups", "groups", "of the grouped one"),
    stride: list("Stride", "stride"),
  };
  const bias = checkControl({ label: "Bias", onChange: (on) => edit({ bias: on }) });
  const middle = segmentedControl({
    legend: "Channels between the layers of the spatial pair",
    options: [["in", "as many as in"], ["out", "as many as out"]],
    onChange: (value) => edit({ middle: value }),
  });
  const warning = h("p", { class: "cb-rf-warning", role: "status" });
  const message = h("p", { class: "cb-message", role: "status" });

  // -- figure
  const shapes = h("p", { class: "cb-caption" });
  const table = createTable(kinds, (key) => link.change({ show: key }));
  const legend = h(
    "ul", { class: "cb-legend" },
    barEntry("", "the convolution, or the first of a pair"),
    barEntry("cb-bar-second", "the second of a pair"),
    h("li", {}, h("span", { class: "cb-bar-mark", "aria-hidden": "true" }), "the standard one"),
  );
  const axis = h(
    "p", { class: "cb-note" },
    "Bars are linear and start at zero: half as long is half the cost. MACs are counted for one " +
      "image, not timed.",
  );
  const summary = h("p", { class: "cb-cost-summary", role: "status" });

  // -- formulas and code
  const lines = ["Parameters", "MACs", "Ratio of weights"].map((name) => {
    const text = h("span", {});
    return { text, root: h("p", { class: "cb-cost-line" }, h("b", {}, name), text) };
  });
  const meaning = h(
    "p", { class: "cb-muted" },
    symbols(
      "C_in, C_mid, C_out: channels in, between and out; k: kernel size; g: groups; n: map size, " +
        "m: after the stride",
    ),
  );
  const shown = () => kinds.find((kind) => kind.key === model.get("show"));
  const code = codeBox("the PyTorch lines", [
    ["Copy all as a script", () => pytorchScript(kinds, settings())],
  ]);
  const formulas = resultRow("Formula", h("div", {}, lines.map((line) => line.root), meaning));
  const pytorch = resultRow("PyTorch", code.root);

  const root = h(
    "div", { class: "convbook-root cb-cost", role: "group", "aria-label": "Cost of convolutions" },
    h(
      "div", { class: "cb-top" },
      h("div", { class: "cb-presets" }, pills.map((pill) => pill.root)), note, reset,
    ),
    h(
      "div", { class: "cb-controls" },
      Object.values(controls).map((control) => control.root),
      bias.root,
      h(
        "div", { class: "cb-middle" },
        h("span", { class: "cb-name", "aria-hidden": "true" }, "Channels between k\u00d71 and 1\u00d7k"),
        middle.root,
      ),
      warning,
    ),
    h("div", { class: "cb-figure" }, ruler, message, shapes, table.root, legend, axis, summary),
    h("div", { class: "cb-results" }, formulas, pytorch),
  );

  // -- drawing

  /** Everything on the page from what is in the model. */
  function draw() {
    const s = settings();
    if (s.groups !== given) [wanted, given] = [s.groups, s.groups]; // a kernel's doing
    const kind = shown();
    const costs = kinds.map((one) => costOf(one, s));
    const problem = problemOf(s);

    const same = (preset) => SETTINGS.every((name) => preset.settings[name] === s[name]);
    const preset = presets.find(same);
    for (const pill of pills) setAttribute(pill.root, "aria-pressed", pill.preset === preset);
    setText(note, preset?.note ?? "Your own numbers.");
    for (const name of ["in_channels", "out_channels", "input_size"]) controls[name].set(s[name]);
    controls.kernel_size.set(s.kernel_size, odd);
    controls.groups.set(s.groups, commonDivisors(s));
    controls.stride.set(s.stride, limits.stride);
    bias.set(s.bias);
    middle.set(s.middle);
    const fewer =
      `groups=${wanted} must divide in_channels=${s.in_channels} and ` +
      `out_channels=${s.out_channels}; groups=${s.groups} is shown.`;
    setText(message, problem ? `${problem}.` : wanted === s.groups ? "" : fewer);
    message.classList.toggle("cb-mild", !problem);

    const { n, m } = valuesOf(s);
    setText(
      shapes,
      `Each makes (${s.out_channels}, ${m}, ${m}) of (${s.in_channels}, ${n}, ${n}): ` +
        "channels, height, width.",
    );
    table.draw(s, costs, kind.key);
    setText(summary, summaryOf(kind, kinds[0], s));

    const cost = costOf(kind, s);
    summary.hidden = formulas.hidden = pytorch.hidden = !cost; // the message says why
    if (!cost) return;
    const counts = (parts) => {
      const numbers = parts.map(withCommas).join(" + ");
      return parts.length > 1 ? ` = ${numbers} = ${withCommas(total(parts))}` : ` = ${numbers}`;
    };
    const texts = [
      [paramsFormula(kind, s), counts(cost.params)],
      [macsFormula(kind, s), counts(cost.macs)],
      [kind.ratio, ` = ${inNumbers(kind.ratio, s)} = ${weightRatio(kind, s)}`],
    ];
    lines.forEach(({ text }, i) => {
      const [formula, end] = texts[i];
      if (text.dataset.formula !== formula + end) text.replaceChildren(...symbols(formula), end);
      text.dataset.formula = formula + end;
    });
    lines[2].root.hidden = kind === kinds[0];
    setText(code.line, pytorchLines(kind, s));
  }

  /** The ratio of a kind's weights to those of the standard convolution, without biases. */
  function weightRatio(kind, s) {
    const weights = [kind, kinds[0]].map((one) => total(costOf(one, { ...s, bias: false }).params));
    return ratioText(...weights);
  }

  el.replaceChildren(keepKeys(root));
  link.start();
  return link.stop;
}

export {
  commonDivisors,
  costOf,
  inNumbers,
  macsFormula,
  paramsFormula,
  problemOf,
  pytorchLines,
  pytorchScript,
  ratioText,
  summaryOf,
};
export default { render };
