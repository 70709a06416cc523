"""Pages that have got another name: at the old address, a small page sends the visitor on.

Old links go on working. Such a page is no page of the book: it stands in neither the sitemap nor
the search, since it is written when both are done.
"""

import html
import posixpath
from pathlib import Path

MOVED = {
    "chapters/13_train_and_grade": "chapters/13_build_and_grade",
    "chapters/solutions/13_train_and_grade": "chapters/solutions/13_build_and_grade",
}


def forwarding_page(title: str, target: str) -> str:
    """Return a page that leads to `target`: by itself, for search engines, and by a link.

    >>> 'href="b.html">The new page</a>' in forwarding_page("The new page", "b.html")
    True
    """
    title, target = html.escape(title), html.escape(target)
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta http-equiv="refresh" content="0; url={target}">\n<link rel="icon" href="data:,">\n'
        f'<link rel="canonical" href="{target}">\n<p><a href="{target}">{title}</a></p>\n</html>\n'
    )


def write_moved_pages(app, exception) -> None:
    """Write a page at each old address whose new page the book has."""
    if exception or app.builder.name != "html":
        return
    for old, new in MOVED.items():
        if new in app.env.titles:
            target = posixpath.relpath(app.builder.get_target_uri(new), posixpath.dirname(old))
            page = forwarding_page(app.env.titles[new].astext(), target)
            (Path(app.outdir) / app.builder.get_target_uri(old)).write_text(page, "utf8")
