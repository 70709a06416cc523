"""Every checker accepts the right answer, rejects the classic wrong ones, and never raises."""

import importlib
import inspect
import pkgutil

import pytest

from convbook import checks
from convbook.arithmetic import conv_output_size, same_padding
from convbook.checks import shapes
from convbook.checks.runner import run_checker


def all_checkers():
    for module in pkgutil.iter_modules(checks.__path__):
        for name, function in vars(
            importlib.import_module(f"convbook.checks.{module.name}")
        ).items():
            if name.startswith("check_"):
                yield function


def same_with_the_odd_pixel_before(kernel_size, dilation):
    return same_padding(kernel_size, dilation)[::-1]


def half_on_each_side(kernel_size, dilation):
    half = dilation * (kernel_size - 1) // 2
    return half, half


def same_without_dilation(kernel_size, dilation):
    return same_padding(kernel_size)


def pixels_after_the_last_window(input_size, kernel_size, stride):
    places = conv_output_size(input_size, kernel_size, stride)
    return list(range((places - 1) * stride + kernel_size, input_size))


def pixels_after_the_last_start(input_size, kernel_size, stride):
    places = conv_output_size(input_size, kernel_size, stride)
    return list(range((places - 1) * stride + 1, input_size))


def number_of_unread_pixels(input_size, kernel_size, stride):
    return len(shapes.unread_pixels(input_size, kernel_size, stride))


def nothing_is_unread(input_size, kernel_size, stride):
    return []


def reads_with_the_padding_listed(input_size, kernel_size, stride, padding):
    return shapes.read_counts(input_size + 2 * padding, kernel_size, stride, 0)


def reads_at_stride_1(input_size, kernel_size, stride, padding):
    return shapes.read_counts(input_size, kernel_size, 1, padding)


def reads_without_padding(input_size, kernel_size, stride, padding):
    if kernel_size > input_size:
        return [0] * input_size
    return shapes.read_counts(input_size, kernel_size, stride, 0)


def smallest_size_only(output_size, kernel_size, stride, padding):
    return shapes.input_sizes(output_size, kernel_size, stride, padding)[:1]


def largest_size_only(output_size, kernel_size, stride, padding):
    return shapes.input_sizes(output_size, kernel_size, stride, padding)[-1:]


def one_size_too_many(output_size, kernel_size, stride, padding):
    smallest = (output_size - 1) * stride + kernel_size - 2 * padding
    return [
        size
        for size in range(smallest, smallest + stride + 1)
        if size >= 1 or size == smallest + stride
    ]


def padding_once(output_size, kernel_size, stride, padding):
    smallest = (output_size - 1) * stride + kernel_size - padding
    return [size for size in range(smallest, smallest + stride) if size >= 1]


# checker -> (right answer, {wrong answer: a word of the hint it must get})
ANSWERS = {
    shapes.check_padding_to_keep: (
        same_padding,
        {
            half_on_each_side: "one more pixel goes after",
            same_without_dilation: "Mind the dilation",
            same_with_the_odd_pixel_before: "after, not before",
        },
    ),
    shapes.check_unread_pixels: (
        shapes.unread_pixels,
        {
            pixels_after_the_last_window: "gaps between",
            pixels_after_the_last_start: "last window's start",
            number_of_unread_pixels: "which ones",
            nothing_is_unread: "",
        },
    ),
    shapes.check_count_reads: (
        shapes.read_counts,
        {
            reads_with_the_padding_listed: "lists the padding",
            reads_at_stride_1: "stride 1",
            reads_without_padding: "starts at -padding",
        },
    ),
    shapes.check_input_sizes: (
        shapes.input_sizes,
        {
            smallest_size_only: "smallest one only",
            largest_size_only: "largest one only",
            one_size_too_many: "One too many",
            padding_once: "counts twice",
        },
    ),
}


def test_every_checker_is_tested_here():
    assert set(all_checkers()) == set(ANSWERS)


@pytest.mark.parametrize("checker", ANSWERS, ids=lambda c: c.__name__)
class TestChecker:
    def verdict(self, checker, function, capsys):
        assert checker(function) is None
        return capsys.readouterr().out

    def test_accepts_the_right_answer(self, checker, capsys):
        right, _ = ANSWERS[checker]
        assert "correct on" in self.verdict(checker, right, capsys)

    def test_rejects_classic_wrong_answers_with_a_hint(self, checker, capsys):
        _, wrong = ANSWERS[checker]
        assert len(wrong) >= 3
        for function, hint in wrong.items():
            output = self.verdict(checker, function, capsys)
            assert "expected" in output
            assert hint in output, output
            assert "correct" not in output

    def test_says_when_nothing_was_attempted(self, checker, capsys):
        for answer in (None, ...):
            output = self.verdict(checker, lambda answer=answer, **_: answer, capsys)
            assert "not attempted yet" in output

    def test_reports_an_exception_and_does_not_raise(self, checker, capsys):
        for error in (ZeroDivisionError("no"), SystemExit("no"), RecursionError("no")):

            def broken(error=error, **_):
                raise error

            expected = f"raised {type(error).__name__}: no"
            assert expected in self.verdict(checker, broken, capsys)

    def test_survives_an_answer_that_cannot_be_shown(self, checker, capsys):
        class Unshowable:
            def __repr__(self):
                raise RuntimeError("cannot be shown")

        endless = []
        endless.append(endless)
        for answer in (Unshowable(), endless):
            assert "raised" in self.verdict(checker, lambda answer=answer, **_: answer, capsys)

    def test_wants_a_function(self, checker, capsys):
        assert "is not a function" in self.verdict(checker, 3, capsys)

    def test_documents_the_signature(self, checker, capsys):
        assert "Check exercise" in inspect.getdoc(checker)


def test_answers_may_be_lists_tuples_or_tensors(capsys):
    torch = pytest.importorskip("torch")
    for answer in ([1, 2], (1, 2), torch.tensor([1, 2]), [1.0, 2.0], range(1, 3)):
        run_checker(lambda answer=answer: answer, lambda: (1, 2), [{}])
        assert "correct on 1 case." in capsys.readouterr().out
    for answer in ([1, 2, 3], 1, "12", [True, 2.5], [[1, 2]]):
        run_checker(lambda answer=answer: answer, lambda: (1, 2), [{}])
        assert "expected (1, 2)" in capsys.readouterr().out


def test_a_case_changed_in_place_does_not_change_what_is_expected(capsys):
    def sorts_in_place(numbers):
        numbers.sort()
        return numbers[:1]

    run_checker(sorts_in_place, lambda numbers: numbers[:1], [{"numbers": [3, 1]}])
    assert "returned [1]; expected [3]" in capsys.readouterr().out
