// Assignment bench: the maps as plates, what changed, and the numbers of the whole network.

import { h, setAttribute, setChildren, setText } from "../lib/dom.js";
import { withCommas } from "../lib/format.js";
import { lastMap, pixelsSeen } from "./assignment_bench_measure.js";

const TIMES = "\u00d7";

/** What the lamps come to, and which have changed since the last drawing. */
export function summaryOf(lamps, before, problem) {
  if (problem) return `${problem} No lamp can be lit before it runs.`;
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
function createPlate() {
  const bar = h("span", { class: "cb-plate-bar" });
  const [size, channels] = [h("span", {}), h("span", { class: "cb-muted" })];
  const root = h("span", { class: "cb-plate" }, bar, size, channels);
  return {
    root,
    draw({ side, channels: count, kind }) {
      bar.style.height = `${Math.max(4, 2 * (side ?? 1))}px`;
      bar.style.width = `${4 + 3.2 * Math.log2(count)}px`;
      root.classList.toggle("cb-plate-flat", side === null);
      root.classList.toggle("cb-plate-input", kind === "picture");
      setText(size, side === null ? withCommas(count) : `${side} ${TIMES} ${side}`);
      setText(channels, side === null ? "numbers" : `${count} ch.`);
    },
  };
}

/** Plates, live summary and numbers: { elements, draw }. */
export function createFigure() {
  const plates = h("div", { class: "cb-plates", role: "img" });
  const summary = h("p", { class: "cb-bench-summary", role: "status" });
  const facts = h("dl", { class: "cb-facts" });
  const entry = (name) => {
    const value = h("dd", {});
    facts.append(h("div", {}, h("dt", {}, name), value));
    return value;
  };
  const [params, macs, field] = ["Parameters", "MACs", "Field of the last map"].map(entry);
  const seen = h("p", { class: "cb-muted" });
  const pool = [];
  let before = null;
  let words = "";

  function draw({ found, lamps }) {
    const { levels, problem } = found;
    while (pool.length < levels.length) pool.push(createPlate());
    levels.forEach((level, i) => pool[i].draw(level));
    setChildren(
      plates,
      pool.slice(0, levels.length).map((plate) => plate.root),
    );
    const sizes = levels.map(({ channels, side }) =>
      side === null ? withCommas(channels) : `${channels} by ${side} by ${side}`,
    );
    setAttribute(plates, "aria-label", `Sizes of the maps: ${sizes.join(", ")}`);
    const now = JSON.stringify([lamps, problem]);
    if (now !== words) setText(summary, summaryOf(lamps, before, problem));
    words = now;
    if (!problem) before = lamps;
    setText(params, problem ? "\u2013" : withCommas(found.params));
    setText(macs, problem ? "\u2013" : withCommas(found.macs));
    setText(field, String(lastMap(levels).field.size));
    setText(seen, problem ? "" : seenOf(found));
  }

  return { elements: [plates, summary, facts, seen], draw };
}
