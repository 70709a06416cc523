// Cost: what can be set, the examples, and the four kinds of convolution.

const CHANNELS = [1, 2, 3, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 1024, 2048];
const SIZES = [1, 4, 7, 8, 14, 16, 17, 27, 28, 32, 56, 64, 112, 128, 224, 256];

/** The smallest and the largest of each number, as in Python, and where its slider stops. */
export const NUMBERS = {
  in_channels: { label: "Channels in", limits: [1, 4096], stops: CHANNELS, typed: true },
  out_channels: { label: "Channels out", limits: [1, 4096], stops: CHANNELS, typed: true },
  kernel_size: { label: "Kernel size", limits: [1, 11], stops: [1, 3, 5, 7, 9, 11] },
  groups: { label: "Groups", limits: [1, 4096], hint: "of the grouped one" }, // what divides
  input_size: { label: "Map size", limits: [1, 1024], stops: SIZES, typed: true },
  stride: { label: "Stride", limits: [1, 2], stops: [1, 2] },
};

// Label, the kind that is shown first, the numbers in the order of NUMBERS, and whether with bias.
const EXAMPLES = {
  example: ["16 to 32 channels", "depthwise_separable", [16, 32, 3, 4, 32, 1], false],
  mobilenet: ["MobileNet", "depthwise_separable", [512, 512, 3, 8, 14, 1], false],
  alexnet: ["AlexNet", "grouped", [96, 256, 5, 2, 27, 1], true],
  resnext: ["ResNeXt", "grouped", [128, 128, 3, 32, 56, 1], false],
  inception: ["Inception 7\u00d77", "spatially_separable", [192, 192, 7, 4, 17, 1], false],
  pointwise: ["1\u00d71", "depthwise_separable", [16, 32, 1, 4, 32, 1], false],
};
const NOTES = {
  example: "The depthwise separable pair has 656 weights where the standard convolution has 4,608.",
  mobilenet:
    "One of the five equal blocks of MobileNet v1. All but 2 % of its work is in the 1\u00d71 layer.",
  alexnet: "AlexNet's second layer as published: two groups, one for each GPU; half the weights.",
  resnext: "The 3\u00d73 convolution of a ResNeXt-50 block (32x4d): 32 groups of 4 channels each.",
  inception:
    "Inception v3 has this pair in place of a 7\u00d77 convolution: two sevenths of the weights.",
  pointwise:
    "A 1\u00d71 kernel leaves nothing to separate: both pairs cost more than one convolution.",
};

export const PRESETS = Object.entries(EXAMPLES).map(([key, [label, show, numbers, bias]]) => {
  const named = Object.keys(NUMBERS).map((name, i) => [name, numbers[i]]);
  const settings = { ...Object.fromEntries(named), bias, middle: "in" };
  return { key, label: String(label), note: NOTES[key], show, settings };
});

/** A layer in symbols: kernel, channels and groups. A side k of the kernel has the stride. */
const layer = (kernel, inputs, outputs, groups = "1") => ({ kernel, inputs, outputs, groups });

/** What each kind does, its layers, and the ratio of its weights, without biases, to the standard. */
export const KINDS = {
  standard: {
    label: "Standard",
    what: "k\u00d7k",
    layers: [layer(["k", "k"], "C_in", "C_out")],
    ratio: "1",
  },
  grouped: {
    label: "Grouped",
    what: "k\u00d7k, groups=g",
    layers: [layer(["k", "k"], "C_in", "C_out", "g")],
    ratio: "1/g",
  },
  depthwise_separable: {
    label: "Depthwise separable",
    what: "k\u00d7k depthwise, then 1\u00d71",
    layers: [layer(["k", "k"], "C_in", "C_in", "C_in"), layer(["1", "1"], "C_in", "C_out")],
    ratio: "1/C_out + 1/(k\u00b7k)",
  },
  spatially_separable: {
    label: "Spatially separable",
    what: "k\u00d71, then 1\u00d7k",
    layers: [layer(["k", "1"], "C_in", "C_mid"), layer(["1", "k"], "C_mid", "C_out")],
    ratio: "C_mid\u00b7(C_in + C_out)/(k\u00b7C_in\u00b7C_out)",
  },
};
