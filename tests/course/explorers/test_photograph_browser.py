"""Kernel on a photograph, in a real browser: canvases, probe, weights, the reader's own picture."""

import io
import re
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from convbook.course.explorers import PhotographExplorer
from convbook.course.explorers.photograph import PICTURES, PROBE, SIDE, preset_kernel
from tests.helpers.explorer_pages import SET

pytestmark = pytest.mark.browser

READY = """() => {
  const { data } = document.querySelector("canvas").getContext("2d").getImageData(0, 0, 256, 256);
  return data.some((value, i) => i % 4 < 3 && value);
}"""
PIXELS = "(n) => document.querySelectorAll('canvas')[n].toDataURL().split(',')[1]"
CORNER = "document.querySelectorAll('canvas')[1].getContext('2d').getImageData(9, 9, 1, 1).data[0]"
PROBED = "models[0].get('probe')"


@pytest.fixture
def show(open_page):
    """Open a page and wait for its photograph."""

    def show_(explorer=None, **options):
        page = open_page(explorer or PhotographExplorer(), **options)
        page.wait_for_function(READY)
        return page

    return show_


def pixels(page, which):
    """The colours of a canvas: 0 is the picture, 1 its map, 2 the map to match."""
    with Image.open(io.BytesIO(b64decode(page.evaluate(PIXELS, which)))) as shown:
        return np.asarray(shown.convert("RGB"), int)


def picture(page, name="Picture"):
    return page.get_by_role("application", name=re.compile(f"^{name}"))


def said(page):
    return page.get_by_role("status").filter(has_text="products").inner_text()


def marks(page):
    """Where the probe's marks are, as pixels."""
    return page.evaluate(
        """[...document.querySelectorAll(".cb-mark")].map((mark) => {
          const [box, all] = [mark, mark.parentElement].map((e) => e.getBoundingClientRect());
          const place = (low, size) => Math.floor((low / size) * 256);
          return [place(box.top + box.height / 2 - all.top, all.height),
            place(box.left + box.width / 2 - all.left, all.width)];
        })"""
    )


def weight(page, row, col):
    return page.get_by_label(f"weight, row {row}, column {col}")


def cells(page, name):
    grid = page.get_by_role("grid", name=name, exact=True)
    return [[cell.inner_text() for cell in row.get_by_role("gridcell").all()]
            for row in grid.get_by_role("row").all()]  # fmt: skip


# ------------------------------------------------------------------ pictures


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_first_view_is_the_photograph_and_its_signed_map(theme, show):
    page = show(theme=theme)
    assert page.get_by_role("button", name="Vertical edges").get_attribute("aria-pressed") == "true"
    assert page.get_by_text("Orange: darker to brighter from left to right").is_visible()
    with Image.open(PICTURES / "grace_hopper.webp") as stored:
        assert np.abs(pixels(page, 0) - np.asarray(stored.convert("RGB"), int)).max() <= 1
    y = ndimage.correlate(
        pixels(page, 0)[..., 0], np.array(preset_kernel("vertical")), mode="constant"
    )
    ends = [e.inner_text() for e in page.locator(".cb-key span").all()]
    largest = float(ends[1].removeprefix("\u2265 "))
    assert ends == [f"\u2264 \u2212{largest:g}", f"\u2265 {largest:g}"]
    hues = {"light": ["ffffff", "e66101", "5e3c99"], "dark": ["16191d", "e66101", "9d86cf"]}[theme]
    blank, above, below = (np.array(list(bytes.fromhex(hue))) for hue in hues)
    share = (y / largest).clip(-1, 1)[..., None]
    expected = blank + (np.where(share > 0, above, below) - blank) * np.abs(share)
    assert np.abs(pixels(page, 1) - expected).max() <= 1.5
    row, col = PROBE
    assert said(page).startswith(
        f"Row {row}, column {col}: 9 products, sum {y[PROBE]}, a strong edge"
    )


def test_another_theme_colours_the_map_anew(show):
    page = show()
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function(f"{CORNER} < 250")
    assert (pixels(page, 1) <= [0xE6, 0x86, 0xCF]).all()


def test_identity_is_the_picture_and_another_size_keeps_the_preset(show):
    page = show()
    page.get_by_role("button", name="Identity").click()
    page.get_by_role("radio", name="7 × 7").check()
    assert page.evaluate("models[0].get('kernel')") == preset_kernel("identity", 7)
    assert page.get_by_role("button", name="Identity").get_attribute("aria-pressed") == "true"
    assert page.get_by_role("radio", name="Grey").is_checked()
    assert np.array_equal(pixels(page, 0), pixels(page, 1))


def test_the_border_is_told(show):
    page = show(PhotographExplorer(probe=(0, 0), preset="blur"))
    assert cells(page, "Pixels under the kernel")[0] == ["0", "0", "0"]
    dashed = (
        "(e) => [...e.children].map((cell) => getComputedStyle(cell).outlineStyle === 'dashed')"
    )
    rows = page.get_by_role("grid", name="Pixels under the kernel").get_by_role("row").all()
    assert [row.evaluate(dashed) for row in rows] == [[True] * 3] + [[True, False, False]] * 2
    page.get_by_text("More settings").click()
    page.get_by_role("radio", name="Replicate").check()
    assert page.get_by_text("The map keeps the size of the picture, 256 × 256").is_visible()
    grid = np.array(cells(page, "Pixels under the kernel"), int)
    assert np.array_equal(grid, np.pad(pixels(page, 0)[:2, :2, 0], ((1, 0), (1, 0)), "edge"))


# ------------------------------------------------------------------ the probe


@pytest.mark.parametrize("name", ["Picture", "Map"])
def test_the_mouse_moves_the_probe_on_both_pictures_and_a_click_keeps_it(name, show):
    page = show()
    box = picture(page, name).bounding_box()
    at = lambda row, col: (  # noqa: E731
        box["x"] + (col + 0.5) * box["width"] / SIDE, box["y"] + (row + 0.5) * box["height"] / SIDE
    )  # fmt: skip
    page.mouse.move(*at(120, 88))
    assert marks(page) == [[120, 88]] * 2
    patch = np.array(cells(page, "Pixels under the kernel"), int)
    assert np.array_equal(patch, pixels(page, 0)[119:122, 87:90, 0])
    products = [[int(n.replace("\u2212", "-")) for n in row] for row in cells(page, "Products")]
    assert np.array_equal(products, patch * np.array(preset_kernel("vertical")))
    total = str(np.sum(products)).replace("-", "minus ")
    assert said(page).startswith(f"Row 120, column 88: 9 products, sum {total}, ")
    assert page.evaluate(PROBED) == list(PROBE)
    page.mouse.move(5, 5)
    assert marks(page) == [list(PROBE)] * 2
    page.mouse.move(*at(10, 20))
    page.mouse.down()
    page.mouse.move(*at(30, 240))
    assert page.evaluate(PROBED) == [30, 240]
    page.mouse.move(box["x"] + 9999, box["y"] - 9999)
    page.mouse.up()
    assert page.evaluate(PROBED) == [0, 255]


def test_keys_move_the_probe_and_enter_keeps_it(show):
    page = show(PhotographExplorer(probe=(4, 250)))
    picture(page).focus()
    for keys, place in [("ArrowDown", [5, 250]), ("Shift+ArrowRight", [5, 255]),
                        ("Shift+ArrowUp", [0, 255]), ("ArrowLeft", [0, 254])]:  # fmt: skip
        page.keyboard.press(keys)
        assert marks(page) == [place] * 2
    assert page.evaluate(PROBED) == [4, 250]
    page.keyboard.press("Tab")
    assert marks(page) == [[4, 250]] * 2
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate(PROBED) == [5, 250]


def test_a_finger_moves_the_probe_sideways_and_scrolls_the_page(show):
    page = show(width=390, has_touch=True)
    page.set_viewport_size({"width": 390, "height": 500})
    picture(page).scroll_into_view_if_needed()
    box = picture(page).bounding_box()
    x, y = box["x"] + 20, box["y"] + box["height"] - 20
    session = page.context.new_cdp_session(page)

    def drag(dx, dy):
        for step in range(12):
            kind = "touchStart" if step == 0 else "touchMove"
            points = [{"x": x + dx * step / 11, "y": y + dy * step / 11}]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    before = page.evaluate("scrollY")
    drag(100, 0)
    assert page.evaluate(PROBED)[1] == pytest.approx(120 / box["width"] * SIDE, abs=2)
    assert page.evaluate("scrollY") == before
    drag(0, -150)
    page.wait_for_function("(before) => scrollY > before + 80", arg=before)


# ------------------------------------------------------------------ weights


def test_weights_are_typed_and_walked_and_wrong_ones_are_refused(show):
    page = show()
    weight(page, 0, 0).fill("2.5")
    assert page.evaluate("models[0].get('kernel')[0]") == [2.5, 0, 1]
    assert page.get_by_text("Your own settings.").is_visible()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.ariaLabel") == "weight, row 1, column 0"
    for text in ("100", "0.125", "two", "-1000"):
        weight(page, 1, 0).fill(text)
        assert page.get_by_text(f"holds “{text}”, which is no number from −99 to 99").is_visible()
        assert page.evaluate("models[0].get('kernel')[1]") == [-1, 0, 1]
    page.keyboard.press("Enter")
    assert weight(page, 1, 0).input_value() == "\u22121"
    assert page.get_by_text("no number").count() == 0


def test_a_map_is_found_by_its_kernel_and_by_no_preset(show):
    page = show()
    page.get_by_text("Find the kernel").click()
    told = page.get_by_role("status").filter(has_text="Distance")
    for preset in page.get_by_role("group", name="Examples").get_by_role("button").all():
        preset.click()
        assert float(re.search(r"Distance ([\d.]+) grey levels", told.inner_text())[1]) > 1
    page.get_by_role("radio", name="Map 2").check()
    assert page.get_by_role("radio", name="Grey").is_checked()
    for i, number in enumerate([-1] * 4 + [9] + [-1] * 4):
        weight(page, i // 3, i % 3).fill(str(number))
    assert told.inner_text().startswith("Distance 0: found.")
    assert np.array_equal(pixels(page, 1), pixels(page, 2))


# ------------------------------------------------------------------ the reader's own picture

GIVE = """([event, part, name, type, bytes]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
  const options = { bubbles: true, cancelable: true, [part]: transfer };
  const [target] = document.querySelectorAll(".cb-picture");
  const kind = event === "paste" ? ClipboardEvent : DragEvent;
  return target.dispatchEvent(new kind(event, options));
}"""


def png(width=300, height=256):
    """A picture whose middle has a level of its own at each pixel, and its greys."""
    grey = np.random.default_rng(8).integers(0, 256, (SIDE, SIDE), np.uint8)
    all_of_it = np.full((height, width), 7, np.uint8)
    all_of_it[:, (width - SIDE) // 2 :][:, :SIDE] = grey
    file = io.BytesIO()
    Image.fromarray(all_of_it).save(file, "PNG")
    return file.getvalue(), grey


@pytest.mark.parametrize("way", ["file", "paste", "drop"])
def test_the_readers_own_picture_is_shown_and_stays_here(way, show):
    page = show()
    page.evaluate(
        """() => {
          window.urls = new Set();
          const { createObjectURL: make, revokeObjectURL: end } = URL;
          URL.createObjectURL = (blob) => { const url = make(blob); urls.add(url); return url; };
          URL.revokeObjectURL = (url) => { urls.delete(url); end(url); };
        }"""
    )
    assert page.get_by_text("it stays on this page and is sent nowhere").is_visible()
    content, grey = png()
    if way == "file":
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Your own picture").click()
        chooser.value.set_files({"name": "me.png", "mimeType": "image/png", "buffer": content})
    else:
        part = {"paste": "clipboardData", "drop": "dataTransfer"}[way]
        page.evaluate(GIVE, [way, part, "me.png", "image/png", list(content)])
    back = page.get_by_role("button", name="Back to the photograph")
    back.wait_for()
    assert np.array_equal(pixels(page, 0)[..., 0], grey)
    assert page.evaluate("[urls.size, models[0].get('photograph')]") == [0, "grace_hopper"]
    back.click()
    back.wait_for(state="hidden")
    assert not np.array_equal(pixels(page, 0)[..., 0], grey)


@pytest.mark.parametrize(
    ("name", "kind", "size", "words"),
    [
        ("notes.txt", "text/plain", 9, "is no picture: choose a JPEG, PNG or WebP file."),
        (
            "big.png",
            "image/png",
            21 * 2**20,
            "is too large, 21 MB: save it smaller, 20 MB at most.",
        ),
        ("bad.png", "image/png", 9, "cannot be read as a picture: save it as JPEG or PNG."),
    ],
)
def test_what_cannot_be_shown_is_named(name, kind, size, words, show):
    page = show()
    before = pixels(page, 0)
    file = page.locator("input[type=file]")
    file.set_input_files({"name": name, "mimeType": kind, "buffer": bytes(size)})
    page.get_by_text(f"“{name}” {words}").wait_for()
    assert np.array_equal(pixels(page, 0), before)


# ------------------------------------------------------------------ links and space


def test_a_link_carries_kernel_border_view_and_probe(show):
    page = show()
    settings = {"kernel": preset_kernel("emboss", 5), "border": "reflect", "view": "relu",
                "probe": [9, 200]}  # fmt: skip
    page.evaluate(SET, settings)
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert len(link) < 400
    page = show(fragment=link[link.index("#") :])
    assert page.evaluate("(names) => names.map((n) => models[0].get(n))", [*settings]) == [
        *settings.values()
    ]
    page = show(fragment="#photograph?probe=[0,256]")
    assert page.get_by_text("cannot be shown: probe=[0,256]").is_visible()


@pytest.mark.parametrize("width", [760, 390])
@pytest.mark.parametrize("size", [3, 5, 7])
def test_it_fits(size, width, show, assert_fits):
    assert_fits(show(PhotographExplorer(preset="emboss", kernel_size=size), width=width))
