"""Checkers for the interlude, What a loss sees."""

from dataclasses import dataclass
from itertools import permutations

import torch
import torch.nn.functional as F

from convbook.course.checks._checker import Checker
from convbook.course.checks.designs import DesignChecker, Verdict
from convbook.course.experiments import style

# ----------------------------------------------------------------------------------- exercise 1


def grams(maps):
    """Return the matrix of mean products of each picture's maps."""
    return style.gram(torch.tensor(maps).double()).tolist()


def _one_matrix(maps):
    """Throw the pixels of all pictures together."""
    rows = torch.tensor(maps).double().transpose(0, 1).flatten(1)
    return (rows @ rows.T / rows.shape[1]).tolist()


def _between_pictures(maps):
    """Multiply whole pictures instead of maps."""
    rows = torch.tensor(maps).double().flatten(1)
    return (rows @ rows.T / rows.shape[1]).tolist()


def _between_pixels(maps):
    """Multiply the wrong way round: pixel by pixel, over the maps."""
    rows = torch.tensor(maps).double().flatten(2)
    return (rows.mT @ rows / rows.shape[-1]).tolist()


def _scaled(scale):
    def scaled(maps):
        rows = torch.tensor(maps).double().flatten(2)
        return (rows @ rows.mT / scale(*torch.tensor(maps).shape)).tolist()

    return scaled


def _centred(maps):
    """Take each map's mean away first."""
    rows = torch.tensor(maps).double().flatten(2)
    rows = rows - rows.mean(-1, keepdim=True)
    return (rows @ rows.mT / rows.shape[-1]).tolist()


def _cosines(maps):
    rows = F.normalize(torch.tensor(maps).double().flatten(2), dim=-1)
    return (rows @ rows.mT).tolist()


def _squares_only(maps):
    """Return the products of each map with itself."""
    return torch.tensor(maps).double().square().mean((2, 3)).tolist()


def _batches():
    """Return small batches of several shapes, with whole numbers."""
    shapes = [
        (n, c, h, w) for n in (1, 2, 3) for c in (2, 3) for h, w in ((2, 2), (2, 3), (1, 4), (3, 2))
    ]
    dice = torch.Generator().manual_seed(0)
    drawn = [torch.randint(-2, 4, shape, generator=dice).tolist() for shape in shapes]
    return [{"maps": [[[[1, 2], [0, 1]], [[0, 1], [3, 0]]]]}, *({"maps": maps} for maps in drawn)]


check_grams = Checker(
    "Exercise 1: function(maps) -> the Gram matrices of a batch, (N, C, C)",
    grams,
    _batches(),
    {
        "That is one matrix for the whole batch. Keep the first axis: each picture has its own.": (
            _one_matrix
        ),
        "That multiplies pictures by one another. The rows are the maps of one picture.": (
            _between_pictures
        ),
        "One row for each pixel: the product is the wrong way round. Lay each map out as a row.": (
            _between_pixels
        ),
        "The products are not divided yet: by H · W, the pixels of a map.": (
            _scaled(lambda n, c, h, w: 1)
        ),
        "That also divides by the number of maps; this page divides by the pixels alone.": (
            _scaled(lambda n, c, h, w: c * h * w)
        ),
        "That also divides by the number of pictures, but each matrix is of one picture.": (
            _scaled(lambda n, c, h, w: n * h * w)
        ),
        "That takes the maps' means away first: a covariance. The Gram matrix leaves them in.": (
            _centred
        ),
        "That divides by the lengths of the rows: a cosine. How strong a map is counts here.": (
            _cosines
        ),
        "These are the products of each map with itself, the diagonal. The others count as well.": (
            _squares_only
        ),
    },
    fallback="Lay out each map of one picture as a row of H · W numbers; multiply rows by rows.",
)

# ----------------------------------------------------------------------------------- exercise 2


@dataclass(frozen=True)
class Source:
    """A function shown as it is written, so that a reader can paste it into a cell.

    Example:
        >>> loss = Source("lambda a, b: (a - b).square().mean()")
        >>> loss, loss(torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)).item()
        (lambda a, b: (a - b).square().mean(), 1.0)
    """

    source: str

    def __call__(self, *pictures):
        """Return what the function makes of its arguments."""
        return eval(self.source, {"torch": torch, "F": F, "style": style})(*pictures)

    def __repr__(self):
        return self.source


CHANGES = {
    "shift": Source("lambda p: p.roll(1, dims=3)"),
    "mirror": Source("lambda p: p.flip(3)"),
    "shuffle": Source(
        "lambda p: p.flatten()[torch.randperm(p.numel(), "
        "generator=torch.Generator().manual_seed(0))].reshape(p.shape)"
    ),
    "brighter": Source("lambda p: p + 0.1"),
}

# What a loss compares of each picture; it is the mean absolute difference.
_COMPARED = [
    "{p}",
    "{p}.mean()",
    "{p}.flatten().sort().values",
    "{p}.std()",
    "{p} - {p}.mean()",
    "{p}.diff(dim=3)",
    "{p}.diff(dim=2)",
    "({p} - {p}.roll(1, 3)).abs().mean()",
    "({p} - {p}.roll(1, 2)).square().mean()",
    "({p} - {p}.roll(1, 3)).relu().square().mean()",
    "{p}.mean(dim=3)",
    "{p}.mean(dim=2)",
    "{p}.mean(dim=2).sort().values",
    "{p}.max() - {p}.min()",
    "{p}.max()",
    "{p}.median()",
    "0 * {p}",
    "torch.fft.fft2({p}).abs()",
    "{p}.sort(dim=3).values",
    "{p}.flatten().sort().values.diff()",
    "({p} * {p}.roll(1, 3)).mean()",
    "{p} * {p}.flip(3)",
    "style.gram(({p} - {p}.roll(1, 2)).relu())",
]


def _loss(compared):
    one, other = compared.replace("{p}", "a"), compared.replace("{p}", "b")
    return Source(f"lambda a, b: ({one} - ({other})).abs().mean()")


_LOSSES = [
    *map(_loss, _COMPARED),
    Source("lambda a, b: (a - b).square().mean()"),
    Source("lambda a, b: style.gram_loss(a, b, style.filters(3, 8, 1), (1,))"),
    Source("lambda a, b: style.content_loss(a, b, style.filters(3, 8, 1), (1,))"),
]


def _noise(side=8):
    return torch.rand(1, 1, side, side, generator=torch.Generator().manual_seed(0)).double()


def _unseen(loss, picture, seen=lambda error: error > 1e-6):
    changed = {name: change(picture) for name, change in CHANGES.items()}
    return [name for name, other in changed.items() if not seen(float(loss(picture, other)))]


def blind_to(loss):
    """Return the names of the changes that a loss does not see, tried on noise."""
    return _unseen(loss, _noise())


def is_blind_to(answer, loss):
    """Return whether these are the names, in whatever order."""
    return sorted(answer) == sorted(blind_to(loss))


def _on(picture):
    return lambda loss: _unseen(loss, picture)


def _ramp(side=8):
    """Return a picture that grows brighter to the right, the same in every row."""
    return torch.linspace(0, 1, side).double().expand(1, 1, side, side)


def _seen(loss):
    return [name for name in CHANGES if name not in blind_to(loss)]


def _first_only(loss):
    return blind_to(loss)[:1]


def _exactly_zero(loss):
    picture = _noise().float() + 3
    return _unseen(loss, picture, seen=lambda error: error != 0)


check_blind_to = Checker(
    "Exercise 2: function(loss) -> the names of the changes that the loss cannot see",
    blind_to,
    [{"loss": loss} for loss in _LOSSES],
    {
        "These are the changes that it sees. The exercise asks for the others.": _seen,
        "On a flat picture nobody sees a shift. Try the changes on one that has no pattern, "
        "such as noise.": _on(torch.full((1, 1, 8, 8), 0.5).double()),
        "A picture that is its own mirror image, or the same in every row, hides changes. Take "
        "one without symmetry, such as noise.": _on(_ramp()),
        "Is that every name? Go on after the first.": _first_only,
        "Rounding makes differences that nobody means: take less than 1e-6, say, for 0. float64 "
        "helps, too.": _exactly_zero,
    },
    is_blind_to,
    fallback="Draw noise of 8 × 8, change it in each of the four ways, and ask the loss for the "
    "difference between the noise and the changed noise. Rounding is no difference: take less than "
    "1e-6 for 0.",
)

# ----------------------------------------------------------------------------------- exercise 3


def _tiles():
    """Return 4 x 4 tiles of zeros and ones, half of each, that repeat."""
    y, x = torch.meshgrid(torch.arange(4), torch.arange(4), indexing="ij")
    drawn = [y % 2, x % 2, y // 2, x // 2, (y + x) % 2, y // 2 ^ x // 2]
    drawn += [(y + x) % 4 // 2, (y - x) % 4 // 2, (y + 2 * (x // 2)) % 4 // 2]
    return [tuple(map(tuple, tile.tolist())) for tile in drawn]


def windows_of(tile):
    """Return the nine numbers under each of the 16 places of a kernel, `(16, 9)`."""
    texture = torch.tensor(tile).double()[None, None]
    wide = F.pad(texture, (1, 1, 1, 1), mode="circular")
    return F.unfold(wide, 3)[0].T


def eye_for(sees, blind):
    """Take out of a window of the one texture all that windows of the other can hold."""
    seen, unseen = windows_of(sees), windows_of(blind)
    held = torch.linalg.pinv(unseen) @ unseen  # the part of nine numbers that is made of `unseen`
    left = seen - seen @ held
    best = left[left.norm(dim=1).argmax()]
    return (best / best.abs().max()).reshape(3, 3).tolist()


def _can_be_told(sees, blind):
    unseen = windows_of(blind)
    both = torch.cat([unseen, windows_of(sees)])
    return torch.linalg.matrix_rank(both) > torch.linalg.matrix_rank(unseen)


NOT_NINE = "Return three rows of three numbers."
ALL_ZERO = "A kernel of zeros is blind to everything. Give it some weights."
SWAPPED = "It is the other way round: this kernel is blind to the texture that it should see."
SEES_BOTH = (
    "It answers to the texture that it should be blind to. Write down the nine numbers under the "
    "kernel at each place of that tile: with each of them, the products must add up to 0."
)
SEES_NEITHER = (
    "It is blind to both. What do they differ in? Look for two pixels that are always equal in "
    "`blind`, and differ somewhere in `sees`; where there are none, combine three or four."
)


def eye_verdict(answer, sees, blind):
    """Return what a kernel does wrong, and what to do about it."""
    try:
        kernel = torch.as_tensor(answer).double()
    except (TypeError, ValueError, RuntimeError):
        return answer
    if kernel.shape != (3, 3) or not kernel.any():
        said = f"something of shape {tuple(kernel.shape)}", NOT_NINE
        return Verdict(*(said if kernel.shape != (3, 3) else ("a kernel of zeros", ALL_ZERO)))
    kernel = (kernel / kernel.abs().max()).flatten()
    sees_it, sees_other = ((windows_of(tile) @ kernel).abs().max().item() for tile in (sees, blind))
    if sees_other < 1e-4:
        neither = Verdict("a kernel that is blind to both", SEES_NEITHER)
        return RIGHT_EYE if sees_it > 1e-2 else neither
    if sees_it < 1e-4:
        return Verdict("a kernel that sees only the other texture", SWAPPED)
    return Verdict(f"a kernel that answers to `blind` with up to {sees_other:.2g}", SEES_BOTH)


RIGHT_EYE = Verdict("a kernel that sees the one and not the other")


def _swapped(sees, blind):
    return eye_for(blind, sees)


def _window(sees, blind):
    """Return a piece of the texture to see, less its mean: it answers to nearly everything."""
    piece = windows_of(sees)[0]
    return (piece - piece.mean()).reshape(3, 3).tolist()


def _of_both(sees, blind):
    """Return a kernel that every window of either is blind to."""
    held = torch.cat([windows_of(sees), windows_of(blind)])
    return torch.linalg.svd(held).Vh[-1].reshape(3, 3).tolist()


def _two_by_two(sees, blind):
    return [line[:2] for line in eye_for(sees, blind)[:2]]


def _nothing(sees, blind):
    return [[0] * 3] * 3


check_eye = DesignChecker(
    "Exercise 3: function(sees, blind) -> a 3 x 3 kernel",
    eye_for,
    [
        {"sees": one, "blind": other}
        for one, other in permutations(_tiles(), 2)
        if _can_be_told(one, other)
    ],
    {
        SWAPPED: _swapped,
        SEES_BOTH: _window,
        SEES_NEITHER: _of_both,
        NOT_NINE: _two_by_two,
        ALL_ZERO: _nothing,
    },
    judge=eye_verdict,
    right=RIGHT_EYE,
)
