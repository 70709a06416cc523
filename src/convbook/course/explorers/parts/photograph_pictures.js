// Photograph: pixels of a picture, the reader's own pictures, and canvases with the probe's mark.

import { h, setAttribute } from "../lib/dom.js";
import { followPointer } from "../lib/pointer.js";
import { SIDE } from "./photograph_arithmetic.js";

const MEGABYTE = 2 ** 20;
const LARGEST_FILE = 20 * MEGABYTE;
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** The greys of the picture at an address, the largest square in its middle, SIDE by SIDE. */
async function greysOf(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const side = Math.min(image.naturalWidth, image.naturalHeight);
  if (!side) throw new Error("a picture without a size");
  const [x, y] = [image.naturalWidth - side, image.naturalHeight - side].map((room) => room / 2);
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { width: SIDE, height: SIDE }));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white"; // behind what is transparent
  context.fillRect(0, 0, SIDE, SIDE);
  context.imageSmoothingQuality = "high";
  context.drawImage(image, x, y, side, side, 0, 0, SIDE, SIDE);
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  // The greys of Pillow's convert("L").
  return Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [red, green, blue] = [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
    return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
  });
}

/** Why a file is not shown, or null. */
function troubleWith(/** @type {File} */ { name, type, size }) {
  if (!type.startsWith("image/")) {
    return `\u201c${name}\u201d is no picture: choose a JPEG, PNG or WebP file.`;
  }
  if (size <= LARGEST_FILE) return null;
  const [has, most] = [size, LARGEST_FILE].map((bytes) => `${Math.ceil(bytes / MEGABYTE)} MB`);
  return `\u201c${name}\u201d is too large, ${has}: save it smaller, ${most} at most.`;
}

/**
 * The picture shown: the book's, at the address that `home()` returns, or the reader's own, which
 * never leaves the page. `say` hears what is wrong, or "".
 */
export function createPicture(home, say, redraw) {
  const picture = { pixels: new Uint8Array(SIDE * SIDE), own: false, follow, take };
  let from = null; // the latest address or file: an earlier one may take longer

  async function show(source, url, problem) {
    from = source;
    try {
      const pixels = await greysOf(url);
      if (from !== source) return;
      Object.assign(picture, { pixels, own: source !== url });
      say("");
    } catch {
      say(problem);
    }
    redraw();
  }

  /** Show the book's picture: where it is another one, or "at once". */
  function follow(when = "") {
    const url = home();
    if (when || (from !== url && typeof from !== "object") || from === null) {
      show(url, url, "This browser cannot show the photograph: open the page in another.");
    }
  }

  /** Show a file of the reader's. */
  async function take(/** @type {File | undefined} */ file) {
    const trouble = file && troubleWith(file);
    if (trouble) say(trouble);
    if (!file || trouble) return;
    const url = URL.createObjectURL(file);
    const cannot = "cannot be read as a picture: save it as JPEG or PNG.";
    await show(file, url, `\u201c${file.name}\u201d ${cannot}`);
    URL.revokeObjectURL(url);
  }

  return picture;
}

/** Hear of a file that is pasted or dropped into an explorer. */
export function takeFiles(/** @type {HTMLElement} */ root, onFile) {
  for (const [name, part] of Object.entries({ paste: "clipboardData", drop: "dataTransfer" })) {
    root.addEventListener(name, (event) => {
      const file = event[part]?.files[0];
      if (file) event.preventDefault();
      onFile(file);
    });
  }
  // Without this a dropped file would take the page's place.
  root.addEventListener("dragover", (event) => {
    if (event.dataTransfer.types.includes("Files")) event.preventDefault();
  });
}

/** A canvas of SIDE by SIDE pixels: { canvas, show(fill) }; `fill` writes colours into an array. */
export function pixelCanvas(props = {}) {
  const options = { width: SIDE, height: SIDE, ...props };
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", options));
  const context = canvas.getContext("2d");
  const image = context.createImageData(SIDE, SIDE);
  const colours = new Uint32Array(image.data.buffer);
  return {
    canvas,
    show(/** @type {(colours: Uint32Array) => void} */ fill) {
      fill(colours);
      context.putImageData(image, 0, 0);
    },
  };
}

/**
 * A picture with the probe on it: { shell, show(fill), mark(place, size) }. `onMove(place, how)`
 * hears of the pixel that the "mouse" or the arrow "keys" go to, null when they leave, and of one
 * that is to stay: "pin".
 */
export function probedPicture(/** @type {string} */ label, where, onMove) {
  const { canvas, show } = pixelCanvas();
  const mark = h("div", { class: "cb-mark" });
  const name = `${label}. The arrow keys move the probe, with Shift by 8; Enter keeps it there.`;
  const props = { class: "cb-picture", tabindex: 0, role: "application", "aria-label": name };
  const shell = h("div", props, canvas, mark);
  const inside = (i) => Math.max(0, Math.min(Math.floor(i), SIDE - 1));
  const pixelAt = (x, y) =>
    [y / shell.clientHeight, x / shell.clientWidth].map((i) => inside(i * SIDE));
  followPointer(shell, (x, y) => onMove(pixelAt(x, y), "pin"));
  shell.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch" || event.buttons) return;
    onMove(pixelAt(event.offsetX, event.offsetY), "mouse");
  });
  shell.addEventListener("pointerleave", () => onMove(null, "mouse"));
  shell.addEventListener("focusout", () => onMove(null, "keys"));
  shell.addEventListener("keydown", (event) => {
    const step = STEPS[event.key]?.map((by) => by * (event.shiftKey ? 8 : 1)) ?? [0, 0];
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (!(event.key in STEPS) && event.key !== "Enter") return;
    event.preventDefault();
    const to = where().map((i, axis) => inside(i + step[axis]));
    onMove(to, event.key === "Enter" ? "pin" : "keys");
  });
  return {
    shell,
    show,
    mark(/** @type {number[]} */ [row, col], /** @type {number} */ size) {
      setAttribute(mark, "style", `--row:${row};--col:${col};--pixels:${size}`);
    },
  };
}
