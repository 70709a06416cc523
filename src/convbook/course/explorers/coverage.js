// Coverage: which pixels a dilated stack or a transposed convolution reaches, and how often.

const SETTINGS = ["mode", "dilations", "kernel_size", "stride", "dilation", "size"];
const TRAITS = [...SETTINGS, "position"];

// ---------------------------------------------------------------- counts
// `s` is an object of SETTINGS. A level is a row of the drawing; a step leads from one to the next.

/** Counts after each entry of `counts` has gone through `taps` taps, `stride` apart. */
function stamped(counts, { taps, stride, dilation }) {
  const sums = new Array((counts.length - 1) * stride + dilation * (taps - 1) + 1).fill(0);
  counts.forEach((count, i) => {
    for (let t = 0; t < taps; t += 1) sums[i * stride + t * dilation] += count;
  });
  return sums;
}

/** From the top row to the bottom one: what is done between two rows. */
function stepsOf(s) {
  const taps = s.kernel_size;
  if (s.mode === "transposed") return [{ taps, stride: s.stride, dilation: s.dilation }];
  return [...s.dilations].reverse().map((dilation) => ({ taps, stride: 1, dilation }));
}

/**
 * The rows, from the top: `counts`, and where index 0 stands (`left`) and how far apart the others
 * (`pitch`), in positions of the bottom row. Each stands over the middle of what it reaches.
 */
function levelsOf(s) {
  const steps = stepsOf(s);
  const levels = [{ counts: s.mode === "transposed" ? new Array(s.size).fill(1) : [1] }];
  for (const step of steps) levels.push({ counts: stamped(levels[levels.length - 1].counts, step) });
  let [left, pitch] = [0, 1];
  for (let m = levels.length - 1; m >= 0; m -= 1) {
    Object.assign(levels[m], { left, pitch });
    if (m === 0) break;
    const { taps, stride, dilation } = steps[m - 1];
    left += ((taps - 1) * dilation * pitch) / 2;
    pitch *= stride;
  }
  return levels;
}

/** Paths to each position of the receptive field, or taps on each output position. */
function countsOf(s) {
  return stepsOf(s).reduce(stamped, s.mode === "transposed" ? new Array(s.size).fill(1) : [1]);
}

/** For each level, which of its entries lie on a path to `position` of the last. */
function litOf(levels, steps, position) {
  const lit = [levels[levels.length - 1].counts.map((_, i) => i === position)];
  for (let m = steps.length - 1; m >= 0; m -= 1) {
    const { taps, stride, dilation } = steps[m];
    const below = lit[0];
    lit.unshift(levels[m].counts.map((count, i) =>
      count > 0 && range(0, taps).some((t) => below[i * stride + t * dilation])));
  }
  return lit;
}

/** Greatest common divisor. */
function gcd(a, b) {
  return b ? gcd(b, a % b) : a;
}

/** Whether a transposed convolution reaches every pixel inside equally often. */
function isEvenOverlap(s) {
  return s.kernel_size % s.stride === 0 && gcd(s.dilation, s.stride) === 1;
}

/** The taps that repeat away from the borders, the smallest ones first. */
function innerTaps(s) {
  const counts = new Array(s.stride).fill(0);
  for (let t = 0; t < s.kernel_size; t += 1) counts[(t * s.dilation) % s.stride] += 1;
  // No count has two digits: as texts the turns of the pattern sort as they should.
  const turns = counts.map((_, i) => [...counts.slice(i), ...counts.slice(0, i)]);
  return turns.reduce((a, b) => (b.join() < a.join() ? b : a));
}

/** Input pixels whose taps fall on output `position` of a transposed convolution. */
function sourcesOf(s, position) {
  return range(0, s.size).filter((pixel) => {
    const tap = (position - pixel * s.stride) / s.dilation;
    return Number.isInteger(tap) && tap >= 0 && tap < s.kernel_size;
  });
}

/** How many positions are reached at all. */
function reachedOf(counts) {
  return counts.filter((count) => count > 0).length;
}

/** The middle of `counts`, the first of two. */
function middleOf(counts) {
  return Math.floor((counts.length - 1) / 2);
}

// ---------------------------------------------------------------- words and code

/** What is reached, in a sentence. */
function summaryOf(s) {
  const counts = countsOf(s);
  const [total, reached] = [counts.length, reachedOf(counts)];
  if (s.mode === "dilated") {
    return (
      `${counted(s.dilations.length, "layer")} of ${counted(s.kernel_size, "tap")}: ` +
      `${reached} of ${counted(total, "position")} reached, ${counted(total - reached, "hole")}; ` +
      `on a map, ${reached ** 2} of ${counted(total ** 2, "pixel")}.`
    );
  }
  const inner = innerTaps(s);
  const ends = `${counted(s.size, "pixel")} in, ${total} out: away from the borders`;
  if (new Set(inner).size === 1) {
    return `${ends} ${counted(inner[0], "tap")} on each pixel, ${inner[0] ** 2} on a map.`;
  }
  const tile = inner.map((a) => inner.map((b) => a * b).join(", ")).join(" / ");
  return `${ends} the taps repeat ${inner.join(", ")}; on a map, ${tile}.`;
}

/** Why a stack has holes or none. */
function dilationReason({ dilations, kernel_size: taps }) {
  if (taps === 1) return "No holes: with one tap, an output sees one position.";
  const parts = [];
  let filled = 1;
  for (const dilation of [...dilations].sort((a, b) => a - b)) {
    if (dilation > filled) {
      return (
        "Holes: taken by size, a dilation may be at most the number of positions that the " +
        `smaller ones fill, but ${dilation} > ${filled}.`
      );
    }
    parts.push(`${dilation} \u2264 ${filled}`);
    filled += (taps - 1) * dilation;
  }
  return (
    "No holes: taken by size, no dilation is larger than the number of positions that the " +
    `smaller ones fill: ${parts.join(", ")}.`
  );
}

/** Why a transposed convolution overlaps evenly or not. */
function overlapReason(s) {
  const { kernel_size: kernel, stride, dilation } = s;
  if (isEvenOverlap(s)) {
    return (
      `Even: stride ${stride} divides kernel_size ${kernel} and shares no factor with ` +
      `dilation ${dilation}.`
    );
  }
  const common = gcd(dilation, stride);
  const causes = [];
  if (kernel % stride) causes.push(`stride ${stride} does not divide kernel_size ${kernel}`);
  if (common > 1) {
    causes.push(`stride ${stride} and dilation ${dilation} share the factor ${common}`);
  }
  return `Uneven: ${causes.join(", and ")}.`;
}

/** Why there are holes or none, or why the overlap is even or uneven, in a sentence. */
function reasonOf(s) {
  return s.mode === "dilated" ? dilationReason(s) : overlapReason(s);
}

/** What reaches a position, in a sentence. */
function placeOf(s, position) {
  const count = countsOf(s)[position];
  if (s.mode === "dilated") {
    const paths = counted(s.kernel_size ** s.dilations.length, "path");
    if (count === 0) return `Position ${position}: a hole, none of the ${paths} ends here.`;
    return `Position ${position}: ${count} of the ${paths} ${count === 1 ? "ends" : "end"} here.`;
  }
  if (count === 0) return `Output ${position}: no tap, nothing but the bias.`;
  const sources = `input pixel${count === 1 ? "" : "s"} ${sourcesOf(s, position).join(", ")}`;
  return `Output ${position}: ${counted(count, "tap")}, from ${sources}.`;
}

/** The line that computes the counts. */
function packageLine(s) {
  if (s.mode === "dilated") {
    return `dilation_coverage([${s.dilations.join(", ")}], kernel_size=${s.kernel_size})`;
  }
  const dilation = s.dilation > 1 ? `, dilation=${s.dilation}` : "";
  return (
    `transposed_coverage(${s.size}, kernel_size=${s.kernel_size}, stride=${s.stride}${dilation})`
  );
}

/** A script that runs as it stands and lets PyTorch count: every weight and every pixel is 1. */
function pytorchScript(s) {
  const start = ["import torch", "from torch.nn.functional import conv_transpose1d", ""];
  const end = "print(counts.int().flatten().tolist())";
  if (s.mode === "transposed") {
    const call = `conv_transpose1d(ones, weight, stride=${s.stride}, dilation=${s.dilation})`;
    return [
      ...start,
      `ones = torch.ones(1, 1, ${s.size})`,
      `weight = torch.ones(1, 1, ${s.kernel_size})`,
      `counts = ${call}`,
      end,
    ].join("\n");
  }
  return [
    ...start,
    "counts = torch.ones(1, 1, 1)  # one output; its gradient goes down, layer by layer",
    `weight = torch.ones(1, 1, ${s.kernel_size})`,
    `for dilation in reversed([${s.dilations.join(", ")}]):`,
    "    counts = conv_transpose1d(counts, weight, dilation=dilation)",
    end,
  ].join("\n");
}

/** The dilations in a text such as "1, 2, 5", or null when there are none that can be shown. */
function parseDilations(text, limits) {
  const parts = text.replace(/[[\]()]/g, " ").trim().split(/[\s,;]+/);
  const [fewest, most] = limits.layers;
  if (parts.length < fewest || parts.length > most) return null;
  const numbers = parts.map((part) => wholeNumber(part, limits.dilations));
  return numbers.includes(null) ? null : numbers;
}

// ---------------------------------------------------------------- drawing

const LARGEST_CELL = 36;
const LONGEST_BAR = 56;
const SMALLEST_STEP = 3; // between positions; closer ones have no lines
const PLANE = 240;
const DIGIT = 7; // the width of a digit
const SMALLEST_NUMBERED = 15; // of the plane's cells

/** Put these texts, each [x, y, text], into a group, reusing its elements. */
function writeTexts(group, texts) {
  while (group.childNodes.length < texts.length) group.append(draft("text"));
  while (group.childNodes.length > texts.length) group.lastChild.remove();
  texts.forEach(([x, y, text], i) => {
    const element = group.childNodes[i];
    setAttribute(element, "x", px(x));
    setAttribute(element, "y", px(y));
    setText(element, String(text));
  });
}

/** Every how many positions there is room to write an index `width` pixels wide. */
function indexStep(scale, width) {
  return [1, 2, 5, 10, 20, 50, 100].find((step) => step * scale >= width) ?? 200;
}

/** A row of the drawing: its cells, its holes, what is lit, its numbers, its name, its count. */
function createRow() {
  const path = (name) => draft("path", { class: name });
  const row = {
    cells: path("cb-rf-cells"), holes: path("cb-cov-hole"), lit: path("cb-rf-lit"),
    digits: draft("g", { class: "cb-rf-digits" }),
    name: draft("text", { x: 0 }), count: draft("text", { class: "cb-rf-count" }),
  };
  return { ...row, root: draft("g", {}, ...Object.values(row)) };
}

/**
 * Rows from the top, lines for the taps between them, and a bar for each count of the last.
 * `onPick(position)` hears of a press, and of moves while it lasts.
 */
function createTree(onPick) {
  const path = (name) => draft("path", { class: name });
  const [lines, litLines] = [path("cb-cov-lines"), path("cb-cov-lines cb-cov-on")];
  const rows = draft("g");
  const [bars, litBar] = [path("cb-cov-bars"), path("cb-cov-bars cb-cov-on")];
  const [base, frame] = [path("cb-cov-base"), path("cb-rf-frame")];
  const labels = draft("g", { class: "cb-cov-labels" });
  const indices = draft("g", { class: "cb-rf-digits cb-cov-indices" });
  const parts = [lines, litLines, rows, bars, litBar, base, frame, labels, indices];
  const root = draft("svg", { class: "cb-rf-section cb-cov-tree", role: "img" }, ...parts);
  const pool = [];
  let place = null; // how the last drawing was laid out, for the pointer

  followPointer(root, (x) => {
    if (!place) return;
    const position = Math.floor((x - place.left) / place.scale);
    onPick(Math.max(0, Math.min(place.total - 1, position)));
  });

  function draw({ s, levels, steps, lit, position, width }) {
    const dilated = s.mode === "dilated";
    const { counts } = levels[levels.length - 1];
    const [total, reached] = [counts.length, reachedOf(counts)];
    const wide = width >= 520;
    const [left, right] = wide ? [124, 76] : [40, 0];
    const scale = Math.min(LARGEST_CELL, (width - left - right) / total);
    place = { left, scale, total };
    const space = spaceFor(scale);
    const height = Math.max(14, Math.min(24, scale - space));
    const pitch = height + (steps.length > 4 ? 34 : 42);
    const yOf = (m) => 4 + m * pitch;
    const xOf = ({ left: first, pitch: apart }, i) => left + (first + i * apart) * scale;
    const box = (level, m, i) => [xOf(level, i) + space / 2, yOf(m), scale - space, height];
    // Cells without space between them are drawn run by run.
    const cellsOf = (level, m, some) =>
      space || level.pitch > 1
        ? some.map((i) => box(level, m, i))
        : runsOf(some).map(([a, b]) => [xOf(level, a), yOf(m), (b - a + 1) * scale, height]);

    while (pool.length < levels.length) pool.push(createRow());
    setChildren(rows, pool.slice(0, levels.length).map((row) => row.root));
    const last = levels.length - 1;
    const longest = String(Math.max(...counts)).length;
    const numbered = scale >= DIGIT * longest + 5;
    levels.forEach((level, m) => {
      const row = pool[m];
      const all = range(0, level.counts.length);
      const paint = (element, some) => setAttribute(element, "d", rectangles(cellsOf(level, m, some)));
      paint(row.cells, all.filter((i) => level.counts[i] > 0 && !lit[m][i]));
      paint(row.lit, all.filter((i) => lit[m][i] && level.counts[i] > 0));
      paint(row.holes, m === last ? all.filter((i) => level.counts[i] === 0) : []);
      const input = dilated === (m === last);
      const css = `${input ? "cb-rf-input" : "cb-rf-output"}${space < 2 ? " cb-rf-narrow" : ""}`;
      setAttribute(row.root, "class", css);
      const middle = yOf(m) + height / 2;
      writeTexts(row.digits, m === last && numbered
        ? all.map((i) => [xOf(level, i) + scale / 2, middle, level.counts[i]]) : []);
      const end = m === 0 || m === last;
      setAttribute(row.name, "y", px(middle));
      setText(row.name, end ? (input ? "Input" : "Output") : "");
      setAttribute(row.count, "x", px(left + total * scale + right));
      setAttribute(row.count, "y", px(middle));
      setText(row.count, wide && m === last ? `${reached} of ${total}` : "");
    });

    // Where lines would only be a smear, their outline stands for them.
    const crowded = scale < SMALLEST_STEP;
    const [plain, bright] = [[], []];
    steps.forEach(({ taps, stride, dilation }, m) => {
      const [above, below] = [levels[m], levels[m + 1]];
      const [top, bottom] = [px(yOf(m) + height), px(yOf(m + 1))];
      const middle = (level, i) => px(xOf(level, i) + scale / 2);
      if (crowded) {
        const cone = (a, b, c, d) =>
          `M${middle(above, a)} ${top}H${middle(above, b)}L${middle(below, d)} ${bottom}` +
          `H${middle(below, c)}z`;
        plain.push(cone(0, above.counts.length - 1, 0, below.counts.length - 1));
        const on = (row) => [row.indexOf(true), row.lastIndexOf(true)];
        if (lit[m].includes(true)) bright.push(cone(...on(lit[m]), ...on(lit[m + 1])));
        return;
      }
      above.counts.forEach((count, i) => {
        if (count === 0) return;
        for (let t = 0; t < taps; t += 1) {
          const to = i * stride + t * dilation;
          const list = lit[m][i] && lit[m + 1][to] ? bright : plain;
          list.push(`M${middle(above, i)} ${top}L${middle(below, to)} ${bottom}`);
        }
      });
    });
    root.toggleAttribute("data-crowded", crowded);
    setAttribute(lines, "d", plain.join(""));
    setAttribute(litLines, "d", bright.join(""));

    // The bars, from zero at the base; under it the indices of the positions.
    const floor = yOf(last) + height + LONGEST_BAR + 14;
    const largest = Math.max(...counts);
    const bar = (i) => {
      const long = (counts[i] / largest) * LONGEST_BAR;
      return [left + i * scale + space / 2, floor - long, scale - space, long];
    };
    const plainBars = range(0, total).filter((i) => counts[i] > 0 && i !== position);
    const strip = (list) => list.map((i) => {
      const [x, y, w, v] = bar(i).map(px);
      return `M${x} ${y}h${w}v${v}h${-w}z`;
    }).join("");
    setAttribute(bars, "d", strip(plainBars));
    setAttribute(litBar, "d", strip([position]));
    setAttribute(base, "d", `M${left} ${px(floor + 0.5)}h${px(total * scale)}`);
    setAttribute(root, "data-mode", s.mode);
    const every = indexStep(scale, DIGIT * String(total - 1).length + 6);
    writeTexts(indices, range(0, total).filter((i) => i % every === 0)
      .map((i) => [left + (i + 0.5) * scale, floor + 13, i]));
    const [x, y, w, v] = box(levels[last], last, position);
    setAttribute(frame, "d", rectangles([[x - 2, y - 2, w + 4, v + 4]]));

    const texts = steps.map(({ stride, dilation }, m) => {
      const layer = dilated ? `Layer ${steps.length - m}` : `Stride ${stride}`;
      const text = wide ? `${layer}, dilation ${dilation}` : `d = ${dilation}`;
      return [0, yOf(m) + height + (pitch - height) / 2, text];
    });
    texts.push([0, floor - LONGEST_BAR / 2, dilated ? "Paths" : "Taps"]);
    if (wide) texts.push([0, floor + 13, "Position"]);
    writeTexts(labels, texts);
    setAttribute(root, "width", px(left + total * scale + right));
    setAttribute(root, "height", px(floor + 22));
  }

  return { root, draw };
}

/** The same on a map: a pixel has the product of the counts of its row and of its column. */
function createPlane() {
  const path = (name) => draft("path", { class: name });
  const [ground, lines] = [path("cb-rf-lit"), path("cb-rf-lines")];
  const holes = path("cb-cov-hole");
  const shades = draft("g");
  const digits = draft("g", { class: "cb-rf-digits" });
  const root = draft("svg", { class: "cb-cov-plane", role: "img" }, ground, shades, holes, lines, digits);

  function draw({ s, levels }) {
    const { counts } = levels[levels.length - 1];
    const total = counts.length;
    const scale = Math.min(22, PLANE / total);
    const side = px(total * scale);
    const dilated = s.mode === "dilated";
    setAttribute(root, "width", side + 2);
    setAttribute(root, "height", side + 2);
    setAttribute(root, "viewBox", `-1 -1 ${side + 2} ${side + 2}`);
    setAttribute(root, "class", `cb-cov-plane cb-rf-${dilated ? "input" : "output"}`);
    setAttribute(ground, "d", dilated ? `M0 0h${side}v${side}h${-side}z` : "");
    // A hole of the axis is a whole column and a whole row of the map.
    const empty = range(0, total).filter((i) => counts[i] === 0).map((i) => px(i * scale));
    const thick = px(scale);
    setAttribute(holes, "d", empty.map((at) =>
      `M${at} 0h${thick}v${side}h${-thick}zM0 ${at}h${side}v${thick}h${-side}z`).join(""));
    const cross = (at) => `M0 ${at}h${side}M${at} 0v${side}`;
    const inner = scale < SMALLEST_CELL ? [] : range(1, total).map((i) => px(i * scale));
    setAttribute(lines, "d", [...inner.map(cross), `M0 0h${side}v${side}h${-side}z`].join(""));

    // The more taps, the darker; a path for each number of taps.
    const byCount = new Map();
    if (!dilated) {
      counts.forEach((a, i) => counts.forEach((b, j) => {
        if (a * b === 0) return;
        const cell = `M${px(j * scale)} ${px(i * scale)}h${thick}v${thick}h${-thick}z`;
        byCount.set(a * b, (byCount.get(a * b) ?? "") + cell);
      }));
    }
    const most = Math.max(...counts) ** 2;
    while (shades.childNodes.length < byCount.size) shades.append(path("cb-cov-shade"));
    while (shades.childNodes.length > byCount.size) shades.lastChild.remove();
    [...byCount].forEach(([count, cells], i) => {
      setAttribute(shades.childNodes[i], "d", cells);
      setAttribute(shades.childNodes[i], "fill-opacity", px(count / most));
    });
    const written = !dilated && scale >= SMALLEST_NUMBERED;
    writeTexts(digits, written ? counts.flatMap((a, i) => counts.map((b, j) =>
      [(j + 0.5) * scale, (i + 0.5) * scale, a * b])) : []);
  }

  return { root, draw };
}

// ---------------------------------------------------------------- controls

/** A field for a list of dilations: { root, set(dilations) }; `onInvalid` hears of what is none. */
function scheduleField({ limits, onInput, onInvalid }) {
  const name = "Dilations";
  const input = h("input", {
    type: "text", inputmode: "numeric", autocomplete: "off", spellcheck: "false",
    class: "cb-number cb-cov-schedule",
  });
  const [fewest, most] = limits.layers;
  const [low, high] = limits.dilations;
  let text = "";
  input.addEventListener("input", () => {
    const dilations = parseDilations(input.value, limits);
    setAttribute(input, "aria-invalid", dilations === null ? "true" : null);
    onInvalid(dilations === null
      ? `${name}: use ${fewest} to ${most} whole numbers from ${low} to ${high}, such as 1, 2, 5.`
      : null);
    if (dilations !== null) onInput(dilations);
  });
  input.addEventListener("focusout", () => {
    // Leaving the field: what counts is shown, so nothing half typed stays behind.
    setAttribute(input, "aria-invalid", null);
    onInvalid(null);
    input.value = text;
  });
  const hint = h("span", { class: "cb-hint" }, "first layer first");
  return {
    root: h("label", { class: "cb-field" }, h("span", { class: "cb-name" }, name, " ", hint), input),
    set(dilations) {
      text = dilations.join(", ");
      const same = JSON.stringify(parseDilations(input.value, limits)) === JSON.stringify(dilations);
      // What is being typed stays as it is while it says the same, or says nothing yet.
      const typing = document.activeElement === input && (same || input.hasAttribute("aria-invalid"));
      if (!typing && input.value !== text) input.value = text;
    },
  };
}

// ---------------------------------------------------------------- the page

/** Draw the counts into `el` and keep them in step with `model`. */
function render({ model, el }) {
  const first = Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
  const [presets, limits] = [model.get("presets"), model.get("limits")];
  const ruler = h("div", { class: "cb-ruler" });
  const link = keepInStep({ model, traits: TRAITS, ruler, draw });
  const settings = () => Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));

  /** Change settings; the middle position is lit. */
  function edit(patch) {
    const position = middleOf(countsOf({ ...settings(), ...patch }));
    link.change({ ...patch, position });
  }

  // -- controls
  const mode = segmentedControl({
    legend: "What is counted",
    options: [["dilated", "Dilated stack"], ["transposed", "Transposed convolution"]],
    onChange: (value) => edit({ mode: value }),
  });
  const pills = presets.map((preset) => ({
    preset,
    root: button(preset.label, () => edit(preset.settings), { class: "cb-button cb-preset" }),
  }));
  const note = h("p", { class: "cb-about" });
  const reset = button("Reset", () => link.change(first));
  const slider = (label, trait, hint) => {
    const [min, max] = limits[trait];
    return rangeControl({ label, hint, min, max, onInput: (value) => edit({ [trait]: value }) });
  };
  const warning = h("p", { class: "cb-rf-warning", role: "status" });
  const schedule = scheduleField({
    limits,
    onInput: (dilations) => edit({ dilations }),
    onInvalid: (text) => setText(warning, text ?? ""),
  });
  const [fewest, most] = limits.layers;
  const [low, high] = limits.dilations;
  const layers = range(0, most).map((i) =>
    rangeControl({
      label: `Layer ${i + 1}`, hint: "dilation", min: low, max: high,
      onInput(value) {
        edit({ dilations: model.get("dilations").map((old, j) => (i === j ? value : old)) });
      },
    }));
  const add = button("Add a layer", () => {
    const dilations = model.get("dilations");
    edit({ dilations: [...dilations, dilations[dilations.length - 1]] });
    if (add.disabled) remove.focus();
  }, { class: "cb-button cb-tool" });
  const remove = button("Remove the last", () => {
    edit({ dilations: model.get("dilations").slice(0, -1) });
    if (remove.disabled) add.focus();
  }, { class: "cb-button cb-tool" });
  const controls = {
    kernel_size: slider("Kernel size", "kernel_size"),
    stride: slider("Stride", "stride"),
    dilation: slider("Dilation", "dilation"),
    size: slider("Input size", "size"),
  };
  const position = rangeControl({
    label: "Position", hint: "whose paths are lit", min: 0, max: 0,
    onInput: (value) => link.change({ position: value }),
  });
  const tools = h("div", { class: "cb-cov-tools" }, add, remove);
  const onlyDilated = [schedule.root, tools];
  const onlyTransposed = ["stride", "dilation", "size"].map((name) => controls[name].root);

  // -- figure
  const tree = createTree((value) => link.change({ position: value }));
  const plane = createPlane();
  const planeNote = h("p", { class: "cb-note" });
  const facts = range(0, 4).map(() => {
    const [name, value] = [h("span", { class: "cb-name" }), h("b", {})];
    return { name, value, root: h("p", {}, name, " ", value) };
  });
  const summary = h("p", { class: "cb-cov-summary" });
  const reason = h("p", { class: "cb-cov-reason" });
  const chosen = h("p", { role: "status", class: "cb-cov-place cb-place" });
  const legend = h("ul", { class: "cb-legend" });
  const code = codeBox("the line", [["Copy PyTorch script", () => pytorchScript(settings())]]);

  const root = h(
    "div", { class: "convbook-root cb-coverage", role: "group", "aria-label": "Coverage" },
    h(
      "div", { class: "cb-top" }, mode.root,
      h("div", { class: "cb-presets" }, pills.map((pill) => pill.root)), note, reset,
    ),
    h(
      "div", { class: "cb-controls" },
      schedule.root, Object.values(controls).map((control) => control.root), position.root,
      layers.map((layer) => layer.root), tools, warning,
    ),
    h(
      "div", { class: "cb-figure" }, ruler, tree.root,
      h(
        "div", { class: "cb-rf-below" },
        h("div", {}, plane.root, planeNote),
        h(
          "div", { class: "cb-rf-words" },
          h("div", { class: "cb-rf-facts" }, facts.map((fact) => fact.root)),
          summary, reason, chosen,
        ),
      ),
      legend,
    ),
    h("div", { class: "cb-results" }, resultRow("Code", code.root)),
  );

  /** The four numbers beside the map, each [name, value]. */
  function factsOf(s, counts) {
    const [total, reached] = [counts.length, reachedOf(counts)];
    if (s.mode === "transposed") {
      const inner = innerTaps(s);
      const [least, largest] = [Math.min(...inner), Math.max(...inner)];
      const even = least === largest;
      return [
        ["Output", `${total} \u00d7 ${total}`], ["Overlap", even ? "even" : "uneven"],
        ["Taps inside", even ? String(least) : inner.join(", ")],
        ["On a map", even ? String(least ** 2) : `${least ** 2} to ${largest ** 2}`],
      ];
    }
    const [n, k] = [s.dilations.length, s.kernel_size];
    return [
      ["Receptive field", `${total} \u00d7 ${total}`], ["Reached", `${reached} of ${total}`],
      ["On a map", `${reached ** 2} of ${total ** 2}`], ["Weights on a map", String(n * k * k)],
    ];
  }

  let legendOf = "";
  function drawLegend(s, holes) {
    const key = `${s.mode} ${holes}`;
    if (key === legendOf) return;
    legendOf = key;
    const dilated = s.mode === "dilated";
    legend.replaceChildren(
      legendEntry(dilated ? "cb-x cb-lit" : "cb-y cb-lit", "lit position"),
      legendEntry(dilated ? "cb-y cb-lit" : "cb-x cb-lit", "on a path to it"),
      ...(holes
        ? [legendEntry("cb-hole", dilated ? "hole: no path ends here" : "no tap falls here")] : []),
    );
  }

  // -- drawing

  /** Everything on the page from what is in the model. */
  function draw() {
    const s = settings();
    const dilated = s.mode === "dilated";
    const [levels, steps] = [levelsOf(s), stepsOf(s)];
    const { counts } = levels[levels.length - 1];
    const at = Math.min(model.get("position"), counts.length - 1);

    mode.set(s.mode);
    const same = ({ settings: wanted }) =>
      Object.keys(wanted).every((name) => String(wanted[name]) === String(s[name]));
    const preset = presets.find(same);
    for (const pill of pills) {
      pill.root.hidden = pill.preset.settings.mode !== s.mode;
      setAttribute(pill.root, "aria-pressed", pill.preset === preset);
    }
    setText(note, preset?.note ?? "Your own numbers.");
    for (const [name, control] of Object.entries(controls)) control.set(s[name]);
    schedule.set(s.dilations);
    layers.forEach((layer, i) => {
      layer.root.hidden = !dilated || i >= s.dilations.length;
      if (i < s.dilations.length) layer.set(s.dilations[i]);
    });
    for (const element of onlyDilated) element.hidden = !dilated;
    for (const element of onlyTransposed) element.hidden = dilated;
    add.disabled = s.dilations.length === most;
    remove.disabled = s.dilations.length === fewest;
    position.limit(counts.length - 1);
    position.set(at);

    tree.draw({ s, levels, steps, lit: litOf(levels, steps, at), position: at, width: link.width() });
    plane.draw({ s, levels });
    const words = summaryOf(s);
    const what = dilated ? "Paths from one output to each input position" : "Taps on each output";
    setAttribute(tree.root, "aria-label", `${what}. ${words} ${placeOf(s, at)}`);
    setAttribute(plane.root, "aria-label", `The same on a map. ${words}`);
    setText(planeNote, dilated ? "Pixels of a map that are reached" : "Taps on the pixels of a map");
    factsOf(s, counts).forEach(([name, value], i) => {
      setText(facts[i].name, name);
      setText(facts[i].value, value);
    });
    setText(summary, words);
    setText(reason, reasonOf(s));
    setText(chosen, placeOf(s, at));
    drawLegend(s, reachedOf(counts) < counts.length);
    setText(code.line, packageLine(s));
  }

  el.replaceChildren(keepKeys(root));
  link.start();
  return link.stop;
}

export {
  countsOf,
  innerTaps,
  isEvenOverlap,
  levelsOf,
  litOf,
  packageLine,
  parseDilations,
  placeOf,
  pytorchScript,
  reasonOf,
  stepsOf,
  summaryOf,
};
export default { render };
