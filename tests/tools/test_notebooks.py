"""The hygiene rules hold for every notebook, and each rule rejects what it is there to reject."""

import base64
import io
import re

import nbformat
import numpy as np
import pytest
from PIL import Image

from convbook.course.mime_types import DATA, DRAWING, EXPLORER, VIEW
from tools import hygiene, notebooks

PATHS = notebooks.notebook_paths()
NAMES = [str(path.relative_to(notebooks.CHAPTERS)) for path in PATHS]
CHAPTERS = [
    path
    for path in PATHS
    if re.match(r"\d\d_|interlude_", path.name) and path.parent.name != "solutions"
]
APPENDICES = [path for path in PATHS if path.name.startswith("appendix_")]
EPILOGUE = notebooks.CHAPTERS / "epilogue.ipynb"

GPU_CHAPTERS = {"14_train_on_a_gpu.ipynb"}  # those that ask Colab for a GPU


def markdown(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown_first(notebook):
    """Return the kinds of outputs before the first heading."""
    cells = notebook.cells
    first = next(i for i, cell in enumerate(cells) if re.search("^## ", cell.source, re.M))
    outputs = [o for cell in cells[:first] for o in cell.get("outputs", [])]
    return {mime for output in outputs for mime in output.get("data", {})}


def bundle_with(notebook, mime_type):
    """Return the first output's data that holds `mime_type`."""
    bundles = (o.get("data", {}) for cell in code_cells(notebook) for o in cell.outputs)
    return next(bundle for bundle in bundles if mime_type in bundle)


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_notebook_breaks_no_rule(path):
    assert notebooks.problems(notebooks.read(path)) == []


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_notebook_is_stored_in_normal_form(path):
    notebook = notebooks.read(path)
    assert nbformat.writes(notebooks.normalise(notebook)) + "\n" == path.read_text("utf8")


def test_only_the_chapters_that_train_on_a_gpu_ask_for_one():
    found = {
        str(path.relative_to(notebooks.CHAPTERS))
        for path in PATHS
        if notebooks.WANTS_GPU.items() <= notebooks.read(path).metadata.items()
    }
    assert found == GPU_CHAPTERS


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_times_of_the_readers_machine_stand_beside_recorded_ones(path):
    cells = code_cells(notebooks.read(path))
    times = [cell.id for cell in cells if "times" in cell.metadata.get("convbook", {})]
    assert not times or any("runs.load(" in cell.source for cell in cells), times


@pytest.mark.parametrize("path", [*CHAPTERS, *APPENDICES, EPILOGUE], ids=lambda path: path.stem)
def test_no_figure_is_cut_off(path):
    for cell in code_cells(notebooks.read(path)):
        for output in cell.outputs:
            if png := output.get("data", {}).get("image/png"):
                pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("L"))
                edges = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
                assert all((edge == 255).all() for edge in edges), cell.source


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
class TestChapter:
    """What every chapter has, in its order."""

    def test_sections(self, path):
        titles = re.findall(r"^## (.+)$", markdown(notebooks.read(path)), re.MULTILINE)
        order = ["Put to the test", "Exercises", "Summary", "Going further", "Sources"]
        if "Words" in titles:  # of the second edition, which opens with a puzzle
            order.insert(order.index("Going further"), "Words")
        else:
            order.insert(0, "The question")
            assert titles[0] == "The question"
        assert [title for title in titles if title in order] == order

    def test_a_chapter_of_the_second_edition_opens_with_a_picture_and_a_question(self, path):
        notebook = notebooks.read(path)
        if not any(cell.source.startswith("## Words") for cell in notebook.cells):
            return
        assert {"image/png", EXPLORER} <= shown_first(notebook)

    def test_at_most_three_claims_are_argued(self, path):
        text = (
            markdown(notebooks.read(path)).split("## Put to the test")[1].split("## Exercises")[0]
        )
        assert 1 <= len(re.findall(r"^### ", text, re.MULTILINE)) <= 3

    def test_every_claim_stands_in_the_errata(self, path):
        claims = markdown(notebooks.read(path)).split("## Put to the test")[1]
        errata = markdown(notebooks.read(notebooks.CHAPTERS / "errata.ipynb"))
        for title in re.findall(r"^### (.+)$", claims.split("## Exercises")[0], re.MULTILINE):
            anchor = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            assert f"({path.name}#{anchor})" in errata, title

    def test_three_exercises_and_two_quizzes_or_more(self, path):
        sources = [cell.source for cell in code_cells(notebooks.read(path))]
        assert sum(bool(re.search(r"^check_\w+\(", s, re.MULTILINE)) for s in sources) >= 3
        assert sum(s.startswith("Quiz(") for s in sources) >= 2

    def test_exercises_are_not_attempted_and_the_solutions_are_correct(self, path):
        def verdicts(notebook):
            found = {}
            for cell in code_cells(notebook):
                for name in re.findall(r"^(check_\w+)\(\w+\)$", cell.source, re.MULTILINE):
                    found.setdefault(name, []).append(
                        "".join(o.get("text", "") for o in cell.outputs)
                    )
            return found

        exercises = verdicts(notebooks.read(path))
        solutions = verdicts(notebooks.read(path.parent / "solutions" / path.name))
        assert exercises.keys() == solutions.keys()
        assert all("not attempted yet" in text for texts in exercises.values() for text in texts)
        assert all("correct on" in texts[0] for texts in solutions.values())


@pytest.mark.parametrize("path", APPENDICES, ids=lambda path: path.stem)
def test_an_appendix_is_a_chapter_without_exercises(path):
    notebook = notebooks.read(path)
    assert markdown(notebook).startswith("# Appendix: ")
    assert {"image/png", EXPLORER} <= shown_first(notebook)
    titles = re.findall(r"^## (.+)$", markdown(notebook), re.MULTILINE)
    assert titles[-4:] == ["Summary", "Words", "Going further", "Sources"]
    assert "Exercises" not in titles
    quizzes = [cell for cell in code_cells(notebook) if cell.source.startswith("Quiz(")]
    assert quizzes


def test_the_epilogue_asks_one_thing_and_nothing_else():
    notebook = notebooks.read(EPILOGUE)
    assert markdown(notebook).startswith("# Epilogue: ")
    assert {"image/png", EXPLORER} <= shown_first(notebook)
    titles = re.findall(r"^## (.+)$", markdown(notebook), re.MULTILINE)
    assert titles[-2:] == ["Words", "Sources"]
    assert not {"Exercises", "Summary", "Put to the test"} & {*titles}
    found = "\n".join(cell.source for cell in code_cells(notebook))
    assert [len(re.findall(rf"^{name}\(", found, re.M)) for name in ("Quiz", "live")] == [1, 1]


class TestRules:
    """Each rule finds its own mutation of a clean notebook."""

    @pytest.fixture
    def notebook(self):
        return notebooks.read(notebooks.CHAPTERS / "03_shapes.ipynb")

    def assert_found(self, notebook, pattern):
        found = notebooks.problems(notebook)
        assert any(re.search(pattern, line) for line in found), found

    def figure_cell(self, notebook):
        return next(c for c in code_cells(notebook) if "image" in c.metadata.get("mystnb", {}))

    def test_null_counts(self, notebook):
        for cell in code_cells(notebook):
            cell.execution_count = None
        self.assert_found(notebook, "execution counts")

    def test_swapped_counts(self, notebook):
        cells = code_cells(notebook)
        cells[3].execution_count, cells[4].execution_count = 5, 4
        self.assert_found(notebook, "execution counts")

    def test_other_kernel(self, notebook):
        notebook.metadata.kernelspec.name = "my-env"
        self.assert_found(notebook, "kernelspec is 'my-env'")

    def test_run_dependent_metadata(self, notebook):
        notebook.metadata["papermill"] = {"duration": 3.1}
        self.assert_found(notebook, "papermill")

    def test_a_wish_for_a_gpu_is_no_stray_metadata(self, notebook):
        notebook.metadata |= notebooks.WANTS_GPU
        assert notebooks.problems(notebook) == []

    @pytest.mark.parametrize(
        "stray",
        [
            {"accelerator": "TPU"},
            {"accelerator": "GPU"},
            {"colab": {"provenance": []}},
            {"accelerator": "GPU", "colab": {"gpuType": "T4", "provenance": []}},
        ],
    )
    def test_marks_that_colab_leaves(self, notebook, stray):
        notebook.metadata |= stray
        self.assert_found(notebook, "notebook metadata holds .*(accelerator|colab)")
        assert not stray.keys() & notebooks.normalise(notebook).metadata.keys()

    @pytest.mark.parametrize("identifier", ["", "1f2e3d4c", "same"])
    def test_ids(self, notebook, identifier):
        notebook.cells[0].id = notebook.cells[1].id if identifier == "same" else identifier
        self.assert_found(notebook, "cell ids")

    def test_missing_launch_cell(self, notebook):
        notebook.cells.remove(code_cells(notebook)[0])
        self.assert_found(notebook, "launch cell")

    def test_changed_launch_cell(self, notebook):
        cell = code_cells(notebook)[0]
        cell.source = cell.source.replace("invalidate_caches()", "None")
        self.assert_found(notebook, "launch cell")

    def test_launch_cell_shown(self, notebook):
        code_cells(notebook)[0].metadata.tags = []
        self.assert_found(notebook, "remove-cell")

    def test_long_cell(self, notebook):
        code_cells(notebook)[2].source = "x = 1\n" * 16
        self.assert_found(notebook, "16 lines")

    def test_wide_cell(self, notebook):
        code_cells(notebook)[2].source = "x = " + "1 + " * 30 + "1"
        self.assert_found(notebook, "columns")

    @pytest.mark.parametrize(
        ("source", "shown"),
        [
            ("As {cite:t}`zhang2019` says.", "{cite:t}`"),
            ("See {doc}`03_shapes`.", "{doc}`"),
            ("Before.\n\n```{note}\nMind the gap.\n```", "```{"),
            (":::{tip}\nMind the gap.\n:::", ":::{"),
            ("(a-label)=\n## A title", "(a-label)="),
        ],
    )
    def test_markup_of_the_site_alone(self, notebook, source, shown):
        notebook.cells[0].source = source
        self.assert_found(notebook, re.escape(repr(shown)))

    def test_words_box_of_another_form(self, notebook):
        notebook.cells[0].source = "## Words\n\n- **stride**, how far a window moves"
        self.assert_found(notebook, "the Words box has the line '- .*stride.*; write '- ")

    def test_braces_in_plain_markdown(self, notebook):
        text = "The set $\\{1, 2\\}$, `{x}`, `f{x}` or\n\n```python\n{1}\n```\n(x)\n= 2"
        notebook.cells[0].source = text
        assert notebooks.problems(notebook) == []

    def test_deleted_figure(self, notebook):
        self.figure_cell(notebook).outputs = []
        self.assert_found(notebook, "none is stored")

    def test_deleted_figure_with_its_alt_text(self, notebook):
        cell = self.figure_cell(notebook)
        cell.outputs, cell.metadata = [], {}
        self.assert_found(notebook, "none is stored")

    @pytest.mark.parametrize("alt", ["", "figure", "images/03_5_0.png"])
    def test_poor_alt_text(self, notebook, alt):
        self.figure_cell(notebook).metadata.mystnb.image.alt = alt
        self.assert_found(notebook, "alt text")

    def test_stderr(self, notebook):
        warning = nbformat.v4.new_output("stream", name="stderr", text="UserWarning: ...")
        code_cells(notebook)[2].outputs = [warning]
        self.assert_found(notebook, "stderr")

    def test_error(self, notebook):
        error = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[])
        code_cells(notebook)[2].outputs = [error]
        self.assert_found(notebook, "raised ValueError")

    @pytest.mark.parametrize(
        "text",
        ["/home/ada/x.py", "saved to '/tmp/x'", r"C:\Users\ada", "<Figure at 0x7f3a5c0012d0>"],
    )
    def test_traces_of_a_machine(self, notebook, text):
        output = nbformat.v4.new_output("stream", name="stdout", text=text)
        code_cells(notebook)[2].outputs = [output]
        self.assert_found(notebook, "a path of one machine|a memory address")

    @pytest.mark.parametrize(
        "text",
        [
            "(/data/x)",
            "file:///home/x",
            "C:/Users/ada",
            r"\\server\share",
            "/Volumes/x",
            "/kaggle/x",
        ],
    )
    @pytest.mark.parametrize("place", ["markdown", "metadata", "drawing", "state"])
    def test_traces_outside_the_printed_text(self, notebook, place, text):
        cell = code_cells(notebook)[2]
        if place == "markdown":
            notebook.cells[0].source = text
        elif place == "metadata":
            cell.metadata["mystnb"] = {"x": text}
        else:
            mime = {"drawing": DRAWING, "state": EXPLORER}[place]
            content = {"x": text} if place == "state" else f"<svg>{text}</svg>"
            cell.outputs = [nbformat.v4.new_output("display_data", {mime: content})]
        self.assert_found(notebook, "a path of one machine")

    def test_cell_metadata_of_one_run(self, notebook):
        code_cells(notebook)[2].metadata["ExecuteTime"] = {"start": 3}
        self.assert_found(notebook, "ExecuteTime")

    @pytest.mark.parametrize("mime_type", ["image/jpeg", "image/svg+xml"])
    def test_figure_that_not_every_viewer_shows(self, notebook, mime_type):
        cell = self.figure_cell(notebook)
        cell.outputs = [nbformat.v4.new_output("display_data", {mime_type: "abcd"})]
        self.assert_found(notebook, re.escape(mime_type))

    def test_drawing_without_its_png(self, notebook):
        del bundle_with(notebook, DRAWING)["image/png"]
        self.assert_found(notebook, "a drawing without a PNG")

    def test_explorer_without_its_html(self, notebook):
        del bundle_with(notebook, EXPLORER)["text/html"]
        self.assert_found(notebook, "an explorer without its HTML")

    @pytest.mark.parametrize(
        ("metadata", "pattern"),
        [
            ({"tags": ["nbval-ignore-output"]}, "without a bound"),
            ({"tags": ["nbval-skip"]}, "for nbval"),
            ({"convbook": {"within": 0.1, "seen": 0.1}}, "without the tag"),
            ({"tags": ["nbval-ignore-output"], "convbook": {"within": 0.1}}, "without `seen`"),
            (
                {"tags": ["nbval-ignore-output"], "convbook": {"within": 1e9, "seen": 0.1}},
                "moved by 0.1 at most",
            ),
            ({"tags": ["nbval-ignore-output"], "convbook": {"above": 0.1}}, "the keys are"),
        ],
    )
    def test_bounds(self, notebook, metadata, pattern):
        cell = code_cells(notebook)[2]
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="0.5")]
        cell.metadata |= metadata
        self.assert_found(notebook, re.escape(f"cell {cell.id} ") + f".*{pattern}")

    @pytest.mark.parametrize("bound", [{"within": 0.4, "seen": 0.1}, {"times": True}])
    def test_good_bounds(self, notebook, bound):
        cell = code_cells(notebook)[2]
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="0.5")]
        cell.metadata |= {"tags": ["nbval-ignore-output"], "convbook": bound}
        assert notebooks.problems(notebook) == []

    def test_live_widget(self, notebook):
        bundle_with(notebook, EXPLORER)[VIEW] = {"model_id": "3f"}
        self.assert_found(notebook, "live widget")

    def test_widget_state_that_starts_nothing(self, notebook):
        notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {}}
        self.assert_found(notebook, "widgets")


def test_words_with_slashes_are_no_paths():
    for text in [
        "and/or",
        "https://example.org/home/x",
        "1/2",
        "d/root",
        "a ratio of 4/tmp",
        "K: 3",
        r"\\frac{a}{b}",
    ]:
        assert not hygiene.ABSOLUTE_PATH.search(text), text


def test_ids_survive_an_edit_and_an_insertion():
    notebook = notebooks.read(notebooks.CHAPTERS / "03_shapes.ipynb")
    before = [cell.id for cell in notebook.cells]
    notebook.cells[4].source += "\n# edited"
    notebook.cells.insert(2, nbformat.v4.new_markdown_cell("New."))
    after = [cell.id for cell in notebooks.normalise(notebook).cells]
    assert after[:2] + after[3:] == before
    assert re.fullmatch("c-[0-9a-f]{8}", after[2])


def test_equal_cells_get_different_ids_and_keep_them():
    def same():
        return nbformat.v4.new_markdown_cell("Same.")

    notebook = nbformat.v4.new_notebook(cells=[same(), same(), same()])
    first, _, third = (cell.id for cell in notebooks.normalise(notebook).cells)
    notebook.cells = [same(), notebook.cells[0], notebook.cells[2], same()]
    ids = [cell.id for cell in notebooks.normalise(notebook).cells]
    assert ids[1:3] == [first, third]
    assert len(set(ids)) == 4


def test_normal_form_drops_what_one_run_leaves_in_a_cell():
    cell = nbformat.v4.new_code_cell(
        "1", metadata={"tags": ["x"], "convbook": {"times": True}, "execution": {}}
    )
    notebook = notebooks.normalise(nbformat.v4.new_notebook(cells=[cell]))
    assert notebook.cells[0].metadata == {"tags": ["x"], "convbook": {"times": True}}


def test_normal_form_keeps_a_wish_for_a_gpu():
    notebook = nbformat.v4.new_notebook(metadata={**notebooks.WANTS_GPU, "toc": {}})
    metadata = notebooks.normalise(notebook).metadata
    assert notebooks.WANTS_GPU.items() <= metadata.items()
    assert "toc" not in metadata


def test_the_launch_cell_goes_first_and_a_hidden_set_up_cell_stays():
    hidden = nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["remove-cell"]})
    title = nbformat.v4.new_markdown_cell("# Title")
    notebook = nbformat.v4.new_notebook(cells=[title, hidden])
    for _ in range(2):  # the second time it is replaced, not added
        notebooks._set_launch_cell(notebook)
        assert [c.source for c in code_cells(notebook)] == [notebooks.LAUNCH_CELL, "x = 1"]
        assert notebook.cells[0] is title
        notebook.cells[1].source = "# An older one\nos.environ['CONVBOOK_SOURCE']"


def test_a_failed_write_leaves_the_old_notebook(tmp_path, monkeypatch):
    path = tmp_path / "chapter.ipynb"
    path.write_text("old")

    def full_disk(self, *arguments, **keywords):
        with open(self, "w") as file:  # noqa: PTH123  (Path.open is what is being replaced)
            file.write("hal")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full_disk)
    with pytest.raises(OSError, match="No space left"):
        notebooks.write(nbformat.v4.new_notebook(), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_stored_of_an_explorer_and_a_drawing_needs_no_kernel(tmp_path):
    sources = [
        "from convbook.course.explorers import Quiz\nQuiz('03_shapes/opening-question')",
        "from convbook.course import figures\nfigures.bars({'a': 1}, 'm')",
    ]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    quiz, drawing = notebooks.normalise(notebooks.execute(notebook, tmp_path)).cells
    assert quiz.outputs[0].data.keys() == {EXPLORER, "text/html", "text/plain"}
    assert quiz.outputs[0].data[EXPLORER]["name"] == "03_shapes/opening-question"
    assert drawing.outputs[0].data.keys() == {DRAWING, DATA, "image/png", "text/plain"}
    assert notebook.metadata.keys() == {"kernelspec", "language_info"}


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [(KeyboardInterrupt(), 130, "stopped"), (ValueError("cell 3: no"), 1, "cell 3: no")],
)
def test_a_stopped_or_failed_run_says_so_and_changes_nothing(
    monkeypatch, capsys, error, status, words
):
    def fail(*_):
        raise error

    monkeypatch.setattr(notebooks, "execute_twice", fail)
    before = [path.read_bytes() for path in PATHS]
    assert notebooks.main(["execute", "03"]) == status
    assert words in capsys.readouterr().out
    assert [path.read_bytes() for path in PATHS] == before


def test_unknown_chapter_is_named(capsys):
    with pytest.raises(SystemExit):
        notebooks.main(["verify", "99"])
    assert "chapter='99' names no notebook" in capsys.readouterr().err


def test_verify_passes():
    assert notebooks.main(["verify"]) == 0
