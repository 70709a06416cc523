// Coverage: what is reached and why, in words and code.

import { counted, wholeNumber } from "../lib/format.js";
import {
  countsOf,
  gcd,
  innerTaps,
  isEvenOverlap,
  reachedOf,
  sourcesOf,
} from "./coverage_counts.js";

/** What is reached, in a sentence. */
export function summaryOf(s) {
  const counts = countsOf(s);
  const [total, reached] = [counts.length, reachedOf(counts)];
  if (s.mode === "dilated") {
    return (
      `${counted(s.dilations.length, "layer")} of ${counted(s.kernel_size, "tap")}: ` +
      `${reached} of ${counted(total, "position")} reached, ${counted(total - reached, "hole")}; ` +
      `on a map, ${reached ** 2} of ${counted(total ** 2, "pixel")}.`
    );
  }
  const inner = innerTaps(s);
  const ends = `${counted(s.size, "pixel")} in, ${total} out: away from the borders`;
  if (new Set(inner).size === 1) {
    return `${ends} ${counted(inner[0], "tap")} on each pixel, ${inner[0] ** 2} on a map.`;
  }
  const tile = inner.map((a) => inner.map((b) => a * b).join(", ")).join(" / ");
  return `${ends} the taps repeat ${inner.join(", ")}; on a map, ${tile}.`;
}

/** Why a stack has holes or none. */
function dilationReason({ dilations, kernel_size: taps }) {
  if (taps === 1) return "No holes: with one tap, an output sees one position.";
  const parts = [];
  let filled = 1;
  for (const dilation of [...dilations].sort((a, b) => a - b)) {
    if (dilation > filled) {
      return (
        "Holes: taken by size, a dilation may be at most the number of positions that the " +
        `smaller ones fill, but ${dilation} > ${filled}.`
      );
    }
    parts.push(`${dilation} \u2264 ${filled}`);
    filled += (taps - 1) * dilation;
  }
  return (
    "No holes: taken by size, no dilation is larger than the number of positions that the " +
    `smaller ones fill: ${parts.join(", ")}.`
  );
}

/** Why a transposed convolution overlaps evenly or not. */
function overlapReason(s) {
  const { kernel_size: kernel, stride, dilation } = s;
  if (isEvenOverlap(s)) {
    return (
      `Even: stride ${stride} divides kernel_size ${kernel} and shares no factor with ` +
      `dilation ${dilation}.`
    );
  }
  const common = gcd(dilation, stride);
  const causes = [];
  if (kernel % stride) causes.push(`stride ${stride} does not divide kernel_size ${kernel}`);
  if (common > 1) {
    causes.push(`stride ${stride} and dilation ${dilation} share the factor ${common}`);
  }
  return `Uneven: ${causes.join(", and ")}.`;
}

/** Why there are holes or none, or why the overlap is even or uneven, in a sentence. */
export function reasonOf(s) {
  return s.mode === "dilated" ? dilationReason(s) : overlapReason(s);
}

/** What reaches a position, in a sentence. */
export function placeOf(s, position) {
  const count = countsOf(s)[position];
  if (s.mode === "dilated") {
    const paths = counted(s.kernel_size ** s.dilations.length, "path");
    if (count === 0) return `Position ${position}: a hole, none of the ${paths} ends here.`;
    return `Position ${position}: ${count} of the ${paths} ${count === 1 ? "ends" : "end"} here.`;
  }
  if (count === 0) return `Output ${position}: no tap, nothing but the bias.`;
  const sources = `input pixel${count === 1 ? "" : "s"} ${sourcesOf(s, position).join(", ")}`;
  return `Output ${position}: ${counted(count, "tap")}, from ${sources}.`;
}

/** The line that computes the counts. */
export function packageLine(s) {
  if (s.mode === "dilated") {
    return `dilation_coverage([${s.dilations.join(", ")}], kernel_size=${s.kernel_size})`;
  }
  const dilation = s.dilation > 1 ? `, dilation=${s.dilation}` : "";
  return `transposed_coverage(${s.size}, kernel_size=${s.kernel_size}, stride=${s.stride}${dilation})`;
}

/** A script that runs as it stands and lets PyTorch count: every weight and every pixel is 1. */
export function pytorchScript(s) {
  const start = ["import torch", "from torch.nn.functional import conv_transpose1d", ""];
  const end = "print(counts.int().flatten().tolist())";
  if (s.mode === "transposed") {
    const call = `conv_transpose1d(ones, weight, stride=${s.stride}, dilation=${s.dilation})`;
    return [
      ...start,
      `ones = torch.ones(1, 1, ${s.size})`,
      `weight = torch.ones(1, 1, ${s.kernel_size})`,
      `counts = ${call}`,
      end,
    ].join("\n");
  }
  return [
    ...start,
    "counts = torch.ones(1, 1, 1)  # one output; its gradient goes down, layer by layer",
    `weight = torch.ones(1, 1, ${s.kernel_size})`,
    `for dilation in reversed([${s.dilations.join(", ")}]):`,
    "    counts = conv_transpose1d(counts, weight, dilation=dilation)",
    end,
  ].join("\n");
}

/** The dilations in a text such as "1, 2, 5", or null when there are none that can be shown. */
export function parseDilations(text, limits) {
  const parts = text
    .replace(/[[\]()]/g, " ")
    .trim()
    .split(/[\s,;]+/);
  const [fewest, most] = limits.layers;
  if (parts.length < fewest || parts.length > most) return null;
  const numbers = parts.map((part) => wholeNumber(part, limits.dilations));
  return numbers.includes(null) ? null : numbers;
}
