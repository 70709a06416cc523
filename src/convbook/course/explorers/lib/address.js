// Settings in the end of the page's address, so that a link opens an explorer as somebody left it.

/**
 * What a value from an address has to be: a range of whole numbers [low, high], one of some words,
 * "switch" for true or false, or what a test finds right, in words.
 * @typedef {number[] | string[] | "switch" | { fits: (value: any) => boolean, words: string }} Rule
 */

/**
 * How settings are written into the end of an address and read from it. `parse` returns the
 * settings, or { problem } when none can be shown, or null when the text speaks of something else.
 * @typedef {object} AddressFormat
 * @property {string} key
 * @property {(key: string, settings: Record<string, any>) => string} write
 * @property {(key: string, text: string) => (Record<string, any> | null)} parse
 */

/** Whether a value is what a rule asks for. */
function fitsRule(value, /** @type {Rule} */ rule) {
  if (rule === "switch") return typeof value === "boolean";
  if ("fits" in rule) return rule.fits(value);
  if (typeof rule[0] === "string") return /** @type {string[]} */ (rule).includes(value);
  const [low, high] = /** @type {number[]} */ (rule);
  return Number.isInteger(value) && value >= low && value <= high;
}

function ruleInWords(/** @type {Rule} */ rule) {
  if (rule === "switch") return "true or false";
  if (!Array.isArray(rule)) return rule.words;
  return typeof rule[0] === "string"
    ? rule.join(" or ")
    : `a whole number from ${rule.join(" to ")}`;
}

/**
 * The usual format, #key?name=value&name=value: words as they are, everything else as JSON.
 * @param {string} key
 * @param {Record<string, Rule>} rules what each setting may be; nothing else is read
 * @returns {AddressFormat}
 */
export function queryFormat(key, rules) {
  const isWord = (rule) => Array.isArray(rule) && typeof rule[0] === "string";
  const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));
  return {
    key,
    write(ownKey, settings) {
      const pairs = Object.keys(rules)
        .filter((name) => name in settings)
        .map((name) => `${name}=${encodeURIComponent(text(settings[name]))}`);
      return `#${ownKey}?${pairs.join("&").replaceAll("%2C", ",")}`;
    },
    parse(ownKey, fragment) {
      if (!fragment.startsWith(`#${ownKey}?`)) return null;
      const found = {};
      for (const [name, word] of new URLSearchParams(fragment.slice(ownKey.length + 2))) {
        if (!Object.hasOwn(rules, name))
          return { problem: `there is no setting \u201c${name}\u201d` };
        const value = isWord(rules[name]) ? word : parsed(word);
        if (!fitsRule(value, rules[name])) {
          return { problem: `${name}=${word}; use ${ruleInWords(rules[name])}` };
        }
        found[name] = value;
      }
      return found;
    },
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The end of the page's address, for one explorer: { read, write, clear, link, listen, named }. Null
 * in a notebook, whose address belongs to others. A page's second explorer of a kind has a 2 behind
 * its key.
 * @param {Element} el
 * @param {AddressFormat} format
 */
export function addressOf(el, format) {
  const host = /** @type {HTMLElement | null} */ (el.closest(".convbook-explorer"));
  if (!host) return null;
  const { explorer } = host.dataset;
  const all = document.querySelectorAll(`.convbook-explorer[data-explorer="${explorer}"]`);
  const index = [...all].indexOf(host);
  const key = index > 0 ? `${format.key}${index + 1}` : format.key;
  const plain = () => window.location.href.split("#")[0];
  const put = (address) => {
    try {
      window.history.replaceState(window.history.state, "", address);
    } catch {
      // A browser may refuse, as after very many changes: the button still makes the link.
    }
  };
  return {
    read: () => format.parse(key, window.location.hash),
    write: (settings) => put(plain() + format.write(key, settings)),
    clear: () => put(plain()),
    link: (settings) => plain() + format.write(key, settings),
    listen(onChange) {
      window.addEventListener("hashchange", onChange);
      return () => window.removeEventListener("hashchange", onChange);
    },
  };
}
