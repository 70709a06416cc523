"""What the explorers of one convolution share: a square input, a square kernel, their sizes."""

from convbook.course.explorers.base import Explorer
from convbook.course.explorers.grids import checked_grid, corner, spread


class ConvolvedExplorer(Explorer):
    """Base of the explorers that show an input and a kernel, both square, of one channel.

    A subclass has the traits `input_size`, `kernel_size`, `input_values` and `kernel_values`. The
    values are all the numbers there are; the page shows the top-left `input_size` and
    `kernel_size` of them, so that a size made smaller and larger again brings them back.
    """

    @classmethod
    def _grid_traits(cls, input, input_size, kernel, kernel_size):
        """Return the traits that hold these numbers and sizes; what is None keeps its default."""
        traits = {}
        for name, values, size in (("input", input, input_size), ("kernel", kernel, kernel_size)):
            if values is not None:
                grid = cls._sized(name, values, size)
                default = cls.class_traits()[f"{name}_values"].default_value
                traits |= {f"{name}_values": spread(grid, default), f"{name}_size": len(grid)}
            elif size is not None:
                traits[f"{name}_size"] = size
        return traits

    @classmethod
    def _sized(cls, name, values, size=None):
        """Return `values` as lists of numbers if they fit in, and fit `size`; or raise."""
        grid = checked_grid(name, values)
        side, limits = len(grid), cls.class_traits()[f"{name}_size"]
        if not limits.low <= side <= limits.high:
            raise ValueError(
                f"{name} is {side} wide; "
                f"use {limits.low} by {limits.low} to {limits.high} by {limits.high}"
            )
        if size is not None and size != side:
            raise ValueError(
                f"{name}_size={size!r} does not fit {name}, {side} by {side}; leave {name}_size out"
            )
        return grid

    def _assign(self, name, values):
        """Show other numbers, and as many as there are, in one message to the page."""
        grid = self._sized(name, values)
        with self.hold_sync():
            setattr(self, f"{name}_values", spread(grid, getattr(self, f"{name}_values")))
            setattr(self, f"{name}_size", len(grid))

    @property
    def input(self):
        """The input shown, a list of rows; setting it sets `input_size` too."""
        return corner(self.input_values, self.input_size)

    @input.setter
    def input(self, values):
        self._assign("input", values)

    @property
    def kernel(self):
        """The kernel shown, a list of rows; setting it sets `kernel_size` too."""
        return corner(self.kernel_values, self.kernel_size)

    @kernel.setter
    def kernel(self, values):
        self._assign("kernel", values)
