// Coverage: the rows of positions with the taps between them, and the map.

import { setAttribute, setChildren, setText } from "../lib/dom.js";
import { followPointer } from "../lib/pointer.js";
import { range, runsOf } from "../lib/ranges.js";
import { draft, px, rectangles, SMALLEST_CELL, spaceFor } from "../lib/svg.js";
import { reachedOf } from "./coverage_counts.js";

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
    cells: path("cb-rf-cells"),
    holes: path("cb-cov-hole"),
    lit: path("cb-rf-lit"),
    digits: draft("g", { class: "cb-rf-digits" }),
    name: draft("text", { x: 0 }),
    count: draft("text", { class: "cb-rf-count" }),
  };
  return { ...row, root: draft("g", {}, ...Object.values(row)) };
}

/**
 * Rows from the top, lines for the taps between them, and a bar for each count of the last.
 * `onPick(position)` hears of a press, and of moves while it lasts.
 */
export function createTree(onPick) {
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
    setChildren(
      rows,
      pool.slice(0, levels.length).map((row) => row.root),
    );
    const last = levels.length - 1;
    const longest = String(Math.max(...counts)).length;
    const numbered = scale >= DIGIT * longest + 5;
    levels.forEach((level, m) => {
      const row = pool[m];
      const all = range(0, level.counts.length);
      const paint = (element, some) =>
        setAttribute(element, "d", rectangles(cellsOf(level, m, some)));
      paint(
        row.cells,
        all.filter((i) => level.counts[i] > 0 && !lit[m][i]),
      );
      paint(
        row.lit,
        all.filter((i) => lit[m][i] && level.counts[i] > 0),
      );
      paint(row.holes, m === last ? all.filter((i) => level.counts[i] === 0) : []);
      const input = dilated === (m === last);
      const css = `${input ? "cb-rf-input" : "cb-rf-output"}${space < 2 ? " cb-rf-narrow" : ""}`;
      setAttribute(row.root, "class", css);
      const middle = yOf(m) + height / 2;
      writeTexts(
        row.digits,
        m === last && numbered
          ? all.map((i) => [xOf(level, i) + scale / 2, middle, level.counts[i]])
          : [],
      );
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
    const strip = (list) =>
      list
        .map((i) => {
          const [x, y, w, v] = bar(i).map(px);
          return `M${x} ${y}h${w}v${v}h${-w}z`;
        })
        .join("");
    setAttribute(bars, "d", strip(plainBars));
    setAttribute(litBar, "d", strip([position]));
    setAttribute(base, "d", `M${left} ${px(floor + 0.5)}h${px(total * scale)}`);
    setAttribute(root, "data-mode", s.mode);
    const every = indexStep(scale, DIGIT * String(total - 1).length + 6);
    writeTexts(
      indices,
      range(0, total)
        .filter((i) => i % every === 0)
        .map((i) => [left + (i + 0.5) * scale, floor + 13, i]),
    );
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
export function createPlane() {
  const path = (name) => draft("path", { class: name });
  const [ground, lines] = [path("cb-rf-lit"), path("cb-rf-lines")];
  const holes = path("cb-cov-hole");
  const shades = draft("g");
  const digits = draft("g", { class: "cb-rf-digits" });
  const root = draft(
    "svg",
    { class: "cb-cov-plane", role: "img" },
    ground,
    shades,
    holes,
    lines,
    digits,
  );

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
    const empty = range(0, total)
      .filter((i) => counts[i] === 0)
      .map((i) => px(i * scale));
    const thick = px(scale);
    setAttribute(
      holes,
      "d",
      empty
        .map((at) => `M${at} 0h${thick}v${side}h${-thick}zM0 ${at}h${side}v${thick}h${-side}z`)
        .join(""),
    );
    const cross = (at) => `M0 ${at}h${side}M${at} 0v${side}`;
    const inner = scale < SMALLEST_CELL ? [] : range(1, total).map((i) => px(i * scale));
    setAttribute(lines, "d", [...inner.map(cross), `M0 0h${side}v${side}h${-side}z`].join(""));

    // The more taps, the darker; a path for each number of taps.
    const byCount = new Map();
    if (!dilated) {
      counts.forEach((a, i) =>
        counts.forEach((b, j) => {
          if (a * b === 0) return;
          const cell = `M${px(j * scale)} ${px(i * scale)}h${thick}v${thick}h${-thick}z`;
          byCount.set(a * b, (byCount.get(a * b) ?? "") + cell);
        }),
      );
    }
    const most = Math.max(...counts) ** 2;
    while (shades.childNodes.length < byCount.size) shades.append(path("cb-cov-shade"));
    while (shades.childNodes.length > byCount.size) shades.lastChild.remove();
    [...byCount].forEach(([count, cells], i) => {
      setAttribute(shades.childNodes[i], "d", cells);
      setAttribute(shades.childNodes[i], "fill-opacity", px(count / most));
    });
    const written = !dilated && scale >= SMALLEST_NUMBERED;
    writeTexts(
      digits,
      written
        ? counts.flatMap((a, i) =>
            counts.map((b, j) => [(j + 0.5) * scale, (i + 0.5) * scale, a * b]),
          )
        : [],
    );
  }

  return { root, draw };
}
