// Drawings: SVG elements and the paths in them.

const SVG = "http://www.w3.org/2000/svg"; // a name, which nothing asks for
export const SMALLEST_CELL = 5; // narrower ones flow together

/** Make an SVG element with these attributes. */
export function draft(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * Elements by name, each of class PREFIX-NAME, from their tags.
 * @template {string} Name
 * @param {string} prefix
 * @param {Record<Name, string>} tags
 * @returns {Record<Name, SVGElement>}
 */
export function drafts(prefix, tags) {
  const made = Object.entries(tags).map(([name, tag]) => [
    name,
    draft(tag, { class: `${prefix}-${name}` }),
  ]);
  return Object.fromEntries(made);
}

/** Write a number of pixels with two decimals at most. */
export function px(number) {
  return Math.round(number * 100) / 100;
}

/** Rectangles [x, y, width, height] as one path, their corners round where there is room. */
export function rectangles(list) {
  return list
    .map(([x, y, width, height]) => {
      const r = Math.min(width, height) < 12 ? 0 : 4;
      const [w, v] = [px(width - 2 * r), px(height - 2 * r)];
      const start = `M${px(x + r)} ${px(y)}`;
      if (!r) return `${start}h${w}v${v}h${-w}z`;
      const turn = (dx, dy) => `a${r} ${r} 0 0 1 ${dx * r} ${dy * r}`;
      const half = `h${w}${turn(1, 1)}v${v}${turn(-1, 1)}`;
      return `${start}${half}h${-w}${turn(-1, -1)}v${-v}${turn(1, -1)}z`;
    })
    .join("");
}

/** Space between cells of this width. */
export function spaceFor(width) {
  return width < SMALLEST_CELL ? 0 : width < 9 ? 1 : width < 18 ? 2 : 3;
}
