"""A real JupyterLab that knows nothing of the settings of the machine it runs on."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
from nbformat.sign import NotebookNotary

START_TIMEOUT = 120  # seconds
SETTINGS = {
    # All cells are in the page at once, also those below the screen.
    "notebook-extension/tracker": {"windowingMode": "none"},
    # No question about news when it starts, and no request for them.
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
ADVANCED = "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"


class Lab:
    """JupyterLab on a port of its own, with `folder/work` as what it shows."""

    def __init__(self, folder: Path, theme: str = "JupyterLab Light"):
        self.folder, self.root = folder, folder / "work"
        self.root.mkdir()
        themes = {"apputils-extension/themes": {"theme": theme}}
        for name, values in (SETTINGS | themes).items():
            path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values), "utf8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}/"
        (folder / "data").mkdir()
        self.notary = NotebookNotary(data_dir=str(folder / "data"))

    def __enter__(self):
        rooms = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }
        own = {name: str(self.folder / room) for name, room in rooms.items()}
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", ADVANCED]
        command += [f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0"]
        command += [f"--ServerApp.root_dir={self.root}", "--IdentityProvider.token="]
        self.log = (self.folder / "log.txt").open("w")
        self.process = subprocess.Popen(
            command, env={**os.environ, **own, "CUDA_VISIBLE_DEVICES": ""}, cwd=self.root,
            stdout=self.log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()  # it ends its kernels
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def _wait(self) -> None:
        """Wait until the server answers."""
        end = time.monotonic() + START_TIMEOUT
        while self.process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                urllib.request.urlopen(f"{self.address}api/status", timeout=5).close()
                return
            time.sleep(0.1)  # a server that does not listen yet can only be asked again
        raise RuntimeError(f"JupyterLab did not start:\n{(self.folder / 'log.txt').read_text()}")

    def put(self, source: Path, name: str, trusted: bool) -> nbformat.NotebookNode:
        """Copy a notebook into the root under a name, trusted or not; return it."""
        (self.root / name).write_bytes(source.read_bytes())
        notebook = nbformat.read(source, as_version=4)
        (self.notary.sign if trusted else self.notary.unsign)(notebook)
        return notebook
