"""What the exercises of chapter 12 are tried on: layers that draw, photographs, and judgements."""

from copy import deepcopy
from functools import cache

import torch
from torch import nn

from convbook.course import photographs
from convbook.course.checks.designs import Verdict
from convbook.metrics import psnr, ssim

LEVEL = 1 / 255  # from one grey to the next, where black is 0 and white is 1
WANTED_DB, WANTED_SSIM = 3, 0.2  # by how much PSNR and SSIM are to disagree
SIDE = 48  # pixels, of a cut-out


# ------------------------------------------------------------------ layers that draw


class Filters(nn.Conv2d):
    """A convolution of one map, with filters of one row, that is shown as it can be made again.

    Example:
        >>> layer = Filters([[1, 2, 1], [0, 4, 0]], bias=[0, 1])
        >>> layer, layer(torch.ones(1, 1, 1, 4)).shape
        (filters([[1, 2, 1], [0, 4, 0]], bias=[0, 1]), torch.Size([1, 2, 1, 4]))
    """

    def __init__(self, rows, bias=None):
        taps = len(rows[0])
        super().__init__(1, len(rows), (1, taps), padding=(0, taps // 2))
        self.rows, self.offsets = rows, bias or [0] * len(rows)
        with torch.no_grad():
            self.weight.copy_(torch.tensor(rows)[:, None, None])
            self.bias.copy_(torch.tensor(self.offsets))

    def __repr__(self):
        bias = f", bias={self.offsets}" if any(self.offsets) else ""
        return f"filters({self.rows}{bias})"

    def __eq__(self, other):
        return isinstance(other, Filters) and repr(self) == repr(other)

    def __hash__(self):
        return hash(repr(self))


filters = Filters


def levels(conv, r, greys=(0.0, 1.0), bias=True, inside=True):
    """Return how far apart the pixels of a block lie on flat greys, for each output channel.

    The largest over the greys, in grey levels. Between black and white a range cannot be larger
    than at both ends, because each pixel is a straight line in the grey.
    """
    layer = deepcopy(conv)
    if not bias:
        nn.init.zeros_(layer.bias)
    found = []
    for grey in greys:
        with torch.no_grad():
            drawn = nn.functional.pixel_shuffle(layer(torch.full((1, 1, 5, 5), grey)), r)[0]
        cut = drawn[:, 2 * r : 3 * r, 2 * r : 3 * r] if inside else drawn
        found.append(cut.amax((1, 2)) - cut.amin((1, 2)))
    return torch.stack(found).amax(0) / LEVEL


def patterned(conv, r):
    """Return the output channels that draw a pattern of more than one grey level."""
    return chosen(levels(conv, r) > 1)


def chosen(flags):
    """Return the places at which a row of truths is true."""
    return flags.nonzero().flatten().tolist()


def blocks(values, r):
    """Return the spread of what each output channel's r * r filters have."""
    grouped = values.detach().flatten(1).unflatten(0, (-1, r * r))
    return (grouped.amax(1) - grouped.amin(1)).amax(1)


A, B = [0.3, 0.5, 0.2], [0.1, 0.6, 0.2]  # of sums 1 and 0.9
SAME_SUM = [[0.3, 0.5, 0.2], [0, 1.0, 0], [0.1, 0.2, 0.7], [0.5, 0, 0.5]]
NEARLY = [[0.3, 0.5, 0.2], [0.302, 0.5, 0.2], [0.3, 0.5, 0.2], [0.3, 0.498, 0.2]]

# (filters, biases, r)
_LAYERS = [
    ([[0.5]] * 4, None, 2),
    ([[0.5], [0.5], [0.4], [0.5]], None, 2),
    ([[0.5]] * 4, [0.1, 0.1, 0, 0.1], 2),
    ([A] * 4 + [B] * 4, None, 2),  # ICNR
    ([A] * 4 + [B] * 4, [0.02, -0.01, 0.03, 0, 0.01, 0.02, -0.03, 0], 2),
    ([A] * 4 + [B] * 4, [0.1] * 4 + [-0.2] * 4, 2),
    ([A] * 4 + [B] * 4, [0, 0, 0, 0, 0, 0.05, 0, 0], 2),
    ([A, B] * 4, None, 2),  # repeated the wrong way
    ([A, B] * 4, [0.1, -0.2] * 4, 2),
    ([A, A, A, A, A, B, A, B], None, 2),
    (SAME_SUM, None, 2),
    ([*SAME_SUM, A, B, A, A], None, 2),
    ([B] * 4 + SAME_SUM[::-1], None, 2),
    (SAME_SUM + SAME_SUM[::-1], [0] * 4 + [0, 0, 0, 0.1], 2),
    ([A, A, B, A, *SAME_SUM], [0, 0, 0.1, 0, 0, 0, 0, 0], 2),  # white is flat, black is not
    ([A, A, B, A], [0, 0, 0.05, 0], 2),  # the grey in the middle is flat
    ([*SAME_SUM, A, B, B, A], [0.2] * 4 + [0, 0.05, 0.05, 0], 2),
    (NEARLY, None, 2),  # half a level
    (NEARLY + [A] * 4, [0, 0, 0, 0, 0, 0, 0.002, 0], 2),
    ([[0.5], [0.503], [0.5], [0.5]], [0, 0.003, 0, 0], 2),  # more than a level on white only
    ([[0.5], [0.503], [0.5], [0.5]], [0, -0.003, 0, 0], 2),
    ([[0.1, 0.2, 0.3], [0.3, 0.2, 0.1], [0.2, 0.3, 0.1], [0.2, 0.1, 0.3]], None, 2),
    ([[0.5], [0.5], [0.7], [0.7]], None, 1),
    ([[0.5]] * 4 + [[0.5], [0.4], [0.5], [0.4]] + [[0.4]] * 4, None, 2),
    ([[0.2]] * 9 + [[0.2]] * 8 + [[0.3]], None, 3),
    ([[0.2]] * 9 + [[0.4]] * 9, [0] * 17 + [0.01], 3),
    ([[1, -1, 1], [-1, 3, -1], [1, 1, -1], [2, -2, 1]], None, 2),
    ([[1, -1, 1], [-1, 3, -1], [1, 1, -1], [2, -2, 2]], None, 2),
]
LAYERS = [{"conv": Filters(rows, bias), "r": r} for rows, bias, r in _LAYERS]


# ------------------------------------------------------------------ photographs


class CutOut(torch.Tensor):
    """A part of a photograph, grey, that is shown as it can be made again.

    What is computed from it is an ordinary tensor.

    Example:
        >>> part = cut_out("chelsea", 48, 96)
        >>> part, (part + 0).shape
        (cut_out('chelsea', 48, 96), torch.Size([1, 1, 48, 48]))
    """

    __torch_function__ = torch._C._disabled_torch_function_impl

    def __repr__(self):
        return f"cut_out{self.place}"

    def __deepcopy__(self, memo):
        return cut_out(*self.place)

    def __eq__(self, other):
        return repr(self) == repr(other) if isinstance(other, CutOut) else super().__eq__(other)

    __hash__ = torch.Tensor.__hash__


def cut_out(name, top, left):
    """Return 48 x 48 pixels of a photograph of 192 x 192, grey, `(1, 1, 48, 48)`.

    Example:
        >>> cut_out("coffee", 0, 48).shape
        torch.Size([1, 1, 48, 48])
    """
    part = _photograph(name)[..., top : top + SIDE, left : left + SIDE].clone().as_subclass(CutOut)
    part.place = name, top, left
    return part


@cache
def _photograph(name):
    return getattr(photographs, name)(192).mean(1, keepdim=True)


_PLACES = {
    "grace_hopper": [(48, 144), (0, 144), (144, 144)],
    "astronaut": [(0, 0), (0, 96), (0, 144), (48, 96)],
    "chelsea": [(48, 96), (96, 0), (144, 0), (144, 96)],
    "coffee": [(0, 48), (0, 96), (48, 0), (48, 48), (48, 96)],
    "flower": [(48, 48), (144, 144)],
    "rocket": [(96, 0), (96, 48), (96, 96), (144, 48)],
}


def photos():
    """Return the cases of the exercise that is about photographs."""
    return [
        {"photo": cut_out(name, *place)} for name, places in _PLACES.items() for place in places
    ]


def checkered(photo, amount=0.04):
    """Make the pixels of a photograph lighter and darker in turn."""
    signs = torch.ones(photo.shape[-2:])
    signs[::2, ::2] = signs[1::2, 1::2] = -1
    return photo + amount * signs


def disagree(photo):
    """Return two changed copies: PSNR prefers the first, SSIM the second."""
    return checkered(photo), 0.75 * photo


RIGHT = Verdict("two copies on which the measures disagree")
SHAPE = "Return two pictures of the photograph's own shape, (1, 1, H, W)."
UNCHANGED = "One copy is the photograph itself. Change both."
SWAPPED = "The other way round: the copy that PSNR prefers comes first."
SSIM_TOO = (
    "PSNR does as you want. What SSIM dislikes most is structure where the photograph is smooth, "
    "such as fine noise; what it hardly minds is a change that all pixels share."
)
PSNR_TOO = (
    "SSIM does as you want. Make the error of the second copy larger in a way that keeps its "
    "structure: more of the same darkening, say."
)
DESTROYED = (
    "The second copy has lost structure, by a blur, a shift or noise, and SSIM sees that too. "
    "Find a change that keeps all edges where they are."
)
NEITHER = (
    "Write down both measures for both copies, and change one copy at a time: first bring the "
    "PSNRs 3 dB apart, then the SSIMs."
)


def judge(answer, photo):
    """Return what is said of two copies of a photograph."""
    copies = _as_pictures(answer)
    if copies is None:
        return answer
    if any(copy.shape != photo.shape for copy in copies):
        shapes = " and ".join(str(tuple(copy.shape)) for copy in copies)
        return Verdict(f"pictures of shape {shapes}", SHAPE)
    first, second = (copy.clamp(0, 1) for copy in copies)
    photo = photo + 0
    if torch.equal(first, photo) or torch.equal(second, photo):
        return Verdict("the photograph itself", UNCHANGED)
    decibels, alike = ([how(copy, photo) for copy in (first, second)] for how in (psnr, ssim))
    by_psnr = decibels[0] - decibels[1] > WANTED_DB
    by_ssim = alike[1] - alike[0] > WANTED_SSIM
    if by_psnr and by_ssim:
        return RIGHT
    (p, q), (s, t) = decibels, alike
    said = f"PSNR {p:.1f} and {q:.1f} dB, SSIM {s:.2f} and {t:.2f}"
    return Verdict(said, _remedy(by_psnr, by_ssim, decibels, alike))


def _remedy(by_psnr, by_ssim, decibels, alike):
    if decibels[1] - decibels[0] > WANTED_DB and alike[0] - alike[1] > WANTED_SSIM:
        return SWAPPED
    if by_ssim:
        return PSNR_TOO
    if alike[1] < 0.85:
        return DESTROYED
    return SSIM_TOO if by_psnr else NEITHER


def _as_pictures(answer):
    """Return two tensors, or None if the answer is not two things that are made of numbers."""
    try:
        first, second = answer
        return [torch.as_tensor(copy).float() for copy in (first, second)]
    except Exception:
        return None
