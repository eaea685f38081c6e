"""A reader's code in a process of its own: it can't hang, crash or change the notebook it comes from.

Where the system can fork, `results` runs the work in a forked child, which sends each result as
soon as it has it; the child has limits on its processor time and its memory, and is killed after a
time.  Elsewhere (Windows, a browser) the work is done in place.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pathlib
import pickle
import select
import signal
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["Cut", "results"]

CPU_SECONDS = 10  # that the work may compute
SECONDS = 60  # that it may take, asleep or kept waiting by others
MEMORY = 2 << 30  # that it may take on top of what there is
PRINTED = 2000  # characters of what it prints that are kept


class Cut(NamedTuple):
    """Stands at the end of results that end too early: why, and what was printed."""

    why: str
    printed: str = ""


def results(work: Callable[[], Iterable[Any]]) -> Iterator[Any]:
    """Yield what `work` yields, then a Cut with an empty or true `why`.

    A KeyboardInterrupt inside is raised here; so is any exception that is the work's own.
    """
    if not hasattr(os, "fork") or sys.platform == "emscripten":
        yield from work()
        yield Cut("")
        return
    read, write = os.pipe()
    with warnings.catch_warnings():  # Python 3.12 and later warn of a fork beside other threads
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        os.close(read)
        _child(work, write)
    os.close(write)
    try:
        yield from _received(read)
    finally:
        os.close(read)
        for kill in (os.killpg, os.kill):  # what it has started, and itself
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


# --- the parent -------------------------------------------------------------------------------


def _received(read: int) -> Iterator[Any]:
    deadline = time.monotonic() + SECONDS
    data = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([read], [], [], left)[0]:
            yield Cut(f"does not come back: stopped after {SECONDS} seconds")
            return
        chunk = os.read(read, 1 << 16)
        if not chunk:
            yield Cut("ends Python itself, or needs more time or memory than there is")
            return
        data += chunk
        while len(data) >= 8 and len(data) >= 8 + (size := int.from_bytes(data[:8], "little")):
            found, data = pickle.loads(data[8 : 8 + size]), data[8 + size :]  # noqa: S301 - our own child's
            if isinstance(found, BaseException):
                raise found
            yield found
            if isinstance(found, Cut):
                return


# --- the child --------------------------------------------------------------------------------


class _Printed:
    # What the work prints: the beginning of it.
    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        if len(self.text) < PRINTED:
            self.text = (self.text + text)[:PRINTED]
        return len(text)

    def flush(self) -> None:
        return

    def isatty(self) -> bool:
        return False


def _child(work: Callable[[], Iterable[Any]], write: int) -> NoReturn:
    try:
        os.setsid()
        gc.freeze()  # what was there before is not ours to look through
        _limit()
        printed = _Printed()
        sys.stdout = sys.stderr = printed
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        try:
            for found in work():
                _send(write, found)
            _send(write, Cut("", printed.text))
        except KeyboardInterrupt:
            _send(write, KeyboardInterrupt())
        except Exception as error:  # noqa: BLE001 - it is raised again by whoever reads
            _send(write, error)
    finally:
        os._exit(0)


def _send(write: int, found: Any) -> None:
    data = pickle.dumps(found)
    data = len(data).to_bytes(8, "little") + data
    while data:
        data = data[os.write(write, data) :]


def _limit() -> None:
    import resource  # there is none on Windows

    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, ValueError):
        statm = pathlib.Path("/proc/self/statm").read_text(encoding="ascii")
        now = int(statm.split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, now + MEMORY))
