"""Receptive field: a stack of layers to edit, and what each output sees of the input."""

from html import escape

import traitlets

from convbook._checks.arguments import integer
from convbook.analysis.link import LARGEST_JUMP, LIMITS, SETTINGS, fragment
from convbook.arithmetic import Layer, conv_output_size, receptive_field
from convbook.course.explorers import stacks
from convbook.course.explorers.base import Explorer, preset_of
from convbook.course.explorers.grids import html_table, number_text
from convbook.course.explorers.sources import module_source
from convbook.course.explorers.traits import Whole

LONGEST_NAME = 24
LARGEST_OUTPUT = 10**5


class _Rows(traitlets.TraitType):
    """A stack of layers, each (name, kernel_size, stride, padding, dilation)."""

    def validate(self, _, value):
        """Return the rows as a tuple of tuples, or raise."""
        if not isinstance(value, (tuple, list)):
            raise TypeError(f"{self.name}={value!r} is no list; use one of layers")
        integer(len(value), "len(layers)", *LIMITS["layers"])
        return tuple(_checked_row(f"layers[{i}]", one) for i, one in enumerate(value))


class _Selected(traitlets.TraitType):
    """What is shown: the number of a layer, from 1, and the index of an output, from 0."""

    def validate(self, _, value):
        """Return the pair, or raise."""
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            raise TypeError(
                f"{self.name}={value!r} is no pair (layer, output); use one such as (1, 0)"
            )
        layer, output = value
        return (
            integer(layer, f"{self.name}[0]", *LIMITS["layers"]),
            integer(output, f"{self.name}[1]", 0, LARGEST_OUTPUT),
        )


def _checked_row(what, value):
    if not isinstance(value, (tuple, list)) or len(value) != 1 + len(SETTINGS):
        raise TypeError(f"{what}={value!r}; use (name, {', '.join(SETTINGS)})")
    name, *numbers = value
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME:
        raise ValueError(f"{what} is called {name!r}; use a text of 1 to {LONGEST_NAME} letters")
    pairs = zip(SETTINGS, numbers, strict=True)
    return (name, *(integer(n, f"{what}.{key}", *LIMITS[key]) for key, n in pairs))


def _row_of(layer):
    """Return a `Layer` as a row."""
    if not isinstance(layer, Layer):
        raise TypeError(f"layers holds {layer!r}; use Layer(kernel_size, stride, ...)")
    padding = 0 if layer.padding == "valid" else layer.padding
    return ("conv", layer.kernel_size, layer.stride, padding, layer.dilation)


def _layer_text(one):
    """Return a row as the call that makes its `Layer`."""
    _, kernel_size, stride, padding, dilation = one
    settings = (("stride", stride, 1), ("padding", padding, 0), ("dilation", dilation, 1))
    options = [f", {name}={value}" for name, value, usual in settings if value != usual]
    return f"Layer({kernel_size}{''.join(options)})"


class ReceptiveFieldExplorer(Explorer):
    """Edit a stack of layers and see, drawn on the input, what an output of each layer sees.

    Every argument but `preset` is an attribute too, read and written by page and kernel alike;
    `output_sizes`, `fields`, `problem`, `code` and `fragment` follow from them.

    Args:
        layers: objects of class `Layer` with one number for both axes, first layer first, 1 to 40
            of them; left out, those of the preset.
        input_size: pixels along each side of the input, 1 to 2048; left out, the preset's.
        preset: 'two_3x3' (the default), 'stride', 'dilation', 'assignment', 'alexnet', 'vgg16' or
            'resnet18'.
        selected: the layer shown first, counted from 1, and its output, counted from 0; left out,
            the middle output of the last layer.

    Raises:
        ValueError: a value is out of range, or a kernel does not fit its padded input.
        TypeError: a value is not of its kind.

    Example:
        >>> explorer = ReceptiveFieldExplorer([Layer(3), Layer(3)], input_size=9)
        >>> explorer.fields[-1]
        ReceptiveField(size=5, jump=1, start=0)
        >>> explorer.code
        'receptive_field([Layer(3), Layer(3)])'

    Source: Araujo, Norris and Sim, Computing Receptive Fields, Distill 2019.
    """

    _explorer = "receptive_field"
    _esm = module_source("receptive_field")

    input_size = Whole(stacks.PRESETS["two_3x3"].input_size, *LIMITS["input_size"]).tag(sync=True)
    rows = _Rows(tuple(stacks.PRESETS["two_3x3"].rows)).tag(sync=True)
    selected = _Selected((1, 0)).tag(sync=True)

    def __init__(self, layers=None, *, input_size=None, preset=None, selected=None):
        stack = preset_of(stacks.PRESETS, preset, "two_3x3")
        if preset is not None and layers is not None:
            raise ValueError(f"preset={preset!r} brings its own layers; leave preset or layers out")
        super().__init__(
            rows=stack.rows if layers is None else [_row_of(layer) for layer in layers],
            input_size=stack.input_size if input_size is None else input_size,
        )
        if self.problem:
            raise ValueError(self.problem)
        last = len(self.rows)
        middle = (self.output_sizes[-1] - 1) // 2
        self.selected = (last, middle) if selected is None else selected
        layer, output = self.selected
        if layer > last:
            raise ValueError(f"selected={self.selected} is beyond the last layer; use 1 to {last}")
        if output >= self.output_sizes[layer - 1]:
            raise ValueError(
                f"selected={self.selected} is beyond the last output of layer {layer}; "
                f"use 0 to {self.output_sizes[layer - 1] - 1}"
            )

    @property
    def layers(self):
        """The stack as a list of `Layer`; setting it keeps the size of the input."""
        return [Layer(*numbers) for _, *numbers in self.rows]

    @layers.setter
    def layers(self, layers):
        self.rows = [_row_of(layer) for layer in layers]

    def _measured(self):
        """Return the output sizes of the layers up to the first that cannot be, and its problem."""
        sizes, size, jump = [], self.input_size, 1
        for number, (name, *numbers) in enumerate(self.rows, 1):
            jump *= numbers[1]
            try:
                size = conv_output_size(size, *numbers)
                if jump > LARGEST_JUMP:
                    raise ValueError(
                        f"jump={jump} is more than {LARGEST_JUMP}; use smaller strides"
                    )
            except ValueError as error:
                return sizes, f"Layer {number} ({name}): {error}"
            sizes.append(size)
        return sizes, None

    @property
    def problem(self):
        """Why some layer has no output, with the remedy; None when all have one."""
        return self._measured()[1]

    @property
    def output_sizes(self):
        """Outputs along each side, a number per layer; None from the first that has none."""
        sizes, _ = self._measured()
        return sizes + [None] * (len(self.rows) - len(sizes))

    @property
    def fields(self):
        """A `ReceptiveField` per layer: size, jump, start; None from the first without output."""
        sizes, _ = self._measured()
        known = receptive_field(self.layers[: len(sizes)])
        return known + [None] * (len(self.rows) - len(sizes))

    @property
    def code(self):
        """The line that computes `fields`."""
        return f"receptive_field([{', '.join(map(_layer_text, self.rows))}])"

    @property
    def fragment(self):
        """The end of an address that opens a page's explorer with this stack."""
        return fragment(self.input_size, [numbers for _, *numbers in self.rows])

    def __repr__(self):
        for key, stack in stacks.PRESETS.items():
            if tuple(stack.rows) == self.rows:
                size = f", input_size={self.input_size}"
                size = "" if stack.input_size == self.input_size else size
                return f"ReceptiveFieldExplorer(preset={key!r}{size})"
        layers = ", ".join(map(_layer_text, self.rows))
        return f"ReceptiveFieldExplorer([{layers}], input_size={self.input_size})"

    def static_html(self):
        """Return the stack as a table with size, jump and start of every layer."""
        titles = ("layer", *SETTINGS, "output", "field", "jump", "start")
        head = "".join(f'<th scope="col">{title}</th>' for title in titles)
        body = []
        for (name, *numbers), size, field in zip(
            self.rows, self.output_sizes, self.fields, strict=True
        ):
            found = [None] * 4 if field is None else [size, *field]
            texts = ["\N{EN DASH}" if n is None else number_text(n) for n in [*numbers, *found]]
            cells = [f"<td>{text}</td>" for text in texts]
            body.append([f'<th scope="row">{escape(name)}</th>', *cells])
        table = html_table(
            f"Receptive fields, input {self.input_size} × {self.input_size}",
            body,
            f"<thead><tr>{head}</tr></thead>",
        )
        problem = f"<p>{escape(self.problem)}</p>" if self.problem else ""
        return (
            '<div class="convbook-root cb-static cb-stack-static">'
            '<div class="cb-wide" tabindex="0" role="region" aria-label="Receptive fields">'
            f"{table}</div>{problem}"
            f"<p><code>{escape(self.code)}</code></p></div>"
        )
