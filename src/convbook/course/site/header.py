"""The strip under a notebook's title: how long it takes, and where to run it, in words."""

from html import escape
from pathlib import Path

from convbook.course.site.minutes import Minutes, read_minutes
from convbook.course.site.repository import Repository

BINDER_NOTE = "(first start can take 10 minutes)"


def add_header(app, pagename, templatename, context, doctree) -> None:
    """Put the strip under the title of a page that comes from a notebook."""
    path = Path(app.env.doc2path(pagename))
    if doctree is None or path.suffix != ".ipynb" or app.builder.format != "html":
        return
    links = launch_links(context.get("convbook_repository"), f"{pagename}.ipynb")
    download = context["pathto"](f"_sources/{context['sourcename']}", 1)
    strip = header_strip(_part(app.env, pagename), read_minutes(path), links, download)
    context["body"] = context["body"].replace("</h1>", f"</h1>\n{strip}", 1)


def launch_links(repository: Repository | None, path: str) -> list[tuple[str, str, str]]:
    """Return (words, note, address) for each service that can run the notebook `path`.

    >>> words, _, address = launch_links(Repository("ada", "book"), "01.ipynb")[0]
    >>> words, address
    ('Open in Colab', 'https://colab.research.google.com/github/ada/book/blob/main/01.ipynb')
    >>> launch_links(None, "01.ipynb")
    []
    """
    if repository is None:
        return []
    return [
        ("Open in Colab", "", repository.colab_url(path)),
        ("Open on Binder", BINDER_NOTE, repository.binder_url(path)),
    ]


def header_strip(
    part: str, minutes: Minutes, launch: list[tuple[str, str, str]], download: str
) -> str:
    """Return the strip as HTML: a list of facts and a list of links; no script is needed."""
    facts = [part, f"about {minutes.reading} min"]
    if minutes.exercises:
        facts.append(f"exercises about {minutes.exercises} min")
    links = [_link(words, address, note) for words, note, address in launch]
    links.append(_link("Download .ipynb", download, download=True))
    return (
        '<div class="header-strip">'
        f"<ul>{''.join(f'<li>{escape(fact)}</li>' for fact in facts if fact)}</ul>"
        f'<ul class="header-links">{"".join(f"<li>{link}</li>" for link in links)}</ul>'
        "</div>\n"
    )


def _link(words, address, note="", download=False) -> str:
    aside = f" <small>{escape(note)}</small>" if note else ""
    kind = " download" if download else ""
    return f'<a href="{escape(address)}"{kind}>{escape(words)}{aside}</a>'


def _part(env, pagename) -> str:
    """Return the caption of the part of the table of contents in which the page stands, or ""."""
    contents = env.external_site_map

    def holds(names) -> bool:
        return any(name == pagename or holds(contents[name].child_files()) for name in names)

    for part in contents.root.subtrees:
        if part.caption and holds(part.files()):
            return part.caption
    return ""
