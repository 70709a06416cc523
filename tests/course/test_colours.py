"""The book's colours: roles, signs and curves told apart by every kind of sight, text legible."""

from itertools import combinations

import numpy as np
import pytest

from convbook.course import colours

# Machado, Oliveira and Fernandes (2009), severity 1.0: what linear RGB becomes without one cone.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
         [0.004733, 0.691367, 0.303900]]
    ),
}  # fmt: skip
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]]
)  # fmt: skip
PAGES = {"light": "#ffffff", "dark": "#121212"}  # the theme's grounds


def linear(colour):
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    white = XYZ @ np.ones(3)
    shares = XYZ @ rgb.clip(0, 1) / white
    f = np.where(shares > 216 / 24389, np.cbrt(shares), (24389 / 27 * shares + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one, other, sight):
    """CIE76: the distance in CIELAB, as eyes of this kind see both."""
    return np.linalg.norm(lab(SIGHT[sight] @ linear(one)) - lab(SIGHT[sight] @ linear(other)))


def contrast(one, other):
    dark, light = sorted(XYZ[1] @ linear(colour) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def mixed(colour, share, ground):
    """The colour of a face that is opaque to this share, as sRGB."""
    parts = [
        round(share * int(colour[i : i + 2], 16) + (1 - share) * int(ground[i : i + 2], 16))
        for i in (1, 3, 5)
    ]
    return "#{:02x}{:02x}{:02x}".format(*parts)


def shown(colour, page):
    return colours.DARK[colour] if page == "dark" else colour


def test_the_measures_agree_with_known_values():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert distance("#000000", "#ffffff", "normal") == pytest.approx(100)
    assert distance("#ff0000", "#00ff00", "normal") == pytest.approx(170.6, abs=0.1)
    assert distance("#777777", "#777777", "tritanopia") == 0


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("sight", SIGHT)
def test_no_role_is_taken_for_a_sign(sight, page):
    for role, colour in colours.ROLES.items():
        for sign in (colours.POSITIVE, colours.NEGATIVE):
            apart = distance(shown(colour, page), shown(sign, page), sight)
            assert apart >= 20, (role, sign)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("sight", SIGHT)
def test_the_two_signs_are_far_apart_and_from_blank(sight, page):
    tints = [
        mixed(shown(sign, page), 0.5, PAGES[page]) for sign in (colours.POSITIVE, colours.NEGATIVE)
    ]
    for one, other in combinations([*tints, PAGES[page]], 2):
        assert distance(one, other, sight) >= 20, (one, other)


@pytest.mark.parametrize("page", PAGES)
def test_curves_in_one_figure_differ_for_normal_sight_and_markers_help_the_others(page):
    drawn = [shown(colour, page) for colour in colours.CURVES]
    for one, other in combinations(drawn, 2):
        assert distance(one, other, "normal") >= 20, (one, other)
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("page", PAGES)
def test_text_can_be_read_and_lines_can_be_seen(page):
    ground = PAGES[page]
    for name in (colours.INK, colours.AXIS, colours.PADDING, *colours.CURVE_NAMES):
        assert contrast(shown(name, page), ground) >= 4.5, name
    for line in (*colours.ROLES.values(), *colours.CURVES):
        assert contrast(shown(line, page), ground) >= 3, line


@pytest.mark.parametrize("page", PAGES)
def test_digits_can_be_read_on_the_deepest_tint(page):
    for hue in (colours.POSITIVE, colours.NEGATIVE, *colours.ROLES.values()):
        deepest = 0.35 if hue == colours.KERNEL else 0.5
        face = mixed(shown(hue, page), deepest, PAGES[page])
        assert contrast(shown(colours.INK, page), face) >= 4.5, hue


def test_the_style_sheet_gives_each_variable_its_colour_on_both_kinds_of_page():
    sheet = colours.style_sheet()
    light, dark = sheet.split('html[data-theme="dark"]')[:2]
    for colour, on_dark in colours.DARK.items():
        assert f"{colours.variable(colour)}: {colour};" in light
        assert f"{colours.variable(colour)}: {on_dark};" in dark
