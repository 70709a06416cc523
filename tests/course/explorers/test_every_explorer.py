"""The explorers' Python side: what they refuse, compute, print and store."""

import itertools
import json
import random
import re
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F

from convbook.course import colours
from convbook.course.explorers import ConvStepper, Quiz
from convbook.course.explorers.sources import module_source, names, style_source
from convbook.course.mime_types import EXPLORER, VIEW
from convbook.course.quizzes import load, read

X = [[2, 2, 3, 3, 3], [0, 1, 3, 0, 3], [2, 3, 0, 1, 3], [3, 3, 2, 1, 2], [3, 3, 0, 2, 3]]
K = [[2, 0, 1], [1, 0, 0], [0, 1, 1]]


def tensor(grid):
    return torch.tensor(grid, dtype=torch.float64)[None, None]


def evaluate(explorer):
    """The output of the explorer's own PyTorch line, as nested lists."""
    scope = {"F": F, "x": tensor(explorer.input), "w": tensor(explorer.kernel)}
    return eval(explorer.code, scope)[0, 0].tolist()


def drawable_settings():
    """Every setting of the controls, as constructor arguments; some are impossible."""
    sides = list(itertools.product(range(5), range(5)))
    for size, kernel, stride, dilation in itertools.product(
        range(1, 11), range(1, 6), range(1, 5), range(1, 4)
    ):
        common = {
            "input_size": size,
            "kernel_size": kernel,
            "stride": stride,
            "dilation": dilation,
        }
        for padding in sides:
            yield {**common, "padding": padding}
            for extra in range(max(stride, dilation)):
                yield {
                    **common,
                    "padding": padding,
                    "mode": "transposed",
                    "output_padding": extra,
                }


# ------------------------------------------------------------------ the stepper's numbers


def test_default_is_the_books_first_worked_example():
    assert ConvStepper().input == X
    assert ConvStepper().kernel == K
    assert ConvStepper(stride=2, padding=1).output == [[1, 5, 6], [7, 8, 3], [3, 10, 4]]


def test_output_is_what_the_shown_line_computes():
    settings = random.Random(0).sample(list(drawable_settings()), 400)
    compared = {"convolution": 0, "transposed": 0}
    for arguments in settings:
        try:
            explorer = ConvStepper(**arguments)
        except ValueError:
            continue
        assert explorer.output == evaluate(explorer), arguments
        assert len(explorer.output) == explorer.output_size
        compared[explorer.mode] += 1
    assert min(compared.values()) > 80


def test_own_numbers_set_the_sizes():
    explorer = ConvStepper([[1, -2.5], [0, 4]], torch.tensor([[3]]), stride=1)
    assert (explorer.input_size, explorer.kernel_size) == (2, 1)
    assert explorer.output == [[3, -7.5], [0, 12]]


def test_attributes_are_read_and_written():
    explorer = ConvStepper()
    explorer.stride = 2
    explorer.padding = 1
    assert explorer.padding == (1, 1)
    assert explorer.output == [[1, 5, 6], [7, 8, 3], [3, 10, 4]]
    explorer.input = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    explorer.kernel = [[1]]
    explorer.padding = 0
    assert explorer.output == [[1, 3], [7, 9]]
    explorer.input_size = 5  # the numbers beyond come back
    assert explorer.input[4] == X[4]


def test_page_messages_set_attributes():
    explorer = ConvStepper()
    message = {"stride": 2, "padding": [1, 1], "selected": [2, 1]}
    explorer.set_state(json.loads(json.dumps(message)))
    assert explorer.selected == (2, 1)
    assert explorer.output == [[1, 5, 6], [7, 8, 3], [3, 10, 4]]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"stride": 0}, ValueError, ["stride=0", "1 to 4"]),
        ({"stride": -1}, ValueError, ["stride=-1"]),
        ({"stride": 1.0}, TypeError, ["stride=1.0", "1 to 4"]),
        ({"stride": True}, TypeError, ["stride=True"]),
        ({"stride": "2"}, TypeError, ["stride='2'"]),
        ({"input_size": 11}, ValueError, ["input_size=11", "1 to 10"]),
        ({"kernel_size": 6}, ValueError, ["kernel_size=6", "1 to 5"]),
        ({"dilation": 4}, ValueError, ["dilation=4"]),
        ({"padding": -1}, ValueError, ["padding=-1"]),
        ({"padding": (1, 2, 3)}, ValueError, ["padding=(1, 2, 3)", "before, after"]),
        ({"padding": "same"}, TypeError, ["padding='same'"]),
        ({"mode": "same"}, ValueError, ["mode='same'", "transposed"]),
        ({"input_size": 2, "kernel_size": 3}, ValueError, ["kernel_size=3", "2+0+0", "padding"]),
        ({"mode": "transposed", "output_padding": 1}, ValueError, ["output_padding=1", "0 or"]),
        ({"mode": "transposed", "input_size": 1, "padding": 4}, ValueError, ["padding=(4, 4)"]),
        ({"mode": "transposed", "input_size": 10, "stride": 3}, ValueError, ["input_size=10"]),
        ({"selected": (3, 0)}, ValueError, ["selected=(3, 0)", "0 to 2"]),
        ({"input": [[1, 2], [3]]}, ValueError, ["input", "square"]),
        ({"input": [1, 2]}, TypeError, ["input=[1, 2]", "rows"]),
        ({"input": []}, ValueError, ["input", "square"]),
        ({"input": [["1"]]}, TypeError, ["input holds '1'"]),
        ({"input": [[float("nan")]]}, ValueError, ["input holds nan"]),
        ({"input": [[10000]]}, ValueError, ["input holds 10000", "9999"]),
        ({"input": [[0] * 11] * 11}, ValueError, ["input is 11 wide", "10 by 10"]),
        ({"input": X, "input_size": 4}, ValueError, ["input_size=4", "5 by 5"]),
    ],
)
def test_bad_arguments_are_named(arguments, error, words):
    with pytest.raises(error) as caught:
        ConvStepper(**arguments)
    for word in words:
        assert word in str(caught.value)


def test_bad_assignments_are_refused_and_change_nothing():
    explorer = ConvStepper()
    with pytest.raises(ValueError, match="stride=9"):
        explorer.stride = 9
    with pytest.raises(TypeError, match="padding"):
        explorer.padding = 1.5
    assert (explorer.stride, explorer.padding) == (1, (0, 0))


def test_impossible_settings_of_a_live_kernel_give_no_output():
    explorer = ConvStepper()
    explorer.input_size = 2
    with pytest.raises(ValueError, match=r"kernel_size=3 .* 2\+0\+0"):
        explorer.output  # noqa: B018
    assert "kernel_size=3" in explorer.static_html()


# ------------------------------------------------------------------ what a notebook stores


def test_repr_is_deterministic():
    text = "ConvStepper(input_size=5, kernel_size=3, stride=2, padding=(1, 1), dilation=1)"
    assert repr(ConvStepper(stride=2, padding=1)) == text
    transposed = ConvStepper(mode="transposed", input_size=3, stride=2, output_padding=1)
    assert repr(transposed).endswith("dilation=1, mode='transposed', output_padding=1)")


def test_mimebundle_holds_widget_state_text_and_static_form():
    explorer = ConvStepper(stride=2, padding=1)
    data, _ = explorer._repr_mimebundle_()
    assert data["text/plain"] == repr(explorer)
    assert data["text/html"] == explorer.static_html()
    assert data[EXPLORER] == explorer.stored_state()
    assert data[VIEW]["model_id"] == explorer.model_id


def test_static_form_shows_the_output_without_a_script():
    explorer = ConvStepper([[1, -2.5], [0, 4]], [[0.1, 0.2], [-1, 3]], padding=(1, 0))
    html = explorer.static_html()
    assert "<script" not in html
    tables = re.findall(r"<table>.*?</table>", html)
    cells = [
        [
            [float(cell.replace("\u2212", "-")) for cell in re.findall("<td>(.*?)</td>", row)]
            for row in re.findall("<tr>(.*?)</tr>", table)
        ]
        for table in tables
    ]
    assert cells[0] == explorer.input
    assert cells[1] == explorer.kernel
    assert torch.allclose(tensor(cells[2]), tensor(evaluate(explorer)))


def test_stored_state_is_the_explorers_own():
    explorer = ConvStepper(stride=2)
    state = explorer.stored_state()
    assert state["explorer"] == "conv_stepper"
    assert state["stride"] == 2
    assert not {"layout", "tabbable", "tooltip", "_esm", "_css"} & state.keys()
    json.dumps(state)
    with pytest.raises(Exception, match="read-only"):
        ConvStepper().explorer = "other"


# ------------------------------------------------------------------ front-end files


def test_style_sheet_has_the_books_colours():
    css = style_source()
    for name in ("input", "kernel", "output", "padding", "dropped"):
        value = re.search(rf"--cb-{name}: (#\w+);", css).group(1)
        assert value.upper() == getattr(colours, name.upper()).upper()
    assert re.findall(r"--cb-weight-\d: (#\w+);", css) == list(colours.WEIGHTS)


def test_every_rule_is_scoped():
    css = re.sub(r"/\*.*?\*/", "", style_source(), flags=re.DOTALL)
    for selector in re.findall(r"([^{}]+)\{", css):
        if selector.strip().startswith("@"):
            continue
        assert all(".convbook-root" in part for part in selector.split(",")), selector


def test_sources_ask_nobody_else():
    for source in [style_source(), *map(module_source, names())]:
        text = source.replace('"http://www.w3.org/2000/svg"', "")  # a name, which nothing asks for
        assert not re.search(r"https?:|//cdn|@import|^import |innerHTML", text, flags=re.MULTILINE)


def test_unknown_front_end_is_named():
    with pytest.raises(ValueError, match=r"name=.nothing.*conv_stepper"):
        module_source("nothing")


def test_front_ends_are_read_without_anywidget_or_torch():
    code = (
        "import sys; sys.modules.update(anywidget=None, ipywidgets=None, torch=None, numpy=None);"
        "from convbook.course.explorers.sources import module_source, names, style_source;"
        "[module_source(name) for name in names()]; style_source();"
        "from convbook.course.quizzes import load, read"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_explorers_compute_without_torch():
    code = (
        "import sys; sys.modules.update(torch=None, numpy=None, matplotlib=None);"
        "from convbook.course.explorers import ConvStepper, CostExplorer, CoverageExplorer;"
        "from convbook.course.explorers import MatrixView, ReceptiveFieldExplorer, ShuffleExplorer;"
        "ConvStepper(stride=2, padding=1)._repr_mimebundle_();"
        "CostExplorer(stride=2)._repr_mimebundle_();"
        "CoverageExplorer(preset='uneven')._repr_mimebundle_();"
        "MatrixView(stride=2, padding=1)._repr_mimebundle_();"
        "ReceptiveFieldExplorer(preset='vgg16')._repr_mimebundle_();"
        "ShuffleExplorer()._repr_mimebundle_()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ------------------------------------------------------------------ quizzes

GOOD = """
[[questions]]
id = "halves"
question = "What does `stride=2` make of 64 & <b>more</b>?"
[[questions.choices]]
text = "`31`"
correct = true
why = "The floor of (64 - 3) / 2, plus 1."
[[questions.choices]]
text = "32"
why = "Only with `padding=1`."
"""


@pytest.fixture
def quiz_folder(tmp_path):
    (tmp_path / "sample.toml").write_text(GOOD, encoding="utf-8")
    return tmp_path


@pytest.fixture
def quiz(quiz_folder, monkeypatch):
    monkeypatch.setattr("convbook.course.explorers.quiz.load", lambda name: load(name, quiz_folder))
    return Quiz("sample/halves")


def test_quiz_loads(quiz):
    assert repr(quiz) == "Quiz('sample/halves')"
    assert [choice["correct"] for choice in quiz.choices] == [True, False]
    assert quiz.get_state()["explorer"] == "quiz"


def test_quiz_static_form_escapes_and_answers(quiz):
    html = quiz.static_html()
    assert "64 &amp; &lt;b&gt;more&lt;/b&gt;" in html
    assert "<code>stride=2</code>" in html
    details = re.search("<details>.*</details>", html).group(0)
    assert "<code>31</code>" in details
    assert "<script" not in html


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sample", "FILE/ID"),
        ("/halves", "FILE/ID"),
        ("other/halves", r"no other\.toml; quiz files: sample"),
        ("../sample/halves", "FILE|no"),
        ("sample/none", "no question 'none'; it has halves"),
    ],
)
def test_unknown_quiz_is_named(name, words, quiz_folder):
    with pytest.raises(ValueError, match=words):
        load(name, quiz_folder)


def test_quiz_name_must_be_text(quiz_folder):
    with pytest.raises(TypeError, match="name=3"):
        load(3, quiz_folder)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("correct = true\n", "", "0 correct choices"),
        ('text = "32"\n', 'text = "32"\ncorrect = true\n', "2 correct choices"),
        ("correct = true", 'correct = "yes"', "correct='yes'"),
        ("correct = true", "corect = true", "corect is not known"),
        ('why = "Only with `padding=1`."', "", "choice 2: why=None"),
        ("`padding=1`", "`padding=1", "odd number of backticks"),
        ('text = "32"', 'text = "`31`"', "same choice twice"),
        ('id = "halves"', "", "question 1: id=None"),
        ('question = "What', 'question = "', None),
        ("[[questions]]", "[[quiz]]", "quiz is not known"),
        ('id = "halves"', "id = halves", "not valid TOML"),
    ],
)
def test_bad_quiz_files_are_named(old, new, words, tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    if words is None:
        assert read(path)
        return
    with pytest.raises(ValueError, match=words) as caught:
        read(path)
    assert "bad.toml" in str(caught.value)


def test_duplicate_and_short_questions_are_refused(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(GOOD + GOOD, encoding="utf-8")
    with pytest.raises(ValueError, match="id='halves' is used twice"):
        read(path)
    path.write_text(GOOD[: GOOD.rindex("[[questions.choices]]")], encoding="utf-8")
    with pytest.raises(ValueError, match="1 choices; write at least 2"):
        read(path)
    path.write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match="has no questions"):
        read(path)
