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

/** Each kind: its name in sentences and in the file, and what can be set. Its first letter is its sign. */
export const KINDS = {
  conv: { label: "Convolution", name: "conv", settings: SETTINGS },
  depthwise: { label: "Depthwise", name: "depthwise", settings: SETTINGS.slice(1) },
  pointwise: { label: "Pointwise", name: "pointwise", settings: SETTINGS.slice(0, 1) },
  max_pool: { label: "Max-pool", name: "pool", settings: SETTINGS.slice(1, 4) },
  average: { label: "Global average", name: "average", settings: [] },
  flatten: { label: "Flatten", name: "flatten", settings: [] },
  linear: { label: "Linear", name: "linear", settings: SETTINGS.slice(0, 1) },
};

export const PROFILES = {
  "s7-2020": { transitions: "max-pool", field: 44, parameters: 1000000, accuracy: 80 },
  "s7-2021": { transitions: "convolution", field: 44, parameters: 200000, accuracy: 85 },
};

const NEW = { filters: 32, kernel_size: 3, stride: 1, padding: 1, dilation: 1 };
const POOL = { ...NEW, kernel_size: 2, stride: 2, padding: 0 };

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

const rowText = ([kind, ...numbers]) => kind[0] + numbers.join(".");

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
  return `#${key}=${profile};${rows.map(rowText).join(",")}`;
}

export function parse(key, fragment) {
  const text = fragment.replace(/%(3B|2C|3D)/gi, decodeURIComponent); // as mail programs write them
  if (!text.startsWith(`#${key}=`)) return null;
  const [profile, layers = "", ...rest] = text.slice(key.length + 2).split(";");
  if (!Object.hasOwn(PROFILES, profile)) {
    return { problem: `begin with ${Object.keys(PROFILES).join(" or ")}` };
  }
  const texts = layers.split(",");
  if (rest.length || texts.length > LIMITS.rows[1]) {
    return { problem: `list ${LIMITS.rows.join(" to ")} layers after the profile` };
  }
  const rows = texts.map((one, i) => rowIn(one, i + 1));
  const wrong = rows.find((row) => !Array.isArray(row));
  return wrong ?? { rows, profile };
}

/** @type {import("../lib/address.js").AddressFormat} */
export const NETWORK_FORMAT = { key: "bench", write, parse };

const HEAD = "a,f,l10";
const C1 = "c16.3.1.1.1,m2.2.0,c32.3.1.1.1,m2.2.0";
// Key, label, note, rows.
const NETWORKS = [
  [
    "broken",
    "Broken",
    "A network as many tutorials start with. None of the seven lamps is lit. Read the reasons: each says what to do.",
    "c16.3.1.0.1,m2.2.0,c32.3.1.0.1,m2.2.0,c64.3.1.0.1,f,l1024,l10",
  ],
  [
    "repair_1",
    "Repair 1",
    "Global average pooling in place of the large linear layer. Two lamps go on: a million weights were one layer.",
    `c16.3.1.0.1,m2.2.0,c32.3.1.0.1,m2.2.0,c64.3.1.0.1,${HEAD}`,
  ],
  [
    "repair_2",
    "Repair 2",
    "A third max-pool and a fourth block. Padding 1 in each convolution, or the map would be too small for them.",
    `${C1},c64.3.1.1.1,m2.2.0,c64.3.1.1.1,${HEAD}`,
  ],
  [
    "repair_3",
    "Repair 3",
    "One more 3 \u00d7 3 in the last block, where a step is 8 pixels long and the map smallest: the field grows most, for the fewest MACs.",
    `${C1},c64.3.1.1.1,m2.2.0,c64.3.1.1.1,c64.3.1.1.1,${HEAD}`,
  ],
  [
    "repair_4",
    "Repair 4",
    "The new convolution becomes a depthwise and a pointwise one. The field stays, a third of the parameters goes.",
    `${C1},c64.3.1.1.1,m2.2.0,c64.3.1.1.1,d3.1.1.1,p64,${HEAD}`,
  ],
  [
    "repair_5",
    "Repair 5",
    "Dilation 2, padding 2 in the third block. Six lamps are lit, and every place of the last map sees the whole picture.",
    `${C1},c64.3.1.2.2,m2.2.0,c64.3.1.1.1,d3.1.1.1,p64,${HEAD}`,
  ],
  [
    "second",
    "Second broken network",
    "Yours to repair: light six lamps with fewer than 12,000 parameters and fewer than 3 million MACs.",
    "c32.5.2.0.1,c64.3.1.0.1,c64.3.2.0.1,m5.5.0,f,l10",
  ],
];

export const PRESETS = NETWORKS.map(([key, label, note, text]) => ({
  ...{ key, label, note },
  settings: { rows: text.split(",").map((one, i) => rowIn(one, i + 1)) },
}));
