"""Kernel on a photograph: the weights, the map that they make, and the products behind a pixel."""

from base64 import b64encode
from html import escape
from pathlib import Path

import traitlets

from convbook._checks.arguments import integer
from convbook.course.explorers.base import Explorer, preset_of
from convbook.course.explorers.grids import checked_grid, flat, number_table, side_by_side
from convbook.course.explorers.sources import module_source
from convbook.course.explorers.traits import Choice

PICTURES = Path(__file__).parents[1] / "pictures" / "grey"
PHOTOGRAPHS = {  # what a screen reader says of each
    "grace_hopper": "Portrait of Grace Hopper in uniform",
    "chelsea": "The face of a cat",
    "coffee": "A cup of espresso on a wooden table",
}
MAPS = {  # for pages without JavaScript
    "vertical": "Signed map of its vertical edges",
    "horizontal": "Signed map of its horizontal edges",
    "sharpen": "The photograph, sharpened",
}
SIDE = 256  # rows and columns of a photograph and of its map
SIZES = (3, 5, 7)
LARGEST_WEIGHT = 99
BORDERS = {"zero": "constant", "reflect": "reflect", "replicate": "replicate"}  # of F.pad
VIEWS = {"signed": "", "absolute": ".abs()", "relu": ".relu()", "grey": ".clamp(0, 255)"}
PROBE = (200, 87)


def _sign(number):
    return (number > 0) - (number < 0)


# The weight at `y` rows below and `x` columns beside the middle of a kernel that reaches `r` far.
PRESETS = {
    "vertical": lambda y, x, r: _sign(x),
    "horizontal": lambda y, x, r: _sign(y),
    "rising": lambda y, x, r: _sign(x + y),
    "falling": lambda y, x, r: _sign(x - y),
    "blur": lambda y, x, r: [0.1, 0.04, 0.02][r - 1] if x or y else [0.2, 0.04, 0.04][r - 1],
    "sharpen": lambda y, x, r: -1 * (not x or not y) if x or y else 4 * r + 1,
    "emboss": lambda y, x, r: _sign(x) * (x == y) if x or y else 1,
    "identity": lambda y, x, r: int(not x and not y),
}


def preset_kernel(preset, size=3):
    """Return the weights of a preset, `size` by `size`.

    >>> preset_kernel("vertical")
    [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]]
    """
    weight, r = preset_of(PRESETS, preset, "vertical"), size // 2
    steps = range(-r, r + 1)
    return [[weight(y, x, r) for x in steps] for y in steps]


def usual_view(kernel):
    """Return how the map of these weights is best seen: as greys where they add up to 1."""
    return "grey" if round(sum(flat(kernel)), 2) == 1 else "signed"


class _Weights(traitlets.TraitType):
    """A square kernel of 3, 5 or 7 rows; its weights have two decimals at most."""

    def validate(self, _, value):
        """Return the weights as lists of plain numbers, or raise."""
        grid = checked_grid(self.name, value)
        if (k := len(grid)) not in SIZES:
            raise ValueError(f"{self.name} is {k} by {k}; use 3 by 3, 5 by 5 or 7 by 7")
        for number in flat(grid):
            if abs(number) > LARGEST_WEIGHT:
                raise ValueError(f"{self.name} holds {number!r}; use weights from -99 to 99")
            if abs(number - round(number, 2)) > 1e-9:
                raise ValueError(f"{self.name} holds {number!r}; use two decimals at most")
        return [[int(n) if n == int(n) else round(n, 2) for n in row] for row in grid]


class _Place(traitlets.TraitType):
    """A pixel: (row, column)."""

    def validate(self, _, value):
        """Return the two indices, or raise."""
        if not isinstance(value, (tuple, list)) or len(value) != len(PROBE):
            raise TypeError(f"{self.name}={value!r}; use (row, column), such as {PROBE}")
        return tuple(integer(n, f"{self.name}[{i}]", 0, SIDE - 1) for i, n in enumerate(value))


class PhotographExplorer(Explorer):
    """Slide a kernel over a photograph; see its map, and the products behind each of its pixels.

    Every argument but `kernel_size` and `preset` is an attribute too, read and written by page and
    kernel alike; `code` (the PyTorch line) follows from them. Readers may show a picture of their
    own: it stays on their page.

    Args:
        photograph: 'grace_hopper', 'chelsea' or 'coffee': 256 x 256 pixels, greys of 0 to 255.
        kernel: 3, 5 or 7 rows of as many weights, -99 to 99 with two decimals at most.
        kernel_size: 3, 5 or 7, the size of the preset's kernel where no kernel is given.
        border: what lies around the photograph, so that the map has its size: 'zero', 'reflect'
            (the pixels inside, mirrored) or 'replicate' (the outermost pixel again).
        view: 'signed', 'absolute', 'relu', or 'grey', which is the default where the weights add up
            to 1; else it is 'signed'.
        probe: the pixel whose products are shown, (row, column).
        preset: 'vertical' (the default), 'horizontal', 'rising', 'falling' (edges), 'blur',
            'sharpen', 'emboss' or 'identity'.

    Raises:
        ValueError: a value is out of range.
        TypeError: a value is not of its kind.

    Example:
        >>> explorer = PhotographExplorer(preset="blur", border="reflect", kernel_size=5)
        >>> explorer.code
        'F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), w).clamp(0, 255)'
    """

    _explorer = "photograph"
    _esm = module_source("photograph")

    photograph = Choice(*PHOTOGRAPHS).tag(sync=True)
    picture = traitlets.Unicode(read_only=True).tag(sync=True)
    kernel = _Weights(preset_kernel("vertical")).tag(sync=True)
    border = Choice(*BORDERS).tag(sync=True)
    view = Choice(*VIEWS).tag(sync=True)
    probe = _Place(PROBE).tag(sync=True)

    def __init__(
        self,
        photograph="grace_hopper",
        *,
        kernel=None,
        kernel_size=None,
        border="zero",
        view=None,
        probe=PROBE,
        preset=None,
    ):
        if kernel is not None and kernel_size is not None:
            raise ValueError(f"kernel_size={kernel_size!r} and a kernel too; leave kernel_size out")
        if kernel_size not in (None, *SIZES):
            raise ValueError(f"kernel_size={kernel_size!r}; use 3, 5 or 7")
        weights = preset_kernel(preset, kernel_size or 3)  # refuses a preset that is none
        weights = weights if kernel is None else kernel
        super().__init__(photograph=photograph, kernel=weights, border=border, probe=probe)
        self.view = usual_view(self.kernel) if view is None else view

    @traitlets.default("picture")
    def _chosen_picture(self):
        return _data_uri(self.photograph)

    @traitlets.observe("photograph")
    def _show_other_picture(self, change):
        self.set_trait("picture", _data_uri(change["new"]))

    @property
    def code(self):
        """The PyTorch line that makes the map of x, of shape (N, 1, H, W)."""
        r = len(self.kernel) // 2
        pad = f'F.pad(x, ({r}, {r}, {r}, {r}), mode="{BORDERS[self.border]}")'
        return f"F.conv2d({pad}, w){VIEWS[self.view]}"

    def __repr__(self):
        size = len(self.kernel)
        preset = next((key for key in PRESETS if preset_kernel(key, size) == self.kernel), None)
        options = [f"preset={preset!r}" if preset else f"kernel={self.kernel}"]
        options += [f"kernel_size={size}"] * bool(preset and size != SIZES[0])
        usual = {"border": "zero", "view": usual_view(self.kernel), "probe": PROBE}
        options += [f"{k}={v!r}" for k in usual if (v := getattr(self, k)) != usual[k]]
        return f"PhotographExplorer({self.photograph!r}, {', '.join(options)})"

    def static_html(self):
        """Return the photograph, three of its maps, the weights and the PyTorch line."""
        maps = {f"{self.photograph}_{key}": words for key, words in MAPS.items()}
        files = {self.photograph: PHOTOGRAPHS[self.photograph]} | maps
        pictures = [_figure(name, words) for name, words in files.items()]
        return (
            '<div class="convbook-root cb-static cb-photograph-static">'
            f"{side_by_side([*pictures, number_table('Weights', self.kernel)])}"
            f"<p><code>{escape(self.code)}</code></p></div>"
        )


def _data_uri(name):
    """Return a stored picture as text: the same bytes on every machine."""
    return f"data:image/webp;base64,{b64encode((PICTURES / f'{name}.webp').read_bytes()).decode()}"


def _figure(name, words):
    image = f'<img src="{_data_uri(name)}" alt="{words}" style="width: 100%">'
    return f'<div style="width: 200px">{image}<p>{words}</p></div>'
