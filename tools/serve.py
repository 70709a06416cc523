"""Serve the book and rebuild it on every change: `python -m tools.serve --port 8000`."""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "_build" / "conf"


def write_sphinx_config() -> None:
    """Translate `_config.yml` into the `conf.py` that sphinx-autobuild needs."""
    from jupyter_book.config import get_final_config  # noqa: PLC0415  (slow to import)

    config, _ = get_final_config(
        user_yaml=ROOT / "_config.yml",
        sourcedir=ROOT,
        cli_config={"latex_individualpages": False, "external_toc_path": str(ROOT / "_toc.yml")},
    )
    # Relative paths in conf.py would be read from _build/conf.
    for key in ("html_logo", "html_favicon"):
        config[key] = str(ROOT / config[key])
    config["bibtex_bibfiles"] = [str(ROOT / file) for file in config["bibtex_bibfiles"]]
    lines = [f"{key} = {value!r}" for key, value in sorted(config.items())]
    CONFIG.mkdir(parents=True, exist_ok=True)
    (CONFIG / "conf.py").write_text("\n".join(lines) + "\n", "utf8")


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    write_sphinx_config()
    command = [sys.executable, "-m", "sphinx_autobuild", str(ROOT), str(ROOT / "_build" / "html")]
    command += [
        "-c",
        str(CONFIG),
        "-d",
        str(ROOT / "_build" / "serve"),
        "--port",
        str(options.port),
    ]
    # -a writes every page: Sphinx does not know that pages depend on the package's style and code.
    command += ["-a", "--watch", str(ROOT / "src")]
    for ignored in ("_build", ".git", ".venv*", ".pytest_cache", ".ruff_cache", "src/*.egg-info"):
        command += ["--ignore", str(ROOT / ignored / "*")]
    try:
        return subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
