"""Launching: what the first cell does, each notebook alone on Colab, and Binder's build plan.

The tests marked `launch` install packages and take minutes: `make test-launch`, not `make test`.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.metadata import distributions
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from tests.helpers.checkout import copy_files
from tools import notebooks
from tools.address import read_address

ROOT = Path(__file__).parents[2]
BASE = ROOT / ".venv-colab"
# What the book needs of all that Colab preinstalls. ipykernel runs the notebook, there as here.
PREINSTALLED = ("torch", "torchvision", "numpy", "scipy", "matplotlib", "ipywidgets", "ipykernel")
PATHS = notebooks.notebook_paths()
NAMES = [str(path.relative_to(notebooks.CHAPTERS)) for path in PATHS]
NOWHERE = "git+file://localhost/nowhere/convbook"  # an older pip wants a host in an address
REMEDY = "cannot be installed: check the network and this address, then run this cell again."
REPO2DOCKER = "jupyter-repo2docker==2026.4.0"


def launch():
    """Run the launch cell in this process."""
    exec(notebooks.LAUNCH_CELL, {})


# ----------------------------------------------------------------------- the first cell, quickly


def test_silent_where_the_package_is_installed(monkeypatch, capfd):
    def start(*arguments, **_):
        pytest.fail(f"started {arguments}")

    monkeypatch.setattr(subprocess, "Popen", start)
    launch()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("spec", [None, ModuleSpec("convbook", None)], ids=["none", "folder"])
@pytest.mark.parametrize("source", [None, "git+https://example.org/fork"])
def test_installs_where_the_package_is_missing(monkeypatch, spec, source):
    commands = []

    def run(command, **_):
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    monkeypatch.setattr(subprocess, "run", run)
    if source:
        monkeypatch.setenv("CONVBOOK_SOURCE", source)
    else:
        monkeypatch.delenv("CONVBOOK_SOURCE", raising=False)
    launch()
    wanted = f"convbook[course] @ {source or read_address().pip}"
    assert commands == [[sys.executable, "-m", "pip", "install", "-q", wanted]]


def test_a_wrong_address_raises(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("CONVBOOK_SOURCE", NOWHERE)
    monkeypatch.setenv("PIP_DRY_RUN", "1")  # whatever the cell does, nothing is installed here
    with pytest.raises(RuntimeError) as raised:
        launch()
    *reason, last = str(raised.value).splitlines()
    assert "nowhere" in "".join(reason), "what pip says comes first"
    assert last == f"convbook[course] @ {NOWHERE} {REMEDY}"


def test_binder_keeps_its_own_server():
    """repo2docker brings JupyterLab and a `notebook` that does not go with a newer one."""
    text = (ROOT / "binder" / "requirements.txt").read_text("utf8")
    pinned = re.findall(r"^([\w.-]+)==", text, re.MULTILINE)
    assert not {"jupyterlab", "notebook", "jupyter-server", "jupyterhub"} & set(pinned)


# --------------------------------------------------------------- alone on what Colab preinstalls


def versions(*folders):
    """Return name -> version of what is installed in `folders`, or in this environment."""
    found = distributions(path=[str(folder) for folder in folders]) if folders else distributions()
    return {one.name.lower().replace("_", "-"): one.version for one in found}


def site_packages(environment):
    """Return the folder that holds an environment's packages."""
    return Path(sysconfig.get_path("purelib", "venv", vars={"base": str(environment)}))


def python_of(environment):
    """Return the path of an environment's Python."""
    folder = sysconfig.get_path("scripts", "venv", vars={"base": str(environment)})
    return Path(folder, "python")


def make_environment(folder, *options):
    """Make an environment with this Python; return the path of its own."""
    subprocess.run([sys.executable, "-m", "venv", *options, folder], check=True)
    return python_of(folder)


def need_index(folder):
    """Fail, and say why, if the package index does not answer."""
    command = ["download", "--quiet", "--no-deps", "--retries", "1", "--dest", folder, "anywidget"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *command], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.fail(
            "The package index cannot be reached, and the launch tests install from it.\n"
            f"{done.stderr}",
            pytrace=False,
        )


def make_base(constraints):
    """Make the environment with what Colab preinstalls, unless it is there; return its folder.

    The stamp is written last, so that a half-made environment is never used.
    """
    here, stamp = versions(), BASE / "made-from.txt"
    state = f"Python {sys.version}\n{' '.join(PREINSTALLED)}\n"
    if stamp.exists() and stamp.read_text("utf8") == state:
        there = versions(site_packages(BASE))
        if all(here.get(name, there[name]) == there[name] for name in set(there) - {"pip"}):
            return BASE
    shutil.rmtree(BASE, ignore_errors=True)
    python = make_environment(BASE)
    command = [python, "-m", "pip", "install", "--quiet", "-c", constraints, *PREINSTALLED]
    if "+" in here["torch"]:  # 2.15.0+cpu: PyPI has only the build with several GB of CUDA
        build = here["torch"].partition("+")[2]
        command += ["--extra-index-url", f"https://download.pytorch.org/whl/{build}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"pip could not install what Colab preinstalls.\n{done.stderr}", pytrace=False)
    stamp.write_text(state, "utf8")
    return BASE


def git(folder, *arguments):
    """Run git in `folder`; return what it prints."""
    done = subprocess.run(
        ["git", "-C", folder, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def address_of(repository):
    """Return the address of a repository on this machine."""
    return repository.as_uri().replace("file://", "file://localhost")


def commit_all(folder):
    """Commit everything in `folder` to the new repository there, whatever git is set to here."""
    git(folder, "init", "--quiet", "--initial-branch=draft")
    git(folder, "add", "--force", ".")
    settings = ["user.name=Ada", "user.email=ada@example.org", "commit.gpgsign=false"]
    options = [word for setting in settings for word in ("-c", setting)]
    git(folder, *options, "commit", "--quiet", "--no-verify", "--message=The book")


def copy_checkout(folder):
    """Copy what git would carry, uncommitted changes too, to a repository of its own."""
    copy_files(folder)
    commit_all(folder)
    return folder


@dataclass(frozen=True)
class Reader:
    """Somebody who opens one notebook on a machine that has no convbook."""

    folder: Path
    python: Path
    site: Path
    kernels: Path

    @classmethod
    def arrive(cls, folder, base):
        """Make an empty folder and a fresh environment on top of `base`."""
        environment = folder / "environment"
        python = make_environment(environment, "--without-pip")  # base has it
        site = site_packages(environment)
        (site / "colab.pth").write_text(f"{site_packages(base)}\n", "utf8")
        reader = cls(folder / "empty", python, site, folder / "jupyter")
        reader.folder.mkdir()
        # Jupyter looks here first, so this is the kernel that the notebooks' `python3` names.
        kernel = reader.kernels / "kernels" / "python3"
        kernel.mkdir(parents=True)
        command = [str(reader.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        specification = {"argv": command, "display_name": "Python 3", "language": "python"}
        (kernel / "kernel.json").write_text(json.dumps(specification), "utf8")
        return reader

    def run(self, *command, **environ):
        """Run a command in the empty folder; `python` is the reader's."""
        path = f"{self.python.parent}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            command, cwd=self.folder, env=os.environ | {"PATH": path} | environ,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def execute(self, notebook):
        """Run the notebook from top to bottom, as the book's own tool does."""
        with pytest.MonkeyPatch.context() as environment:
            # With this set, the kernel would not show what its child processes print.
            environment.delenv("PYTEST_CURRENT_TEST", raising=False)
            return notebooks.execute(notebook, self.folder)

    def has(self, package):
        """Return whether the reader's Python can import `package`."""
        code = f"import importlib.util; print(bool(importlib.util.find_spec({package!r})))"
        return self.run("python", "-c", code).stdout.strip() == "True"


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    need_index(tmp_path_factory.mktemp("index"))


@pytest.fixture(scope="module")
def constraints(tmp_path_factory):
    """The versions of this environment, where the stored outputs come from."""
    here = versions()
    del here["convbook"]
    file = tmp_path_factory.mktemp("pip") / "constraints.txt"
    file.write_text("".join(f"{name}=={version}\n" for name, version in here.items()), "utf8")
    return file


@pytest.fixture(scope="module")
def base(index, constraints):
    return make_base(constraints)


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """This checkout, committed and uncommitted, as a git repository."""
    return copy_checkout(tmp_path_factory.mktemp("book"))


@pytest.fixture
def reader(base, book, constraints, tmp_path, monkeypatch):
    reader = Reader.arrive(tmp_path, base)
    monkeypatch.setenv("JUPYTER_PATH", str(reader.kernels))
    monkeypatch.setenv("CONVBOOK_SOURCE", f"git+{address_of(book)}")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("PIP_CONSTRAINT", str(constraints))
    # pip warns about settings of this machine; its errors are still shown.
    monkeypatch.setenv("PIP_QUIET", "1")
    return reader


def texts(notebook):
    """Return (cell's source, what it printed, what it showed as text) for each code cell.

    A cell whose output depends on the machine, and is marked so for nbval, only has to run.
    """
    found = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        ignored = "nbval-ignore-output" in cell.metadata.get("tags", [])
        printed, shown = {}, []
        for output in [] if ignored else cell.outputs:
            if output.output_type == "stream":  # in one piece or in many, as it happens
                printed[output.name] = printed.get(output.name, "") + output.text
            else:
                data = output.get("data", {})
                shown.append({mime: data[mime] for mime in data if mime.startswith("text/")})
        found.append((cell.source, printed, shown))
    return found


def contents(folder):
    """Return path -> bytes of every file below `folder`, but for compiled ones."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.launch
def test_the_environment_is_like_colabs(base, reader):
    here, there = versions(), versions(site_packages(base))
    for name in PREINSTALLED:  # torchvision may be missing here; its torch decides which it is
        assert there[name] == here.get(name, there[name])
    assert not reader.has("convbook")
    assert not reader.has("anywidget")
    assert reader.has("torch")


@pytest.mark.launch
@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_notebook_alone_installs_the_package_and_runs(path, base, book, reader):
    copied = shutil.copy(path, reader.folder)
    assert not reader.has("convbook")
    fresh = reader.execute(notebooks.read(Path(copied)))
    for new, stored in zip(texts(fresh), texts(notebooks.read(path)), strict=True):
        assert new == stored

    (information,) = reader.site.glob("convbook-*.dist-info")
    origin = json.loads((information / "direct_url.json").read_text("utf8"))
    assert origin["url"] == address_of(book)
    assert origin["vcs_info"]["commit_id"] == git(book, "rev-parse", "HEAD")
    installed, source = contents(reader.site / "convbook"), contents(book / "src" / "convbook")
    assert sorted(installed) == sorted(source)
    assert installed == source
    # Replacing a package that the kernel has imported would ask the reader to start it anew.
    assert not set(versions(reader.site)) & set(versions(site_packages(base)))


@pytest.mark.launch
def test_a_wrong_address_stops_the_notebook_and_names_the_reason(reader, monkeypatch):
    monkeypatch.setenv("CONVBOOK_SOURCE", NOWHERE)
    (reader.folder / "convbook").mkdir()  # a folder of that name is not the package
    cells = [nbformat.v4.new_code_cell(source) for source in (notebooks.LAUNCH_CELL, "print(1)")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    with pytest.raises(CellExecutionError, match="RuntimeError"):
        reader.execute(notebook)
    assert cells[0].outputs[-1].evalue.endswith(f"{NOWHERE} {REMEDY}")
    assert cells[1].outputs == []
    assert not list(reader.site.glob("convbook*"))


# ------------------------------------------------------------------------------------- Binder


@pytest.fixture(scope="module")
def plan(index, book, tmp_path_factory):
    """Return what repo2docker would do to build this checkout's image. It needs no Docker."""
    python = make_environment(tmp_path_factory.mktemp("repo2docker"))
    install = [python, "-m", "pip", "install", "--quiet", REPO2DOCKER]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    dry_run = [python, "-m", "repo2docker", "--no-build", "--debug", book]
    done = subprocess.run(dry_run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # File names are written with escapes: environment-2epy-2d3-2e12 is environment.py-3.12.
    plain = re.sub(r"-([0-9a-f]{2})", lambda code: chr(int(code[1], 16)), done.stdout)
    return done.stderr, done.stdout, plain


@pytest.mark.launch
def test_binder_has_the_pinned_python(plan):
    log, _, plain = plan
    version = (ROOT / "binder" / "runtime.txt").read_text("utf8").strip().removeprefix("python-")
    assert f"Building conda environment for python={version}\n" in log
    assert set(re.findall(r"environment\.py-([\d.]+)-", plain)) == {version}


@pytest.mark.launch
def test_binder_installs_the_requirements_and_the_package(plan):
    steps = [
        "COPY --chown=0:0 src/ ${REPO_DIR}/",  # requirements.txt names ../constraints.txt
        'RUN ${KERNEL_PYTHON_PREFIX}/bin/pip install --no-cache-dir -r "binder/requirements.txt"',
        "RUN ./binder/postBuild",
    ]
    lines = plan[1].splitlines()
    assert [line for line in lines if line in steps] == steps


@pytest.mark.launch
def test_binders_last_step_installs_the_package(reader, book, tmp_path):
    checkout = shutil.copytree(book, tmp_path / "checkout")
    script = checkout / "binder" / "postBuild"
    done = reader.run("bash", "-c", f'cd "{checkout}" && bash "{script}"')
    assert done.returncode == 0, done.stderr
    code = "import convbook; print(convbook.__file__)"
    assert Path(reader.run("python", "-c", code).stdout.strip()).is_relative_to(checkout)
    done = reader.run("python", "-c", notebooks.LAUNCH_CELL, CONVBOOK_SOURCE=NOWHERE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
