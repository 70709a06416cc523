"""The sources in `chapters/references.bib`: how a sentence names each, and where its link leads."""

import re
from dataclasses import dataclass
from pathlib import Path

from pybtex.database import parse_file

BIBLIOGRAPHY = Path(__file__).parents[2] / "chapters" / "references.bib"
LINK = re.compile(r"\[([^\[\]]+)\]\((https?://[^\s)]+)\)")
PAPER = re.compile(r"//(www\.)?(arxiv\.org|(dx\.)?doi\.org)/")


@dataclass(frozen=True)
class Source:
    """One entry: its label ("Dumoulin and Visin 2016"), its link, and all addresses it has."""

    key: str
    label: str
    link: str
    addresses: frozenset[str]


def read_sources(path=BIBLIOGRAPHY):
    """Return a Source for each entry of a .bib file, in the order of the file.

    Raises:
        ValueError: an entry has no address at all.
    """
    return [_source(key, entry) for key, entry in parse_file(path).entries.items()]


def wrong_links(markdown, sources):
    """Return one line for each link in `markdown` that disagrees with `sources`.

    A paper is linked by one address, and a link that names authors or a year does so as the
    entry has them. "Their guide" may be a link too.
    """
    known = {address: source for source in sources for address in source.addresses}
    lines = []
    for text, address in LINK.findall(markdown):
        source = known.get(address)
        if source is None:
            if PAPER.search(address):
                lines.append(f"[{text}]({address}): no entry of references.bib has this address")
        elif address != source.link:
            lines.append(f"[{text}]({address}): link {source.key} as {source.link}")
        elif text != source.label and re.search(r"\d{4}|et al|arxiv", text, re.IGNORECASE):
            lines.append(f"[{text}]({address}): the entry says {source.label}")
    return lines


def _source(key, entry):
    fields = entry.fields
    addresses = []
    if "eprint" in fields:
        addresses += [f"https://arxiv.org/{kind}/{fields['eprint']}" for kind in ("abs", "pdf")]
    if "doi" in fields:
        addresses.append(f"https://doi.org/{fields['doi']}")
    if "url" in fields:
        addresses.append(fields["url"])
    if not addresses:
        raise ValueError(f"{key} has no eprint, doi or url, so no sentence can link it; add one")
    label = f"{_names(entry.persons['author'])} {fields['year']}"
    return Source(key, label, addresses[0], frozenset(addresses))


def _names(persons):
    surnames = [_surname(person) for person in persons]
    return f"{surnames[0]} et al." if len(surnames) > 2 else " and ".join(surnames)


def _surname(person):
    parts = [*person.rich_prelast_names, *person.rich_last_names]  # "van den" stands before Oord
    return " ".join(part.render_as("text") for part in parts)
