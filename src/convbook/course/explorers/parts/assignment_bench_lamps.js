// Assignment bench: the seven lamps, as `convbook.grade` judges a network without branches.

import { withCommas } from "../lib/format.js";
import { PROFILES } from "./assignment_bench_rows.js";

const TRANSITIONS = 3;

const tick = ({ name }) => `\`${name}\``;
const ticks = (layers) => layers.map(tick).join(", ");
const square = (side) => `${side}x${side}`;
const sizes = ({ from, side }) => `${square(from)} to ${square(side)}`;
const yes = (measured, why) => ({ measured: String(measured), passed: true, why });
const no = (measured, ...why) => ({
  ...{ measured: String(measured), passed: false },
  why: why.filter(Boolean).join("; "),
});
const judge = (measured, remarks, why) =>
  remarks.length ? no(measured, ...remarks) : yes(measured, why);

const halves = ({ kind, set }) => kind === "max_pool" && set.kernel_size > 1 && set.stride === 2;
const strides = ({ convolves, set }) => convolves && set.kernel_size > 1 && set.stride === 2;
const dilates = ({ convolves, set }) =>
  convolves && set.kernel_size > 1 && set.stride === 1 && set.dilation > 1;

/** Whether at most one tap of a window can lie on its map. */
const readsOnePixel = ({ set, from }) => set.kernel_size === 1 || set.dilation >= from;

/** What is asked for beside what there is: too many, or too few and what comes near. */
function countRemarks(counted, near, remedy) {
  const [spare, found] = [counted.length - TRANSITIONS, ticks(counted)];
  if (spare > 0) return [`three are asked for; leave out ${spare} of ${found}`];
  if (!spare) return [];
  return [found && `so far ${found}`, remedy, ...near];
}

function byMaxPool({ layers, last }) {
  const ahead = layers.slice(0, layers.indexOf(last));
  const pools = ahead.filter(halves);
  const near = layers
    .filter((one) => one.kind === "max_pool" && !pools.includes(one))
    .map((one) => {
      if (halves(one)) return `no convolution follows ${tick(one)}; add one`;
      const { kernel_size: kernel, stride } = one.set;
      return `${tick(one)} has kernel ${kernel} and stride ${stride}; use 2 and 2`;
    });
  const remarks = countRemarks(pools, near, "put a 2 \u00d7 2 max-pool between two convolutions");
  for (const [i, pool] of pools.entries()) {
    const block = layers.slice(i && layers.indexOf(pools[i - 1]), layers.indexOf(pool));
    if (!block.some((one) => one.convolves)) remarks.push(`put a convolution before ${tick(pool)}`);
  }
  const grown = [...ahead, last].filter(({ from, side }) => from > 1 && side >= 2 * from);
  remarks.push(...grown.map((one) => `${tick(one)} enlarges ${sizes(one)}; pad less`));
  return judge(pools.length, remarks, `${ticks(pools)}, with convolutions between`);
}

function byConvolution({ layers, last }) {
  const ahead = layers.slice(0, layers.indexOf(last));
  const [strided, dilated] = [ahead.filter(strides), ahead.filter(dilates)];
  const remedy = "let three 3 \u00d7 3 convolutions have stride 2, or a dilation in its place";
  const steps = [...strided, ...dilated];
  const spare = strided.length > TRANSITIONS;
  const remarks = countRemarks(spare ? strided : steps.slice(0, TRANSITIONS), [], remedy);
  const pools = layers.filter(({ kind }) => kind === "max_pool");
  if (pools.length) remarks.unshift(`use convolutions with stride 2 in place of ${ticks(pools)}`);
  const measured = `${strided.length} by stride, ${dilated.length} by dilation`;
  return judge(measured, remarks, `${ticks(steps)}; no map is max-pooled`);
}

function fieldLamp({ last }, asked) {
  const { size, jump } = last.field;
  const why = `read at ${tick(last)}, the last convolution`;
  if (size > asked) return yes(size, why);
  const more = `there one more 3 \u00d7 3 convolution adds ${2 * jump}, with dilation 2 ${4 * jump}`;
  return no(size, why, more);
}

function separableLamp({ layers }) {
  const deep = layers.filter(({ groups }) => groups > 1);
  const after = (one) => layers[layers.indexOf(one) + 1];
  const wrong = (one) => {
    const next = after(one);
    if (one.set.kernel_size === 1)
      return `${tick(one)} only scales its channels; use kernel size 3`;
    if (readsOnePixel(one)) return `${tick(one)} reads one pixel of its map; move it up`;
    if (!next?.convolves || next.set.kernel_size > 1 || next.groups > 1) {
      return `nothing mixes the channels of ${tick(one)}; put a pointwise layer behind`;
    }
    if (!next.set.padding) return null;
    return `${tick(next)} is 1 \u00d7 1: its padding is a border that has read nothing`;
  };
  const good = deep.find((one) => !wrong(one));
  const none = !deep.length && "add a depthwise layer, and a pointwise one behind it";
  if (!good) return no("none", ...deep.map(wrong), none);
  const point = tick(after(good));
  const why = `${tick(good)} has a filter for each of ${good.groups} channels, and ${point} mixes them`;
  return yes(`${tick(good)} + ${point}`, why);
}

function dilatedLamp({ layers }) {
  const marked = layers.filter(({ convolves, set }) => convolves && set.dilation > 1);
  const good = marked.find((one) => !readsOnePixel(one));
  if (good) {
    const { kernel_size: kernel, dilation } = good.set;
    const what = `${tick(good)}: kernel ${kernel}, dilation ${dilation}`;
    return yes(what, `its taps stand apart; the map goes ${sizes(good)}`);
  }
  const few = marked.length && `of ${ticks(marked)} at most one tap lies on the map`;
  return no("none", few, "set dilation 2 and padding 2 in a 3 \u00d7 3 convolution");
}

function averageLamp({ end }) {
  if (end.kind === "average") {
    const measured = `${end.channels}x${square(end.from)} to ${end.channels} by ${tick(end)}`;
    return yes(measured, "each number is a mean over all pixels of its channel");
  }
  const turned = `${tick(end)} turns the ${square(end.from)} map into single numbers`;
  const what = end.side > 1 ? `the output is a map of ${square(end.side)}` : turned;
  return no("none", what, "use global average pooling");
}

function parametersLamp(layers, params, limit) {
  const most = layers.reduce((best, one) => (one.weights > best.weights ? one : best));
  if (!params) return no(0, "nothing learns; add convolutions");
  const why = `the largest is ${tick(most)}, with ${withCommas(most.weights)} weights`;
  if (params < limit) return yes(withCommas(params), why);
  const over = `${withCommas(params - limit + 1)} too many`;
  return no(withCommas(params), why, over, "use fewer channels, or separable convolutions");
}

/**
 * The seven lamps of a measured network.
 * @param {ReturnType<typeof import("./assignment_bench_measure.js").measure>} found
 * @param {string} profile
 * @returns {{ requirement: string, measured: string, passed: boolean, why: string }[]}
 */
export function lampsOf({ levels, problem, params }, profile) {
  const asked = PROFILES[profile];
  const layers = levels.slice(1);
  // Here the map turns into numbers, or is handed out.
  const end = layers.findLast(({ from, side }) => from > 1 || side > 1);
  const last = layers.slice(0, layers.indexOf(end) + 1).findLast(({ convolves }) => convolves);
  const net = { layers, end, last };
  const none = no("none", "no convolution is followed by an output; add convolutions");
  const transitions = asked.pools ? byMaxPool : byConvolution;
  const verdicts = problem
    ? Array(6).fill(no("not known", "the network does not run; repair that first"))
    : [
        last ? transitions(net) : none,
        last ? fieldLamp(net, asked.field) : none,
        separableLamp(net),
        dilatedLamp(net),
        averageLamp(net),
        parametersLamp(layers, params, asked.parameters),
      ];
  const accuracy = no("not measured here", "train it: the layers do not tell");
  const requirements = [
    `three transitions ${asked.pools ? "by" : "without"} max-pool, C1 C2 C3 C4`,
    `receptive field above ${asked.field} pixels`,
    "a depthwise separable convolution",
    "a dilated convolution",
    "global average pooling",
    `under ${withCommas(asked.parameters)} parameters`,
    `accuracy of at least ${asked.accuracy}% on CIFAR-10`,
  ];
  return [...verdicts, accuracy].map((one, i) => ({ requirement: requirements[i], ...one }));
}

/** What is odd about the network and decides nothing, in words. */
export function notesOf({ levels, problem }) {
  const forgetful = ({ convolves, set, from, side }) =>
    convolves && set.stride === 1 && set.dilation > 1 && set.padding > 0 && side < from;
  const notes = levels
    .filter(forgetful)
    .map((one) => `the padding of ${tick(one)} forgets the dilation: ${sizes(one)}`);
  const { side, channels } = levels.at(-1);
  const ten = problem || ((side ?? 1) === 1 && channels === 10);
  return ten ? notes : [...notes, "the output is not 10 numbers, one for each class"];
}
