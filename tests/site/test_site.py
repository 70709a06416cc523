"""The built site, as files: links, pictures, metadata, what each page loads, launch buttons."""

import json
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from convbook.course.explorers.sources import style_files
from convbook.course.mime_types import VIEW
from convbook.course.site.extension import without_scripts
from convbook.course.site.moved import MOVED
from tests.helpers.site_builds import build, copy_book, copy_few_pages, make_checkout, pages
from tools import hygiene, notebooks
from tools.address import read_address

pytestmark = pytest.mark.site
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def book(site):
    return pages(site)


def test_every_page_is_built(site, book):
    names = {str(file.relative_to(site).with_suffix("")) for file in book}
    sources = [*ROOT.glob("chapters/*.md"), *notebooks.notebook_paths()]
    assert names == {str(source.relative_to(ROOT).with_suffix("")) for source in sources}


@pytest.mark.parametrize(("old", "new"), MOVED.items())
def test_an_old_address_leads_to_the_new_page(site, book, old, new):
    file = site / f"{old}.html"
    page = BeautifulSoup(file.read_text("utf8"), "html.parser")
    target = page.find("link", rel="canonical")["href"]
    assert page.find("meta", attrs={"http-equiv": "refresh"})["content"] == f"0; url={target}"
    assert page.a["href"] == target
    assert (file.parent / target).resolve() == (site / f"{new}.html").resolve()
    assert page.title.text == book[site / f"{new}.html"].find("h1").find(string=True)
    assert old not in (site / "searchindex.js").read_text("utf8")


def test_a_page_that_has_moved_is_no_page_of_the_book(site):
    assert not [old for old in MOVED if (ROOT / f"{old}.ipynb").exists()]
    assert all((ROOT / f"{new}.ipynb").exists() for new in MOVED.values())


def test_internal_links_lead_somewhere(site, book):
    dead = []
    for file, page in book.items():
        for tag, attribute in [("a", "href"), ("img", "src"), ("script", "src"), ("link", "href")]:
            for element in page.find_all(tag, **{attribute: True}):
                url = urlsplit(element[attribute])
                if url.scheme or url.netloc:
                    continue
                target = (file.parent / unquote(url.path)).resolve() if url.path else file
                if not target.exists() or not anchor_exists(target, url.fragment, book):
                    dead.append(f"{file.relative_to(site)}: {element[attribute]}")
    assert dead == []


def anchor_exists(target, fragment, book):
    if not fragment or target not in book:
        return True
    return book[target].find(id=unquote(fragment)) is not None


def test_pictures_have_alt_texts(site, book):
    for file, page in book.items():
        # A plate says what its pictures show; each of them has a title below it.
        plates = page.select("article .cb-plate")
        texts = [plate["aria-label"] for plate in plates]
        texts += [image.get("alt", "") for image in page.select("article img:not(.cb-plate img)")]
        for alt in texts:
            assert len(alt) >= hygiene.MIN_ALT_LENGTH, f"{file.relative_to(site)}: {alt!r}"
            assert not re.search(r"\.(png|svg|jpg)$", alt), f"{file.relative_to(site)}: {alt!r}"


def meta(page, name):
    tag = page.find("meta", attrs={"name": name}) or page.find("meta", property=name)
    return tag["content"] if tag else ""


def test_description_and_language(book):
    for page in book.values():
        assert len(meta(page, "description")) >= 30
        assert meta(page, "og:title")
        assert page.html["lang"] == "en"


def test_pages_load_only_what_they_use(site, book):
    for file, page in book.items():
        scripts = " ".join(script.get("src", "") for script in page.find_all("script"))
        styles = " ".join(link["href"] for link in page.find_all("link", rel="stylesheet"))
        has_maths = bool(page.select("article .math"))
        explorers = {div["data-explorer"] for div in page.select(".convbook-explorer")}
        several = {"shared"} if explorers - {"quiz"} else set()
        needed = explorers | {"host", "base"} | several if explorers else set()
        styled = needed & {path.stem for path in style_files()} | several
        assert ("mathjax" in scripts) == has_maths, file
        assert set(re.findall(r"explorers/(\w+)\.js", scripts)) == needed, file
        assert set(re.findall(r"explorers/(\w+)\.css", styles)) == styled, file
        assert "thebe" not in (scripts + styles), file


def test_no_page_loads_the_icon_script_and_only_search_the_index(site, book):
    for file in [*book, *site.glob("*.html")]:
        page = BeautifulSoup(file.read_text("utf8"), "html.parser")
        sources = (tag["src"] for tag in page.find_all("script", src=True))
        scripts = {Path(urlsplit(source).path).name for source in sources}
        assert "fontawesome.js" not in scripts, file
        index = {"searchtools.js", "language_data.js", "searchindex.js"} & scripts
        assert len(index) == (3 if file.name == "search.html" else 0), file


def test_only_scripts_of_the_given_names_are_left_out():
    kept = '<script src="a/fonts.js"></script><script>let icons = 1;</script>'
    icons = '<script defer src="../_static/icons.js?digest=1"></script>'
    search = '<script src="search.js"></script>'
    assert without_scripts(icons + kept + search + icons, "icons", "search") == kept


def test_nothing_is_loaded_from_another_host(site, book):
    for file, page in book.items():
        loaded = [tag.get("src") for tag in page.find_all(["script", "img", "iframe"])]
        loaded += [tag["href"] for tag in page.find_all("link") if "canonical" not in tag["rel"]]
        foreign = [url for url in loaded if url and urlsplit(url).netloc]
        assert foreign == [], file


def test_explorers_keep_their_fallback_in_the_page(book):
    hosts = [div for page in book.values() for div in page.select(".convbook-explorer")]
    assert hosts
    assert all(len(div.get_text(strip=True)) > 20 for div in hosts)


def test_the_page_holds_each_explorers_state_once(book):
    for file, page in book.items():
        for host in page.select(".convbook-explorer"):
            (script,) = host.find_all("script", type="application/json")
            assert json.loads(script.string)["explorer"] == host["data-explorer"]
        assert not page.find("script", type=re.compile("jupyter")), file


def test_going_further_is_collapsed(book):
    page = next(page for file, page in book.items() if file.stem == "03_shapes")
    section = page.find(id="going-further")
    assert section.h2
    assert section.details.summary
    assert section.select("details .cell")


def button_links(page):
    return [a["href"] for a in page.select(".article-header-buttons a[href]")]


def launch_links(page):
    """Return every address on the page that opens something on Binder or Colab."""
    links = [a["href"] for a in page.find_all("a", href=True)]
    return {link for link in links if re.search(r"binder|colab", urlsplit(link).netloc)}


def test_without_a_remote_there_are_no_buttons(tmp_path):
    copy_few_pages(tmp_path)
    done = build(tmp_path, strict=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the launch and repository buttons and the social cards are left out" in done.stderr
    for page in pages(tmp_path / "_build" / "html").values():
        assert not [link for link in button_links(page) if urlsplit(link).netloc]
        assert not launch_links(page)
        assert not meta(page, "og:image")
        for strip in page.select(".header-strip"):
            assert "min" in strip.get_text()
            assert [a.get_text() for a in strip.find_all("a")] == ["Download .ipynb"]


@pytest.fixture(scope="module", params=["environment", "remote"])
def published(request, tmp_path_factory):
    """The site of a fork as GitHub builds it, and of a checkout that only knows its remote."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "environment":
        owner, name, branch = "ada", "fork", "main"
        copy_book(folder)
        done = build(folder, GITHUB_REPOSITORY="ada/fork")
    else:
        owner, name, branch = "grace", "course", "draft"
        copy_few_pages(folder)
        make_checkout(folder, "git@github.com:grace/course.git")
        done = build(folder, strict=False)
    assert done.returncode == 0, done.stdout + done.stderr
    home = read_address().repository
    (notice,) = [line for line in done.stderr.splitlines() if "make address" in line]
    assert f"this is https://github.com/{owner}/{name}, but" in notice
    assert f"install the package from {home}; before" in notice
    assert notice.endswith(f"run `make address ADDRESS=https://github.com/{owner}/{name}`")
    return folder / "_build" / "html", owner, name, branch


def test_each_notebook_launches_from_its_own_repository(published):
    site, owner, name, branch = published
    sources = {
        path.relative_to(site.parents[1]).as_posix()
        for path in site.parents[1].glob("chapters/**/*.ipynb")
    }
    assert len(sources) in (2, len(notebooks.notebook_paths()))
    for file, page in pages(site).items():
        path = file.relative_to(site).with_suffix(".ipynb").as_posix()
        expected = {
            f"https://mybinder.org/v2/gh/{owner}/{name}/{branch}?urlpath=lab/tree/{path}",
            f"https://colab.research.google.com/github/{owner}/{name}/blob/{branch}/{path}",
        }
        assert launch_links(page) == (expected if path in sources else set()), path
        sources.discard(path)
    assert not sources


def test_a_fork_links_to_the_fork(published):
    site, owner, name, _ = published
    home = f"https://{owner}.github.io/{name}/"
    for page in pages(site).values():
        assert f"https://github.com/{owner}/{name}" in button_links(page)
        card = meta(page, "og:image")
        assert meta(page, "twitter:card") == "summary_large_image"
        with Image.open(site / card.removeprefix(home)) as picture:
            assert picture.size == (1200, 630)


def test_the_sitemap_has_the_address_of_each_page_and_no_other(published):
    site, _, _, _ = published
    listed = re.findall("<loc>(.+?)</loc>", (site / "sitemap.xml").read_text("utf8"))
    named = [page.find("link", rel="canonical")["href"] for page in pages(site).values()]
    assert sorted(listed) == sorted(named)


def test_a_widget_that_needs_a_kernel_stops_the_build(tmp_path):
    copy_few_pages(tmp_path)
    path = tmp_path / "chapters" / "03_shapes.ipynb"
    notebook = notebooks.read(path)
    widget = nbformat.v4.new_output("display_data", {VIEW: {"model_id": "3f"}})
    cell = next(cell for cell in notebook.cells if "Quiz(" in cell.source)
    cell.outputs = [widget]
    notebooks.write(notebook, path)
    done = build(tmp_path, strict=False)
    assert done.returncode != 0
    assert "holds a widget, which needs a kernel" in done.stdout + done.stderr
