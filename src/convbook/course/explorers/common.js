// Shared by every explorer: arithmetic, number formats, DOM helpers, controls, number grids.
// Plain functions; NAME.js follows this text in the same module, so nothing here is exported.

// ---------------------------------------------------------------- arithmetic
// `s` is always { size, kernel, stride, before, after, dilation, outputPadding }.

/** Pixels a dilated kernel spans from its first tap to its last. */
function kernelSpan(s) {
  return s.dilation * (s.kernel - 1) + 1;
}

/** Size of a convolution's output along one axis, or null when no window fits. */
function convOutputSize(s) {
  const room = s.size + s.before + s.after - kernelSpan(s);
  return room < 0 ? null : Math.floor(room / s.stride) + 1;
}

/** Size of a transposed convolution's output along one axis, or null when there is none. */
function convTransposeOutputSize(s) {
  if (s.outputPadding >= Math.max(s.stride, s.dilation)) return null;
  const size = (s.size - 1) * s.stride - s.before - s.after + kernelSpan(s) + s.outputPadding;
  return size < 1 ? null : size;
}

/** Padding before and after that keeps the size at stride 1, the odd pixel after. */
function samePadding(kernel, dilation = 1) {
  const total = dilation * (kernel - 1);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** Taps [input index, kernel index] behind output index `o`; an index outside 0..size-1 is padding. */
function convTaps(s, o) {
  return Array.from({ length: s.kernel }, (_, k) => [o * s.stride - s.before + k * s.dilation, k]);
}

/** Taps [input index, kernel index] of the stamps that land on output index `o`. */
function convTransposeTaps(s, o) {
  const taps = [];
  for (let i = 0; i < s.size; i += 1) {
    const k = (o + s.before - i * s.stride) / s.dilation;
    if (Number.isInteger(k) && k >= 0 && k < s.kernel) taps.push([i, k]);
  }
  return taps;
}

/** The products behind one output cell, row by row: { row, col, kRow, kCol, x, w, padding }. */
function productsOf(x, w, rowTaps, colTaps) {
  return rowTaps.map(([row, kRow]) =>
    colTaps.map(([col, kCol]) => {
      const padding = row < 0 || col < 0 || row >= x.length || col >= x.length;
      return { row, col, kRow, kCol, x: padding ? 0 : x[row][col], w: w[kRow][kCol], padding };
    }),
  );
}

/** The sum of products over given taps, for each pair of a row's taps and a column's taps. */
function sumTaps(x, w, taps) {
  return taps.map((rowTaps) =>
    taps.map((colTaps) => {
      let sum = 0;
      for (const [row, kRow] of rowTaps) {
        if (row < 0 || row >= x.length) continue;
        for (const [col, kCol] of colTaps) {
          if (col >= 0 && col < x.length) sum += x[row][col] * w[kRow][kCol];
        }
      }
      return sum;
    }),
  );
}

/** Whole numbers start, start + 1, ..., stop - 1. */
function range(start, stop) {
  return Array.from({ length: Math.max(0, stop - start) }, (_, i) => start + i);
}

/** Whole numbers in order as runs [first, last] without a gap. */
function runsOf(numbers) {
  const runs = [];
  for (const number of numbers) {
    const run = runs[runs.length - 1];
    if (run && run[1] === number - 1) run[1] = number;
    else runs.push([number, number]);
  }
  return runs;
}

/** Convolve square `x` with square `w`; null when no window fits. */
function convolve(x, w, s) {
  const size = convOutputSize(s);
  return size === null ? null : sumTaps(x, w, range(0, size).map((o) => convTaps(s, o)));
}

/** Transposed convolution of square `x` with square `w`; null when there is no output. */
function convTranspose(x, w, s) {
  const size = convTransposeOutputSize(s);
  return size === null ? null : sumTaps(x, w, range(0, size).map((o) => convTransposeTaps(s, o)));
}

/** The top-left `side` by `side` numbers of a grid. */
function corner(grid, side) {
  return grid.slice(0, side).map((row) => row.slice(0, side));
}

/** The smallest rectangle with these rows and columns, or null when there are none. */
function boxOf(rows, cols) {
  if (!rows.length || !cols.length) return null;
  return {
    top: Math.min(...rows), bottom: Math.max(...rows),
    left: Math.min(...cols), right: Math.max(...cols),
  };
}

// ---------------------------------------------------------------- numbers as text

const LARGEST = 9999;

/** The number written in `text`, 0 for nothing, or null when it is no number in -9999..9999. */
function parseNumber(text) {
  const plain = text.trim().replace(/[\u2212\u2013]/g, "-").replace(",", ".");
  if (plain === "") return 0;
  if (!/^[-+]?(\d+\.?\d*|\.\d+)$/.test(plain)) return null;
  const value = Number(plain);
  if (Math.abs(value) > LARGEST) return null;
  return value === 0 ? 0 : value; // never -0
}

/** The whole number in `text` if it lies in [low, high], else null. */
function wholeNumber(text, [low, high]) {
  const value = /^\d{1,6}$/.test(text.trim()) ? Number(text) : NaN;
  return value >= low && value <= high ? value : null;
}

/** A number for reading: true minus sign, no floating-point dust. */
function formatNumber(value, digits = 12) {
  const rounded = Number(value.toPrecision(digits));
  return String(rounded === 0 ? 0 : rounded).replace("-", "\u2212");
}

/** A number short enough for a grid cell: two decimals at most, none from 1000 on. */
function formatCell(value) {
  const size = Math.abs(value);
  return formatNumber(Number(value.toFixed(size < 100 ? 2 : size < 1000 ? 1 : 0)));
}

/** A factor of a product: negative numbers in brackets. */
function formatFactor(value) {
  return value < 0 ? `(${formatNumber(value)})` : formatNumber(value);
}

/** A whole number with a comma at each thousand: 4,608. */
function withCommas(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** "no zeros", "1 zero", "20 zeros". */
function counted(number, noun) {
  return `${number || "no"} ${noun}${number === 1 ? "" : "s"}`;
}

/** Lines of Python that make `name` a tensor of shape (1, 1, side, side). */
function tensorLines(name, grid) {
  const start = `${name} = torch.tensor([`;
  const rows = grid.map((row) => `[${row.join(", ")}]`).join(`,\n${" ".repeat(start.length)}`);
  return `${start}${rows}], dtype=torch.float64)[None, None]`;
}

// ---------------------------------------------------------------- DOM

/** Make an element: props are attributes, `class`, `on` (events) and plain text as a child. */
function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") {
      for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Give `parent` these children, moving only what has to move: a node kept costs no layout. */
function setChildren(parent, wanted) {
  const keep = new Set(wanted);
  for (const child of [...parent.childNodes]) if (!keep.has(child)) child.remove();
  let next = parent.firstChild;
  for (const child of wanted) {
    if (child === next) next = next.nextSibling;
    else parent.insertBefore(child, next);
  }
}

/** Write text only when it changes, so that an unchanged node costs no layout. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Write an attribute only when it changes; null removes it. */
function setAttribute(element, name, value) {
  if (value === null) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(value)) {
    element.setAttribute(name, value);
  }
}

/** An id or radio-group name no other explorer on the page has. */
function uniqueName(prefix) {
  return `cb-${prefix}-${Math.random().toString(36).slice(2, 10)}`;
}

/** Text with `code` in backticks, as nodes; never parsed as HTML. */
function inlineCode(text) {
  return text
    .split("`")
    .map((part, i) => (i % 2 ? h("code", {}, part) : document.createTextNode(part)));
}

/** Put text on the clipboard; true when it worked. */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No permission or no secure context: the old way, through a selection.
    const area = h("textarea", { class: "cb-hidden", "aria-hidden": "true", tabindex: "-1" });
    const focused = document.activeElement;
    area.value = text;
    document.body.append(area);
    area.select();
    const worked = document.execCommand("copy");
    area.remove();
    focused?.focus();
    return worked;
  }
}

/**
 * Keep key presses inside an explorer: JupyterLab reads an arrow key as a move to another cell.
 * Presses with Ctrl or Meta go on, such as the page's search.
 */
function keepKeys(root) {
  root.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
  });
  return root;
}

// ---------------------------------------------------------------- controls

/** A labelled range with its value, or a text for it, visible: { root, set(value), limit(max) }. */
function rangeControl({ label, hint, min, max, onInput }) {
  const value = h("span", { class: "cb-value", "aria-hidden": "true" });
  const input = h("input", { type: "range", min, max, step: 1 });
  input.addEventListener("input", () => onInput(Number(input.value)));
  const name = h("span", { class: "cb-name" }, label);
  if (hint) name.append(" ", h("span", { class: "cb-hint" }, hint));
  const root = h("label", { class: "cb-control" }, name, value, input);
  return {
    root,
    set(number, text = String(number)) {
      if (input.value !== String(number)) input.value = number;
      setText(value, text);
      setAttribute(input, "aria-valuetext", text === String(number) ? null : text);
    },
    limit(largest) {
      setAttribute(input, "max", largest);
    },
  };
}

/** A field for a whole number: { root, set(value) }; `onInvalid` hears of what is none, or null. */
function wholeField({ label, name, limits, onInput, onInvalid }) {
  const [min, max] = limits;
  const input = h("input", {
    type: "number", min, max, step: 1, inputmode: "numeric", class: "cb-number", "aria-label": name,
  });
  let value = null;
  input.addEventListener("input", () => {
    const number = wholeNumber(input.value, limits);
    setAttribute(input, "aria-invalid", number === null ? "true" : null);
    onInvalid(number === null ? `${name}: use a whole number from ${min} to ${max}.` : null);
    if (number !== null) onInput(number);
  });
  input.addEventListener("focusout", () => {
    // Leaving the field: what counts is shown, so nothing half typed stays behind.
    setAttribute(input, "aria-invalid", null);
    onInvalid(null);
    input.value = value;
  });
  return {
    root: h("label", { class: "cb-field" }, h("span", { class: "cb-name" }, label), input),
    set(number) {
      const typing = document.activeElement === input && input.hasAttribute("aria-invalid");
      if (!typing && (value !== number || Number(input.value) !== number)) input.value = number;
      value = number;
    },
  };
}

/** A fieldset of radio buttons drawn as one bar: { root, set(value) }. */
function segmentedControl({ legend, options, onChange }) {
  const group = uniqueName("choice");
  const radios = options.map(([value, label]) => {
    const radio = h("input", { type: "radio", name: group, value });
    radio.addEventListener("change", () => onChange(value));
    return { value, radio, root: h("label", { class: "cb-segment" }, radio, h("span", {}, label)) };
  });
  const root = h(
    "fieldset",
    { class: "cb-segments" },
    h("legend", { class: "cb-hidden" }, legend),
    radios.map((entry) => entry.root),
  );
  return {
    root,
    set(value) {
      for (const entry of radios) entry.radio.checked = entry.value === value;
    },
  };
}

/** A push button. */
function button(label, onClick, props = {}) {
  return h("button", { type: "button", class: "cb-button", ...props, on: { click: onClick } }, label);
}

// ---------------------------------------------------------------- number grids

const ROLES = { column: "columnheader", row: "rowheader" };

/**
 * A grid of cells with one tab stop, walked with the arrow keys.
 *
 * Cells are kept and reused: `arrange` puts rows together again only when the shape changes,
 * `cell(row, col)` returns the cell to paint. A cell is a "field" that holds a number, "still", or
 * one to choose: "pick", or the head of a "column" or a "row". `onPoint` hears of the cell under
 * the mouse and `onFocus` of the one with the focus, both of null when there is none.
 */
function createGrid({ kind, label, onPick, onEdit, onPoint, onFocus }) {
  const root = h("div", { class: `cb-grid cb-grid-${kind}`, role: "grid", "aria-label": label });
  const frame = h("div", { class: "cb-frame", "aria-hidden": "true" });
  const shell = h("div", { class: "cb-shell" }, root, frame);
  const pool = new Map();
  const rows = new Map();
  let shape = "";
  let [firstRow, firstCol] = [0, 0];
  let live = new Map();
  let lit = new Set();
  let active = null;

  /** Make, or find again, the cell at (row, col) of one sort. */
  function make(sort, row, col) {
    const key = `${sort} ${row} ${col}`;
    if (!pool.has(key)) {
      const element = h("div", { role: ROLES[sort] ?? "gridcell", class: "cb-cell" });
      const picks = sort !== "field" && sort !== "still";
      const cell = { element, picks, row, col, focus: null, classes: "cb-cell", text: null };
      if (sort === "field") {
        cell.field = h("input", { type: "text", autocomplete: "off", spellcheck: "false" });
        cell.field.setAttribute("aria-label", `${kind}, row ${row}, column ${col}`);
        cell.field.size = 1;
        element.append(cell.field);
      }
      cell.focus = sort === "still" ? null : (cell.field ?? element);
      if (cell.focus) cell.focus.tabIndex = -1;
      element.cbCell = cell;
      pool.set(key, cell);
    }
    return pool.get(key);
  }

  /** Lay out rows [first, last + 1] and columns likewise; sortOf says what each cell is. */
  function arrange(rowSpan, colSpan, sortOf, shapeKey) {
    if (shapeKey === shape) return;
    shape = shapeKey;
    // The frame counts from the first cell that is no head.
    const above = sortOf(rowSpan[0], colSpan[0]) === "column";
    const before = sortOf(rowSpan[0], colSpan[0]) === "row";
    shell.dataset.heads = above ? "above" : before ? "before" : "";
    [firstRow, firstCol] = [rowSpan[0] + Number(above), colSpan[0] + Number(before)];
    live = new Map();
    for (const row of range(...rowSpan)) {
      if (!rows.has(row)) rows.set(row, h("div", { role: "row", class: "cb-row" }));
      const cells = range(...colSpan).map((col) => make(sortOf(row, col), row, col));
      for (const cell of cells) live.set(`${cell.row} ${cell.col}`, cell);
      setChildren(rows.get(row), cells.map((cell) => cell.element));
    }
    setChildren(root, range(...rowSpan).map((row) => rows.get(row)));
    if (!active || live.get(`${active.row} ${active.col}`) !== active) {
      activate([...live.values()].find((cell) => cell.focus) ?? null);
    }
  }

  /** Make `cell` the grid's one tab stop. */
  function activate(cell) {
    if (active?.focus) active.focus.tabIndex = -1;
    active = cell;
    if (active?.focus) active.focus.tabIndex = 0;
  }

  /** Cell at (row, col), or undefined outside the grid. */
  function cell(row, col) {
    return live.get(`${row} ${col}`);
  }

  /** Write a cell's text and classes where they changed. */
  function paint(target, text, classes, label) {
    if (target.classes !== classes) {
      target.element.className = lit.has(target) ? `${classes} cb-lit` : classes;
      target.classes = classes;
    }
    if (target.text !== text) {
      // A field being typed in keeps what the reader typed ("1." or "-").
      if (target.field && document.activeElement !== target.field) target.field.value = text;
      if (!target.field) target.element.textContent = text;
      target.text = text;
      setAttribute(target.element, "data-length", text.length > 3 ? Math.min(text.length, 8) : null);
    }
    if (target.label !== label) {
      setAttribute(target.field ?? target.element, "aria-label", label ?? null);
      target.label = label;
    }
  }

  /** Light these cells and no others, touching only those that change. */
  function light(cells) {
    const wanted = new Set(cells);
    for (const one of lit) if (!wanted.has(one)) one.element.classList.remove("cb-lit");
    for (const one of wanted) if (!lit.has(one)) one.element.classList.add("cb-lit");
    lit = wanted;
  }

  /** Rest the tab stop on one of these cells: where it is, if it is on one already. */
  function restOn(cells) {
    if (!cells.includes(active) && cells.length) activate(cells[0]);
  }

  /** Draw a frame around rows and columns [first, last], or hide it. */
  function outline(box) {
    frame.hidden = !box;
    if (!box) return;
    frame.style.setProperty("--y", box.top - firstRow);
    frame.style.setProperty("--x", box.left - firstCol);
    frame.style.setProperty("--h", box.bottom - box.top + 1);
    frame.style.setProperty("--w", box.right - box.left + 1);
  }

  const cellOf = (event) => event.target.closest?.(".cb-cell")?.cbCell;

  root.addEventListener("focusin", (event) => {
    const target = cellOf(event);
    if (!target?.focus) return;
    activate(target);
    target.field?.select();
    onFocus?.(target);
  });
  if (onPoint) {
    // A finger has no hover: it picks, and on its way, scrolling, it lights nothing.
    const mouse = (event) => event.pointerType !== "touch";
    root.addEventListener("pointerover", (event) => {
      const target = cellOf(event);
      if (target && mouse(event)) onPoint(target.picks ? target : null);
    });
    root.addEventListener("pointerleave", (event) => mouse(event) && onPoint(null));
  }
  root.addEventListener("click", (event) => {
    const target = cellOf(event);
    if (target?.picks) {
      target.focus.focus();
      onPick(target.row, target.col);
    }
  });
  root.addEventListener("input", (event) => {
    const target = cellOf(event);
    if (!target?.field) return;
    const value = parseNumber(target.field.value);
    setAttribute(target.field, "aria-invalid", value === null ? "true" : null);
    onEdit(target.row, target.col, value ?? 0, value === null ? target.field.value : null);
  });
  root.addEventListener("focusout", (event) => {
    // Leaving a field: what counts is shown, so nothing half typed stays behind.
    const target = cellOf(event);
    onFocus?.(null);
    if (!target?.field) return;
    const invalid = target.field.hasAttribute("aria-invalid");
    setAttribute(target.field, "aria-invalid", null);
    target.field.value = target.text;
    if (invalid) onEdit(target.row, target.col, parseNumber(target.text), null);
  });
  root.addEventListener("keydown", (event) => {
    const target = cellOf(event);
    if (!target || event.altKey || event.ctrlKey || event.metaKey) return;
    if ((event.key === "Enter" || event.key === " ") && target.picks) {
      event.preventDefault();
      onPick(target.row, target.col);
      return;
    }
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const step = steps[event.key] ?? (event.key === "Enter" ? [1, 0] : null);
    if (!step) return;
    if (target.field && step[1]) {
      // Inside a number the arrow moves the caret; from its end, or with all selected, the cell.
      const { selectionStart: start, selectionEnd: end, value } = target.field;
      const all = start === 0 && end === value.length;
      const edge = start === end && (step[1] < 0 ? start === 0 : end === value.length);
      if (!all && !edge) return;
    }
    const next = cell(target.row + step[0], target.col + step[1]);
    if (event.key !== "Enter") event.preventDefault();
    if (!next?.focus) return;
    next.focus.focus();
    if (next.picks) onPick(next.row, next.col);
  });

  return { shell, root, arrange, cell, paint, light, outline, activate, restOn };
}

// ---------------------------------------------------------------- figure

const NARROWEST_BLOCK = 68;
const OPERATOR_WIDTH = 40;

/** Arrangements of the three grids, best first: which stand side by side. */
const LAYOUTS = [
  ["row", [["x", "w", "y"]]],
  ["pair", [["x", "w"], ["y"]]],
  ["under", [["x"], ["w", "y"]]],
  ["stack", [["x"], ["w"], ["y"]]],
];

/** Space between cells of a given size. */
function gapFor(cell) {
  return cell < 20 ? 1 : 3;
}

/** Largest cell, in pixels, at which `rows` of grids fit in `width`. */
function cellSizeFor(rows, cells, width, largest) {
  for (let cell = largest; cell > 11; cell -= 1) {
    const fits = rows.every((row) => {
      const step = cell + gapFor(cell);
      const grids = row.map((name) => Math.max(cells[name] * step, NARROWEST_BLOCK));
      return grids.reduce((a, b) => a + b, 0) + (row.length - 1) * OPERATOR_WIDTH <= width;
    });
    if (fits) return cell;
  }
  return 11;
}

/**
 * Choose arrangement and cell size for three grids of `cells` cells across: the first arrangement
 * whose cells have `enough` pixels, or the one with the largest.
 */
function fitFlow(flow, cells, width, { enough, largest = 40 }) {
  const options = LAYOUTS.map(([name, rows]) => [name, cellSizeFor(rows, cells, width, largest)]);
  const best = Math.max(...options.map(([, cell]) => cell));
  const [name, cell] = options.find(([, size]) => size >= Math.min(enough, best));
  flow.dataset.layout = name;
  setCellSize(flow, cell);
}

/** Set the size of every cell in `element`, and the space between them. */
function setCellSize(element, cell) {
  element.style.setProperty("--cell", `${cell}px`);
  element.style.setProperty("--gap", `${gapFor(cell)}px`);
}

/** A titled grid: { root, size, name(title, symbol) }; `size` says how large the grid is. */
function block(area, title, symbol, grid) {
  const [words, letter] = [h("span", {}), h("var", {})];
  const size = h("span", { class: "cb-size" });
  const head = h("div", { class: "cb-head" }, words, letter, size);
  const name = (newTitle, newSymbol) => {
    setText(words, newTitle && `${newTitle} `);
    setText(letter, newSymbol);
  };
  name(title, symbol);
  return { root: h("div", { class: `cb-block cb-block-${area}` }, head, grid.shell), size, name };
}

/** One entry of the legend. */
function legendEntry(kind, text) {
  return h("li", {}, h("span", { class: `cb-cell cb-sample ${kind}`, "aria-hidden": "true" }), text);
}

// ---------------------------------------------------------------- drawings

const SVG = "http://www.w3.org/2000/svg"; // a name, which nothing asks for
const SMALLEST_CELL = 5; // narrower ones flow together

/** Make an SVG element with these attributes. */
function draft(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Write a number of pixels with two decimals at most. */
function px(number) {
  return Math.round(number * 100) / 100;
}

/** Rectangles [x, y, width, height] as one path, their corners round where there is room. */
function rectangles(list) {
  return list
    .map(([x, y, width, height]) => {
      const r = Math.min(width, height) < 12 ? 0 : 4;
      const [w, v] = [px(width - 2 * r), px(height - 2 * r)];
      const start = `M${px(x + r)} ${px(y)}`;
      if (!r) return `${start}h${w}v${v}h${-w}z`;
      const turn = (dx, dy) => `a${r} ${r} 0 0 1 ${dx * r} ${dy * r}`;
      const half = `h${w}${turn(1, 1)}v${v}${turn(-1, 1)}`;
      return `${start}${half}h${-w}${turn(-1, -1)}v${-v}${turn(1, -1)}z`;
    })
    .join("");
}

/** Space between cells of this width. */
function spaceFor(width) {
  return width < SMALLEST_CELL ? 0 : width < 9 ? 1 : width < 18 ? 2 : 3;
}

/** Let a press, and moves while it lasts, call `onPick(x, y)` with the place inside `element`. */
function followPointer(element, onPick) {
  const pick = (event) => {
    const box = element.getBoundingClientRect();
    onPick(event.clientX - box.left, event.clientY - box.top, event.type === "pointerdown");
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    pick(event);
  });
  element.addEventListener("pointermove", (event) => {
    if (element.hasPointerCapture(event.pointerId)) pick(event);
  });
}

// ---------------------------------------------------------------- results

/** A line of the results: a label and what it names. */
function resultRow(label, ...content) {
  return h("div", { class: "cb-result" }, h("div", { class: "cb-label" }, label), ...content);
}

/** Text in the colour of one role: "input", "kernel", "output" or "padding". */
function ink(kind, text) {
  return h("span", { class: `cb-ink-${kind}` }, String(text));
}

/** Buttons that go one back or on, with the place between them: { root, set(what, where) }. */
function stepButtons(onStep) {
  const place = h("span", { class: "cb-where" });
  const back = button("\u2039 Previous", () => onStep(-1));
  const on = button("Next \u203a", () => onStep(1));
  return {
    root: h("div", { class: "cb-steps" }, back, place, on),
    set(what, where) {
      setAttribute(back, "aria-label", `Previous ${what}`);
      setAttribute(on, "aria-label", `Next ${what}`);
      setText(place, where);
    },
  };
}

/**
 * A line of code with a button that copies it, and one for each [label, text()] of `others`, which
 * copies what `text()` returns.
 */
function codeBox(what, others) {
  const line = h("code", { class: "cb-code" });
  const copied = h("span", { class: "cb-copied", role: "status" });
  const copy = async (text) => {
    const worked = await copyText(text);
    copied.textContent = worked ? "Copied" : "Copying is blocked here: select the line instead";
    setTimeout(() => (copied.textContent = ""), 2500);
  };
  const actions = h(
    "div", { class: "cb-actions" },
    button("Copy", () => copy(line.textContent), { "aria-label": `Copy ${what}` }),
    others.map(([label, text]) => button(label, () => copy(text()))),
    copied,
  );
  return { root: h("div", { class: "cb-copy" }, line, actions), line };
}

/** Write a sum of products, each a pair of [role, text]; `lines` are its rows, `end` follows. */
function writeSum(element, start, lines, end) {
  const widths = lines.flat().map(([[, a], [, b]]) => a.length + b.length + 1);
  element.style.setProperty("--term", `${Math.max(...widths)}ch`);
  const terms = lines.map((line, i) =>
    h("span", { class: "cb-line" }, line.map(([left, right], j) => [
      i + j ? h("span", { class: "cb-plus" }, " + ") : h("span", { class: "cb-plus cb-first" }),
      h("span", { class: "cb-term" }, ink(...left), "\u00b7", ink(...right)),
    ]).flat()));
  element.replaceChildren(
    h("span", { class: "cb-start" }, start),
    h("span", { class: "cb-terms" }, terms),
    ...(end === null ? [] : [h("span", { class: "cb-total" }, " = ", ink("output", end))]),
  );
}

// ---------------------------------------------------------------- model and width

/**
 * Keep a drawing in step with `traits` of the model and with the width of `ruler`.
 *
 * `change` writes settings and draws once. `width()` comes from an observer: asking the page each
 * time would lay it out twice.
 */
function keepInStep({ model, traits, ruler, draw }) {
  let drawnHere = false;
  let waiting = false;
  let width = 0;
  const onModel = () => {
    if (drawnHere || waiting) return;
    waiting = true;
    queueMicrotask(() => {
      waiting = false;
      draw();
    });
  };
  const observer = new ResizeObserver(([entry]) => {
    if (entry.contentRect.width === width) return;
    width = entry.contentRect.width;
    draw();
  });
  return {
    change(patch) {
      drawnHere = true;
      for (const [name, value] of Object.entries(patch)) model.set(name, value);
      drawnHere = false;
      model.save_changes();
      draw();
    },
    width: () => width || ruler.clientWidth || 640,
    start() {
      for (const name of traits) model.on(`change:${name}`, onModel);
      draw();
      observer.observe(ruler);
    },
    stop() {
      observer.disconnect();
      for (const name of traits) model.off(`change:${name}`, onModel);
    },
  };
}
