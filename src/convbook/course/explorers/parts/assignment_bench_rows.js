// Assignment bench: what a row may be, the networks that are offered, and rows in an address. A row
// is its kind and then a number for each of that kind's settings: ["conv", 16, 3, 1, 0, 1].

import { wholeNumber } from "../lib/format.js";

export const SETTINGS = ["filters", "kernel_size", "stride", "padding", "dilation"];

export const LIMITS = {
  rows: [1, 18],
  filters: [1, 1024],
  kernel_size: [1, 11],
  stride: [1, 5], // with these limits, every number stays below 2**53
  padding: [0, 16],
  dilation: [1, 16],
};

/** Each kind: how it is called, and what can be set. In an address, its first letter stands for it. */
export const KINDS = {
  conv: { label: "Convolution", settings: SETTINGS },
  depthwise: { label: "Depthwise", settings: SETTINGS.slice(1) },
  pointwise: { label: "Pointwise", settings: SETTINGS.slice(0, 1) },
  max_pool: { label: "Max-pool", settings: SETTINGS.slice(1, 4) },
  average: { label: "Global average", settings: [] },
  flatten: { label: "Flatten", settings: [] },
  linear: { label: "Linear", settings: SETTINGS.slice(0, 1) },
};

export const PROFILES = {
  "s7-2020": { pools: true, field: 44, parameters: 1000000, accuracy: 80 },
  "s7-2021": { pools: false, field: 44, parameters: 200000, accuracy: 85 },
};

const NEW = { filters: 32, kernel_size: 3, stride: 1, padding: 1, dilation: 1 };
const POOL = { kernel_size: 2, stride: 2, padding: 0 };

/** A row by the names of its settings. */
export function named([kind, ...numbers]) {
  return Object.fromEntries(KINDS[kind].settings.map((setting, i) => [setting, numbers[i]]));
}

/** The row as one of another kind: what both can have stays. */
export function asKind(row, kind) {
  const usual = kind === "max_pool" ? POOL : NEW;
  const kept = kind === "max_pool" || row[0] === "max_pool" ? {} : named(row);
  return [kind, ...KINDS[kind].settings.map((setting) => kept[setting] ?? usual[setting])];
}

/** The row that a text such as c16.3.1.0.1 means, or { problem }. */
function rowIn(text, number) {
  const kind = Object.keys(KINDS).find((one) => one[0] === text[0]);
  if (!kind) return { problem: `begin layer ${number} with one of c, d, p, m, a, f and l` };
  const { settings } = KINDS[kind];
  const parts = text.length > 1 ? text.slice(1).split(".") : [];
  if (parts.length !== settings.length) {
    return { problem: `give layer ${number} (${kind}) ${settings.length} numbers` };
  }
  const numbers = parts.map((part, i) => wholeNumber(part, LIMITS[settings[i]]));
  const bad = settings[numbers.indexOf(null)];
  if (bad) return { problem: `use ${bad} ${LIMITS[bad].join(" to ")} in layer ${number}` };
  return [kind, ...numbers];
}

/** The end of an address: #bench=s7-2020;c16.3.1.0.1,m2.2.0,a,f,l10. */
export function write(key, { rows, profile }) {
  const texts = rows.map(([kind, ...numbers]) => kind[0] + numbers.join("."));
  return `#${key}=${profile};${texts.join(",")}`;
}

export function parse(key, fragment) {
  const text = fragment.replace(/%(3B|2C|3D)/gi, decodeURIComponent); // as mail programs write them
  if (!text.startsWith(`#${key}=`)) return null;
  const [profile, layers = "", ...rest] = text.slice(key.length + 2).split(";");
  const known = Object.keys(PROFILES);
  if (!known.includes(profile)) return { problem: `begin with ${known.join(" or ")}` };
  const texts = layers.split(",");
  if (rest.length || texts.length > LIMITS.rows[1]) {
    return { problem: `list ${LIMITS.rows.join(" to ")} layers after the profile` };
  }
  const rows = texts.map((one, i) => rowIn(one, i + 1));
  return rows.find((row) => !Array.isArray(row)) ?? { rows, profile };
}

/** @type {import("../lib/address.js").AddressFormat} */
export const NETWORK_FORMAT = { key: "bench", write, parse };

const END = "a,f,l10";
const BROKEN = "c16.3.1.0.1,m2.2.0,c32.3.1.0.1,m2.2.0,c64.3.1.0.1";
const C1 = "c16.3.1.1.1,m2.2.0,c32.3.1.1.1,m2.2.0";
const C4 = "m2.2.0,c64.3.1.1.1";
// Key, label, rows, note.
const NETWORKS = [
  `broken | Broken | ${BROKEN},f,l1024,l10 | A network as many tutorials start with. None of the seven lamps is lit; each says what to do.`,
  `repair_1 | Repair 1 | ${BROKEN},${END} | Global average pooling lights two lamps: a million weights were one linear layer.`,
  `repair_2 | Repair 2 | ${C1},c64.3.1.1.1,${C4},${END} | A third max-pool and a fourth block. With padding 1, only the pools shrink the map.`,
  `repair_3 | Repair 3 | ${C1},c64.3.1.1.1,${C4},c64.3.1.1.1,${END} | One more 3 \u00d7 3 in the last block, where a step is 8 pixels long.`,
  `repair_4 | Repair 4 | ${C1},c64.3.1.1.1,${C4},d3.1.1.1,p64,${END} | The new convolution becomes depthwise and pointwise: the same field, a third fewer parameters.`,
  `repair_5 | Repair 5 | ${C1},c64.3.1.2.2,${C4},d3.1.1.1,p64,${END} | Dilation 2 in the third block. Six lamps are lit, and every place of the last map sees the whole picture.`,
  "second | Second broken network | c32.5.2.0.1,c64.3.1.0.1,c64.3.2.0.1,m5.5.0,f,l10 | Yours to repair: light six lamps with fewer than 12,000 parameters and 3 million MACs.",
].map((line) => line.split(" | "));

export const PRESETS = NETWORKS.map(([key, label, text, note]) => ({
  ...{ key, label, note },
  settings: { rows: text.split(",").map((one, i) => rowIn(one, i + 1)) },
}));
