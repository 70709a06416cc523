// Controls: labelled ranges, fields, choices and buttons.

import { h, setAttribute, setText, uniqueName } from "./dom.js";
import { wholeNumber } from "./format.js";

/**
 * A labelled range with its value, or a text for it, visible: { root, set(value), limit(max) }.
 * @param {object} options
 * @param {string} options.label
 * @param {string} [options.hint]
 * @param {number} options.min
 * @param {number} options.max
 * @param {(value: number) => void} options.onInput
 */
export function rangeControl({ label, hint, min, max, onInput }) {
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

/**
 * A field whose text is read by `parse`: { root, set(value) }; `onInvalid` hears of `problem` where
 * it returns null, else of null.
 * @template T
 * @param {object} options
 * @param {string} options.label
 * @param {string} [options.hint]
 * @param {(text: string) => T | null} options.parse
 * @param {(value: T) => string} [options.write]
 * @param {string} options.problem
 * @param {(value: T) => void} options.onInput
 * @param {(text: string | null) => void} options.onInvalid
 * @param {Record<string, any>} [options.attributes]
 */
export function parsedField({ label, hint, parse, write = String, problem, ...options }) {
  const { onInput, onInvalid, attributes = { type: "text" } } = options;
  const input = h("input", { class: "cb-number", autocomplete: "off", ...attributes });
  let text = "";
  input.addEventListener("input", () => {
    const value = parse(input.value);
    setAttribute(input, "aria-invalid", value === null ? "true" : null);
    onInvalid(value === null ? problem : null);
    if (value !== null) onInput(value);
  });
  input.addEventListener("focusout", () => {
    // Leaving the field: what counts is shown, so nothing half typed stays behind.
    setAttribute(input, "aria-invalid", null);
    onInvalid(null);
    input.value = text;
  });
  const name = h("span", { class: "cb-name" }, label);
  if (hint) name.append(" ", h("span", { class: "cb-hint" }, hint));
  return {
    root: h("label", { class: "cb-field" }, name, input),
    set(value) {
      text = write(value);
      // What is being typed stays as it is while it says the same, or says nothing yet.
      const typed = document.activeElement === input ? parse(input.value) : undefined;
      if (typed === undefined || (typed !== null && write(typed) !== text)) input.value = text;
    },
  };
}

/**
 * A field for a whole number: { root, set(value) }; `onInvalid` hears of what is none, or null.
 * @param {object} options
 * @param {string} options.label
 * @param {string} options.name for a screen reader
 * @param {number[]} options.limits
 * @param {(value: number) => void} options.onInput
 * @param {(text: string | null) => void} options.onInvalid
 */
export function wholeField({ label, name, limits, onInput, onInvalid }) {
  const [min, max] = limits;
  return parsedField({
    ...{ label, onInput, onInvalid },
    attributes: { type: "number", min, max, step: 1, inputmode: "numeric", "aria-label": name },
    parse: (text) => wholeNumber(text, limits),
    problem: `${name}: use a whole number from ${min} to ${max}.`,
  });
}

/**
 * A fieldset of radio buttons drawn as one bar: { root, set(value) }.
 * @param {object} options
 * @param {string} options.legend
 * @param {string[][]} options.options pairs of value and label
 * @param {(value: string) => void} options.onChange
 */
export function segmentedControl({ legend, options, onChange }) {
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
export function button(/** @type {string} */ label, onClick, props = {}) {
  return h(
    "button",
    { type: "button", class: "cb-button", ...props, on: { click: onClick } },
    label,
  );
}

/** What is seldom changed, folded. */
export function moreSettings(/** @type {Node[]} */ nodes) {
  return h("details", { class: "cb-more" }, h("summary", {}, "More settings"), h("div", {}, nodes));
}
