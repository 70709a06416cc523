"""Stacks of layers for the tests of the receptive-field explorer, and what an output reads."""

from convbook.arithmetic import Layer, conv_output_size
from convbook.course.explorers import ReceptiveFieldExplorer


def explorer_with(layers, input_size):
    """An explorer whose stack need not fit, as after a reader's edit."""
    explorer = ReceptiveFieldExplorer([Layer(1)], input_size=input_size)
    explorer.layers = layers
    return explorer


def stack_of(explorer):
    """The settings as the front end holds them."""
    return {"input_size": explorer.input_size, "rows": explorer.rows}


def pixels_read(layers, input_size, output):
    """The input pixels, in order, that reach an output of the last layer: no padding, no holes."""
    sizes, reached = [input_size], {output}
    for one in layers:
        size = conv_output_size(sizes[-1], one.kernel_size, one.stride, one.padding, one.dilation)
        sizes.append(size)
    for layer, size in zip(reversed(layers), reversed(sizes[:-1]), strict=True):
        starts = [index * layer.stride - layer.padding for index in reached]
        taps = {start + k * layer.dilation for start in starts for k in range(layer.kernel_size)}
        reached = {tap for tap in taps if 0 <= tap < size}
    return sorted(reached)
