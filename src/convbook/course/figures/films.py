"""The same thing at several steps, side by side."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from convbook.course.figures.pictures import as_pictures
from convbook.course.figures.plate import Plate


def film(
    frames: Mapping[str, Sequence[Tensor]], titles: Sequence[str], signed: bool = False
) -> Plate:
    """Show a row of pictures for each name: the same thing at the steps that the titles name.

    Pictures are shown as in `photographs`.

    Shapes:
        each picture: `(3, H, W)` in [0, 1], `(1, H, W)` or `(H, W)`; one size in all rows.

    Args:
        frames: name -> pictures, one for each of `titles`.
        titles: of the columns, such as "before training".
        signed: show maps in the hues of their signs, on one scale for all rows.

    Raises:
        ValueError: there is no picture, a row has more or fewer pictures than there are titles, or
            pictures differ in size.

    Example:
        >>> import torch
        >>> steps = {"kernel 3": torch.rand(2, 3, 8, 8), "kernel 4": torch.rand(2, 3, 8, 8)}
        >>> film(steps, ["before training", "after 10 steps"])
        <Plate>
    """
    if not frames or not titles:
        raise ValueError(
            f"frames has {len(frames)} rows and titles has {len(titles)}; give at least one of each"
        )
    for name, row in frames.items():
        if len(row) != len(titles):
            raise ValueError(
                f"frames[{name!r}] has {len(row)} pictures for {len(titles)} titles; "
                "give one for each"
            )
    images = [image for row in frames.values() for image in row]
    if len(sizes := {tuple(image.shape[-2:]) for image in images}) > 1:
        raise ValueError(f"frames has pictures of sizes {sorted(sizes)}; use one")
    pictures = iter(as_pictures(images, signed))
    above = [*titles], *[[""] * len(titles)] * (len(frames) - 1)  # once, above the first row
    rows = [
        (name, [(title, next(pictures)) for title in heads])
        for name, heads in zip(frames, above, strict=True)
    ]
    return Plate(rows, len(titles), names="left")
