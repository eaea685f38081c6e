"""A JupyterLab of our own in a browser: settings of nobody else, one notebook at a time, no network."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TOKEN = "browser-tests"  # noqa: S105 (a server that lives for a test)
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    }
}
# Waiting for what JupyterLab shows (the "idle" of a session that is not connected yet) loses
# executions; its own promises do not.
OPEN = """async (path) => {
  const panel = await jupyterapp.commands.execute('docmanager:open', {path, factory: 'Notebook'});
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
  jupyterapp.shell.activateById(panel.id);
  window.thePanel = panel;
}"""
RUN_ALL = """async () => {
  jupyterapp.shell.activateById(thePanel.id);
  await jupyterapp.commands.execute('notebook:run-all-cells');
}"""
RUN_LAST = """async () => {
  thePanel.content.activeCellIndex = thePanel.content.widgets.length - 1;
  await jupyterapp.commands.execute('notebook:run-cell');
}"""
WHERE = """() => [...thePanel.node.querySelectorAll('.jp-WindowedPanel-outer, .ksw')]
  .map((e) => [e.scrollTop, e.scrollHeight, e.getBoundingClientRect().top])"""
CLOSE = """async () => {
  await thePanel.sessionContext.shutdown();
  await thePanel.context.save();
  thePanel.dispose();
}"""
READY = """() => typeof jupyterapp !== 'undefined' && jupyterapp.restored.then(() => true)"""
THEME = (
    """async (theme) => { await jupyterapp.commands.execute('apputils:change-theme', {theme}); }"""
)
SIDEBAR = (
    """(show) => { show ? jupyterapp.shell.expandLeft() : jupyterapp.shell.collapseLeft(); }"""
)
LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"


def chromium():
    return next(filter(None, map(shutil.which, BROWSERS)))


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Lab:
    """A JupyterLab server over the folder `root`."""

    def __init__(self, root, private):
        self.root, self.private = Path(root), Path(private)
        self.port = _free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        config = self.private / "config"
        (config / "labconfig").mkdir(parents=True)
        (config / "labconfig" / "default_setting_overrides.json").write_text(json.dumps(SETTINGS))
        folders = {
            "JUPYTER_CONFIG_DIR": config,
            "JUPYTER_DATA_DIR": self.private / "data",
            "JUPYTER_RUNTIME_DIR": self.private / "runtime",
            "JUPYTERLAB_SETTINGS_DIR": self.private / "settings",
            "JUPYTERLAB_WORKSPACES_DIR": self.private / "workspaces",
            "IPYTHONDIR": self.private / "ipython",
        }
        here = str(Path(__file__).resolve().parents[2])
        self.environment = {
            **os.environ,
            **{name: str(folder) for name, folder in folders.items()},
            "PYTHONPATH": os.pathsep.join([here, os.environ.get("PYTHONPATH", "")]),
        }
        self.process = None

    def start(self):
        command = [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            "--allow-root",
            "--ip=127.0.0.1",
            f"--port={self.port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={TOKEN}",
            f"--ServerApp.root_dir={self.root}",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.extension_manager=readonly",
        ]
        with (self.private / "lab.log").open("wb") as log:
            self.process = subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=log, cwd=self.root
            )
        for _ in range(300):
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                urllib.request.urlopen(f"{self.base}/api?token={TOKEN}", timeout=2)  # noqa: S310
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError((self.private / "lab.log").read_text())

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def write(self, name, *sources):
        """Make a notebook of these code cells."""
        cells = [
            {
                "id": f"cell-{i}",
                "cell_type": "code",
                "source": source,
                "metadata": {},
                "execution_count": None,
                "outputs": [],
            }
            for i, source in enumerate(sources)
        ]
        spec = {"display_name": "Python 3", "language": "python", "name": "python3"}
        notebook = {
            "cells": cells,
            "metadata": {"kernelspec": spec},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        (self.root / name).write_text(json.dumps(notebook))
        return name


class Desk:
    """A page with JupyterLab in it; it notes every request that leaves this machine."""

    def __init__(self, lab, browser):
        self.lab = lab
        self.page = browser.new_page()
        self.strangers, self.errors = [], []
        self.page.on("request", self._noted)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(f"{lab.base}/lab?reset&token={TOKEN}")
        self.page.wait_for_function(READY, timeout=60_000)

    def _noted(self, request):
        own = (self.lab.base, self.lab.base.replace("http", "ws", 1), "data:", "blob:")
        if not request.url.startswith(own):
            self.strangers.append(request.url)

    # The page as a test wants it, whatever the one before has left.
    def look(self, width=1280, height=900, theme=LIGHT, *, sidebar=True, motion=True):
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(reduced_motion="no-preference" if motion else "reduce")
        self.page.evaluate(THEME, theme)
        self.page.evaluate(SIDEBAR, sidebar)

    def open(self, name):
        self.page.evaluate(OPEN, name)

    def run_all(self):
        self.page.evaluate(RUN_ALL)

    def run_last(self):
        self.page.evaluate(RUN_LAST)

    def close(self):
        self.page.evaluate(CLOSE)

    # Wait until the notebook has stopped moving: JupyterLab scrolls, and pictures find their size.
    def settle(self):
        before = None
        while (now := self.page.evaluate(WHERE)) != before:
            before = now
            self.page.wait_for_timeout(300)

    # Wait for what is to appear, but no longer than until a cell has failed.
    def wait_for(self, locator, seconds=60):
        broken = self.page.locator(".jp-RenderedText[data-mime-type*=error]")
        for _ in range(seconds * 20):
            if locator.count():
                return
            if broken.count():
                raise AssertionError(broken.first.inner_text())
            self.page.wait_for_timeout(50)
        raise AssertionError(self.page.inner_text(".jp-Notebook"))
