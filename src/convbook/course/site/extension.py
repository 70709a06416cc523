"""The book's Sphinx extension: links to the repository, explorers, social cards, small repairs."""

import contextlib
import io
import os
import re
import sys
from pathlib import Path
from urllib.parse import urljoin

from docutils import nodes

from convbook.course.site import drawings, explorers, folds, header, pictures
from convbook.course.site.cards import draw_card
from convbook.course.site.live import AddRunHint
from convbook.course.site.moved import forwarding_page, write_moved_pages
from convbook.course.site.repository import find_repository, foreign_sources
from convbook.course.site.sections import CollapseGoingFurther

LEFT_OUT = "the launch and repository buttons and the social cards"


def link_repository(app, config) -> None:
    """Turn on launch, source and issue links if, and only if, the repository is known."""
    repository = find_repository(Path(app.confdir), os.environ)
    if repository is None:
        # Not logged: `make book` builds quietly, and a warning would be an error there.
        print(f"convbook: no GitHub remote, so {LEFT_OUT} are left out", file=sys.stderr)
        return
    for other in foreign_sources(Path(app.confdir), repository):
        print(
            f"convbook: this is {repository.url}, but its notebooks install the package from "
            f"{other}; before you publish it, run `make address ADDRESS={repository.url}`",
            file=sys.stderr,
        )
    config.html_theme_options.update(
        repository_url=repository.url,
        repository_branch=repository.branch,
        path_to_docs="",
        use_repository_button=True,
        use_issues_button=True,
        use_edit_page_button=False,
    )
    config.html_context["convbook_repository"] = repository  # for the links under a page's title
    config.html_baseurl = repository.site_url
    config.ogp_site_url = repository.site_url
    app.setup_extension("sphinx_sitemap")  # it warns where the site's address is not known
    config.sitemap_url_scheme = "{link}"  # its own has a language and a version before the page
    config.sitemap_excludes = ["search.html", "genindex.html", "py-modindex.html"]


def drop_unused_assets(app, pagename, templatename, context, doctree) -> None:
    """Leave out scripts and styles that the page does not use.

    Jupyter Book always loads sphinx-thebe, which this book does not use and which declares a
    constant twice, an error in the console. Sphinx loads MathJax on the root page as soon as any
    page below it has a formula.
    """
    unused = ["thebe"]
    if doctree is None or not any(doctree.findall(_is_maths)):
        unused.append("mathjax")
    for kind in ("script_files", "css_files"):
        files = context.get(kind, [])
        context[kind] = [file for file in files if not any(word in _name(file) for word in unused)]


def without_scripts(markup: str, *names: str) -> str:
    """Return `markup` without the script elements whose file is one of `names` (a template filter).

    The theme writes some scripts into its layout, where `drop_unused_assets` does not see them.

    >>> without_scripts('<p><script defer src="a/icons.js?v=1"></script></p>', "icons")
    '<p></p>'
    """
    files = "|".join(names)
    return re.sub(rf'<script[^>]*[/"]({files})\.js[^>]*></script>', "", markup)


def _is_maths(node) -> bool:
    return isinstance(node, nodes.math | nodes.math_block)


def _name(file) -> str:
    """Return a script's file name, or its text if it stands in the page itself."""
    return f"{file.filename} {getattr(file, 'attributes', {}).get('body', '')}".lower()


def add_social_card(app, pagename, templatename, context, doctree) -> None:
    """Draw the page's card and name it as its Open Graph image.

    Whoever shows a card needs its full address, so there is none where the site's is not known.
    """
    if doctree is None or app.builder.name != "html" or not app.config.html_baseurl:
        return
    title = app.env.titles[pagename].astext()
    name = f"_static/cards/{pagename.replace('/', '-')}.png"
    draw_card(title, app.config.html_title, Path(app.outdir) / name)
    meta = dict(context["meta"] or {})
    meta["og:image"] = urljoin(app.config.html_baseurl, name)
    meta["og:image:alt"] = f"{app.config.html_title}: {title}"
    context["meta"] = meta
    context["metatags"] += '<meta name="twitter:card" content="summary_large_image" />\n'


def write_root_page(app, exception) -> None:
    """Write the page at the site's root: it sends the visitor on to the book's first page.

    The table of contents' extension writes one too, but a browser asks in vain for its icon.
    """
    if exception or app.builder.name != "html":
        return
    target = app.builder.get_target_uri(app.config.root_doc)
    page = forwarding_page(app.config.html_title, target)
    (Path(app.outdir) / "index.html").write_text(page, "utf8")


def add_layout(app, config) -> None:
    """Let the book's layout go before the theme's, which it extends."""
    config.templates_path.append(str(Path(__file__).parent / "layouts"))


def add_static_files(app) -> None:
    """Add the book's own style sheet; explorers bring theirs only where they stand."""
    if app.builder.format == "html":
        app.builder.templates.environment.filters["without_scripts"] = without_scripts
    app.config.html_static_path.append(str(Path(__file__).parent / "static" / "book"))
    app.add_css_file("book.css")
    app.add_css_file(drawings.STYLE)


def setup(app):
    """Register the extension's handlers."""
    # Not above: it imports what runs notebooks, and tools import this module without that.
    from myst_nb.sphinx_ import HideCodeCellNode  # noqa: PLC0415

    # On import it prints that it draws no cards without matplotlib; we draw them with Pillow.
    with contextlib.redirect_stdout(io.StringIO()):
        app.setup_extension("sphinxext.opengraph")
    app.setup_extension("convbook.course.site.glossary")
    app.connect("config-inited", link_repository)
    app.connect("config-inited", add_layout)
    app.connect("builder-inited", add_static_files)
    app.connect("html-page-context", explorers.add_style)
    app.connect("html-page-context", header.add_header)
    app.connect("html-page-context", add_social_card, priority=400)  # before opengraph reads `meta`
    app.connect(
        "html-page-context", drop_unused_assets, priority=900
    )  # after every script is added
    app.connect("build-finished", drawings.write_style)
    app.connect("build-finished", explorers.write_assets)
    app.connect("build-finished", write_moved_pages)
    app.connect("build-finished", write_root_page, priority=900)  # after the redirect it replaces
    app.add_transform(CollapseGoingFurther)
    app.add_transform(AddRunHint)
    app.add_post_transform(folds.NamePrompts)
    app.add_node(HideCodeCellNode, override=True, html=(folds.visit_fold, folds.depart_fold))
    app.add_node(pictures.picture, html=(pictures.visit_picture, pictures.depart_picture))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
