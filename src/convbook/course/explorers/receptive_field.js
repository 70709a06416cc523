// Receptive field: a stack of layers to edit, and what each output sees of the input.

const SETTINGS = ["kernel_size", "stride", "padding", "dilation"];
const NAMES = ["Kernel size", "Stride", "Padding", "Dilation"];
const TRAITS = ["input_size", "rows", "selected"];

// ---------------------------------------------------------------- from layers to fields
// A row is [name, kernel_size, stride, padding, dilation]. Level 0 is the input, level m the
// output of layer m; `size`, `jump` and `start` are those of `convbook.arithmetic`.

/** One row on an input of `size` pixels, as the shared arithmetic wants it. */
function settingsOf(size, [, kernel, stride, padding, dilation]) {
  return { size, kernel, stride, before: padding, after: padding, dilation };
}

/** Why a layer has no output, in Python's words; null when it has one. */
function problemOf(s, jump, limits) {
  const span = kernelSpan(s);
  if (convOutputSize(s) === null) {
    const much =
      s.dilation > 1
        ? `with dilation=${s.dilation} spans ${span} pixels, more than`
        : "is larger than";
    return (
      `kernel_size=${s.kernel} ${much} the padded input ${s.size}+2*${s.before}; ` +
      `use padding>=${Math.ceil((span - s.size) / 2)} or a smaller kernel`
    );
  }
  const [, largest] = limits.jump;
  return jump > largest ? `jump=${jump} is more than ${largest}; use smaller strides` : null;
}

/**
 * The levels { count, size, jump, start }, up to the first layer that has no output, and why that
 * one has none: { levels, problem }.
 */
function measure(inputSize, rows, limits) {
  const levels = [{ count: inputSize, size: 1, jump: 1, start: 0 }];
  for (const [i, row] of rows.entries()) {
    const below = levels[i];
    const s = settingsOf(below.count, row);
    const jump = below.jump * s.stride;
    const reason = problemOf(s, jump, limits);
    if (reason) return { levels, problem: `Layer ${i + 1} (${row[0]}): ${reason}` };
    levels.push({
      count: convOutputSize(s),
      size: below.size + s.dilation * (s.kernel - 1) * below.jump,
      jump,
      start: below.start - s.before * below.jump,
    });
  }
  return { levels, problem: null };
}

/** The middle one of a level's outputs, the first of two. */
function middleOf({ count }) {
  return Math.floor((count - 1) / 2);
}

/**
 * What feeds output `output` of level `layer`, for each level from the input on: from `first` to
 * `last` end to end, beyond the border too; the runs `read` that feed it, and those of padding.
 */
function reachOf(levels, rows, layer, output) {
  const reach = [{ first: output, last: output, read: [[output, output]], padded: [] }];
  let read = [output];
  for (let m = layer; m > 0; m -= 1) {
    const { count } = levels[m - 1];
    const s = settingsOf(count, rows[m - 1]);
    const { first, last } = reach[0];
    const marks = new Uint8Array(count + 2 * s.before);
    for (const index of read) {
      const start = index * s.stride; // of its window, counted from the padding's border
      for (let k = 0; k < s.kernel; k += 1) marks[start + k * s.dilation] = 1;
    }
    const tapped = [...marks.keys()].filter((i) => marks[i]).map((i) => i - s.before);
    read = tapped.filter((i) => i >= 0 && i < count);
    reach.unshift({
      first: first * s.stride - s.before,
      last: last * s.stride - s.before + kernelSpan(s) - 1,
      read: runsOf(read),
      padded: runsOf(tapped.filter((i) => i < 0 || i >= count)),
    });
  }
  return reach;
}

/** What is selected, [layer, output], brought inside what there is; null when there is nothing. */
function chosenOf(levels, [layer, output]) {
  if (levels.length < 2) return null;
  const level = Math.min(layer, levels.length - 1);
  return [level, Math.min(output, levels[level].count - 1)];
}

/** How many numbers lie in runs. */
function lengthOf(runs) {
  return runs.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** Numbers of a reach: what lies inside the input, outside, and what is skipped inside. */
function countsOf(inputSize, { first, last, read }) {
  const size = last - first + 1;
  const inside = Math.max(0, Math.min(last, inputSize - 1) - Math.max(first, 0) + 1);
  return { size, inside, outside: size - inside, skipped: inside - lengthOf(read) };
}

// ---------------------------------------------------------------- words, code and address

/** What the chosen output sees, in a sentence or two. */
function summaryOf(levels, rows, chosen) {
  if (chosen === null) return "No layer has an output.";
  const [layer, output] = chosen;
  const [seen] = reachOf(levels, rows, layer, output);
  const { size, inside, outside, skipped } = countsOf(levels[0].count, seen);
  const [first, last] = [formatNumber(seen.first), formatNumber(seen.last)];
  const span = size > 1 ? `pixels ${first} to ${last}` : `pixel ${first}`;
  const part = inside ? `${outside} of them ` : "";
  const beyond = outside ? `, ${part}outside the input, where padding stands in` : "";
  const holes = skipped ? `. Of the ${inside} inside it skips ${skipped}` : "";
  const what = `Output ${output} of layer ${layer} sees input ${span}`;
  return `${what}: ${counted(size, "pixel")}${beyond}${holes}.`;
}

/** Field, jump and start of layer `layer` from those before, each [name, rule, numbers, result]. */
function recurrenceOf(levels, rows, layer) {
  const [below, level] = [levels[layer - 1], levels[layer]];
  const [, kernel, stride, padding, dilation] = rows[layer - 1];
  const from = formatFactor(below.start);
  return [
    [
      "Field", "before + dilation \u00b7 (kernel_size \u2212 1) \u00b7 jump before",
      `${below.size} + ${dilation}\u00b7(${kernel} \u2212 1)\u00b7${below.jump}`, level.size,
    ],
    ["Jump", "before \u00b7 stride", `${below.jump}\u00b7${stride}`, level.jump],
    [
      "Start", "before \u2212 padding \u00b7 jump before",
      `${from} \u2212 ${padding}\u00b7${below.jump}`, level.start,
    ],
  ];
}

/** A row as the Python call that makes its layer. */
function layerCall([, kernel, ...others]) {
  const options = others
    .map((value, i) => [SETTINGS[i + 1], value])
    .filter(([name, value]) => value !== (name === "padding" ? 0 : 1))
    .map(([name, value]) => `, ${name}=${value}`);
  return `Layer(${kernel}${options.join("")})`;
}

/** The line that computes size, jump and start of every layer. */
function packageLine(rows) {
  return `receptive_field([${rows.map(layerCall).join(", ")}])`;
}

/** A script that runs as it stands and prints every layer with its field. */
function packageScript(rows) {
  return [
    "from convbook.arithmetic import Layer, receptive_field",
    "",
    "layers = [",
    ...rows.map((row) => `    ${layerCall(row)},`),
    "]",
    "for layer, field in zip(layers, receptive_field(layers)):",
    "    print(layer, field)",
  ].join("\n");
}

/** The end of an address that holds this stack. */
function fragmentOf(key, inputSize, rows) {
  return `#${key}=${inputSize};${rows.map((row) => row.slice(1).join(".")).join(",")}`;
}

/** Text from an address, where a mail program may have escaped signs. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The stack in the end of an address: { input_size, rows }; { problem } when it holds none that can
 * be shown; null when it speaks of something else.
 */
function parseFragment(key, fragment, limits) {
  const text = decoded(fragment);
  if (!text.startsWith(`#${key}=`)) return null;
  const [size, layers = "", ...rest] = text.slice(key.length + 2).split(";");
  const inputSize = wholeNumber(size, limits.input_size);
  if (inputSize === null) {
    return { problem: `the input size must be ${limits.input_size.join(" to ")}` };
  }
  const texts = layers.split(",");
  const [fewest, most] = limits.layers;
  if (rest.length || texts.length > most) {
    return { problem: `it must list ${fewest} to ${most} layers after the input size` };
  }
  const rows = [];
  for (const [i, layer] of texts.entries()) {
    const parts = layer.split(".");
    if (parts.length !== SETTINGS.length) {
      return { problem: `layer ${i + 1} must be ${SETTINGS.length} numbers with points between` };
    }
    const numbers = parts.map((part, j) => wholeNumber(part, limits[SETTINGS[j]]));
    const bad = numbers.indexOf(null);
    if (bad >= 0) {
      const [low, high] = limits[SETTINGS[bad]];
      return { problem: `${SETTINGS[bad]} of layer ${i + 1} must be ${low} to ${high}` };
    }
    rows.push(["conv", ...numbers]);
  }
  return { input_size: inputSize, rows };
}

/** The preset that is this stack, by its numbers, or undefined. */
function presetOf(presets, inputSize, rows) {
  const numbers = (list) => JSON.stringify(list.map((row) => row.slice(1)));
  return presets.find(
    (preset) => preset.input_size === inputSize && numbers(preset.rows) === numbers(rows),
  );
}

// ---------------------------------------------------------------- drawing

const LARGEST_CELL = 38;
const SMALLEST_INDEX = 19; // a narrower cell has no room for its index
const MOST_INDEXED = 8; // more levels than that have low rows
const TALLEST = 400; // for all levels, unless there are very many
const PLANE = 240;
const MARGIN = 4; // around the plane, for the frame

/** The pixels [low, high) that the drawing shows, and how many screen pixels each gets. */
function scaleOf(levels, rows, layer, width, largest) {
  const input = levels[0].count;
  const padding = rows[0][3];
  const bounds = (some) => [
    Math.min(-padding, ...some.map(({ start }) => start)),
    Math.max(
      input + padding,
      ...some.map(({ count, size, jump, start }) => start + (count - 1) * jump + size),
    ),
  ];
  // One scale for all layers, unless the deep ones reach so far that little is left for the others.
  let [low, high] = bounds(levels);
  if (high - low > 2 * (input + 2 * padding)) [low, high] = bounds([levels[layer]]);
  return { low, high, scale: Math.min(largest, width / (high - low)) };
}

/** Left edge of output `index` of a level, in pixels of the input: it stands over what it sees. */
function edgeOf({ size, jump, start }, index) {
  return start + index * jump + (size - jump) / 2;
}

/** The output of a level whose place is nearest to a pixel of the input. */
function outputAt(level, pixel) {
  const index = Math.floor((pixel - edgeOf(level, 0)) / level.jump);
  return Math.max(0, Math.min(level.count - 1, index));
}

/** A row of the cross-section: cells, padding, what is lit of both, its name, its count. */
function createRow() {
  const path = (name) => draft("path", { class: `cb-rf-${name}` });
  const row = {
    cells: path("cells"), padding: path("padding"), lit: path("lit"), wet: path("wet"),
    name: draft("text", { class: "cb-rf-name", x: 0 }),
    count: draft("text", { class: "cb-rf-count" }),
    digits: draft("g", { class: "cb-rf-digits" }),
  };
  return { ...row, root: draft("g", {}, ...Object.values(row)) };
}

/**
 * The cross-section: the input on top, one row for each layer, and what feeds the chosen output.
 * `onPick(level, pixel)` hears of a press on a row and of moves along it, and over which pixel.
 */
function createSection(onPick) {
  const cone = draft("path", { class: "cb-rf-cone" });
  const frame = draft("path", { class: "cb-rf-frame" });
  const unit = draft("path", { class: "cb-rf-unit" });
  const span = draft("text", { class: "cb-rf-span" });
  const levels = draft("g");
  const parts = [cone, levels, frame, unit, span];
  const root = draft("svg", { class: "cb-rf-section", role: "img" }, ...parts);
  const pool = [];
  let place = null; // how the last drawing was laid out, for the pointer
  let held = 0;

  followPointer(root, (x, y, starts) => {
    if (!place) return;
    const { page, left, scale, low, top, pitch, height } = place;
    const nearest = Math.round((y - top - height / 2) / pitch);
    if (starts) held = Math.max(0, Math.min(page.levels.length - 1, nearest));
    onPick(held, (x - left) / scale + low);
  });

  /**
   * Rectangles of the cells in runs of indices, each with its index, as far as the drawing goes;
   * too narrow ones flow together.
   */
  function cellsIn(level, runs, y) {
    const { left, low, high, scale, height } = place;
    const width = level.jump * scale;
    const space = spaceFor(width);
    const xOf = (index) => left + (edgeOf(level, index) - low) * scale;
    return runs.flatMap(([first, last]) => {
      if (space === 0) return [[xOf(first), y, (last - first + 1) * width, height]];
      const from = Math.max(first, Math.floor((low - edgeOf(level, 0)) / level.jump));
      const to = Math.min(last, Math.ceil((high - edgeOf(level, 0)) / level.jump));
      return range(from, to + 1).map((i) => [xOf(i) + space / 2, y, width - space, height, i]);
    });
  }

  /** Write the index into each cell that has room for it. */
  function writeDigits(digits, level, y, fits) {
    const cells = fits ? cellsIn(level, [[0, level.count - 1]], y) : [];
    while (digits.childNodes.length < cells.length) digits.append(draft("text"));
    while (digits.childNodes.length > cells.length) digits.lastChild.remove();
    cells.forEach(([x, , width, , index], i) => {
      const text = digits.childNodes[i];
      setAttribute(text, "x", px(x + width / 2));
      setAttribute(text, "y", px(y + place.height / 2));
      setText(text, String(index));
    });
  }

  /** Draw the rows, the cone from the chosen output to the input, and the field's frame. */
  function draw(page) {
    const { rows, chosen, reach, width } = page;
    const wide = width >= 520;
    const longest = Math.max(...rows.map(([name]) => name.length));
    const [left, right] = wide ? [40 + 6.5 * Math.max(longest, 5), 88] : [24, 34];
    const [layer, output] = chosen ?? [0, 0];
    const fit = scaleOf(page.levels, rows, layer, width - left - right, LARGEST_CELL);
    const pitch = Math.min(64, Math.max(16, TALLEST / page.levels.length));
    const height = Math.min(0.6 * pitch, Math.max(fit.scale - 3, 16), LARGEST_CELL - 3);
    place = { page, left, top: 34, pitch, height, ...fit };
    const total = left + (fit.high - fit.low) * fit.scale + right;
    const yOf = (m) => place.top + m * pitch;
    setAttribute(root, "width", px(total));
    setAttribute(root, "height", px(yOf(page.levels.length - 1) + height + 6));

    while (pool.length < page.levels.length) pool.push(createRow());
    setChildren(levels, pool.slice(0, page.levels.length).map((row) => row.root));
    page.levels.forEach((level, m) => {
      const [row, y, seen] = [pool[m], yOf(m), reach[m]];
      const padding = rows[m]?.[3] ?? 0;
      const far = level.count + padding - 1;
      const borders = padding ? [[-padding, -1], [level.count, far]] : [];
      const paint = (path, runs) => setAttribute(path, "d", rectangles(cellsIn(level, runs, y)));
      paint(row.cells, [[0, level.count - 1]]);
      paint(row.padding, borders);
      paint(row.lit, seen?.read ?? []);
      paint(row.wet, seen?.padded ?? []);
      const cell = level.jump * fit.scale;
      const fits = cell >= SMALLEST_INDEX && height > 15 && page.levels.length <= MOST_INDEXED;
      writeDigits(row.digits, level, y, fits);
      const css = [m ? "cb-rf-output" : "cb-rf-input"];
      if (!seen) css.push("cb-rf-later");
      if (spaceFor(cell) === 1) css.push("cb-rf-narrow");
      setAttribute(row.root, "class", css.join(" "));
      const middle = px(y + height / 2);
      setAttribute(row.name, "y", middle);
      setText(row.name, m ? (wide ? `${m}  ${rows[m - 1][0]}` : String(m)) : wide ? "Input" : "");
      setAttribute(row.count, "x", px(total));
      setAttribute(row.count, "y", middle);
      const count = seen ? (m ? lengthOf(seen.read) : seen.last - seen.first + 1) : 0;
      const words = wide ? counted(count, m ? "output" : "pixel") : String(count);
      setText(row.count, seen ? words : "");
    });

    const [field] = reach;
    if (!field) {
      for (const path of [cone, frame, unit]) setAttribute(path, "d", "");
      setText(span, "");
      return;
    }
    const screen = (pixel) => left + (pixel - fit.low) * fit.scale;
    const sides = reach.map(({ first, last }, m) => {
      const level = page.levels[m];
      const ends = [edgeOf(level, first), edgeOf(level, last + 1)].map(screen).map(px);
      return { ends, top: px(yOf(m)), bottom: px(yOf(m) + height) };
    });
    const down = sides.map(({ ends, top, bottom }) => `${ends[0]} ${top} ${ends[0]} ${bottom}`);
    const up = sides.map(({ ends, top, bottom }) => `${ends[1]} ${bottom} ${ends[1]} ${top}`);
    setAttribute(cone, "d", `M${down.join(" ")} ${up.reverse().join(" ")}z`);
    const [start, stop] = sides[0].ends;
    const around = (x, y, w, grow) =>
      rectangles([[x - grow, y - grow, w + 2 * grow, height + 2 * grow]]);
    setAttribute(frame, "d", around(start, yOf(0), stop - start, 3));
    const level = page.levels[layer];
    const [[x, y, w]] = cellsIn(level, [[output, output]], yOf(layer));
    setAttribute(unit, "d", around(x, y, Math.max(w, 3), 1));

    const ends = [field.first, field.last].map((index) => formatNumber(index));
    setText(span, ends[0] === ends[1] ? `pixel ${ends[0]}` : `pixels ${ends.join(" to ")}`);
    const half = 4 * span.textContent.length;
    setAttribute(span, "x", px(Math.max(half, Math.min(total - half, (start + stop) / 2))));
    setAttribute(span, "y", 18);
  }

  return { root, draw };
}

/** What the middle output of a level sees. */
function middleReach(levels, rows, layer) {
  return reachOf(levels, rows, layer, middleOf(levels[layer]))[0];
}

/** The plane: input and field in two dimensions. `onPick(pixel)` hears of the column pressed. */
function createPlane(onPick) {
  const path = (name) => draft("path", { class: `cb-rf-${name}` });
  const parts = {
    padding: path("padding"), beyond: path("wet"), cells: path("cells"), lit: path("lit"),
    grid: path("lines"), frame: path("frame"),
  };
  const root = draft("svg", { class: "cb-rf-plane", role: "img" }, ...Object.values(parts));
  let place = null;

  followPointer(root, (x) => place && onPick((x - MARGIN) / place.scale + place.low));

  /** Draw input and field; the chosen output stands in the middle row. */
  function draw({ levels, rows, chosen, reach }) {
    const [layer] = chosen ?? [0];
    const input = levels[0].count;
    const padding = rows[0][3];
    place = scaleOf(levels, rows, layer, PLANE, 22);
    const { low, high, scale } = place;
    const [across, down] = [reach[0], middleReach(levels, rows, layer)];
    const top = Math.min(-padding, down.first);
    const bottom = Math.max(input + padding, down.last + 1);
    const box = ([left, right], [first, last]) => [
      MARGIN + (left - low) * scale, MARGIN + (first - top) * scale,
      (right - left + 1) * scale, (last - first + 1) * scale,
    ];
    const square = (from, to) => rectangles([box([from, to], [from, to])]);
    setAttribute(root, "width", px((high - low) * scale + 2 * MARGIN));
    setAttribute(root, "height", px((bottom - top) * scale + 2 * MARGIN));
    setAttribute(parts.padding, "d", padding ? square(-padding, input + padding - 1) : "");
    setAttribute(parts.cells, "d", square(0, input - 1));
    const [x, y, side] = box([0, input - 1], [0, input - 1]);
    const steps = scale < SMALLEST_CELL ? [] : range(1, input).map((i) => i * scale);
    const cross = (at) => `M${px(x)} ${px(y + at)}h${px(side)}M${px(x + at)} ${px(y)}v${px(side)}`;
    setAttribute(parts.grid, "d", steps.map(cross).join(""));
    const ends = ({ first, last }) => [first, last];
    const field = across ? rectangles([box(ends(across), ends(down))]) : "";
    const lit = across ? down.read.flatMap((v) => across.read.map((u) => box(u, v))) : [];
    setAttribute(parts.beyond, "d", field);
    setAttribute(parts.lit, "d", rectangles(lit));
    setAttribute(parts.frame, "d", field);
  }

  return { root, draw };
}

// ---------------------------------------------------------------- the address of the page

/**
 * The end of the page's address, which holds a stack: { read, write, clear, link, listen }. Null in
 * a notebook, whose address belongs to others. A page's second explorer calls itself rf2.
 */
function addressOf(el, limits) {
  const host = el.closest(".convbook-explorer");
  if (!host) return null;
  const all = document.querySelectorAll('.convbook-explorer[data-explorer="receptive_field"]');
  const index = [...all].indexOf(host);
  const key = index > 0 ? `rf${index + 1}` : "rf";
  const plain = () => window.location.href.split("#")[0];
  const put = (address) => {
    try {
      window.history.replaceState(window.history.state, "", address);
    } catch {
      // A browser may refuse, as after very many changes: the button still makes the link.
    }
  };
  return {
    read: () => parseFragment(key, window.location.hash, limits),
    write: (inputSize, rows) => put(plain() + fragmentOf(key, inputSize, rows)),
    clear: () => put(plain()),
    link: (inputSize, rows) => plain() + fragmentOf(key, inputSize, rows),
    listen(onChange) {
      window.addEventListener("hashchange", onChange);
      return () => window.removeEventListener("hashchange", onChange);
    },
  };
}

// ---------------------------------------------------------------- the table of layers

const FIELD_NAMES = ["Output", "Field", "Jump", "Start"];

/**
 * The table of layers: { root, draw }. `onEdit(number, column, value)`, `onShow(number)`,
 * `onMove(number, by)` and `onRemove(number)` hear of layer `number`, from 1.
 */
function createTable({ limits, onEdit, onShow, onMove, onRemove, onAdd, onInvalid }) {
  const group = uniqueName("layer");
  const cell = (role, css, ...content) =>
    h("div", { role, class: `cb-rf-cell ${css}` }, ...content);
  const head = h(
    "div", { role: "row", class: "cb-rf-row cb-rf-head" },
    ["Layer", ...NAMES, ...FIELD_NAMES].map((text) => cell("columnheader", "", text)),
  );
  const problem = cell("cell", "cb-rf-problem");
  const problemRow = h("div", { role: "row" }, problem);
  const body = h("div", { role: "table", "aria-label": "Layers", class: "cb-rf-table" });
  const add = button("Add a layer", () => onAdd());
  const root = h("div", { class: "cb-stack" }, body, add);
  const pool = [];
  let shown = 0;

  const tools = [
    ["Move up", () => onMove(shown, -1)],
    ["Move down", () => onMove(shown, 1)],
    ["Remove", () => onRemove(shown)],
  ].map(([label, act]) => {
    const element = button(label, () => {
      act();
      (element.disabled ? pool[shown - 1].radio : element).focus();
    }, { class: "cb-button cb-tool" });
    return { element, label };
  });

  function make(number) {
    const radio = h("input", { type: "radio", name: group, "aria-label": `Show layer ${number}` });
    radio.addEventListener("change", () => onShow(number));
    const name = h("span", {});
    const fields = SETTINGS.map((setting, i) =>
      wholeField({
        label: NAMES[i], name: `${NAMES[i]} of layer ${number}`, limits: limits[setting], onInvalid,
        onInput: (value) => onEdit(number, i + 1, value),
      }));
    const values = FIELD_NAMES.map((label) => {
      const text = h("span", { class: "cb-value" });
      const name = h("span", { class: "cb-name" }, label);
      const css = label === "Field" ? "cb-rf-value" : "cb-rf-value cb-rf-closes";
      return { text, root: cell("cell", css, name, text) };
    });
    const actions = cell("cell", "cb-rf-tools");
    const title = h("label", {}, radio, h("b", {}, String(number)), name);
    const element = h(
      "div", { role: "row", class: "cb-rf-row" },
      cell("rowheader", "cb-rf-title", title),
      fields.map((field) => cell("cell", "cb-rf-closes", field.root)),
      values.map((value) => value.root),
      actions,
    );
    return { element, radio, name, fields, values, actions };
  }

  function draw({ levels, rows, layer, problem: reason }) {
    while (pool.length < rows.length) pool.push(make(pool.length + 1));
    shown = layer;
    const lines = [head];
    rows.forEach(([name, ...numbers], i) => {
      const row = pool[i];
      const level = levels[i + 1];
      setText(row.name, name);
      row.radio.checked = i + 1 === layer;
      row.fields.forEach((field, j) => field.set(numbers[j]));
      const found = level ? [level.count, level.size, level.jump, level.start] : [];
      row.values.forEach(({ text }, j) => setText(text, level ? formatNumber(found[j]) : "\u2013"));
      row.element.classList.toggle("cb-rf-shown", i + 1 === layer);
      setChildren(row.actions, i + 1 === layer ? tools.map(({ element }) => element) : []);
      lines.push(row.element);
      if (reason && i + 1 === levels.length) lines.push(problemRow);
    });
    setText(problem, reason ?? "");
    setChildren(body, lines);
    const off = [layer === 1, layer === rows.length, rows.length === limits.layers[0]];
    tools.forEach(({ element, label }, i) => {
      element.disabled = off[i];
      setAttribute(element, "aria-label", `${label} layer ${layer}`);
    });
    add.disabled = rows.length === limits.layers[1];
  }

  return { root, draw };
}

// ---------------------------------------------------------------- the page

/** Draw the stack into `el` and keep it in step with `model`. */
function render({ model, el }) {
  const first = Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
  const [presets, limits] = [model.get("presets"), model.get("limits")];
  const ruler = h("div", { class: "cb-ruler" });
  const link = keepInStep({ model, traits: TRAITS, ruler, draw });
  const address = addressOf(el, limits);
  const stack = () => [model.get("input_size"), model.get("rows")];

  // -- changes

  /** Show other layers, or another input: `layer` if given, else the same output as before. */
  function edit(patch, layer = null) {
    const [wanted, output] = model.get("selected");
    const { levels } = measure(...stack(), limits);
    const before = chosenOf(levels, [wanted, output]);
    const middle = before?.[0] !== wanted || before[1] === middleOf(levels[wanted]);
    const next = { input_size: model.get("input_size"), rows: model.get("rows"), ...patch };
    const after = measure(next.input_size, next.rows, limits).levels;
    const to = Math.min(layer ?? wanted, next.rows.length);
    const there = after[to];
    const kept = there ? Math.min(output, there.count - 1) : output;
    const selected = [to, there && (layer !== null || middle) ? middleOf(there) : kept];
    link.change({ ...patch, selected });
    address?.write(...stack());
    setText(message, "");
  }

  function show(layer, output = null) {
    const { levels } = measure(...stack(), limits);
    const level = levels[layer];
    link.change({ selected: [layer, output ?? (level ? middleOf(level) : 0)] });
  }

  function showPreset({ input_size: size, rows }) {
    edit({ input_size: size, rows }, rows.length);
  }

  /** Take over the stack in the page's address, if it holds one, and come into view. */
  function readAddress() {
    const found = address?.read();
    if (!found) return;
    if (found.problem) {
      setText(
        message,
        `The stack in this page's address cannot be shown: ${found.problem}. ` +
          "Below is the explorer's own stack.",
      );
    } else {
      showPreset(presetOf(presets, found.input_size, found.rows) ?? found);
    }
    // In the next frame, when what stood here for readers without JavaScript is gone.
    requestAnimationFrame(() => root.scrollIntoView());
  }

  // -- controls
  const message = h("p", { class: "cb-message", role: "status" });
  const pills = presets.map((preset) => ({
    preset,
    root: button(preset.label, () => showPreset(preset), { class: "cb-button cb-preset" }),
  }));
  const reset = button("Reset", () => {
    link.change(first);
    address?.clear();
    setText(message, "");
  });
  const onInvalid = (text) => setText(warning, text ?? "");
  const size = wholeField({
    label: "Input size", name: "Input size", limits: limits.input_size, onInvalid,
    onInput: (value) => edit({ input_size: value }),
  });
  const layerControl = rangeControl({
    label: "Layer", hint: "whose field is shown", min: 1, max: 1, onInput: (value) => show(value),
  });
  const outputControl = rangeControl({
    label: "Output", hint: "of that layer", min: 0, max: 0,
    onInput: (value) => page.chosen && show(page.chosen[0], value),
  });

  // -- figure
  let page = null;
  const section = createSection((level, pixel) => {
    if (!page.chosen) return;
    const layer = level || page.chosen[0];
    show(layer, outputAt(page.levels[layer], pixel));
  });
  const plane = createPlane((pixel) => {
    if (page.chosen) show(page.chosen[0], outputAt(page.levels[page.chosen[0]], pixel));
  });
  const summary = h("p", { class: "cb-rf-summary", role: "status" });
  const note = h("p", { class: "cb-rf-note" });
  const facts = FIELD_NAMES.map((name) => {
    const value = h("b", {});
    return { value, root: h("p", {}, h("span", { class: "cb-name" }, name), " ", value) };
  });
  const legend = h(
    "ul", { class: "cb-legend" },
    legendEntry("cb-x cb-lit", "input pixel that feeds it"),
    legendEntry("cb-y cb-lit", "output that feeds it"),
    legendEntry("cb-pad", "padding"),
  );

  // -- recurrence, table and code
  const stepsLabel = h("span", {});
  const steps = range(0, 3).map(() => {
    const [sum, rule] = [h("span", {}), h("span", { class: "cb-muted" })];
    return { sum, rule, root: h("p", { class: "cb-rf-step" }, sum, " ", rule) };
  });
  const warning = h("p", { class: "cb-rf-warning", role: "status" });
  const table = createTable({
    limits,
    onInvalid,
    onEdit(number, column, value) {
      const change = (row) => row.map((old, i) => (i === column ? value : old));
      edit({ rows: model.get("rows").map((row, i) => (i === number - 1 ? change(row) : row)) });
    },
    onShow: (number) => show(number),
    onMove(number, by) {
      const rows = [...model.get("rows")];
      rows.splice(number - 1 + by, 0, ...rows.splice(number - 1, 1));
      edit({ rows }, number + by);
    },
    onRemove(number) {
      const rows = model.get("rows").filter((_, i) => i !== number - 1);
      edit({ rows }, Math.min(number, rows.length));
    },
    onAdd() {
      const rows = [...model.get("rows")];
      const number = Math.min(model.get("selected")[0], rows.length);
      rows.splice(number, 0, ["conv", 3, 1, 0, 1]);
      edit({ rows }, number + 1);
    },
  });
  const code = codeBox("the line", [
    ["Copy script", () => packageScript(model.get("rows"))],
    ...(address ? [["Copy link", () => address.link(...stack())]] : []),
  ]);

  const root = h(
    "div",
    { class: "convbook-root cb-receptive-field", role: "group", "aria-label": "Receptive field" },
    h(
      "div", { class: "cb-top" },
      h("div", { class: "cb-presets" }, pills.map((pill) => pill.root)), message, note, reset,
    ),
    h("div", { class: "cb-controls" }, size.root, layerControl.root, outputControl.root),
    h(
      "div", { class: "cb-figure" }, ruler, section.root,
      h(
        "div", { class: "cb-rf-below" },
        h("div", {}, plane.root, h("p", { class: "cb-note" }, "The field in two dimensions")),
        h(
          "div", { class: "cb-rf-words" },
          h("div", { class: "cb-rf-facts" }, facts.map((fact) => fact.root)), summary,
        ),
      ),
      legend,
    ),
    table.root,
    warning,
    h(
      "div", { class: "cb-results" },
      resultRow(stepsLabel, h("div", {}, steps.map((step) => step.root))),
      resultRow("Code", code.root),
    ),
  );

  // -- drawing

  /** Everything on the page from what is in the model. */
  function draw() {
    const [inputSize, rows] = stack();
    const selected = model.get("selected");
    const { levels, problem } = measure(inputSize, rows, limits);
    const chosen = chosenOf(levels, selected);
    const reach = chosen ? reachOf(levels, rows, ...chosen) : [];
    page = { levels, rows, problem, chosen, reach, width: link.width() };

    const preset = presetOf(presets, inputSize, rows);
    for (const pill of pills) setAttribute(pill.root, "aria-pressed", pill.preset === preset);
    const own = `Your own stack.${address ? " Copy link, below, keeps and shares it." : ""}`;
    setText(note, preset?.note ?? own);
    size.set(inputSize);
    const [layer, output] = chosen ?? [1, 0];
    layerControl.limit(Math.max(1, levels.length - 1));
    layerControl.set(layer);
    outputControl.limit(chosen ? levels[layer].count - 1 : 0);
    outputControl.set(output);

    section.draw(page);
    plane.draw(page);
    setAttribute(section.root, "aria-label", `Cross-section: ${summaryOf(levels, rows, chosen)}`);
    setAttribute(plane.root, "aria-label", "The field on the input, in two dimensions");
    setText(summary, summaryOf(levels, rows, chosen));
    const level = levels[layer];
    const found = chosen ? [level.count, level.size, level.jump, level.start] : [];
    facts.forEach(({ value }, i) => {
      const text = chosen ? formatNumber(found[i]) : "\u2013";
      setText(value, chosen && i < 2 ? `${text} \u00d7 ${text}` : text);
    });
    setText(stepsLabel, `Layer ${layer}`);
    const recurrence = chosen ? recurrenceOf(levels, rows, layer) : [];
    steps.forEach((step, i) => {
      const [name, rule, numbers, result] = recurrence[i] ?? ["", "", "", 0];
      setText(step.sum, chosen ? `${name} = ${numbers} = ${formatNumber(result)}` : "\u2013");
      setText(step.rule, rule);
    });
    table.draw({ levels, rows, problem, layer: Math.min(selected[0], rows.length) });
    setText(code.line, packageLine(rows));
  }

  el.replaceChildren(keepKeys(root));
  link.start();
  readAddress();
  const stopListening = address?.listen(readAddress);
  return () => {
    stopListening?.();
    link.stop();
  };
}

export {
  fragmentOf,
  measure,
  outputAt,
  packageLine,
  packageScript,
  parseFragment,
  presetOf,
  reachOf,
  recurrenceOf,
  summaryOf,
};
export default { render };
