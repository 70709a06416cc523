// Cost: what each kind of layer costs, in numbers, formulas, words and code.

import { convOutputSize } from "../lib/arithmetic.js";
import { withCommas } from "../lib/format.js";
import { range } from "../lib/ranges.js";

// `s` is an object of SETTINGS. A kind is one of the model's `kinds`: its layers, in symbols, are
// those of `convbook.course.explorers.cost_formulas`, which says what the symbols mean.

/** The number behind each symbol. */
export function valuesOf(s) {
  return {
    1: 1,
    k: s.kernel_size,
    s: s.stride,
    g: s.groups,
    C_in: s.in_channels,
    C_out: s.out_channels,
    C_mid: s.middle === "in" ? s.in_channels : s.out_channels,
    n: s.input_size,
    m: mapSize(s.input_size, s.kernel_size, s.stride),
  };
}

/** Padding that keeps the size at stride 1; kernels are odd. */
function paddingOf(kernel) {
  return (kernel - 1) / 2;
}

/** Size of the map that goes out, along one axis. */
function mapSize(size, kernel, stride) {
  const padding = paddingOf(kernel);
  return convOutputSize({ size, kernel, stride, before: padding, after: padding, dilation: 1 });
}

/** Numbers that divide both channel numbers, smallest first. */
export function commonDivisors(s) {
  const most = Math.min(s.in_channels, s.out_channels);
  return range(1, most + 1).filter((n) => s.in_channels % n === 0 && s.out_channels % n === 0);
}

/** The largest number of groups, at most `groups`, that divides both channel numbers. */
export function largestGroups(s, groups) {
  return Math.max(...commonDivisors(s).filter((n) => n <= groups));
}

/** Why there is no grouped convolution, in Python's words; null when there is one. */
export function problemOf(s) {
  if (s.in_channels % s.groups === 0 && s.out_channels % s.groups === 0) return null;
  return (
    `groups=${s.groups} must divide in_channels=${s.in_channels} and ` +
    `out_channels=${s.out_channels}; use groups=${largestGroups(s, s.groups)}, ` +
    `or channel numbers that are multiples of ${s.groups}`
  );
}

/** Parameters and MACs, a number for each layer; null where the groups divide no channels. */
export function costOf(kind, s) {
  const values = valuesOf(s);
  let size = [s.input_size, s.input_size];
  const params = [];
  const macs = [];
  for (const part of kind.parts) {
    const kernel = part.kernel.map((side) => values[side]);
    const [inputs, outputs, groups] = [part.inputs, part.outputs, part.groups].map(
      (n) => values[n],
    );
    if (inputs % groups || outputs % groups) return null;
    size = size.map((side, axis) => mapSize(side, kernel[axis], values[part.stride[axis]]));
    const weights = (inputs / groups) * kernel[0] * kernel[1]; // of one filter
    params.push(outputs * (weights + Number(s.bias)));
    macs.push(size[0] * size[1] * outputs * weights);
  }
  return { params, macs };
}

/** The sum of numbers. */
export function total(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/** A formula or a name with the numbers put in for its symbols. */
export function inNumbers(text, s) {
  const values = valuesOf(s);
  return text.replace(/C_(in|mid|out)|\b[kgnm]\b/g, (symbol) => values[symbol]);
}

/** The formula of one layer's parameters: what a filter has, times the filters. */
function weightsOf(part, bias) {
  const own = part.kernel.filter((side) => side !== "1");
  if (part.groups === "1") own.push(part.inputs);
  else if (part.groups !== part.inputs) own.push(`${part.inputs}/${part.groups}`);
  const text = own.join("\u00b7");
  return bias ? `(${text} + 1)\u00b7${part.outputs}` : `${text}\u00b7${part.outputs}`;
}

/** The formula of the parameters, in symbols. */
export function paramsFormula(kind, s) {
  return kind.parts.map((part) => weightsOf(part, s.bias)).join(" + ");
}

/** The formula of the multiply-adds, in symbols; the map is put outside the brackets. */
export function macsFormula(kind, s) {
  let size = ["n", "n"];
  const maps = kind.parts.map((part) => {
    if (s.stride > 1) size = size.map((side, axis) => (part.stride[axis] === "s" ? "m" : side));
    return size.join("\u00b7");
  });
  const terms = kind.parts.map((part) => weightsOf(part, false));
  if (terms.length > 1 && maps.every((map) => map === maps[0])) {
    return `${maps[0]}\u00b7(${terms.join(" + ")})`;
  }
  return terms.map((term, i) => `${maps[i]}\u00b7${term}`).join(" + ");
}

/** A ratio with three digits. */
export function ratioText(part, whole) {
  return String(Number((part / whole).toPrecision(3)));
}

/** "656 parameters", "1 MAC". */
function amount(number, noun) {
  return `${withCommas(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** What a kind costs, in a sentence. */
export function summaryOf(kind, standard, s) {
  const cost = costOf(kind, s);
  if (!cost) return `${problemOf(s)}.`;
  const [params, macs] = [total(cost.params), total(cost.macs)];
  const words = `${kind.label}: ${amount(params, "parameter")} and ${amount(macs, "MAC")}`;
  if (kind.key === standard.key) return `${words}.`;
  const whole = costOf(standard, s);
  const sums = [total(whole.params), total(whole.macs)];
  if (params === sums[0] && macs === sums[1]) {
    return `${words}, as many as the standard convolution.`;
  }
  const ratios = [ratioText(params, sums[0]), ratioText(macs, sums[1])];
  const both = ratios[0] === ratios[1] ? ratios[0] : ratios.join(" and ");
  return `${words}, ${both} times those of the standard convolution.`;
}

/** Two sides as Python writes them, or one where they are equal. */
function oneOrPair([rows, cols]) {
  return rows === cols ? String(rows) : `(${rows}, ${cols})`;
}

/** The call that makes one layer. */
function layerCall(part, s) {
  const values = valuesOf(s);
  const kernel = part.kernel.map((side) => values[side]);
  const stride = part.stride.map((side) => values[side]);
  const padding = kernel.map(paddingOf);
  const groups = values[part.groups];
  const options = [values[part.inputs], values[part.outputs], oneOrPair(kernel)];
  if (Math.max(...stride) > 1) options.push(`stride=${oneOrPair(stride)}`);
  if (Math.max(...padding) > 0) options.push(`padding=${oneOrPair(padding)}`);
  if (groups > 1) options.push(`groups=${groups}`);
  if (!s.bias) options.push("bias=False");
  return `nn.Conv2d(${options.join(", ")})`;
}

/** The PyTorch lines that make a kind. */
export function pytorchLines(kind, s) {
  const calls = kind.parts.map((part) => layerCall(part, s));
  if (calls.length === 1) return calls[0];
  const lines = calls.map((call) => `    ${call},\n`).join("");
  return `nn.Sequential(\n${lines})`;
}

/** A script that runs as it stands and prints what each of the kinds costs. */
export function pytorchScript(kinds, s) {
  const made = kinds
    .filter((kind) => costOf(kind, s))
    .map((kind) => `    "${kind.key}": ${pytorchLines(kind, s)},`.replaceAll("\n", "\n    "));
  const size = `(${s.in_channels}, ${s.input_size}, ${s.input_size})`;
  return [
    "import torch",
    "from torch import nn",
    "",
    "from convbook.analysis import trace",
    "",
    'with torch.device("meta"):  # the shapes alone, without memory for the weights',
    "    convolutions = {",
    ...made.map((lines) => `    ${lines}`),
    "    }",
    "for name, convolution in convolutions.items():",
    `    table = trace(convolution, ${size})`,
    '    print(f"{name}: {table.params:,} parameters, {table.macs:,} MACs")',
  ].join("\n");
}
