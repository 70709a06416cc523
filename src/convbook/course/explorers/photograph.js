// Kernel on a photograph: weights, the map that they make, and the products behind each pixel.

import { button, segmentedControl } from "./lib/controls.js";
import { h, setAttribute, setText } from "./lib/dom.js";
import { createShell } from "./lib/shell.js";
import {
  colourTable,
  distanceOf,
  mapOf,
  paintMap,
  SIDE,
  scaleOf,
} from "./parts/photograph_arithmetic.js";
import { createFigure } from "./parts/photograph_figure.js";
import {
  BORDERS,
  presetsAt,
  pytorchLine,
  pytorchScript,
  RULES,
  resized,
  SIZES,
  TARGETS,
  VIEWS,
} from "./parts/photograph_kernels.js";
import { createPicture, pixelCanvas, takeFiles } from "./parts/photograph_pictures.js";
import { probeSentence, targetSentence } from "./parts/photograph_words.js";

const PRIVATE = "Or paste or drop one: it stays on this page and is sent nowhere.";

/** A bar of choices, from a table of what each is called. */
function choiceOf(legend, table, onChange) {
  const options = Object.entries(table).map(([value, words]) => [value, [words].flat()[0]]);
  return segmentedControl({ legend, options, onChange });
}

/** The controls in sight, and the border behind "More settings": { elements, draw }. */
function createControls(shell, picture) {
  const table = Object.fromEntries(SIZES.map((size) => [size, `${size} \u00d7 ${size}`]));
  const choices = {
    size: choiceOf("Kernel size", table, (size) =>
      shell.change({ kernel: resized(shell.settings().kernel, Number(size)) }),
    ),
    view: choiceOf("View of the map", VIEWS, (view) => shell.change({ view })),
    border: choiceOf("Border of the picture", BORDERS, (border) => shell.change({ border })),
  };
  const props = { type: "file", accept: "image/*", hidden: true };
  const file = /** @type {HTMLInputElement} */ (h("input", props));
  file.addEventListener("change", () => {
    picture.take(file.files[0]);
    file.value = ""; // so that the same file can be chosen again
  });
  const choose = button("Your own picture\u2026", () => file.click());
  const back = button("Back to the photograph", () => picture.follow("at once"));
  const said = h("p", { class: "cb-muted" });
  const more = h("details", {}, h("summary", {}, "More settings"), choices.border.root, said);
  const note = h("span", { class: "cb-muted" }, PRIVATE);
  const own = h("div", { class: "cb-own" }, file, choose, back, note);
  return {
    elements: [choices.size.root, choices.view.root, own, more],
    draw({ kernel, view, border }) {
      const size = String(kernel.length);
      for (const [name, value] of Object.entries({ size, view, border })) choices[name].set(value);
      back.hidden = !picture.own;
      const across = `${(kernel.length - 1) / 2} wide`;
      const kept = `The map keeps the size of the picture, ${SIDE} \u00d7 ${SIDE}`;
      setText(said, `${kept}, as that has a border ${across} ${BORDERS[border][2]}.`);
    },
  };
}

/** A map to match, folded away until the reader asks for one: { root, target(), draw }. */
function createTask(shell, redraw) {
  const { canvas, show } = pixelCanvas({ role: "img", "aria-label": "The map to match" });
  let index = 0;
  const start = (wanted) => {
    index = wanted;
    if (root.open) shell.change({ view: TARGETS[index].view });
    else redraw();
  };
  const table = Object.fromEntries(TARGETS.map((_, i) => [i, `Map ${i + 1}`]));
  const choice = choiceOf("Map to match", table, (wanted) => start(Number(wanted)));
  const words =
    "Change the weights until your map is this one, at distance 0. No preset makes it. " +
    "The colours keep one scale while you match.";
  const told = h("p", { role: "status" });
  const root = /** @type {HTMLDetailsElement} */ (
    h(
      "details",
      { class: "cb-task", on: { toggle: () => start(index) } },
      h("summary", {}, "Find the kernel: three maps to match"),
      h("div", {}, canvas, h("div", {}, choice.root, h("p", {}, words), told)),
    )
  );
  return {
    root,
    target: () => (root.open ? TARGETS[index] : null),
    draw(distance, fill) {
      choice.set(String(index));
      show(fill);
      setText(told, targetSentence(index, distance));
    },
  };
}

/** The colours of the page's theme, asked for again when it changes: { now, stop }. */
function createColours(root, onChange) {
  const read = (name) => {
    const text = getComputedStyle(root).getPropertyValue(`--cb-${name}`).trim();
    return [1, 3, 5].map((i) => Number.parseInt(text.slice(i, i + 2), 16));
  };
  let kept = null; // to ask costs a layout of styles
  const observer = new MutationObserver(() => {
    kept = null;
    onChange();
  });
  const pages = [document.documentElement, document.body];
  for (const page of pages) observer.observe(page, { attributes: true });
  return {
    now() {
      kept ??= { blank: read("surface"), positive: read("positive"), negative: read("negative") };
      return kept;
    },
    stop: () => observer.disconnect(),
  };
}

/** What makes a map, and only where picture, weights or border have changed. */
function createMaps() {
  let [kept, key, of] = [null, "", null];
  return (pixels, kernel, border) => {
    const text = JSON.stringify([kernel, border]);
    if (text !== key || of !== pixels) {
      [key, of] = [text, pixels];
      const made = mapOf(pixels, SIDE, kernel, border);
      kept = { pixels, kernel, ...made, most: scaleOf(made.map) };
    }
    return kept;
  };
}

/** Draw the explorer into `el` and keep it in step with `model`. */
function render({ model, el }) {
  const shell = createShell({
    model,
    el,
    name: "photograph",
    title: "Kernel on a photograph",
    rules: RULES,
    traits: ["photograph", "picture"],
    presets: presetsAt(() => model.get("kernel").length),
  });
  let moving = null; // where the mouse or the arrow keys have the probe, until they leave
  const where = () => moving ?? model.get("probe");
  const [ownMap, targetMap] = [createMaps(), createMaps()];
  const picture = createPicture(() => model.get("picture"), shell.say, draw);
  const controls = createControls(shell, picture);
  const figure = createFigure(shell, where, move);
  const task = createTask(shell, draw);
  const colours = createColours(shell.root, draw);
  const place = h("p", { class: "cb-place", role: "status" });
  figure.root.append(place);

  function move(to, how) {
    // A mouse that passes over a picture is seen, and not heard.
    setAttribute(place, "aria-live", how === "mouse" ? "off" : null);
    moving = how === "pin" ? null : to;
    if (how === "pin") shell.change({ probe: to });
    else drawProbe();
  }

  function made(maps = ownMap, wanted = shell.settings().kernel) {
    return maps(picture.pixels, wanted, shell.settings().border);
  }

  function drawProbe() {
    const { pixels, kernel, most, ...parts } = made();
    const [row, col] = where();
    const sum = figure.drawProbe([row, col], { kernel, ...parts });
    setText(place, probeSentence([row, col], kernel, sum, pixels[row * SIDE + col], most));
  }

  function draw() {
    const s = /** @type {any} */ (shell.settings());
    picture.follow();
    controls.draw(s);
    const target = task.target();
    const [own, other] = [made(), target && made(targetMap, target.kernel)];
    const most = s.view === "grey" ? 255 : (other ?? own).most;
    const table = colourTable(s.view, colours.now());
    const fill = (map) => (pixels) => paintMap(pixels, map, most, table);
    figure.draw(s, own, fill(own.map), most);
    if (other) task.draw(distanceOf(own.map, other.map), fill(other.map));
    drawProbe();
    shell.showCode(pytorchLine(s));
  }

  takeFiles(shell.root, picture.take);
  const script = () => pytorchScript(shell.settings());
  const code = { label: "PyTorch", what: "the PyTorch line" };
  const stop = shell.start({
    controls: controls.elements,
    figure: [figure.root],
    below: [task.root],
    code: { ...code, others: [["Copy script", script]] },
    draw,
  });
  return () => {
    colours.stop();
    stop();
  };
}

export default { render };
