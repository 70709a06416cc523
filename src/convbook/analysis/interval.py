"""What the outputs along one axis see of the input, in exact integers.

In a stack of convolutions each output sees as many pixels as its neighbour, `jump` further on.
After a transposed convolution, a pixel shuffle or a resize this holds only from one period to the
next: with stride 2, even and odd outputs see different things. A `PeriodicInterval` therefore keeps
the first and last pixel for each output of one period, and the step from period to period.

A layer is described by its taps: which of the values below an output reads. The map is taken to go
on for ever, so that pixels inside the padding count and the border does not.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, gcd, inf, lcm

Ends = tuple[float, float]  # the first and the last pixel: integers, or EMPTY
EMPTY: Ends = (inf, -inf)  # no pixel at all; the smallest start and largest end leave it out


@dataclass(frozen=True)
class PeriodicInterval:
    """Output `o` sees pixels `firsts[o]` to `lasts[o]`; one period later, all that plus `step`."""

    firsts: tuple[float, ...]
    lasts: tuple[float, ...]
    step: int

    @property
    def period(self) -> int:
        """The number of outputs after which the pattern repeats."""
        return len(self.firsts)

    @property
    def fixed(self) -> bool:
        """Whether all outputs see the same, as after global pooling."""
        return self.step == 0

    @property
    def size(self) -> int:
        """How many pixels an output sees, end to end: the most that one of a period sees."""
        widest = max(last - first for first, last in zip(self.firsts, self.lasts, strict=True))
        return int(max(widest + 1, 0))

    @property
    def jump(self) -> float:
        """The pixels from what one output sees to what the next one sees, on average.

        Araujo, Norris and Sim call it the effective stride.
        """
        jump = Fraction(self.step, self.period)
        return jump.numerator if jump.denominator == 1 else float(jump)

    @property
    def start(self) -> int:
        """The first pixel that output 0 sees (or the next output, should that one see nothing)."""
        return int(next((first for first in self.firsts if first != inf), 0))

    def at(self, output: int) -> Ends:
        """Return the first and last pixel that an output sees."""
        turn, phase = divmod(output, self.period)
        return self.firsts[phase] + turn * self.step, self.lasts[phase] + turn * self.step

    def compose(
        self, taps: Callable[[int], Iterable[int]], period: int = 1, advance: int = 1
    ) -> "PeriodicInterval":
        """Return what the outputs of a layer see, where output `o` reads the values `taps(o)`.

        The taps repeat: `taps(o + period)` are `taps(o)` plus `advance`.
        """
        turns = self.period // gcd(self.period, advance)  # until both patterns have come round
        seen = [union_hull(map(self.at, taps(output))) for output in range(turns * period)]
        return _simplest(seen, self.step * turns * advance // self.period)

    def window(
        self, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
    ) -> "PeriodicInterval":
        """Return what the outputs of a convolution or a pooling see."""

        def taps(output: int) -> Iterable[int]:
            first = output * stride - padding
            return range(first, first + dilation * kernel_size, dilation)

        return self.compose(taps, advance=stride)

    def transposed(
        self, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
    ) -> "PeriodicInterval":
        """Return what the outputs of a transposed convolution see."""

        def taps(
            output: int,
        ) -> Iterable[int]:  # value i writes to the outputs i*stride - padding + tap*dilation
            offsets = (output + padding - tap * dilation for tap in range(kernel_size))
            return (offset // stride for offset in offsets if offset % stride == 0)

        return self.compose(taps, period=stride)

    def adaptive(self, count: int, output_count: int) -> "PeriodicInterval":
        """Return what the outputs of an adaptive pooling see: windows that may differ in size."""
        ratio = Fraction(count, output_count)

        def taps(output: int) -> Iterable[int]:
            return range(floor(output * ratio), ceil((output + 1) * ratio))

        return self.compose(taps, ratio.denominator, ratio.numerator)

    def resampled(
        self, ratio: Fraction, offset: Fraction, before: int, after: int
    ) -> "PeriodicInterval":
        """Return what the outputs of a resize see: values around `output*ratio + offset`.

        From `before` values below its floor to `after` above; where the place is a whole number
        and `after` is not 0, the resize interpolates and gives all its weight to that one value.
        """

        def taps(output: int) -> Iterable[int]:
            place = output * ratio + offset
            if after and place.denominator == 1:
                return (place.numerator,)
            return range(floor(place) - before, floor(place) + after + 1)

        return self.compose(taps, ratio.denominator, ratio.numerator)

    def union(self, other: "PeriodicInterval") -> "PeriodicInterval":
        """Return what an output sees through two branches: smallest start, largest end."""
        if Fraction(self.step, self.period) != Fraction(other.step, other.period):
            raise ValueError(
                f"branches with jumps {self.jump} and {other.jump} meet; "
                "give all branches the same strides"
            )
        period = lcm(self.period, other.period)
        seen = [union_hull([self.at(output), other.at(output)]) for output in range(period)]
        return _simplest(seen, self.step * period // self.period)

    def collapsed(self, count: int, input_size: int) -> "PeriodicInterval":
        """Return what all of `count` outputs see together, without the padding."""
        first, last = union_hull(map(self.at, range(count)))
        first, last = max(first, 0), min(last, input_size - 1)
        if first > last:
            first, last = EMPTY
        return PeriodicInterval((first,), (last,), step=0)


PIXELS = PeriodicInterval((0,), (0,), 1)  # before any layer, a pixel sees itself


def in_a_row(intervals: Sequence[PeriodicInterval]) -> PeriodicInterval | None:
    """Return what outputs see that see what these fixed intervals do, one each, or None.

    There must be two at least, each as many pixels further on than the one before.
    """
    (first, last), *others = [interval.at(0) for interval in intervals]
    step = int(others[0][0] - first) if others and first != inf else 0
    row = [(first + i * step, last + i * step) for i in range(1, len(intervals))]
    return PeriodicInterval((first,), (last,), step) if step > 0 and row == others else None


def union_hull(intervals: Iterable[Ends]) -> Ends:
    """Return the smallest start and the largest end."""
    firsts, lasts = zip(EMPTY, *intervals, strict=True)
    return min(firsts), max(lasts)


def _simplest(seen: Sequence[Ends], step: int) -> PeriodicInterval:
    """Return the interval with the shortest period that says the same."""
    firsts, lasts = zip(*seen, strict=True)
    count = len(seen)
    for period in range(1, count):
        shift, odd = divmod(step * period, count)
        repeats = count % period == 0 and not odd
        if repeats and all(
            values[i + period] == values[i] + shift
            for values in (firsts, lasts)
            for i in range(count - period)
        ):
            return PeriodicInterval(firsts[:period], lasts[:period], shift)
    return PeriodicInterval(firsts, lasts, step)
