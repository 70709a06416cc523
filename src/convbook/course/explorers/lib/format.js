// Numbers as text, and text as numbers.

const LARGEST = 9999;
/** What a number may be that is typed in: any, unless somebody says more. */
export const ANY = { fits: (_value) => true, words: `\u2212${LARGEST} to ${LARGEST}` };

/** The number written in `text`, or null when it is none in -9999..9999. */
export function parseNumber(text) {
  const plain = text
    .trim()
    .replace(/[\u2212\u2013]/g, "-")
    .replace(",", ".");
  if (!/^[-+]?(\d+\.?\d*|\.\d+)$/.test(plain)) return null;
  const value = Number(plain);
  if (Math.abs(value) > LARGEST) return null;
  return value === 0 ? 0 : value; // never -0
}

/** Why the `text` in a field, "Input row 0, column 1", does not count, and what counts instead. */
export function refusal(name, text, words, kept) {
  const wrong = `holds \u201c${text}\u201d, which is no number from ${words}`;
  return `${name} ${text.trim() ? wrong : "is empty"}; ${kept} still counts.`;
}

/** The whole number in `text` if it lies in [low, high], else null. */
export function wholeNumber(text, /** @type {number[]} */ [low, high]) {
  const value = /^\d{1,6}$/.test(text.trim()) ? Number(text) : NaN;
  return value >= low && value <= high ? value : null;
}

/** A number for reading: true minus sign, no floating-point dust. */
export function formatNumber(value, digits = 12) {
  const short = digits === 12 && Number.isInteger(value) && Math.abs(value) < 1e12;
  const rounded = short ? value : Number(value.toPrecision(digits));
  return String(rounded === 0 ? 0 : rounded).replace("-", "\u2212");
}

/** A number short enough for a grid cell: two decimals at most, none from 1000 on. */
export function formatCell(value) {
  const size = Math.abs(value);
  if (Number.isInteger(value)) return formatNumber(value);
  return formatNumber(Number(value.toFixed(size < 100 ? 2 : size < 1000 ? 1 : 0)));
}

/** A factor of a product: negative numbers in brackets. */
export function formatFactor(value) {
  return value < 0 ? `(${formatNumber(value)})` : formatNumber(value);
}

/** A whole number with a comma at each thousand: 4,608. */
export function withCommas(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** "no zeros", "1 zero", "20 zeros". */
export function counted(number, noun) {
  return `${number || "no"} ${noun}${number === 1 ? "" : "s"}`;
}

/** Lines of Python that make `name` a tensor of shape (1, 1, side, side). */
export function tensorLines(name, grid) {
  const start = `${name} = torch.tensor([`;
  const rows = grid.map((row) => `[${row.join(", ")}]`).join(`,\n${" ".repeat(start.length)}`);
  return `${start}${rows}], dtype=torch.float64)[None, None]`;
}
