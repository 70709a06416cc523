"""Figures of two runs compared by pixels, which nbval would want equal to the last grey level."""

import base64
import io
from collections.abc import Iterator

from convbook.course.mime_types import PICTURES

TOLERANCE = 2.0  # root mean square difference, in grey levels of 255


def compare(stored: list, fresh: list) -> str:
    """Say in what the pictures of two outputs of one cell differ; nothing where they do not."""
    old, new = list(_pngs(stored)), list(_pngs(fresh))
    if len(old) != len(new):
        return f"{len(old)} stored figures, {len(new)} drawn"
    said = (_difference(*pair) for pair in zip(old, new, strict=True))
    return "; ".join(f"figure {index}: {words}" for index, words in enumerate(said) if words)


def _pngs(outputs) -> Iterator[bytes]:
    for output in outputs or []:
        data = output.get("data", {})
        if png := data.get("image/png"):
            yield base64.b64decode(png)
        for row in data.get(PICTURES, {}).get("rows", []):
            for picture in row["pictures"]:
                yield base64.b64decode(picture["png"])


def _difference(stored: bytes, fresh: bytes) -> str:
    if stored == fresh:
        return ""
    import numpy as np  # noqa: PLC0415  (the site build reads this module too)
    from PIL import Image  # noqa: PLC0415

    old, new = (
        np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), float) for png in (stored, fresh)
    )
    if old.shape != new.shape:
        return f"stored with shape {old.shape}, drawn with shape {new.shape}"
    rms = float(np.sqrt(np.mean((old - new) ** 2)))
    return f"differs from the stored one by {rms:.1f} grey levels RMS" if rms > TOLERANCE else ""
