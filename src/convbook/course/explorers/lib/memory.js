// What the book remembers of its reader: one key of this browser's storage, sent to nobody.

/**
 * What stands under the key `convbook.v1`, as JSON of at most 8 KB. `at` is a Date.now().
 * @typedef {object} Memory
 * @property {Record<string, QuizMemory>} quiz by the quiz's name, "FILE/ID"
 * @property {Record<string, { section: string, at: number }>} read by page: where the reader was
 * @property {Record<string, string>} choice by explorer: the end of an address, with its settings
 *
 * @typedef {object} QuizMemory
 * @property {number} tries how often an answer was checked
 * @property {boolean} right whether one of them was right
 * @property {number} at when the last was checked
 * @property {string} chose the right choice's key once it was found, till then the last one's
 */

const KEY = "convbook.v1";
const MOST = 8 * 1024;

/** All that is remembered; what is broken, or not the book's, counts as nothing. */
function memory() {
  let found = null;
  try {
    found = JSON.parse(localStorage.getItem(KEY));
  } catch {
    // No storage here (a private window, a page from disk), or no JSON.
  }
  const isTable = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  const table = (kind) => (isTable(found) && isTable(found[kind]) ? found[kind] : {});
  return { quiz: table("quiz"), read: table("read"), choice: table("choice") };
}

/**
 * What is remembered of one thing, or null. Somebody else may have written it: check its kind.
 * @template {keyof Memory} K
 * @param {K} kind
 * @param {string} id
 * @returns {Memory[K][string] | null}
 */
export function remembered(kind, id) {
  const table = memory()[kind];
  return Object.hasOwn(table, id) ? table[id] : null;
}

/**
 * Remember this, after an action of the reader. Where there is no room, the oldest of its kind goes.
 * @template {keyof Memory} K
 * @param {K} kind
 * @param {string} id
 * @param {Memory[K][string]} value
 */
export function remember(kind, id, value) {
  const all = memory();
  delete all[kind][id]; // the latest stands last
  all[kind][id] = value;
  for (const oldest of Object.keys(all[kind])) {
    if (JSON.stringify(all).length <= MOST) break;
    delete all[kind][oldest];
  }
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    // No storage, or none left: the page works without.
  }
}
