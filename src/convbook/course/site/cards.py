"""Draw the picture that a link to a page shows when it is shared (Open Graph, 1200 x 630)."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from convbook.course.colours import INK, INPUT, KERNEL, OUTPUT

SIZE = (1200, 630)
MARGIN = 80
PAPER = "#ffffff"


def draw_card(title: str, subtitle: str, path: Path) -> None:
    """Write a card with `title` and `subtitle` to `path` (PNG)."""
    card = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(card)
    _draw_motif(draw)
    # Pillow's own scalable font: the same on every machine.
    small, large = ImageFont.load_default(34), ImageFont.load_default(76)
    draw.text((MARGIN, MARGIN), subtitle, fill=INK, font=small)
    lines = _wrap(title, large, SIZE[0] - 2 * MARGIN)
    draw.multiline_text((MARGIN, 170), "\n".join(lines), fill=INK, font=large, spacing=18)
    path.parent.mkdir(parents=True, exist_ok=True)
    card.save(path, optimize=True)


def _draw_motif(draw: ImageDraw.ImageDraw) -> None:
    """Input, kernel and output as three rows of cells along the lower edge."""
    cell, x, y = 44, MARGIN, SIZE[1] - MARGIN - 44
    for colour, count in ((INPUT, 7), (KERNEL, 3), (OUTPUT, 5)):
        for _ in range(count):
            draw.rounded_rectangle((x, y, x + cell - 6, y + cell - 6), radius=6, fill=colour)
            x += cell
        x += cell


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
