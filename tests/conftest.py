"""What every test relies on: which capabilities are there, and that nothing depends on chance.

A test that needs more than Python says so with a marker.  Where the need is not met the test is
skipped with the reason; with CI=true it fails instead, for there every need is to be installed.
"""

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile

import hypothesis
import pytest

# The same examples on every machine and in every run, and no files left behind.
hypothesis.settings.register_profile(
    "kernelsim", derandomize=True, database=None, deadline=None, print_blob=True
)
hypothesis.settings.load_profile("kernelsim")

# Leave for a PID namespace, through a user namespace if need be, and fork into it.
UNSHARE = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
NEWPID, NEWUSER = 0x20000000, 0x10000000
if libc.unshare(NEWPID) and libc.unshare(NEWUSER | NEWPID):
    sys.exit(os.strerror(ctypes.get_errno()))
pid = os.fork()
if pid == 0:
    os._exit(os.getpid() != 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def _lack_of_namespaces():
    if sys.platform != "linux":
        return f"PID namespaces are Linux's; this is {sys.platform}"
    done = subprocess.run(
        [sys.executable, "-c", UNSHARE], capture_output=True, text=True, check=False
    )
    why = done.stderr.strip() or f"status {done.returncode}"
    return f"no right to unshare a PID namespace ({why})" if done.returncode else None


def _lack_of_drgn():
    return None if importlib.util.find_spec("drgn") else "drgn is not installed (Linux x86-64 only)"


def _lack_of_browser():
    if not importlib.util.find_spec("playwright"):
        return "Playwright is not installed"
    if not any(map(shutil.which, BROWSERS)):
        return f"no Chromium on PATH (looked for {', '.join(BROWSERS)})"
    return None


def _lack_of_dot():
    return None if shutil.which("dot") else "Graphviz's dot is not on PATH"


def _lack_of_compiler():
    found = any(map(shutil.which, ("gcc", "cc")))
    return None if found else "no C compiler on PATH (looked for gcc, cc)"


LACKS = {
    "needs_namespaces": _lack_of_namespaces,
    "needs_drgn": _lack_of_drgn,
    "needs_browser": _lack_of_browser,
    "needs_dot": _lack_of_dot,
    "needs_compiler": _lack_of_compiler,
}


# The reason why the need is not met here, or None; asked once.
@functools.cache
def _lack(marker):
    return LACKS[marker]()


def pytest_runtest_setup(item):
    for marker in LACKS:
        if item.get_closest_marker(marker) and (reason := _lack(marker)):
            if os.environ.get("CI") == "true":
                pytest.fail(f"{marker}: {reason}; with CI=true it must be there", pytrace=False)
            pytest.skip(reason)


# The kernels that run notebooks see no IPython profile of the user's.
def pytest_configure(config):
    profile = tempfile.TemporaryDirectory()
    config.add_cleanup(profile.cleanup)
    os.environ["IPYTHONDIR"] = profile.name
    os.environ["TZ"] = "UTC"


# A run that executed no test has proved nothing: it fails, as one that found none does.
@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    is_worker = hasattr(session.config, "workerinput")
    if exitstatus != pytest.ExitCode.OK or is_worker or session.config.option.collectonly:
        return
    if not any(reporter.stats.get(outcome) for outcome in ("passed", "xfailed", "xpassed")):
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


# One Chromium for a whole test process: Playwright can't be started twice in one.
@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()
