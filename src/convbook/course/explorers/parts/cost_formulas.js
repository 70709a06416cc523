// Cost: what each kind of convolution costs, in numbers, formulas, words and code.

import { counted, withCommas } from "../lib/format.js";
import { range } from "../lib/ranges.js";
import { KINDS } from "./cost_settings.js";

// `s` holds what the four kinds share, by the names of the traits; `kind` is a key of KINDS.

/** The number behind each symbol; padding keeps the map's size at stride 1, so m is n / stride. */
function valuesOf(s) {
  return {
    1: 1,
    k: s.kernel_size,
    g: s.groups,
    C_in: s.in_channels,
    C_out: s.out_channels,
    C_mid: s.middle === "in" ? s.in_channels : s.out_channels,
    n: s.input_size,
    m: Math.ceil(s.input_size / s.stride),
  };
}

/** Numbers that divide both channel numbers, smallest first. */
export function commonDivisors(s) {
  const most = Math.min(s.in_channels, s.out_channels);
  return range(1, most + 1).filter((n) => s.in_channels % n === 0 && s.out_channels % n === 0);
}

/** The largest number of groups, at most `groups`, that divides both channel numbers. */
export const largestGroups = (s, groups) => commonDivisors(s).findLast((n) => n <= groups);

/** Why there are not as many groups as `wanted`, and the remedy or what is shown; "" if there are. */
export function groupsMessage(s, wanted) {
  const most = largestGroups(s, wanted);
  if (most === wanted) return "";
  const both = `in_channels=${s.in_channels} and out_channels=${s.out_channels}`;
  const remedy = `use groups=${most}, or channel numbers that are multiples of ${wanted}`;
  const end = s.groups === wanted ? remedy : `groups=${s.groups} is shown`;
  return `groups=${wanted} must divide ${both}; ${end}.`;
}

/** The layers of a kind in numbers, and in symbols the map that each makes. */
function layersOf(kind, s) {
  const values = valuesOf(s);
  let map = ["n", "n"];
  return KINDS[kind].layers.map(({ kernel: sides, inputs, outputs, groups }) => {
    const kernel = sides.map((side) => values[side]);
    const stride = sides.map((side) => (side === "k" ? s.stride : 1));
    map = map.map((side, axis) => (stride[axis] > 1 ? "m" : side));
    const channels = { inputs: values[inputs], outputs: values[outputs], groups: values[groups] };
    return { kernel, stride, map, ...channels };
  });
}

/** Parameters and MACs, a number for each layer; null where the groups divide no channels. */
export function costOf(kind, s) {
  const [values, layers] = [valuesOf(s), layersOf(kind, s)];
  if (layers.some((one) => one.inputs % one.groups || one.outputs % one.groups)) return null;
  const weights = layers.map(
    ({ kernel, ...one }) => ((one.outputs * one.inputs) / one.groups) * kernel[0] * kernel[1],
  );
  return {
    params: layers.map((one, i) => weights[i] + Number(s.bias) * one.outputs),
    macs: layers.map(({ map }, i) => values[map[0]] * values[map[1]] * weights[i]),
  };
}

/** The sum of numbers. */
export const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0);

/** A formula or a name with the numbers put in for its symbols. */
export function inNumbers(text, s) {
  const values = valuesOf(s);
  return text.replace(/C_(in|mid|out)|\b[kgnm]\b/g, (symbol) => values[symbol]);
}

/** The formula of one layer's parameters: what a filter has, times the filters. */
function weightsOf(layer, bias) {
  const own = layer.kernel.filter((side) => side !== "1");
  if (layer.groups === "1") own.push(layer.inputs);
  else if (layer.groups !== layer.inputs) own.push(`${layer.inputs}/${layer.groups}`);
  const text = own.join("\u00b7");
  return bias ? `(${text} + 1)\u00b7${layer.outputs}` : `${text}\u00b7${layer.outputs}`;
}

/** The formulas of parameters and MACs; a map that both layers make is put outside the brackets. */
export function formulasOf(kind, s) {
  const { layers } = KINDS[kind];
  const maps = layersOf(kind, s).map((layer) => layer.map.join("\u00b7"));
  const terms = layers.map((layer) => weightsOf(layer, false));
  const products = terms.map((term, i) => `${maps[i]}\u00b7${term}`);
  const shared = maps.length > 1 && maps[0] === maps[1];
  return {
    params: layers.map((layer) => weightsOf(layer, s.bias)).join(" + "),
    macs: shared ? `${maps[0]}\u00b7(${terms.join(" + ")})` : products.join(" + "),
  };
}

/** A ratio with three digits. */
export const ratioText = (part, whole) => String(Number((part / whole).toPrecision(3)));

/** How the costs of a kind come about: parameters, MACs, and the ratio to the standard's weights. */
export function workingsOf(kind, s) {
  const [cost, formulas, { ratio }] = [costOf(kind, s), formulasOf(kind, s), KINDS[kind]];
  const lines = ["params", "macs"].map((name) => {
    const sums = [cost[name].map(withCommas).join(" + "), withCommas(total(cost[name]))];
    return `${formulas[name]} = ${[...new Set(sums)].join(" = ")}`;
  });
  if (kind === "standard") return lines;
  const [own, all] = [kind, "standard"].map((one) => costOf(one, { ...s, bias: false }).params);
  return [...lines, `${ratio} = ${inNumbers(ratio, s)} = ${ratioText(total(own), total(all))}`];
}

const MEANINGS = {
  C_in: "channels in",
  C_mid: "channels between",
  C_out: "channels out",
  k: "kernel size",
  g: "groups",
  n: "map size in",
  m: "map size out",
};

/** What the symbols in these formulas stand for. */
export function meaningOf(/** @type {string[]} */ workings) {
  const used = Object.entries(MEANINGS).filter(([symbol]) =>
    workings.some((text) => new RegExp(`\\b${symbol}\\b`).test(text)),
  );
  return used.map(([symbol, words]) => `${symbol}: ${words}`).join("; ");
}

/** What goes in and comes out. */
export function shapesOf(s) {
  const { n, m } = valuesOf(s);
  const output = `(${s.out_channels}, ${m}, ${m})`;
  return `Each makes ${output} of (${s.in_channels}, ${n}, ${n}): channels, height, width.`;
}

/** What a kind costs, in a sentence. */
export function summaryOf(kind, s) {
  const [own, all] = [kind, "standard"].map((one) => Object.values(costOf(one, s)).map(total));
  const amount = (sum, noun) => counted(sum, noun).replace(/\d+/, withCommas);
  const words = `${KINDS[kind].label}: ${amount(own[0], "parameter")} and ${amount(own[1], "MAC")}`;
  if (kind === "standard") return `${words}.`;
  if (String(own) === String(all)) return `${words}, as many as the standard convolution.`;
  const ratios = new Set(own.map((sum, i) => ratioText(sum, all[i])));
  return `${words}, ${[...ratios].join(" and ")} times those of the standard convolution.`;
}

/** The PyTorch lines that make a kind. */
export function pytorchLines(kind, s) {
  const sides = ([rows, cols]) => (rows === cols ? String(rows) : `(${rows}, ${cols})`);
  const calls = layersOf(kind, s).map(({ kernel, stride, groups, ...one }) => {
    const padding = kernel.map((side) => (side - 1) / 2);
    const options = [one.inputs, one.outputs, sides(kernel)];
    if (Math.max(...stride) > 1) options.push(`stride=${sides(stride)}`);
    if (Math.max(...kernel) > 1) options.push(`padding=${sides(padding)}`);
    if (groups > 1) options.push(`groups=${groups}`);
    if (!s.bias) options.push("bias=False");
    return `nn.Conv2d(${options.join(", ")})`;
  });
  return calls.length === 1 ? calls[0] : `nn.Sequential(\n    ${calls.join(",\n    ")},\n)`;
}

/** A script that runs as it stands and prints what each of the kinds costs. */
export function pytorchScript(s) {
  const made = Object.keys(KINDS)
    .filter((kind) => costOf(kind, s))
    .map((kind) => `        "${kind}": ${pytorchLines(kind, s).replaceAll("\n", "\n        ")},`);
  const shape = `(${s.in_channels}, ${s.input_size}, ${s.input_size})`;
  return [
    "import torch\nfrom torch import nn\n\nfrom convbook.analysis import trace\n",
    'with torch.device("meta"):  # the shapes alone, without memory for the weights',
    "    convolutions = {",
    ...made,
    "    }",
    "for name, convolution in convolutions.items():",
    `    table = trace(convolution, ${shape})`,
    '    print(f"{name}: {table.params:,} parameters, {table.macs:,} MACs")',
  ].join("\n");
}
