// Receptive field: a stack in the address of the page, as published links and
// `trace(model).link()` have it.

import { wholeNumber } from "../lib/format.js";
import { LIMITS, presetOf, SETTINGS } from "./receptive_field_stacks.js";

/** The end of an address: #rf=SIZE;k.s.p.d,k.s.p.d. */
export function stackFragment(key, { input_size: size, rows }) {
  return `#${key}=${size};${rows.map((row) => row.slice(1).join(".")).join(",")}`;
}

/** The stack in the end of an address, with the names of the preset that it is. */
export function stackIn(key, fragment) {
  const text = fragment.replace(/%(3B|2C|3D)/gi, decodeURIComponent); // as mail programs write them
  if (!text.startsWith(`#${key}=`)) return null;
  const [sizeText, layers = "", ...rest] = text.slice(key.length + 2).split(";");
  const size = wholeNumber(sizeText, LIMITS.input_size);
  if (size === null) return { problem: `use an input size of ${LIMITS.input_size.join(" to ")}` };
  const texts = layers.split(",");
  if (rest.length || texts.length > LIMITS.layers[1]) {
    return { problem: `list ${LIMITS.layers.join(" to ")} layers after the input size` };
  }
  const rows = [];
  for (const [i, layer] of texts.entries()) {
    const parts = layer.split(".");
    if (parts.length !== SETTINGS.length) {
      return { problem: `give layer ${i + 1} ${SETTINGS.length} numbers with points between` };
    }
    const numbers = parts.map((part, j) => wholeNumber(part, LIMITS[SETTINGS[j]]));
    const bad = SETTINGS[numbers.indexOf(null)];
    if (bad) return { problem: `use ${bad} ${LIMITS[bad].join(" to ")} in layer ${i + 1}` };
    rows.push(["conv", ...numbers]);
  }
  return presetOf({ input_size: size, rows })?.settings ?? { input_size: size, rows };
}

/** @type {import("../lib/address.js").AddressFormat} */
export const STACK_FORMAT = { key: "rf", write: stackFragment, parse: stackIn };
