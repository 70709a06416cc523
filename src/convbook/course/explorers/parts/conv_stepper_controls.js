// Conv stepper: its sliders; those for rows and for columns, or for two sides, come when asked for.

import { rangeControl, segmentedControl, moreSettings } from "../lib/controls.js";
import { h, setAttribute } from "../lib/dom.js";
import { bothAxes, joined, LIMITS } from "./conv_stepper_settings.js";

/** The first four are in sight. Each has a label for both axes, for rows and for columns. */
const SLIDERS = {
  input_size: ["Input size", "Input rows", "Input columns"],
  kernel_size: ["Kernel size", "Kernel rows", "Kernel columns"],
  stride: ["Stride", "Stride down", "Stride across"],
  padding: ["Padding", "Padding of rows", "Padding of columns"],
  dilation: ["Dilation", "Dilation down", "Dilation across"],
  output_padding: ["Output padding", "Output padding below", "Output padding right"],
};
const IN_SIGHT = ["input_size", "kernel_size", "stride", "padding"];
/** Labels of the padding before and after: of both axes, rows and columns. */
const SIDES = [
  ["Padding before", "Padding after"],
  ["Padding top", "Padding bottom"],
  ["Padding left", "Padding right"],
];
const HINTS = ["top/left", "bottom/right"];
const BOTH = [0, 1];

/** Every slider that there may be: which axes it moves, and of the padding which sides. */
const VARIANTS = Object.entries(SLIDERS).flatMap(([name, labels]) =>
  [BOTH, [0], [1]].flatMap((axes, i) => [
    { name, axes, label: labels[i], hint: undefined, sides: BOTH },
    ...(name === "padding" ? BOTH : []).map((side) => {
      const hint = i === 0 ? HINTS[side] : undefined;
      return { name, axes, label: SIDES[i][side], hint, sides: [side] };
    }),
  ]),
);

/**
 * The controls: { mode, roots, set }. `set` reads the settings from the model.
 *
 * @param {(name: string) => any} get
 * @param {(patch: Record<string, any>) => void} change
 */
export function createControls(get, change) {
  const both = (name) => bothAxes(name, get(name));
  let [axesApart, sidesApart] = [false, false]; // as the reader asked for
  const mode = segmentedControl({
    legend: "Operation",
    options: [
      ["convolution", "Convolution"],
      ["transposed", "Transposed"],
    ],
    onChange: (value) => change({ mode: value }),
  });
  const sliders = VARIANTS.map(({ name, axes, sides, label, hint }) => {
    const [min, max] = LIMITS[name];
    const onInput = (value) => {
      const put = (old, at, one) => old.map((kept, i) => (at.includes(i) ? one(kept) : kept));
      const moved = (old) => (name === "padding" ? put(old, sides, () => value) : value);
      change({ [name]: joined(put(both(name), axes, moved)) });
    };
    return { name, axes, sides, ...rangeControl({ label, hint, min, max, onInput }) };
  });
  const check = (text, onChange) => {
    const box = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox" }));
    box.addEventListener("change", () => change(onChange(box.checked)));
    return { box, root: h("label", { class: "cb-check" }, box, text) };
  };
  const equal = check("Equal on both sides", (checked) => {
    sidesApart = !checked;
    const padding = joined(both("padding").map(([before]) => [before, before]));
    return checked ? { padding } : {};
  });
  const apart = check("Rows and columns apart", (checked) => {
    axesApart = checked;
    const rows = Object.keys(LIMITS).map((name) => [name, both(name)[0]]);
    return checked ? {} : Object.fromEntries(rows);
  });
  const roots = (wanted) =>
    sliders.filter(({ name }) => IN_SIGHT.includes(name) === wanted).map(({ root }) => root);
  const more = moreSettings([...roots(false), equal.root, apart.root]);

  function set() {
    mode.set(get("mode"));
    const differ = Object.keys(LIMITS).some(
      (name) => String(both(name)[0]) !== String(both(name)[1]),
    );
    const uneven = both("padding").some(([before, after]) => before !== after);
    apart.box.checked = axesApart || differ;
    equal.box.checked = !(sidesApart || uneven);
    for (const { name, axes, sides, root, set: show } of sliders) {
      const wanted = axes.length === (apart.box.checked ? 1 : 2);
      const sided = name !== "padding" || sides.length === (equal.box.checked ? 2 : 1);
      const counts = name !== "output_padding" || get("mode") === "transposed";
      setAttribute(root, "hidden", wanted && sided && counts ? null : "");
      if (!root.hidden) show([both(name)[axes[0]]].flat()[sides[0]]);
    }
  }

  return { mode: mode.root, roots: [...roots(true), more], set };
}
