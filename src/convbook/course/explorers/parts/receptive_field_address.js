// Receptive field: the stack in the address of the page.

import { wholeNumber } from "../lib/format.js";
import { SETTINGS } from "./receptive_field_words.js";

/** The end of an address that holds this stack. */
export function fragmentOf(key, inputSize, rows) {
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
export function parseFragment(key, fragment, limits) {
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

/**
 * The end of the page's address, which holds a stack: { read, write, clear, link, listen }. Null in
 * a notebook, whose address belongs to others. A page's second explorer calls itself rf2.
 */
export function addressOf(el, limits) {
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
