"""The book's Sphinx extension: links to the repository, explorers, social cards, small repairs."""

import os
from pathlib import Path
from urllib.parse import urljoin

from sphinx.util import logging

from convbook.site import explorers
from convbook.site.cards import draw_card
from convbook.site.repository import find_repository
from convbook.site.sections import CollapseGoingFurther

logger = logging.getLogger(__name__)


def link_repository(app, config) -> None:
    """Turn on launch, source and issue buttons if, and only if, the repository is known."""
    repository = find_repository(Path(app.confdir), os.environ)
    if repository is None:
        logger.info("convbook: no GitHub remote, so the launch and repository buttons are left out")
        return
    config.html_theme_options.update(
        repository_url=repository.url,
        repository_branch=repository.branch,
        path_to_docs="",
        use_repository_button=True,
        use_issues_button=True,
        use_edit_page_button=False,
        launch_buttons={
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
            "notebook_interface": "jupyterlab",
        },
    )
    config.html_baseurl = repository.site_url
    config.ogp_site_url = repository.site_url
    app.setup_extension("sphinx_sitemap")  # it warns where the site's address is not known


def drop_thebe(app, pagename, templatename, context, doctree) -> None:
    """Leave out sphinx-thebe, which Jupyter Book always loads and this book does not use.

    It declares the same constant twice on each page: an error in the console.
    """
    kept = [file for file in context.get("script_files", []) if "thebe" not in _describe(file)]
    context["script_files"] = kept
    kept = [file for file in context.get("css_files", []) if "thebe" not in _describe(file)]
    context["css_files"] = kept


def _describe(file) -> str:
    return f"{file.filename} {getattr(file, 'attributes', {}).get('body', '')}".lower()


def add_social_card(app, pagename, templatename, context, doctree) -> None:
    """Draw the page's card and name it as its Open Graph image."""
    if doctree is None or app.builder.name != "html":
        return
    title = app.env.titles[pagename].astext()
    name = f"_static/cards/{pagename.replace('/', '-')}.png"
    draw_card(title, app.config.html_title, Path(app.outdir) / name)
    meta = dict(context["meta"] or {})
    meta["og:image"] = urljoin(app.config.html_baseurl or "", name)
    meta["og:image:alt"] = f"{app.config.html_title}: {title}"
    context["meta"] = meta
    context["metatags"] += '<meta name="twitter:card" content="summary_large_image" />\n'


def add_static_files(app) -> None:
    """Add the book's own style sheet; explorers bring theirs only where they stand."""
    app.config.html_static_path.append(str(Path(__file__).parent / "static" / "book"))
    app.add_css_file("book.css")


def setup(app):
    """Register the extension's handlers."""
    app.connect("config-inited", link_repository)
    app.connect("builder-inited", add_static_files)
    app.connect("html-page-context", explorers.add_style)
    app.connect("html-page-context", add_social_card, priority=400)  # before opengraph reads `meta`
    app.connect("html-page-context", drop_thebe, priority=900)  # after every script is added
    app.connect("build-finished", explorers.write_assets)
    app.add_transform(CollapseGoingFurther)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
