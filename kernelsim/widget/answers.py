"""What comes of a system call, in words: a result, an errno, sleep, an oops, a panic.

Pure functions of what `Kernel.call` returned or raised; nothing here looks into a machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from kernelsim.include.uapi.asm import errno, signal
from kernelsim.machine.cpu import Panic
from kernelsim.machine.memory import Fault
from kernelsim.session import PENDING

__all__ = ["ERRNO", "Answer", "answer", "errno_name", "failure", "status"]

Kind = Literal["result", "errno", "pending", "gone", "oops", "panic", "refused"]


class Answer(NamedTuple):
    """A line of the panel: the call with its result as strace would show it, and what that means."""

    kind: Kind
    head: str
    tail: str

    def __str__(self) -> str:
        return f"{self.head}: {self.tail}" if self.tail else self.head


ERRNO = {
    "EPERM": "this is not allowed",
    "ENOENT": "there is no such file",
    "ESRCH": "there is no such process",
    "EINTR": "a signal came before the call could finish",
    "EIO": "the device failed",
    "E2BIG": "the arguments are too long",
    "ENOEXEC": "the file is no program",
    "EBADF": "this descriptor is not open, or not open for that",
    "ECHILD": "there is no such child to wait for",
    "EAGAIN": "not now: there is no process number left, or the call would have to sleep",
    "ENOMEM": "memory is full",
    "EACCES": "the permissions forbid it",
    "EFAULT": "the address is not the program's own",
    "EBUSY": "it is in use",
    "EEXIST": "it exists already",
    "ENODEV": "there is no such device",
    "ENOTDIR": "a part of the path is no directory",
    "EISDIR": "it is a directory",
    "EINVAL": "an argument has a value that cannot be",
    "ENFILE": "the whole system has too many open files",
    "EMFILE": "the process has too many open files",
    "ENOTTY": "the file is no terminal",
    "ENOSPC": "there is no room left",
    "ESPIPE": "a pipe has no position",
    "EPIPE": "nobody has the reading end open any more",
    "ENAMETOOLONG": "the name is too long",
    "ENOSYS": "this system call does not exist",
    "ENOPKG": "a part of the kernel is missing that this needs",
    "EOVERFLOW": "the value does not fit",
    "EUSERS": "there are too many users",
    "EOPNOTSUPP": "the file cannot do that",
    "ETIMEDOUT": "the time was over before it happened",
}
"""Each errno in words, by name."""

_NAMES = {n: name for name, n in vars(errno).items() if name.startswith("E") and n < 512}
_SIGNALS = {
    n: name
    for name, n in vars(signal).items()
    if name.startswith("SIG") and not name.startswith("SIG_") and n < 32
}


def status(word: int) -> str:
    """Say what a wait status means: how the child ended, or that it stopped."""
    low = word & 0x7F
    if word == 0xFFFF:
        return "goes on"
    if word & 0xFF == 0x7F:
        return f"stopped by {_signal(word >> 8)}"
    return f"killed by {_signal(low)}" if low else f"exited with status {word >> 8 & 0xFF}"


def _signal(number: int) -> str:
    return _SIGNALS.get(number, f"signal {number}")


def _waited(value: tuple[int, int]) -> str:
    pid, word = value
    return f"child {pid} {status(word)}" if pid else "no child has ended yet (WNOHANG)"


_MEANS: dict[str, Callable[[Any], str]] = {
    "fork": lambda pid: f"the child is {pid}; the child's own fork returns 0",
    "vfork": lambda pid: f"the child is {pid}; it has given the memory back",
    "clone": lambda pid: f"the new task is {pid}",
    "waitpid": _waited,
    "getpid": lambda _: "its own number",
    "getppid": lambda pid: "its parent's number" if pid else "its parent is outside",
    "pipe": lambda fds: f"read from descriptor {fds[0]}, write to {fds[1]}",
    "read": lambda data: f"{len(data)} bytes" if data else "end of file: nobody can write any more",
    "write": lambda n: f"{n} bytes are on their way",
}


def answer(task: str, call: str, value: Any, *, alive: bool = True, sleeps_in: str = "") -> Answer:
    """Say what `value`, which `Kernel.call` returned, means.

    :param task: who made the call, "bash (3)".
    :param call: the call as C writes it.
    :param alive: whether the task lives on.
    :param sleeps_in: the kernel function it sleeps in, if the value is PENDING.
    """
    head = f"{task}: {call}"
    if isinstance(value, Panic):
        return failure(task, call, value)
    if value is PENDING:
        where = f" in {sleeps_in}()" if sleeps_in else ""
        return Answer("pending", f"{head} …", f"sleeps{where}; it returns when the kernel wakes it")
    if not alive:
        return Answer("gone", head, "does not return: the task has ended")
    means = _MEANS.get(call.partition("(")[0], lambda _: "")
    return Answer("result", f"{head} = {_shown(value)}", "" if value is None else means(value))


def _shown(value: Any) -> str:
    # The value as the reader's own Python shows it; None is C's 0.
    return "0" if value is None else repr(value)


def errno_name(error: BaseException) -> str:
    """Return the name of the errno that `error` stands for, "" if it is no OSError."""
    if not isinstance(error, OSError):
        return ""
    return _NAMES.get(error.errno or 0, f"errno {error.errno}")


def failure(task: str, call: str, error: BaseException, why: str = "") -> Answer:
    """Say what `error`, which `Kernel.call` raised, means, and `why` it was raised if that is known."""
    head = f"{task}: {call}"
    if isinstance(error, OSError):
        name = errno_name(error)
        words = why or ERRNO.get(name, error.strerror or "")
        return Answer("errno", f"{head} = −1 {name}", words)  # noqa: RUF001 (a minus sign)
    if isinstance(error, Panic):
        words = f"{error}. The machine has stopped for good: step back, branch before it, or reboot"
        return Answer("panic", head, words)
    if isinstance(error, Fault):
        return Answer("oops", head, f"{error}")
    if isinstance(error, ValueError | TypeError | LookupError | OverflowError):
        text = str(error.args[0] if error.args else error)
        return Answer("refused", head, text)
    words = f"kernelsim itself failed ({type(error).__name__}: {error}); please report it"
    return Answer("refused", head, words)
