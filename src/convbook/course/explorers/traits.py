"""Traits of the explorers. Refusals are ValueError and TypeError, as everywhere in the package."""

import traitlets

from convbook._checks.arguments import integer
from convbook.course.explorers.grids import checked_grid


class Whole(traitlets.TraitType):
    """A whole number in a range."""

    def __init__(self, default, low, high):
        super().__init__(default)
        self.low, self.high = low, high

    def validate(self, _, value):
        """Return the number, or raise."""
        return integer(value, self.name, self.low, self.high)


class Odd(Whole):
    """An odd whole number in a range."""

    def validate(self, _, value):
        """Return the number, or raise."""
        number = super().validate(_, value)
        if number % 2 == 0:
            raise ValueError(
                f"{self.name}={number} is even; use an odd number, whose padding is the same on "
                "both sides"
            )
        return number


class Switch(traitlets.TraitType):
    """On or off."""

    def validate(self, _, value):
        """Return the truth value, or raise."""
        if not isinstance(value, bool):
            raise TypeError(f"{self.name}={value!r}; use True or False")
        return value


class Pair(Whole):
    """Two whole numbers, before and after; one number stands for both."""

    def validate(self, _, value):
        """Return the two numbers, or raise."""
        if not isinstance(value, (tuple, list)):
            value = (value, value)
        if len(value) != 2:
            raise ValueError(
                f"{self.name}={value!r} has {len(value)} numbers; "
                "use one number or a pair (before, after)"
            )
        return tuple(integer(side, self.name, self.low, self.high) for side in value)


class Axes(traitlets.TraitType):
    """A setting of rows and of columns, each what `kind` takes; one alone where they are equal."""

    def __init__(self, kind):
        super().__init__(kind.default_value)
        self.kind, self.low, self.high = kind, kind.low, kind.high

    def class_init(self, cls, name):
        """Let refusals name the setting."""
        super().class_init(cls, name)
        self.kind.name = name

    def _is_each(self, value):
        """Whether `value` is a pair, one for each axis, and no pair of sides."""
        each = isinstance(value, (tuple, list))
        return each and (
            not isinstance(self.kind, Pair) or any(isinstance(one, (tuple, list)) for one in value)
        )

    def validate(self, _, value):
        """Return one for both axes or a pair (rows, columns), or raise."""
        if not self._is_each(value):
            return self.kind.validate(_, value)
        if len(value) != 2:
            raise ValueError(
                f"{self.name}={value!r} has {len(value)} numbers; "
                "use one for both axes or a pair (rows, columns)"
            )
        rows, cols = (self.kind.validate(_, one) for one in value)
        return rows if rows == cols else (rows, cols)

    def of(self, value):
        """Return a valid value as (rows, columns)."""
        return value if self._is_each(value) else (value, value)


class Choice(traitlets.TraitType):
    """One of a few words; the first is the default."""

    def __init__(self, *words):
        super().__init__(words[0])
        self.words = words

    def validate(self, _, value):
        """Return the word, or raise."""
        if value not in self.words:
            raise ValueError(f"{self.name}={value!r}; use {' or '.join(map(repr, self.words))}")
        return value


class Square(traitlets.TraitType):
    """A square list of lists of numbers, `side` by `side`."""

    def __init__(self, default, side):
        super().__init__(default)
        self.side = side

    def validate(self, _, value):
        """Return the grid as lists of plain numbers, or raise."""
        grid = checked_grid(self.name, value)
        rows, columns = len(grid), len(grid[0])
        if rows != self.side or columns != self.side:
            raise ValueError(f"{self.name} is {rows} by {columns}; use {self.side} by {self.side}")
        return grid
