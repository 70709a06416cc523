"""Tables of results: HTML that is whole and escaped, the best marked, text that is aligned."""

import math
from importlib.resources import files
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from convbook.course import figures

NETS = {
    "plain": {"accuracy": 0.9012, "MACs": 1234567, "note": "wide", "lost": None},
    "slim": {"accuracy": 0.9049, "MACs": 98, "note": "narrow", "lost": -3},
}


def tree_of(table):
    """Return the HTML as a tree; it has no element that needs no end, so it is XML as well."""
    return ElementTree.fromstring(table.to_html())


def cells_of(table):
    rows = tree_of(table).findall(".//tbody/tr")
    return [["".join(cell.itertext()) for cell in row] for row in rows]


def best_of(table):
    """Return the marked cells, as (row, column)."""
    rows = tree_of(table).findall(".//tbody/tr")
    return {
        (i, j)
        for i, row in enumerate(rows)
        for j, cell in enumerate(row)
        if cell.get("class") == "convbook-best"
    }


def test_notebooks_get_html_and_text():
    table = figures.table(NETS)
    assert table._repr_mimebundle_() == {"text/html": table.to_html(), "text/plain": repr(table)}


def test_integers_have_commas_floats_digits_and_what_is_missing_a_dash():
    assert cells_of(figures.table(NETS, digits=2)) == [
        ["plain", "0.90", "1,234,567", "wide", "\N{EN DASH}"],
        ["slim", "0.90", "98", "narrow", "−3"],
    ]
    assert cells_of(figures.table(NETS, digits={"accuracy": 3}))[0][1] == "0.901"
    loose = figures.table({"a": {"x": 1234.5678, "y": 0.00012345, "z": float("inf"), "t": True}})
    assert cells_of(loose) == [["a", "1,235", "0.000123", "inf", "True"]]


def test_numbers_of_other_libraries_are_numbers():
    rows = {"a": {"x": np.float32(1.5), "n": np.int64(2000)}, "b": {"x": 1.25, "n": 3}}
    table = figures.table(rows, best={"x": max, "n": max}, digits=2)
    assert cells_of(table)[0][2] == "* 2,000 (best)"
    assert best_of(table) == {(0, 1), (0, 2)}
    assert cells_of(figures.table({"a": {"x": torch.tensor(2.0).item()}})) == [["a", "2"]]


def test_the_best_is_bold_and_told_to_eye_and_ear():
    table = figures.table(NETS, best={"accuracy": max, "MACs": min}, digits=4)
    assert best_of(table) == {(1, 1), (1, 2)}
    best = tree_of(table).find(".//td[@class='convbook-best']")
    assert "font-weight: bold" in best.get("style")
    star, word = best
    assert (star.get("aria-hidden"), star.text.strip()) == ("true", "*")
    assert (word.get("aria-hidden"), word.text.strip()) == (None, "(best)")


def test_ties_are_all_best_as_far_as_one_can_read():
    rows = {"a": {"x": 0.901}, "b": {"x": 0.904}, "c": {"x": 0.89}}
    assert best_of(figures.table(rows, best={"x": max}, digits=2)) == {(0, 1), (1, 1)}
    assert best_of(figures.table(rows, best={"x": max}, digits=3)) == {(1, 1)}
    assert best_of(figures.table(rows, best={"x": min}, digits=3)) == {(2, 1)}


@pytest.mark.parametrize("missing", [math.nan, None, "diverged", np.float64("nan")])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_is_no_number_is_never_best(missing, place):
    values = [1.0, 2.0]
    values.insert(place, missing)
    rows = {f"row {i}": {"x": value} for i, value in enumerate(values)}
    for choose, value in ((max, 2.0), (min, 1.0)):
        assert best_of(figures.table(rows, best={"x": choose})) == {(values.index(value), 1)}


def test_columns_choose_order_and_headings():
    table = figures.table(NETS, columns={"MACs": "MACs per image", "accuracy": "right"})
    assert [head.text for head in tree_of(table).findall(".//thead/tr/th")][1:] == [
        "MACs per image",
        "right",
    ]
    listed = figures.table(NETS, columns=["note"])
    assert cells_of(listed) == [["plain", "wide"], ["slim", "narrow"]]


def test_a_list_of_rows_is_named_by_its_first_column():
    table = figures.table([{"net": "a", "x": 1}, {"net": "b", "x": 2}], best={"x": max})
    assert tree_of(table).find(".//thead/tr/th").text == "net"
    assert [row[0] for row in cells_of(table)] == ["a", "b"]
    assert best_of(table) == {(1, 1)}


def test_heads_have_a_scope_and_numbers_stand_to_the_right():
    table = tree_of(figures.table(NETS, caption="Nets", origin="measured here"))
    assert table.find("table").get("class") == "convbook-table"
    assert {head.get("scope") for head in table.findall(".//thead/tr/th")} == {"col"}
    assert [row[0].get("scope") for row in table.findall(".//tbody/tr")] == ["row", "row"]
    sides = [cell.get("style").split(";")[0] for cell in table.find(".//tbody/tr")]
    left, right = "text-align: left", "text-align: right"
    assert sides == [left, right, right, left, right]
    assert table.find(".//caption").text == "Nets"
    foot = table.find(".//tfoot/tr/td")
    assert (foot.text, foot.get("colspan")) == ("measured here", "5")


def test_everything_is_escaped_and_no_style_element_is_needed():
    evil = '<script>"&'
    table = figures.table({evil: {evil: evil}}, caption=evil, origin=evil)
    html = table.to_html()
    assert not [tag for tag in ("<script", "<style") if tag in html]
    texts = [text for text in tree_of(table).itertext() if text.strip()]
    assert texts == [evil] * 5


def test_text_is_aligned():
    text = repr(figures.table(NETS, best={"MACs": min}, digits=2, caption="Nets", origin="here"))
    assert text.splitlines() == [
        "Nets",
        "       accuracy       MACs    note    lost",
        "plain      0.90  1,234,567    wide       \N{EN DASH}",
        "slim       0.90         98 *  narrow    −3",
        "* best of its column",
        "here",
    ]


def test_tables_are_the_same_on_each_run():
    one, two = (figures.table(NETS, best={"MACs": min}) for _ in range(2))
    assert one._repr_mimebundle_() == two._repr_mimebundle_()


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match=r"rows=\{\} is empty; give a mapping"):
        figures.table({})
    with pytest.raises(ValueError, match=r"best names \['speed'\], which are no columns"):
        figures.table(NETS, best={"speed": max})
    with pytest.raises(ValueError, match=r"digits names \['speed'\]"):
        figures.table(NETS, digits={"speed": 2})
    with pytest.raises(ValueError, match=r"columns=\['speed'\] are in no row; use some of"):
        figures.table(NETS, columns=["speed"])
    with pytest.raises(ValueError, match=r"best\['MACs'\]='max' is unknown; use max or min"):
        figures.table(NETS, best={"MACs": "max"})
    with pytest.raises(ValueError, match="best names 'note', which holds no number; leave it out"):
        figures.table(NETS, best={"note": max})
    with pytest.raises(ValueError, match="no common first column"):
        figures.table([{"net": "a"}, {"x": 2}])


def test_the_site_gives_tables_no_ground_of_their_own():
    """In dark mode the theme lays a light slab under HTML; a table has to take it away."""
    style = (files("convbook.course.site") / "static/book/book.css").read_text()
    rules = dict(rule.rsplit("{", 1) for rule in style.split("}") if "convbook-table" in rule)
    slab = next(body for head, body in rules.items() if "text_html" in head)
    assert "background: transparent" in slab
    for head, body in rules.items():
        assert "#" not in body, f"{head.strip()} has a colour of its own; use the theme's variables"
