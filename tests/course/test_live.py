"""Live cells: without a kernel a picture, the same in each run; with one, controls redraw it."""

import io
import subprocess
import sys

import ipywidgets
import matplotlib.pyplot as plt
import nbformat
import pytest
import torch
from docutils import nodes
from docutils.utils import new_document
from IPython.display import HTML, Image
from PIL import Image as PillowImage

from convbook.course import figures, photographs
from convbook.course.live import BOOK_PHOTOGRAPHS, OWN, live, photo_control
from convbook.course.mime_types import DRAWING, PICTURES, VIEW
from convbook.course.site.live import HINT, AddRunHint
from tools import hygiene, notebooks


def bars(height=2, unit="m"):
    return figures.bars({"one": 1, "two": height}, unit)


def tiny(**_):
    file = io.BytesIO()
    PillowImage.new("RGB", (30, 20)).save(file, format="PNG")
    return Image(file.getvalue())


# ------------------------------------------------------------------ what a page shows


def test_the_first_state_is_stored_as_a_picture_and_the_controls_beside_it():
    cell = live(bars, height=(1, 5), unit=["m", "km"])
    drawing = bars()
    data, metadata = cell._repr_mimebundle_()
    assert data.pop(VIEW)["model_id"] == cell.box.model_id
    stored, sizes = drawing._repr_mimebundle_()
    assert data == {**stored, "text/plain": "live(height=2, unit='m')"}
    assert data.keys() >= {DRAWING, "image/png"}
    assert metadata == sizes
    assert cell.image.value == drawing.data
    assert [type(child) for child in cell.box.children] == [
        ipywidgets.IntSlider,
        ipywidgets.Dropdown,
        ipywidgets.Image,
        ipywidgets.HTML,
    ]


def test_two_runs_store_the_same():
    first, second = (
        live(bars, height=(1.0, 2.0), unit={"a": "m"})._repr_mimebundle_() for _ in range(2)
    )
    assert first[0].pop(VIEW) != second[0].pop(VIEW)  # two widgets; the notebook tool drops it
    assert first == second


def test_nothing_is_printed(capsys):
    cell = live(bars, height=(1, 5))
    cell.controls["height"].value = 3
    repr(cell), cell._repr_mimebundle_()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("draw", [bars, tiny], ids=["sharp drawing", "photograph"])
def test_the_widget_shows_the_picture_as_large_as_the_page_does(draw):
    cell = live(draw, height=(1, 5))
    _, metadata = cell._repr_mimebundle_()
    width = metadata["image/png"]["width"] if draw is bars else 30
    assert cell.image.layout.width == f"{width}px"
    assert cell.image.layout.max_width == "100%"


# ------------------------------------------------------------------ what a kernel adds


def test_a_control_redraws_the_picture():
    cell = live(bars, height=(1, 5), unit=["m", "km"])
    cell.controls["height"].value = 4
    assert cell.image.value == bars(4).data
    cell.controls["unit"].value = "km"
    assert cell.image.value == bars(4, "km").data
    assert repr(cell) == "live(height=4, unit='km')"
    data, _ = cell._repr_mimebundle_()
    assert data["text/plain"] == repr(cell)
    assert data[DRAWING] == bars(4, "km").svg


def test_an_error_is_shown_below_the_last_picture_until_the_next():
    def draw(size):
        if size > 3:
            plt.figure()
            raise ValueError(f"size={size} is <too> large\nsecond line")
        return bars(size)

    cell = live(draw, size=(1, 5))
    before, opened = cell.image.value, plt.get_fignums()
    cell.controls["size"].value = 5
    assert cell.message.value == (
        '<span role="alert">(size=5) has no picture: size=5 is &lt;too&gt; large</span>'
    )
    assert cell.image.value == before
    assert plt.get_fignums() == opened
    cell.controls["size"].value = 1
    assert cell.message.value == ""
    assert cell.image.value == bars(1).data


def test_an_error_without_a_message_shows_its_kind():
    def draw(size):
        assert size < 4
        return bars(size)

    cell = live(draw, size=(1, 5))
    cell.controls["size"].value = 4
    assert "(size=4) has no picture: " in cell.message.value
    assert cell.message.value != '<span role="alert">(size=4) has no picture: </span>'


def test_a_matplotlib_figure_is_drawn_and_closed():
    def draw(size):
        figure, axes = plt.subplots()
        axes.plot([0, size])
        return figure

    opened = plt.get_fignums()
    cell = live(draw, size=(1, 5))
    assert bytes(cell.image.value).startswith(b"\x89PNG")
    assert plt.get_fignums() == opened


# ------------------------------------------------------------------ controls


@pytest.mark.parametrize(
    ("short", "kind", "value", "text"),
    [
        ((1, 7), ipywidgets.IntSlider, 4, "4"),
        ((1, 7, 2), ipywidgets.IntSlider, 3, "3"),
        ((0.0, 1.0), ipywidgets.FloatSlider, 0.5, "0.5"),
        ((0, 1, 0.25), ipywidgets.FloatSlider, 0.5, "0.5"),
        (["zero", "reflect"], ipywidgets.Dropdown, "zero", "'zero'"),
        ([3, 5], ipywidgets.Dropdown, 3, "3"),
        ({"cat": photographs.chelsea}, ipywidgets.Dropdown, photographs.chelsea, "'cat'"),
        (True, ipywidgets.Checkbox, True, "True"),
    ],
)
def test_short_forms_of_controls(short, kind, value, text):
    cell = live(tiny, padding_mode=short)
    control = cell.controls["padding_mode"]
    assert type(control) is kind
    assert control.value == value
    assert control.description == "padding mode"
    assert getattr(control, "continuous_update", False) is False
    assert repr(cell) == f"live(padding_mode={text})"


def test_a_widget_is_taken_as_it_is():
    slider = ipywidgets.IntSlider(2, min=1, max=3, description="my name")
    cell = live(bars, height=slider)
    assert cell.controls["height"] is slider
    assert slider.description == "my name"
    assert cell.image.value == bars(2).data


@pytest.mark.parametrize("short", [(1, 9, 2), (0.0, 9.0), [1, 8, 7], {"seven": 7, "eight": 8}])
def test_the_default_of_draw_is_where_a_control_begins(short):
    def draw(size=7):
        return bars(size)

    assert live(draw, size=short).controls["size"].value == 7


def test_a_menu_may_hold_tensors():
    chosen = []

    def draw(photo):
        chosen.append(photo)
        return tiny()

    pair = {"dark": torch.zeros(3, 2, 2), "light": torch.ones(3, 2, 2)}
    cell = live(draw, photo=pair)
    cell.controls["photo"].index = 1  # as a front end says it
    assert [photo is pair[name] for photo, name in zip(chosen, pair, strict=True)] == [True, True]
    assert repr(cell) == "live(photo='light')"


def returns_nothing(size):
    bars(size)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: live(returns_nothing, size=(1, 3)),
            TypeError,
            r"returns_nothing returned None: is a `return` missing\?",
        ),
        (
            lambda: live(lambda size: HTML("x"), size=(1, 3)),
            TypeError,
            "returned HTML; return a picture",
        ),
        (
            lambda: live(lambda size: Image(b"", format="jpeg"), size=(1, 3)),
            TypeError,
            "returned Image; return a picture",
        ),
        (lambda: live(bars), ValueError, "no control"),
        (lambda: live(3, size=(1, 3)), TypeError, "draw=3 is no function"),
        (lambda: live(bars, height=[]), TypeError, r"height=\[\] is no control; use \(least, most"),
        (lambda: live(bars, height=(3, 1)), TypeError, r"height=\(3, 1\) is no control"),
        (lambda: live(bars, height=("a", "b")), TypeError, r"height=\('a', 'b'\) is no control"),
        (lambda: live(bars, height=(1, 3, 0)), TypeError, r"height=\(1, 3, 0\) is no control"),
        (lambda: live(bars, height=(3, 9)), ValueError, "height=2, the default of draw, is not"),
        (lambda: live(bars, unit=["km"]), ValueError, "unit='m', the default of draw, is not"),
        (lambda: photo_control("cat"), ValueError, "first='cat' is no photograph; use grace_hop"),
        (lambda: photo_control("chelsea", size=0), ValueError, "size=0"),
    ],
)
def test_refusals_name_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()


# ------------------------------------------------------------------ photographs


def test_every_photograph_of_the_book_can_be_chosen():
    control = photo_control("chelsea", size=16)
    assert torch.equal(control.value, photographs.chelsea(16))
    for name in BOOK_PHOTOGRAPHS:
        control.menu.value = name
        assert torch.equal(control.value, getattr(photographs, name)(16))


def uploaded(content, name="me.png"):
    """What a front end sends in ipywidgets 8."""
    return ({"name": name, "type": "image/png", "size": len(content), "content": content},)


def test_the_readers_own_photograph_is_drawn():
    seen = []

    def draw(photo):
        seen.append(photo)
        return tiny()

    cell = live(draw, photo=photo_control("coffee", size=16))
    control = cell.controls["photo"]
    assert control.description == "photo"
    assert repr(cell) == "live(photo='coffee')"
    control.menu.value = OWN
    assert control.note.value == "Upload a photograph first."
    assert len(seen) == 1
    own = (photographs.PICTURES / "rocket.webp").read_bytes()
    control._receive({"new": uploaded(own)})
    assert control.note.value == ""
    control.menu.value = "flower"
    control.menu.value = OWN
    control._receive({"new": {"me.png": {"content": own}}})  # ipywidgets 7
    expected = [getattr(photographs, n)(16) for n in ("coffee", *["rocket", "flower", "rocket"])]
    assert all(map(torch.equal, seen[:4], expected))
    assert repr(cell) == "live(photo='your own')"


def test_an_upload_chooses_itself_and_a_file_that_is_no_picture_is_refused():
    control = photo_control("coffee", size=16)
    control._receive({"new": uploaded(b"no picture", "me.txt")})
    assert "no picture that can be read" in control.note.value
    assert control.label == "coffee"
    control._receive({"new": ()})
    control._receive({"new": uploaded((photographs.PICTURES / "rocket.webp").read_bytes())})
    assert control.label == OWN
    assert control.note.value == ""
    assert torch.equal(control.value, photographs.rocket(16))


# ------------------------------------------------------------------ notebook and site

CELL = """\
from convbook.course import figures
from convbook.course.live import live, photo_control

def draw(photo, blur=3, mode="zeros"):
    return figures.photographs([photo[0]], [f"{blur} {mode}"])

live(draw, photo=photo_control("chelsea", size=32), blur=(1, 9, 2), mode=["zeros", "reflect"])"""


def test_a_notebook_stores_the_picture_and_nbval_compares_it(tmp_path):
    metadata = {"mystnb": {"image": {"alt": "The face of a cat, thirty-two pixels wide."}}}
    cells = [nbformat.v4.new_code_cell(CELL, metadata=metadata) for _ in range(2)]
    notebook = notebooks.execute(nbformat.v4.new_notebook(cells=cells), tmp_path)
    first, second = (cell.outputs[0].data for cell in notebooks.normalise(notebook).cells)
    assert first.keys() == {PICTURES, "image/png", "text/plain"}
    assert first["text/plain"] == "live(photo='chelsea', blur=3, mode='zeros')"
    assert second == first
    for rule in (hygiene.check_figures, hygiene.check_widgets, hygiene.check_outputs):
        assert list(rule(notebook)) == []
    second["text/plain"] = "live(photo='chelsea', blur=5, mode='zeros')"
    path = tmp_path / "chapter.ipynb"
    notebooks.write(notebook, path)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--nbval", "-rA", "-q"]
    done = subprocess.run(
        [*command, "--nbval-current-env", "--rootdir", tmp_path, path],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "PASSED chapter.ipynb::Cell 0" in done.stdout
    assert "FAILED chapter.ipynb::Cell 1" in done.stdout


def bundle(**forms):
    """A cell's output, as myst-nb hands it to the site: one container for each type."""
    made = nodes.container(nb_element="mime_bundle")
    for mime_type, text in forms.items():
        made += nodes.container("", nodes.literal_block(text, text), mime_type=mime_type)
    return made


def test_the_site_says_below_a_live_cell_how_it_moves():
    document = new_document("chapter")
    for text in (repr(live(bars, height=(1, 5))), "<Drawing>", "alive(3)"):
        document += bundle(**{"image/png": "...", "text/plain": text})
    document += bundle(**{"text/html": "live(3)", "text/plain": "<Table>"})
    AddRunHint(document).apply()
    kinds = [type(node) for node in document]
    assert kinds == [nodes.container, nodes.paragraph, *[nodes.container] * 3]
    assert document[1].astext() == HINT
