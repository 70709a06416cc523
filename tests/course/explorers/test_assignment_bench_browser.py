"""The assignment bench in a real browser: editing rows, lamps, copying, addresses, keyboard."""

import pytest

from convbook.course.explorers import AssignmentBench
from convbook.course.explorers.assignment_bench import KINDS, LIMITS, PRESETS
from convbook.grade import grade

pytestmark = pytest.mark.browser


def rows(page):
    return [tuple(row) for row in page.evaluate("models[0].get('rows')")]


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def lamps(page):
    """What a screen reader hears of each requirement."""
    items = page.get_by_role("list", name="Requirements").get_by_role("listitem")
    return items.all_inner_texts()


def lit(page):
    return [i for i, text in enumerate(lamps(page), 1) if "\nmet\n" in text]


def said(page):
    return page.locator(".cb-bench-summary").inner_text()


def field(page, name, layer):
    return page.get_by_role("spinbutton", name=f"{name} of layer {layer}")


def copied(page, button):
    press(page, button)
    page.get_by_text("Copied").wait_for()
    return page.evaluate("navigator.clipboard.readText()")


def test_the_first_view_is_the_broken_network(open_page):
    page = open_page(AssignmentBench())
    assert len(lamps(page)) == 7
    assert lit(page) == []
    assert said(page) == "0 of 7 lamps are lit."
    text = page.get_by_role("group", name="Assignment bench").inner_text()
    for words in ("1,083,546", "2,521,280", "the first sees pixels 0 to 17", "train it"):
        assert words in text
    sizes = page.get_by_role("img").get_attribute("aria-label")
    assert sizes.startswith("Sizes of the maps: 3 by 32 by 32, 16 by 30 by 30")


def test_every_repair_lights_a_lamp_and_says_so(open_page):
    page = open_page(AssignmentBench())
    for number, count in enumerate((2, 3, 4, 5, 6), 1):
        press(page, f"Repair {number}")
        assert len(lit(page)) == count
        assert said(page).startswith(f"{count} of 7 lamps are lit. Now met: ")
    assert rows(page) == PRESETS["repair_5"]
    assert page.get_by_text("Six lamps are lit, and every place").is_visible()
    press(page, "Repair 3")
    assert "No longer met: a depthwise" in said(page)
    press(page, "Reset")
    assert rows(page) == PRESETS["broken"]


def test_the_copied_file_is_what_the_grader_sees(open_page, tmp_path):
    page = open_page(AssignmentBench(preset="repair_5"))
    text = copied(page, "Copy my_net.py")
    scope = {}
    exec(text, scope)
    assert [row.passed for row in grade(scope["Net"]())] == [True] * 6 + [False]


def test_layers_are_edited_with_the_keyboard_alone(open_page):
    page = open_page(AssignmentBench([("conv", 8, 3, 1, 1, 1), ("average",), ("flatten",)]))
    page.get_by_role("radio", name="Show layer 1").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("d")  # a select goes to what begins with it
    assert rows(page)[0] == ("depthwise", 3, 1, 1, 1)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")
    assert rows(page)[0] == ("depthwise", 4, 1, 1, 1)
    assert field(page, "Filters", 1).count() == 0  # it has as many as channels come in
    page.get_by_role("button", name="Add a layer").press("Enter")
    assert rows(page)[1] == ("conv", 32, 3, 1, 1, 1)
    page.get_by_role("button", name="Move up layer 2").press("Enter")
    assert [row[0] for row in rows(page)] == ["conv", "depthwise", "average", "flatten"]
    page.get_by_role("button", name="Remove layer 1").press("Enter")
    assert [row[0] for row in rows(page)] == ["depthwise", "average", "flatten"]
    page.get_by_role("radio", name="Show layer 1").press("ArrowDown")
    assert page.get_by_role("combobox", name="Kind of layer 2").input_value() == "average"


def test_every_kind_can_be_chosen(open_page):
    page = open_page(AssignmentBench([("conv", 8, 3, 1, 1, 1)]))
    for kind, settings in KINDS.items():
        page.get_by_role("combobox", name="Kind of layer 1").select_option(kind)
        assert rows(page)[0][0] == kind
        assert page.get_by_role("spinbutton").count() == len(settings)


def test_rows_are_limited(open_page):
    page = open_page(AssignmentBench([("conv", 8, 3, 1, 1, 1)]))
    assert page.get_by_role("button", name="Remove").is_disabled()
    for _ in range(LIMITS["rows"][1] - 1):
        press(page, "Add a layer")
    assert page.get_by_role("button", name="Add a layer").is_disabled()
    assert len(rows(page)) == LIMITS["rows"][1]


def test_what_cannot_run_is_said_with_the_remedy(open_page):
    page = open_page(AssignmentBench())
    field(page, "Kernel", 1).fill("11")
    page.get_by_role("radio", name="Show layer 5").check()
    field(page, "Kernel", 5).fill("9")
    problem = "Layer 5 (convolution): its window spans 9 pixels, and the padded map has 4; use"
    assert page.get_by_text(problem).count() == 1
    assert said(page) == "The network does not run: no lamp is lit."
    assert lit(page) == []
    assert copied(page, "Copy my_net.py").startswith("# This network does not run. Layer 5")
    field(page, "Padding", 5).fill("3")
    assert said(page).startswith("2 of 7 lamps are lit.")
    field(page, "Padding", 5).fill("99")
    assert page.get_by_text("Padding of layer 5: use a whole number from 0 to 16.").is_visible()


def test_the_profile_changes_what_is_asked_for(open_page):
    page = open_page(AssignmentBench(preset="repair_5"))
    page.get_by_role("radio", name="2021, 2023: without").check()
    assert lamps(page)[0].startswith("✗\nThree transitions without max-pool")
    assert "Under 200,000 parameters" in lamps(page)[5]
    assert page.evaluate("location.hash").startswith("#bench=s7-2021;c16.3.1.1.1,m2.2.0,")
    assert copied(page, "Copy the line") == "convbook grade my_net.py:Net --profile s7-2021"


@pytest.mark.parametrize("width", [390, 760])
@pytest.mark.parametrize("preset", ["broken", "repair_5"])
def test_it_fits(preset, width, open_page, assert_fits):
    page = open_page(AssignmentBench(preset=preset), width=width)
    assert_fits(page)
    assert page.evaluate(
        """() => [...document.querySelectorAll("[role=row]")].every((row) =>
          row.scrollWidth <= row.clientWidth + 1)"""
    )
