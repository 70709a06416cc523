// Assignment bench: the maps as plates, what changed, and the numbers of the whole network.

import { h, setAttribute, setText } from "../lib/dom.js";
import { withCommas } from "../lib/format.js";
import { lastMap, pixelsSeen } from "./assignment_bench_measure.js";

/** What the lamps come to, and which have changed since the last drawing. */
export function summaryOf(lamps, before, problem) {
  if (problem) return "The network does not run: no lamp is lit.";
  const lit = lamps.filter(({ passed }) => passed).length;
  const changed = (passed) =>
    lamps
      .filter((lamp, i) => before && lamp.passed === passed && before[i].passed !== passed)
      .map(({ requirement }) => requirement)
      .join("; ");
  const parts = [`${lit} of ${lamps.length} lamps are lit.`];
  if (changed(true)) parts.push(`Now met: ${changed(true)}.`);
  if (changed(false)) parts.push(`No longer met: ${changed(false)}.`);
  return parts.join(" ");
}

/** The pixels that the first and the middle place of the last map see, in words. */
export function seenOf({ levels }) {
  const map = lastMap(levels);
  if (!map.side) return "";
  const middle = Math.floor((map.side - 1) / 2);
  const pixels = (place) => pixelsSeen(map, place).join(" to ");
  const field = `Along each side, a place of the last map sees ${map.field.size} pixels`;
  const both = middle ? `the first sees pixels ${pixels(0)}, the middle one` : "it sees pixels";
  return `${field}; of the picture's 0 to 31, ${both} ${pixels(middle)}.`;
}

/** One map: a plate as high as the map is, as thick as it has channels, and its size. */
function plateOf({ side, channels, kind }) {
  const flat = side === null ? " cb-plate-flat" : kind === "picture" ? " cb-plate-input" : "";
  const height = Math.max(4, 2 * (side ?? 1));
  const style = `height: ${height}px; width: ${4 + 3.2 * Math.log2(channels)}px`;
  return h(
    "span",
    { class: `cb-plate${flat}` },
    h("span", { class: "cb-plate-bar", style }),
    h("span", {}, side === null ? withCommas(channels) : `${side} \u00d7 ${side}`),
    h("span", { class: "cb-muted" }, side === null ? "numbers" : `${channels} ch.`),
  );
}

/** Plates, live summary and numbers: { elements, draw }. */
export function createFigure() {
  const plates = h("div", { class: "cb-plates", role: "img" });
  const summary = h("p", { class: "cb-bench-summary", role: "status" });
  const names = ["Parameters", "MACs", "Field of the last map"];
  const values = names.map(() => h("b", {}));
  const facts = names.map((name, i) => h("span", {}, `${name} `, values[i]));
  const seen = h("p", { class: "cb-muted" });
  let [before, words] = [null, ""];

  function draw({ found, lamps }) {
    const { levels, problem, params, macs } = found;
    plates.replaceChildren(...levels.map(plateOf));
    const sizes = levels.map(({ channels, side }) =>
      side === null ? withCommas(channels) : `${channels} by ${side} by ${side}`,
    );
    setAttribute(plates, "aria-label", `Sizes of the maps: ${sizes.join(", ")}`);
    const now = JSON.stringify([lamps, problem]);
    if (now !== words) setText(summary, summaryOf(lamps, before, problem));
    words = now;
    if (!problem) before = lamps;
    const numbers = [params, macs, lastMap(levels).field.size];
    values.forEach((value, i) => setText(value, problem ? "\u2013" : withCommas(numbers[i])));
    setText(seen, problem ? "" : seenOf(found));
  }

  return { elements: [plates, summary, h("p", { class: "cb-facts" }, facts), seen], draw };
}
