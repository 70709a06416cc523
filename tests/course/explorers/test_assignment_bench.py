"""The assignment bench without a browser: its networks, numbers, lamps, file and addresses.

What the front end says of a network, in Node, is compared with the grader's verdict on the file
that the reader copies.
"""

import random
import re

import pytest
import torch

from convbook.analysis import trace
from convbook.course.explorers import AssignmentBench
from convbook.course.explorers.assignment_bench import KINDS, LIMITS, PRESETS, PROFILES
from convbook.grade import grade
from convbook.grade.profile import load
from tests.helpers.javascript import module

ROWS = module("parts/assignment_bench_rows.js")
MEASURE = module("parts/assignment_bench_measure.js")
LAMPS = module("parts/assignment_bench_lamps.js")
CODE = module("parts/assignment_bench_code.js")
FIGURE = module("parts/assignment_bench_figure.js")

NUMBERS = {
    "filters": (2, 4, 8, 10),
    "kernel_size": (1, 2, 3, 3, 3, 4, 5),
    "stride": (1, 1, 1, 2, 2, 3),
    "padding": (0, 0, 1, 1, 2, 3),
    "dilation": (1, 1, 1, 2, 2, 4),
}
WINDOWS = ("conv", "conv", "conv", "depthwise", "pointwise", "max_pool", "max_pool")
SMALL = (  # all but the accuracy: by max-pool, and by stride or dilation
    "c8.3.1.1.1,m2.2.0,c8.3.1.1.1,m2.2.0,c8.3.1.2.2,m2.2.0,c8.3.1.1.1,d3.1.1.1,p8,a,f,l10",
    "c8.3.2.1.1,c8.3.2.1.1,c8.3.1.4.4,c8.3.2.1.1,c8.3.1.2.2,d3.1.1.1,p8,a,f,l10",
)


def lit(rows, profile="s7-2020"):
    """The numbers of the lamps that are lit, from 1."""
    lamps = LAMPS.lampsOf(MEASURE.measure(rows), profile)
    return [number for number, lamp in enumerate(lamps, 1) if lamp["passed"]]


def network_in(rows):
    """The network in the file that is copied."""
    scope = {}
    exec(CODE.fileOf(rows), scope)
    return scope["Net"]()


def random_row(rng, kind):
    return [kind, *(rng.choice(NUMBERS[setting]) for setting in KINDS[kind])]


def random_network(rng):
    """Windows in any order, mostly sensible ones, and an end of some kind."""
    rows = []
    for _ in range(rng.randint(0, 9)):
        row = random_row(rng, rng.choice(WINDOWS))
        sensible = {"max_pool": ["max_pool", 2, 2, 0], "conv": ["conv", 8, 3, 1, 1, 1]}
        rows.append(sensible.get(row[0], row) if rng.random() < 0.5 else row)
    rows += [["average"]] * (rng.random() < 0.7)
    rows += [random_row(rng, "pointwise")] * (rng.random() < 0.3)
    rows += [["average"]] * (rng.random() < 0.1)
    rows += [["flatten"], *([["linear", rng.choice((5, 10))]] * rng.randint(0, 2))]
    return rows


def altered_network(rng):
    """A network that meets all it can, with up to three changes."""
    rows = ROWS.parse("bench", f"#bench=s7-2020;{rng.choice(SMALL)}")["rows"]
    for _ in range(rng.randint(0, 3)):
        at = rng.randrange(len(rows))
        kind, *numbers = rows[at]
        change = rng.random()
        if change < 0.2 and len(rows) > 1:
            rows.pop(at)
        elif change < 0.4:
            rows.insert(at, random_row(rng, rng.choice(WINDOWS)))
        elif numbers:
            which = rng.randrange(len(numbers))
            numbers[which] = rng.choice(NUMBERS[KINDS[kind][which]])
            rows[at] = [kind, *numbers]
    return rows


def networks(count):
    """This many networks that run, and those met on the way that do not."""
    rng, running, others = random.Random(0), [], []
    while len(running) < count:
        rows = (altered_network if len(running) % 2 else random_network)(rng)
        (others if MEASURE.measure(rows)["problem"] else running).append(rows)
    return running, others


RUNNING, OTHERS = networks(320)


# ------------------------------------------------------------------ what both sides hold


def test_the_front_end_has_pythons_presets_kinds_limits_and_profiles():
    presets = {one["key"]: one for one in ROWS.PRESETS()}
    assert list(presets) == list(PRESETS)
    for key, one in presets.items():
        assert one["settings"] == {"rows": [list(row) for row in PRESETS[key]]}
        assert one["note"].endswith(".")
    assert ROWS.LIMITS() == {name: list(pair) for name, pair in LIMITS.items()}
    assert {key: kind["settings"] for key, kind in ROWS.KINDS().items()} == {
        key: list(settings) for key, settings in KINDS.items()
    }
    assert list(ROWS.PROFILES()) == list(PROFILES)
    for name, shown in ROWS.PROFILES().items():
        asked = load(name)
        numbers = (asked.transitions == "max-pool", asked.receptive_field, asked.parameters)
        assert (shown["pools"], shown["field"], shown["parameters"]) == numbers
        assert shown["accuracy"] == 100 * asked.accuracy


def test_numbers_stay_exact_in_javascript():
    rows, jump, reach = LIMITS["rows"][1], LIMITS["stride"][1], LIMITS["dilation"][1]
    assert jump**rows * reach * LIMITS["kernel_size"][1] * 2 < 2**53


# ------------------------------------------------------------------ equal to the grader


def plain(text):
    """Without the place in a convolution's block: there `conv1` is `conv1.0`."""
    return re.sub(r"`((?:conv|pointwise)\d+)\.0`", r"`\1`", text)


@pytest.mark.parametrize("part", range(8))
def test_the_lamps_are_the_graders_verdict_on_the_copied_file(part):
    for number, rows in enumerate(RUNNING[part::8]):
        assert_equal_to_the_grader(rows, PROFILES[number // 2 % 2])


def assert_equal_to_the_grader(rows, profile):
    network, found = network_in(rows), MEASURE.measure(rows)
    report, lamps = grade(network, profile=profile), LAMPS.lampsOf(found, profile)
    assert [lamp["requirement"] for lamp in lamps] == [row.requirement for row in report]
    got = [(lamp["measured"], lamp["passed"]) for lamp in lamps[:-1]]
    assert got == [(plain(row.measured), row.passed) for row in [*report][:-1]], rows
    assert (lamps[-1]["measured"], lamps[-1]["passed"]) == ("not measured here", False)
    assert all(lamp["why"] for lamp in lamps)
    assert_numbers(trace(network), found, rows)


def assert_numbers(table, found, rows):
    assert (found["params"], found["macs"]) == (table.params, table.macs), rows
    last = {row.name.split(".")[0]: row for row in table if not row.name.endswith("relu")}
    for level in found["levels"][1:]:
        row = last[level["name"]]
        side, channels = level["side"], level["channels"]
        assert row.output_shape == ((channels,) if side is None else (channels, side, side)), rows
        if all(kind not in level["name"] for kind in ("average", "flatten", "linear")) and side > 1:
            size, jump, start = row.receptive_field
            assert level["field"] == {"size": size, "jump": jump, "start": start}


# What decides a verdict only just, and is too rare in the networks above.
EDGES = {
    "a pool of one pixel": SMALL[0].replace("m2.2.0", "m1.2.0", 1),
    "a field of 44": ",".join([*["c8.11.1.5.1"] * 4, "c8.4.1.1.1", "a", "f", "l10"]),
    "1,000,000 parameters": "c72.3.4.1.1,a,f,l994,l930",
    "200,000 parameters": "c12.3.4.1.1,a,f,l254,l770",
    "a dilation as large as the map": "c8.8.4.0.1,c8.3.1.7.7,a,f,l10",
    "a padded 1 x 1": "c8.3.1.1.1,d3.1.1.1,c8.1.1.1.1,a,f,l10",
    "a map at the end that grows from one pixel": "c8.11.5.0.1,m5.5.0,c8.1.1.1.1",
    "a map that doubles": f"c8.1.1.16.1,{SMALL[0]}",
    "a depthwise layer of one channel": "c1.3.1.1.1,d3.1.1.1,p8,a,f,l10",
}


@pytest.mark.parametrize("what", EDGES)
@pytest.mark.parametrize("profile", PROFILES)
def test_edges_are_the_graders_too(what, profile):
    assert_equal_to_the_grader(parse(EDGES[what])["rows"], profile)


def test_each_lamp_is_met_and_missed_often_enough():
    for profile in PROFILES:
        counts = [0] * 7
        for rows in RUNNING:
            for number in lit(rows, profile):
                counts[number - 1] += 1
        assert all(15 < count < len(RUNNING) for count in counts[:5]), counts
        assert counts[6] == 0


def test_the_package_builds_the_network_that_is_copied():
    for rows in RUNNING[:40]:
        shapes = [
            [tuple(one.shape) for one in network.parameters()]
            for network in (network_in(rows), AssignmentBench(rows).network)
        ]
        assert shapes[0] == shapes[1]


def test_what_cannot_run_is_said_and_does_not_run():
    assert len(OTHERS) > 50
    for rows in OTHERS[:60]:
        problem = MEASURE.measure(rows)["problem"]
        assert re.match(r"Layer \d+ \([a-z -]+\): .*; .*\.$", problem)
        assert CODE.fileOf(rows) == f"# This network does not run. {problem}\n"
        assert lit(rows) == []
        if "spans" in problem or "half the kernel" in problem:
            with pytest.raises(ValueError, match=rf"rows\[{int(problem.split()[1]) - 1}\]"):
                _ = AssignmentBench(rows).network


# ------------------------------------------------------------------ the chapter's networks


def test_presets_are_the_chapters():
    found = {key: MEASURE.measure(rows) for key, rows in PRESETS.items()}
    params = [1_083_546, 24_346, 61_338, 98_330, 66_138, 66_138]
    assert [one["params"] for one in found.values()][:-1] == params
    lamps = [lit(rows) for rows in PRESETS.values()]
    assert lamps == [[], [5, 6], [1, 5, 6], [1, 2, 5, 6], [1, 2, 3, 5, 6], [1, 2, 3, 4, 5, 6], [6]]
    assert found["second"]["params"] > 12_000
    assert found["second"]["macs"] > 3_000_000


def test_the_second_task_can_be_done():
    rows = parse("c12.3.1.1.1,m2.2.0,c24.3.1.1.1,m2.2.0,c28.3.1.2.2,m2.2.0,d3.1.1.1,p28,a,f,l10")[
        "rows"
    ]
    found = MEASURE.measure(rows)
    assert lit(rows) == [1, 2, 3, 4, 5, 6]
    assert (found["params"] < 12_000, found["macs"] < 3_000_000) == (True, True)


@pytest.mark.parametrize(
    ("preset", "words"),
    [
        ("broken", "sees 18 pixels; of the picture's 0 to 31, the first sees pixels 0 to 17, the "
         "middle one 4 to 21."),
        ("repair_2", "38 pixels; of the picture's 0 to 31, the first sees pixels 0 to 22, the "
         "middle one 0 to 30."),
        ("repair_5", "62 pixels; of the picture's 0 to 31, the first sees pixels 0 to 31, the "
         "middle one 0 to 31."),
        ("second", "29 pixels; of the picture's 0 to 31, it sees pixels 0 to 28."),
    ],
)  # fmt: skip
def test_what_the_last_map_sees(preset, words):
    assert FIGURE.seenOf(MEASURE.measure(PRESETS[preset])).endswith(words)


# ------------------------------------------------------------------ words


def why(text, number, profile="s7-2020"):
    return LAMPS.lampsOf(MEASURE.measure(parse(text)["rows"]), profile)[number - 1]["why"]


@pytest.mark.parametrize(
    ("rows", "number", "words"),
    [
        ("f,l10", 1, "no convolution is followed"),
        ("c8.3.1.1.1,m2.3.0,c8.3.1.1.1,a,f,l10", 1, "`pool2` has kernel 2 and stride 3"),
        ("c8.3.1.1.1,m2.2.0,a,f,l10", 1, "no convolution follows `pool2`"),
        ("m2.2.0,c8.3.1.1.1,a,f,l10", 1, "put a convolution before `pool1`"),
        ("c8.1.1.16.1,c8.3.1.1.1,a,f,l10", 1, "`conv1` enlarges 32x32 to 64x64"),
        (SMALL[0], 1, "`pool2`, `pool4`, `pool6`, with convolutions between"),
        ("c8.3.1.1.1,a,f,l10", 2, "adds 2, with dilation 2 4"),
        ("c8.3.1.1.1,d1.1.0.1,p8,a,f,l10", 3, "`depthwise2` only scales"),
        ("c8.3.1.1.1,d3.1.1.1,a,f,l10", 3, "nothing mixes the channels of `depthwise2`"),
        ("c8.3.1.1.1,d3.1.1.1,c8.1.1.1.1,a,f,l10", 3, "`conv3` is 1 × 1: its padding"),
        ("c8.11.5.0.1,m5.5.0,d3.1.1.1,p8,f,l10", 3, "`depthwise3` reads one pixel"),
        ("c8.1.1.0.2,a,f,l10", 4, "of `conv1` at most one tap"),
        ("c8.3.1.1.1", 5, "the output is a map of 32x32"),
        ("c8.3.1.1.1,f,l10", 5, "`flatten2` turns the 32x32 map"),
        ("f", 6, "nothing learns"),
        ("c8.3.1.1.1,f,l200", 6, "638,833 too many"),
    ],
)
def test_reasons(rows, number, words):
    assert words in why(rows, number)


def test_reasons_without_max_pools():
    assert "three are asked for; leave out 1" in why(",".join(["c8.3.2.1.1"] * 5), 1, "s7-2021")
    assert "in place of `pool2`" in why("c8.3.1.1.1,m2.2.0,c8.3.1.1.1,a", 1, "s7-2021")
    assert why("c8.3.2.1.1,c8.3.1.1.1,a", 1, "s7-2021").startswith("so far `conv1`; let three")


def test_notes():
    def notes(text):
        return LAMPS.notesOf(MEASURE.measure(parse(text)["rows"]))

    assert notes(SMALL[0]) == notes("l10") == []
    (slip,) = notes(SMALL[0].replace("c8.3.1.2.2", "c8.3.1.1.2"))
    assert "the padding of `conv5` forgets the dilation: 8x8 to 6x6" in slip
    assert "not 10 numbers" in notes("c8.3.1.1.1,f,l9")[0]


def test_the_summary_says_what_changed():
    lamps = [LAMPS.lampsOf(MEASURE.measure(PRESETS[key]), "s7-2020") for key in PRESETS]
    assert FIGURE.summaryOf(lamps[0], None, None) == "0 of 7 lamps are lit."
    assert FIGURE.summaryOf(lamps[1], lamps[0], None) == (
        "2 of 7 lamps are lit. Now met: global average pooling; under 1,000,000 parameters."
    )
    assert "No longer met: three transitions" in FIGURE.summaryOf(lamps[1], lamps[2], None)


def test_a_row_keeps_what_it_can_when_its_kind_changes():
    assert ROWS.asKind(["conv", 16, 5, 2, 2, 1], "depthwise") == ["depthwise", 5, 2, 2, 1]
    assert ROWS.asKind(["conv", 16, 5, 2, 2, 1], "linear") == ["linear", 16]
    assert ROWS.asKind(["conv", 16, 5, 2, 2, 1], "max_pool") == ["max_pool", 2, 2, 0]
    assert ROWS.asKind(["flatten"], "conv") == ["conv", 32, 3, 1, 1, 1]


# ------------------------------------------------------------------ the file and the address


def test_the_file_runs_and_holds_what_the_rows_say():
    text = CODE.fileOf(PRESETS["repair_5"])
    assert "self.conv5 = conv(32, 64, 3, padding=2, dilation=2)" in text
    assert "nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False)" in text
    assert "nn.MaxPool2d(2)\n" in text
    network = network_in(PRESETS["broken"])
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    assert CODE.fileOf(PRESETS["broken"]).count("relu()") == 1
    for preset in PRESETS:
        for profile in PROFILES:
            assert CODE.gradeLine(profile) == AssignmentBench(preset=preset, profile=profile).code


def parse(text, profile="s7-2020"):
    return ROWS.parse("bench", f"#bench={profile};{text}")


def test_addresses_come_back():
    for rows in [*PRESETS.values(), *RUNNING[:40]]:
        settings = {"rows": [list(row) for row in rows], "profile": "s7-2021"}
        fragment = ROWS.write("bench", settings)
        assert ROWS.parse("bench", fragment) == settings
        escaped = fragment.replace(";", "%3B").replace(",", "%2c")
        assert ROWS.parse("bench", escaped) == settings
    for other in ("", "#", "#rf=9;1.1.0.1", "#bench2=s7-2020;a"):
        assert ROWS.parse("bench", other) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("s6;a", "begin with s7-2020 or s7-2021"),
        ("s7-2020", "begin layer 1 with one of"),
        ("s7-2020;x3", "begin layer 1 with one of"),
        ("s7-2020;a;a", "list 1 to 18 layers"),
        (f"s7-2020;{','.join('a' * 19)}", "list 1 to 18 layers"),
        ("s7-2020;a,c16.3.1", "give layer 2 (conv) 5 numbers"),
        ("s7-2020;l", "give layer 1 (linear) 1 numbers"),
        ("s7-2020;a3", "give layer 1 (average) 0 numbers"),
        ("s7-2020;c16.3.9.0.1", "use stride 1 to 5 in layer 1"),
        ("s7-2020;c16.3.1.-1.1", "use padding 0 to 16 in layer 1"),
        ("s7-2020;l1e3", "use filters 1 to 1024 in layer 1"),
    ],
)
def test_an_address_that_is_wrong_is_refused(text, problem):
    assert ROWS.parse("bench", f"#bench={text}")["problem"].startswith(problem)


# ------------------------------------------------------------------ Python's side


def test_static_form_has_the_rows_and_the_verdict():
    html = AssignmentBench(preset="repair_5").static_html()
    assert html.count("✓ met") == 6
    assert html.count("✗ not met") == 1
    assert "64 × 4 × 4" in html
    assert "36,992" in html
    problem = AssignmentBench([("conv", 8, 11, 5, 0, 4)]).static_html()
    assert "rows[0] (conv)" in problem
    assert "rows[0] (linear)" in AssignmentBench([("linear", 10)]).static_html()
