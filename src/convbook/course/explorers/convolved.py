"""What the explorers of one convolution share: an input and a kernel, with their sizes."""

from convbook.course.explorers.base import Explorer
from convbook.course.explorers.grids import checked_grid, corner, spread
from convbook.course.explorers.traits import Axes


class ConvolvedExplorer(Explorer):
    """Base of the explorers that show an input and a kernel, of one channel.

    A subclass has the traits `input_size`, `kernel_size`, `input_values` and `kernel_values`. The
    values are all the numbers there are; the page shows as many of them, top left, as the sizes
    say, so that a size made smaller and larger again brings them back. Where a size is of the kind
    `Axes`, rows and columns may differ.
    """

    @classmethod
    def _grid_traits(cls, input, input_size, kernel, kernel_size):
        """Return the traits that hold these numbers and sizes; what is None keeps its default."""
        traits = {}
        for name, values, size in (("input", input, input_size), ("kernel", kernel, kernel_size)):
            if values is not None:
                default = cls.class_traits()[f"{name}_values"].default_value
                traits |= cls._shown(name, values, default, size)
            elif size is not None:
                traits[f"{name}_size"] = size
        return traits

    @classmethod
    def _shown(cls, name, values, onto, size=None):
        """Return the traits that show `values`, on top of other numbers, or raise."""
        grid, limits = checked_grid(name, values), cls.class_traits()[f"{name}_size"]
        rows, columns = len(grid), len(grid[0])
        low, high = limits.low, limits.high
        if rows != columns and not isinstance(limits, Axes):
            raise ValueError(f"{name} is {rows} by {columns}; use a square grid")
        if not low <= min(rows, columns) <= max(rows, columns) <= high:
            raise ValueError(
                f"{name} is {rows} by {columns}; use {low} by {low} to {high} by {high}"
            )
        own = rows if rows == columns else (rows, columns)
        if size not in (None, own, (rows, columns)):
            raise ValueError(
                f"{name}_size={size!r} does not fit {name}, {rows} by {columns}; "
                f"leave {name}_size out"
            )
        return {f"{name}_values": spread(grid, onto), f"{name}_size": own}

    def _assign(self, name, values):
        """Show other numbers, and as many as there are, in one message to the page."""
        with self.hold_sync():
            shown = self._shown(name, values, getattr(self, f"{name}_values"))
            for trait, value in shown.items():
                setattr(self, trait, value)

    def _corner(self, name):
        size = getattr(self, f"{name}_size")
        return corner(
            getattr(self, f"{name}_values"), *(size if isinstance(size, tuple) else (size,))
        )

    @property
    def input(self):
        """The input shown, a list of rows; setting it sets `input_size` too."""
        return self._corner("input")

    @input.setter
    def input(self, values):
        self._assign("input", values)

    @property
    def kernel(self):
        """The kernel shown, a list of rows; setting it sets `kernel_size` too."""
        return self._corner("kernel")

    @kernel.setter
    def kernel(self, values):
        self._assign("kernel", values)
