"""execve for the programs of a run: really a new image, whose interpreter then runs the program.

No counterpart in Linux. What is executed is this very Python, under a link whose name is the
program's, so that the kernel does all that it does at an execve: it names the task, closes what is
close-on-exec, resets handlers, keeps what is ignored, blocked and pending, and hands over argv and
envp. The programs themselves cross on one private descriptor, as `handover` writes them.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from kernelsim.host import handover

__all__ = ["IMAGE", "begin", "replace"]

IMAGE = 202  # the private descriptor: high, as those of `inside`

# What the interpreter sets at its start; an execve leaves it ignored or makes it the default.
_PYTHONS_OWN = (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ)
_START = "import sys; sys.path[:] = {!r}; from kernelsim.host import inside; inside.go_on()"


def replace(
    programs: Mapping[str, Callable[..., Any]],
    processes: int,
    path: str,
    argv: Sequence[str | bytes] | None,
    env: Mapping[str, str] | None,
) -> NoReturn:
    """Be `programs[path]`, or the host's own program of that path; OSError if the kernel refuses.

    Without `argv` the program gets one empty argument, as Linux gives it since 5.18 and 5.10.188.
    """
    if path not in programs:
        os.execve(path, list(argv or [path or "?"]), env or {})  # noqa: S606 (no shell is wanted)
    ignored = [sig for sig in _PYTHONS_OWN if signal.getsignal(sig) is signal.SIG_IGN]
    note = (path,) if argv is None and env is None else (path, argv, env)
    folder = tempfile.mkdtemp(prefix="kernelsim-image-")
    link = pathlib.Path(folder, path.rpartition("/")[2])
    try:
        link.symlink_to(sys.executable)
        _lay_out(handover.dumps((programs, processes, path, note, ignored, str(link))))
        flags = ["-I", "-S", "-B"]
        command = [sys.executable, *flags, "-c", _START.format(sys.path), *(argv or [""])]
        os.execve(link, command, env or {})  # noqa: S606
    finally:
        _clear(link)
        os.close(IMAGE)


def _lay_out(data: bytes) -> None:
    fd = os.memfd_create("kernelsim-image", 0)
    os.dup2(fd, IMAGE)
    os.close(fd)
    view = memoryview(data)
    while view:
        view = view[os.write(IMAGE, view) :]


def _clear(link: pathlib.Path) -> None:
    with contextlib.suppress(OSError):
        link.unlink()
        link.parent.rmdir()


def begin() -> tuple[
    Mapping[str, Callable[..., Any]], int, str, tuple[Any, ...], list[bytes], list[bytes]
]:
    """Return what `replace` handed over, and the arguments and the environment as the kernel laid them.

    Called first of all in the new image.
    """
    os.lseek(IMAGE, 0, os.SEEK_SET)
    with os.fdopen(IMAGE, "rb") as file:
        programs, processes, path, note, ignored, link = handover.loads(file.read())
    for sig in _PYTHONS_OWN:
        signal.signal(sig, signal.SIG_IGN if sig in ignored else signal.SIG_DFL)
    _clear(pathlib.Path(link))
    argv, envp = (_strings(f"/proc/self/{name}") for name in ("cmdline", "environ"))
    return programs, processes, path, note, argv[6:], envp


def _strings(path: str) -> list[bytes]:
    return pathlib.Path(path).read_bytes().split(b"\0")[:-1]
