"""Recorded long runs: what they measured, on which machine, from which commit.

A script in `benchmarks/` calls `record`; a chapter calls `load`, plots the numbers and says where
they come from (`origin`). The files are part of the package, so that a chapter opened alone, on
Colab say, has them too. Reading them needs no torch.
"""

import json
from pathlib import Path

from convbook._files import atomic_write

FOLDER = Path(__file__).parent


def names(folder=None):
    """Return the names of the recorded runs in a folder, or in the package, sorted."""
    return sorted(path.stem for path in Path(folder or FOLDER).glob("*.json"))


def load(name, folder=None):
    """Return the recorded run `name` as a dict.

    Raises:
        ValueError: there is no such run; the message names those there are.

    Example:
        >>> load("02_conv_as_matmul")["seed"]
        0
    """
    if name not in names(folder):
        known = ", ".join(names(folder)) or "none yet"
        raise ValueError(f"name={name!r} is no recorded run; recorded are: {known}")
    return json.loads((Path(folder or FOLDER) / f"{name}.json").read_text("utf8"))


def origin(run, part=None):
    """Return in two lines where a run comes from: machine, versions, seeds, data, commit.

    Args:
        run: what `load` returned.
        part: of a record whose parts were measured at commits of their own (its `commits`): then
            the commit is the part's, and so are the seeds.

    Raises:
        ValueError: the record has no such part; the message names those it has.

    Example:
        >>> origin(load("02_conv_as_matmul")).startswith("Recorded on ")
        True
        >>> origin(load("14_gpu"), "fast").endswith("commit d1f3aa3fd5.")
        True
    """
    machine, versions, commit = run["machine"], run["versions"], run["commit"]
    seeds = run.get("seeds", [run["seed"]])
    if part is not None:
        commits = run.get("commits", {})
        if part not in commits:
            known = ", ".join(commits) or "none"
            raise ValueError(
                f"part={part!r} has no commit in this record; those that have: {known}"
            )
        commit, seeds = commits[part], _seeds(run[part]) or [run["seed"]]
    threads = "one thread" if machine["threads"] == 1 else f"{machine['threads']} threads"
    seeds = f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
    card = f"{machine['gpu']}, " if "gpu" in machine else ""
    return (
        f"Recorded on {card}{machine['processor']}, {threads}, "
        f"Python {versions['python']}, PyTorch {versions['torch']},\n"
        f"{seeds}, data: {run['data']}, commit {commit[:10]}."
    )


def _seeds(part):
    """Return the seeds of a part's runs; none where it was measured once."""
    return [one["seed"] for one in part.get("runs", [])] if isinstance(part, dict) else []


def record(name, seed, data, results, folder=None):
    """Write `results`, with the machine, the versions and the commit, to `folder/name.json`.

    Args:
        name: of the file, without its ending.
        seed: that the random numbers started from.
        data: one line that says what went in.
        results: what was measured, anything that JSON can hold.
        folder: where the file goes; left out, into the package.

    Raises:
        ValueError: a tracked file is changed, so that the commit would not be what ran.
    """
    # Reading a run needs no torch; recording one does.
    from convbook.train.provenance import check_committed  # noqa: PLC0415

    check_committed()
    write(name, seed, data, results, folder or FOLDER)


def write(name, seed, data, results, folder):
    """Write what `record` does into a folder, whatever is committed: a trial."""
    from convbook.train.provenance import provenance  # noqa: PLC0415

    content = {**provenance(seed, data), **results}
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / f"{name}.json") as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n", "utf8")
