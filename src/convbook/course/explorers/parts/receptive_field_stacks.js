// Receptive field: what a stack may be, and the stacks that are offered. A row is [name,
// kernel_size, stride, padding, dilation].

import { range } from "../lib/ranges.js";

export const SETTINGS = ["kernel_size", "stride", "padding", "dilation"];

export const LIMITS = {
  input_size: [1, 2048],
  kernel_size: [1, 32],
  stride: [1, 16],
  padding: [0, 512],
  dilation: [1, 512],
  layers: [1, 40],
  jump: [1, 1000000], // keeps every number below 2**53
};

const DOUBLING = "conv1:3.1.1.1 conv2:3.1.2.2 conv3:3.1.4.4 conv4:3.1.8.8 conv5:3.1.16.16";
const ASSIGNMENT =
  "C1.conv1:3.1.1.1 C1.conv2:3.1.1.1 pool1:2.2.0.1 C2.depthwise:3.1.1.1 C2.pointwise:1.1.0.1 " +
  "C2.conv:3.1.1.1 pool2:2.2.0.1 C3.dilated:3.1.2.2 C3.conv:3.1.1.1 pool3:2.2.0.1 " +
  "C4.conv1:3.1.1.1 C4.conv2:3.1.1.1";
const ALEXNET =
  "conv1:11.4.2.1 pool1:3.2.0.1 conv2:5.1.2.1 pool2:3.2.0.1 conv3:3.1.1.1 conv4:3.1.1.1 " +
  "conv5:3.1.1.1 pool5:3.2.0.1";
const VGG16 = [2, 2, 3, 3, 3].map((convs, i) => {
  const block = range(1, convs + 1).map((j) => `conv${i + 1}_${j}:3.1.1.1`);
  return `${block.join(" ")} pool${i + 1}:2.2.0.1`;
});
const RESNET18 = [1, 2, 3, 4].map((stage) => {
  const [name, stride] = [`layer${stage}`, stage > 1 ? 2 : 1];
  const first = `${name}.0.conv1:3.${stride}.1.1 ${name}.0.conv2:3.1.1.1`;
  return `${first} ${name}.1.conv1:3.1.1.1 ${name}.1.conv2:3.1.1.1`;
});

// Key, label, input size, layers.
const STACKS = /** @type {[string, string, number, string][]} */ ([
  ["two_3x3", "Two 3\u00d73", 9, "conv1:3.1.0.1 conv2:3.1.0.1"],
  ["stride", "Stride first", 17, "conv1:3.2.0.1 conv2:3.1.0.1 conv3:3.1.0.1"],
  ["dilation", "Doubling dilation", 64, DOUBLING],
  ["assignment", "Assignment net", 32, ASSIGNMENT],
  ["alexnet", "AlexNet", 224, ALEXNET],
  ["vgg16", "VGG-16", 224, VGG16.join(" ")],
  ["resnet18", "ResNet-18", 224, `conv1:7.2.3.1 maxpool:3.2.1.1 ${RESNET18.join(" ")}`],
]);

const NOTES = {
  two_3x3: "Two 3\u00d73 layers see as far as one 5\u00d75 layer.",
  stride: "The stride leaves the field of conv1 as it is and doubles what each later layer adds.",
  dilation: "Each layer has as many weights as the one before and adds twice as many pixels.",
  assignment:
    "One answer to the assignment of chapter 13, which asks for a field of more than 44 pixels " +
    "before the global pooling. Block C4 is what lifts it above.",
  alexnet: "torchvision\u2019s AlexNet up to its last max-pooling.",
  vgg16:
    "torchvision\u2019s VGG-16. A 3\u00d73 layer adds little until pooling has made the jump large.",
  resnet18:
    "The main path of torchvision\u2019s ResNet-18. A skip sees less than the path beside it, so " +
    "the union of the two is the main path\u2019s field: wider than the whole image.",
};

function rowOf(/** @type {string} */ text) {
  const [name, numbers] = text.split(":");
  return [name, ...numbers.split(".").map(Number)];
}

export const PRESETS = STACKS.map(([key, label, size, layers]) => {
  const rows = layers.split(" ").map(rowOf);
  return { key, label, note: NOTES[key], settings: { input_size: size, rows } };
});

/**
 * The preset that is this stack, by its numbers, or undefined.
 * @param {Record<string, any>} stack
 */
export function presetOf({ input_size: size, rows }) {
  const numbers = (list) => JSON.stringify(list.map((row) => row.slice(1)));
  const same = ({ settings }) =>
    settings.input_size === size && numbers(settings.rows) === numbers(rows);
  return PRESETS.find(same);
}
