"""Cells that a reader's own kernel moves: controls above a picture that follows them.

On a page without a kernel such a cell is its first picture; `site/live.py` adds how to move it. The
Output widget would be less to write, but nbval cannot follow what is printed into it.
"""

import contextlib
import inspect
import io
from collections.abc import Callable
from html import escape

import ipywidgets
import matplotlib.pyplot as plt
import PIL.Image
import traitlets
from IPython.display import Image
from matplotlib.figure import Figure

from convbook.course import photographs
from convbook.course.figures import show
from convbook.course.mime_types import VIEW

BOOK_PHOTOGRAPHS = ("grace_hopper", "astronaut", "chelsea", "coffee", "flower", "rocket")
OWN = "your own"


class Live:
    """What `live` returns: it shows itself as a widget, and beside it as a picture."""

    def __init__(self, draw: Callable, controls: dict[str, ipywidgets.Widget]):
        self.draw, self.controls = draw, controls
        self.image, self.message = ipywidgets.Image(format="png"), ipywidgets.HTML()
        self.image.layout.max_width = "100%"
        self.box = ipywidgets.VBox([*controls.values(), self.image, self.message])
        self._show(self._draw())  # an error in the first state is the author's, and is raised
        for control in controls.values():
            control.observe(self._redraw, names="value")

    def __repr__(self) -> str:
        settings = (f"{name}={_text(control)}" for name, control in self.controls.items())
        return f"live({', '.join(settings)})"

    def _repr_mimebundle_(self, include=None, exclude=None):
        data, metadata = self.picture._repr_mimebundle_()
        # Written out, because ipywidgets 7, which Colab has, knows no bundle.
        view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        return {**data, "text/plain": repr(self), VIEW: view}, metadata

    def _redraw(self, _change) -> None:
        """Follow a control. An error would only reach the log, so it is shown below the picture."""
        try:
            self._show(self._draw())
        except Exception as error:  # the reader's `draw` may raise anything
            what = str(error).strip().split("\n")[0] or type(error).__name__
            said = escape(f"{repr(self).removeprefix('live')} has no picture: {what}", quote=False)
            self.message.value = f'<span role="alert">{said}</span>'
        else:
            self.message.value = ""

    def _draw(self) -> Image:
        """Return the picture of the controls' values, and leave no figure open."""
        before = set(plt.get_fignums())
        try:
            drawn = self.draw(**{name: control.value for name, control in self.controls.items()})
            picture = show(drawn, "png") if isinstance(drawn, Figure) else drawn
        finally:
            for number in set(plt.get_fignums()) - before:
                plt.close(number)
        if not isinstance(picture, Image) or picture.format != "png":
            name = getattr(self.draw, "__name__", "draw")
            what = "None: is a `return` missing?" if drawn is None else f"{type(drawn).__name__};"
            raise TypeError(f"{name} returned {what} return a picture of `figures`, or a Figure")
        return picture

    def _show(self, picture: Image) -> None:
        self.picture = picture
        with PIL.Image.open(io.BytesIO(picture.data)) as pixels:
            width = picture.width or pixels.width
        self.image.layout.width = f"{width}px"
        self.image.value = picture.data


def live(draw: Callable, /, **controls) -> Live:
    """Show controls above the picture that `draw` makes of their values, anew after each change.

    Args:
        draw: takes each control's value by name; returns a picture of `figures`, an
            `IPython.display.Image` (PNG), or a matplotlib figure. It must not print. A default of
            its own is where the control begins.
        controls: what the reader may choose, by the name of an argument of `draw`:
            `(1, 7)`, `(1, 7, 2)` or `(0.0, 1.0)` is a slider from, to and by; a list, or a dict
            from names to values, is a menu; `True` or `False` is a box to tick; a widget is
            itself, such as `photo_control()`.

    Raises:
        TypeError: `draw` is no function or returns no picture; a control is none of these.
        ValueError: there is no control, or the default of `draw` is not among its values.

    Example:
        >>> from convbook.course import figures
        >>> def draw(height, unit="m"):
        ...     return figures.bars({"one": 1, "two": height}, unit)
        >>> live(draw, height=(1, 5), unit=["m", "km"])
        live(height=3, unit='m')
    """
    if not callable(draw):
        raise TypeError(f"draw={draw!r} is no function; give one that returns a picture")
    if not controls:
        raise ValueError("live has no control; give one, such as size=(1, 9)")
    parameters = inspect.signature(draw).parameters
    empty = inspect.Parameter.empty
    defaults = {n: parameters[n].default if n in parameters else empty for n in controls}
    return Live(draw, {n: _control(n, short, defaults[n]) for n, short in controls.items()})


def _control(name: str, short, default) -> ipywidgets.Widget:
    """Return the widget that a short form stands for, at the default where there is one."""
    label = name.replace("_", " ")
    if isinstance(short, ipywidgets.Widget):
        if getattr(short, "description", None) == "":
            short.description = label
        return short
    looks = {"description": label, "style": {"description_width": "initial"}}
    match short:
        case bool():
            return ipywidgets.Checkbox(short, **looks)
        case list() | dict() if len(short):
            control = ipywidgets.Dropdown(options=short, equals=_same, **looks)
        case (least, most, *step) if _are_range(short):
            whole = all(isinstance(number, int) for number in short)
            slider = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
            step = step[0] if step else 1 if whole else (most - least) / 10
            middle = least + step * int((most - least) / step / 2)
            control = slider(middle, min=least, max=most, step=step, **looks)
            control.continuous_update = False  # one picture for a move, not one for each pixel
        case _:
            raise TypeError(
                f"{name}={short!r} is no control; use (least, most), a list, a dict, a bool or a "
                "widget"
            )
    if default is not inspect.Parameter.empty:
        _begin_at(control, name, default)
    return control


def _begin_at(control: ipywidgets.Widget, name: str, default) -> None:
    with contextlib.suppress(traitlets.TraitError):  # a menu refuses, a slider takes its end
        control.value = default
    if not _same(control.value, default):
        raise ValueError(f"{name}={default!r}, the default of draw, is not among what one can set")


def _are_range(short: tuple) -> bool:
    """Say whether these are two numbers, the smaller first, or with a step above 0 three."""
    if len(short) > 3 or any(isinstance(n, bool) or not isinstance(n, int | float) for n in short):
        return False
    least, most, *step = short
    return least < most and all(number > 0 for number in step)


def _same(one, other) -> bool:
    """Compare two options of a menu: tensors, which have no single `==`, by identity."""
    simple = (bool, int, float, str, tuple)
    return one is other or (isinstance(one, simple) and isinstance(other, simple) and one == other)


def _text(control: ipywidgets.Widget) -> str:
    """Return how a control's value reads on the page, the same in each run."""
    value = control.value
    if isinstance(value, bool | int | float | str):
        return repr(value)
    return repr(getattr(control, "label", type(value).__name__))


class PhotoControl(ipywidgets.HBox):
    """A menu of photographs with a button to upload one; `value` is the chosen one."""

    value = traitlets.Any()  # (1, 3, size, size), float32 in [0, 1]

    def __init__(self, first: str, size: int):
        self.size, self.own = size, None
        self.menu = ipywidgets.Dropdown(options=[*BOOK_PHOTOGRAPHS, OWN], value=first)
        self.upload = ipywidgets.FileUpload(accept="image/*", multiple=False)
        self.note = ipywidgets.HTML()
        super().__init__([self.menu, self.upload, self.note])
        self._choose()
        self.menu.observe(self._choose, names="value")
        self.upload.observe(self._receive, names="value")

    @property
    def label(self) -> str:
        """The name of the chosen photograph."""
        return self.menu.value

    @property
    def description(self) -> str:
        """What stands before the menu."""
        return self.menu.description

    @description.setter
    def description(self, text: str) -> None:
        self.menu.description = text

    def _choose(self, _change=None) -> None:
        if self.label == OWN and self.own is None:
            self.note.value = "Upload a photograph first."
            return
        self.note.value = ""
        self.value = (
            self.own if self.label == OWN else getattr(photographs, self.label)(self.size)
        )  # fmt: skip

    def _receive(self, change) -> None:
        files = change["new"]
        if not files:
            return
        # A dict by name in ipywidgets 7, a tuple in 8.
        file = next(iter(files.values() if isinstance(files, dict) else files))
        try:
            self.own = photographs.open_photograph(io.BytesIO(file["content"]), self.size)
        except ValueError:
            self.note.value = "This file holds no picture that can be read: save it as JPEG or PNG."
            return
        if self.label == OWN:
            self._choose()
        else:
            self.menu.value = OWN


def photo_control(first: str = "grace_hopper", size: int = 256) -> PhotoControl:
    """Return a control for `live`: a photograph of the book, or one that the reader uploads.

    An uploaded picture goes to the reader's own kernel, and nowhere else.

    Args:
        first: the photograph at the beginning; one of those in `convbook.course.photographs`.
        size: rows and columns of what `draw` receives: `(1, 3, size, size)`, float32 in [0, 1].

    Raises:
        TypeError, ValueError: there is no photograph of this name; `size` is no integer above 0.

    Example:
        >>> photo_control("chelsea", size=64).value.shape
        torch.Size([1, 3, 64, 64])
    """
    if first not in BOOK_PHOTOGRAPHS:
        raise ValueError(f"first={first!r} is no photograph; use {', '.join(BOOK_PHOTOGRAPHS)}")
    return PhotoControl(first, size)
