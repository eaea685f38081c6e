"""System calls, signals and deaths, as `strace -f -q` prints them.

What a call was given and returned comes from the events; the details of a signal and the status
of a death are read from memory as it was at that moment.  As a tracer sees them: a signal that
kills is shown, though without a tracer the kernel ends the process without delivering it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim.debug import strace_args, strace_calls
from kernelsim.include.linux import list as lists
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.uapi.asm import errno, signal
from kernelsim.machine.machine import PastMachine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelsim.machine.machine import Machine
    from kernelsim.machine.trace import Event

__all__ = ["Row", "Strace", "looking_back", "strace"]

COLUMN = 39  # what is before " = result"
_NO_RETURN = ("exit", "exit_group")
_RESTART = {
    -errno.ERESTARTSYS,
    -errno.ERESTARTNOINTR,
    -errno.ERESTARTNOHAND,
    -errno.ERESTART_RESTARTBLOCK,
}
_CAUSES = {getattr(signal, name): name for name in signal.__all__ if name.startswith("CLD_")}


def strace(m: Machine, since: int = 0, until: int | None = None) -> str:
    """Return the calls begun or ended in [since, until), and signals and deaths, one a line, with the pid."""
    return "".join(f"{_prefix(row.pid)}{row.text}\n" for row in Strace(m, since).rows(until))


def _prefix(pid: int) -> str:
    return f"[pid {pid:5}] "


class Row(NamedTuple):
    """A line that strace prints for task `pid`, begun by event `t` and finished by event `end`.

    Before `end` happened, only `known` characters of `text` were on the screen.
    """

    t: int
    end: int
    pid: int
    text: str
    known: int


class Strace:
    """What strace prints of one machine, from event `since` on; it grows as the machine goes on."""

    def __init__(self, m: Machine, since: int = 0) -> None:
        self.m = m
        self._seen = since
        self._screen = _Screen()
        self._leaving: dict[int, int] = {}  # the status of those who die of their own will

    def rows(self, until: int | None = None) -> list[Row]:
        """Return the rows of all events before time `until`, which never goes back."""
        self._read(self.m.trace.now if until is None else until)
        return self._screen.rows()

    def _read(self, until: int) -> None:
        m, screen = self.m, self._screen
        events = [m.trace.event(t) for t in m.trace.points(self._seen, until)]
        details = _details(m, events, self._leaving, self._seen)
        self._seen = max(self._seen, until)
        for event in events:
            pid, f = event.pid, event.fields
            screen.t = event.t
            if event.name == "sys_enter":
                screen.enter(pid, strace_args.call_name(f["id"]), f["args"])
            elif event.name == "sys_exit":
                screen.leave(pid, strace_args.call_name(f["id"]), f["args"], f["ret"])
            elif event.name == "signal_deliver":
                screen.line(pid, f"--- {details[event.t]} ---")
            elif event.name == "sched_process_exit":
                screen.death(pid, *details[event.t])


# --- what memory tells -------------------------------------------------------------------------


def _details(
    m: Machine, events: list[Event], leaving: dict[int, int], since: int
) -> dict[int, Any]:
    # By the time of the event: of a signal its siginfo, of a death (status word, siginfo or "").
    moments: list[tuple[int, Event]] = []
    found: dict[int, Any] = {}
    for e in events:
        if e.name == "sys_enter" and strace_args.call_name(e.fields["id"]) in _NO_RETURN:
            leaving[e.pid] = (e.fields["args"][0] & 0xFF) << 8
        elif e.name == "sched_process_exit" and e.pid in leaving:
            found[e.t] = leaving.pop(e.pid), ""
        elif e.name in ("signal_deliver", "sched_process_exit"):
            moments.append((_dequeued(m, e) if e.name == "signal_deliver" else e.t, e))
    delivered = {(e.pid, e.fields["sig"]) for _, e in moments if e.name == "signal_deliver"}
    for e, past in looking_back(m, moments):
        task = past.current
        if e.name == "signal_deliver":
            found[e.t] = _siginfo(task, e.fields["sig"])
            continue
        sig = task.exit_code & 0x7F
        unseen = sig and sig != signal.SIGKILL and (e.pid, sig) not in delivered
        found[e.t] = task.exit_code, _siginfo(task, sig) if unseen else ""
    return found


def _dequeued(m: Machine, delivered: Event) -> int:
    # When the task began to take the signal: then it was still queued.  That may be in an earlier piece.
    for t in range(delivered.t - 1, -1, -1):
        event = m.trace.event(t)
        if event.pid == delivered.pid and event.kind != "exit":
            if event.name == "dequeue_signal":
                return t
            if event.name == delivered.name:
                break
    return delivered.t


def looking_back(m: Machine, moments: list[tuple[int, Event]]) -> Iterator[tuple[Event, Any]]:
    """Yield each event with the machine at its moment, latest first."""
    for t, e in sorted(moments, key=lambda moment: (moment[0], moment[1].t), reverse=True):
        yield e, PastMachine(m, t)


def _siginfo(task: Any, sig: int) -> str:
    # The signal's name and details, from the queue it waits in.
    for pending in (task.pending, task.signal.shared_pending):
        for q in lists.list_for_each_entry(sched_signal.sigqueue, pending.list, "list"):
            if q.si_signo == sig:
                return f"{strace_args.signal_name(sig)} {{{', '.join(_fields(q))}}}"
    name = strace_args.signal_name(sig)  # there was no memory for details
    return f"{name} {{si_signo={name}, si_code=SI_USER, si_pid=0, si_uid=0}}"


def _fields(q: Any) -> Iterator[str]:
    yield f"si_signo={strace_args.signal_name(q.si_signo)}"
    if q.si_code == signal.SI_KERNEL:
        yield "si_code=SI_KERNEL"
        return
    child = q.si_signo == signal.SIGCHLD and q.si_code in _CAUSES
    yield f"si_code={_CAUSES[q.si_code] if child else 'SI_USER'}"
    yield f"si_pid={q.si_pid}"
    yield f"si_uid={q.si_uid}"
    if child:
        exited = q.si_code == signal.CLD_EXITED
        yield f"si_status={q.si_status if exited else strace_args.signal_name(q.si_status)}"
        yield "si_utime=0"
        yield "si_stime=0"


# --- the screen --------------------------------------------------------------------------------


class _Screen:
    # The rows so far; a call stays open on the last one until its result or somebody else comes.
    def __init__(self) -> None:
        self.t = 0  # the time of the event that is read
        self.done: list[Row] = []
        self.open: int | None = None  # whose call the last line is, still without a result
        self.cut: dict[int, int] = {}  # calls cut short: how many of their arguments were printed
        # The line with which a task's call was interrupted, and its text before what came with the result.
        self.restarted: dict[int, tuple[int, str]] = {}

    def rows(self) -> list[Row]:
        if self.open is None:
            return list(self.done)
        return [*self.done[:-1], _unfinished(self.done[-1])]

    def line(self, pid: int, text: str) -> None:
        self._suspend()
        self.restarted.pop(pid, None)
        self.done.append(Row(self.t, self.t, pid, text, len(text)))

    def _suspend(self) -> None:
        if self.open is not None:
            self.done[-1] = _unfinished(self.done[-1])
            self.open = None

    def _finish(self, result: str, more: str = "") -> None:
        row = self.done[-1]
        text = _with_result(row.pid, row.text + more, result)
        self.done[-1] = row._replace(end=self.t, text=text)
        self.open = None

    def enter(self, pid: int, name: str, args: tuple[Any, ...]) -> None:
        texts, known = strace_calls.arguments(name, args, -1), strace_calls.early(name, args)
        more = ", " if 0 < known < len(texts) else ""
        self.line(pid, f"{name}({', '.join(texts[:known])}{more}")
        self.open, self.cut[pid] = pid, known
        if name in _NO_RETURN:
            self._finish("?")
            del self.cut[pid]

    def leave(self, pid: int, name: str, args: tuple[Any, ...], ret: int) -> None:
        texts, known = strace_calls.arguments(name, args, ret), self.cut.pop(pid, None)
        if self.open != pid and known is not None:
            self.line(pid, f"<... {name} resumed>")
        elif self.open != pid:  # begun before the time asked for, or restarted by the kernel
            known = 0
            self.line(pid, f"{name}(")
        begun = self.done[-1].text + (" <unfinished ...>" if texts[known:] else "")
        self._finish(strace_calls.result(name, ret, args), ", ".join(texts[known:]))
        if ret in _RESTART:
            self.restarted[pid] = len(self.done) - 1, begun

    def death(self, pid: int, status: int, siginfo: str) -> None:
        sig, dumped = status & 0x7F, "(core dumped) " if status & 0x80 else ""
        if sig == signal.SIGKILL and pid in self.restarted:  # a tracer does not see that result
            place, begun = self.restarted[pid]
            text = _with_result(pid, begun, "?")
            self.done[place] = self.done[place]._replace(end=self.t, text=text)
        if siginfo:
            self.line(pid, f"--- {siginfo} ---")
        how = (
            f"killed by {strace_args.signal_name(sig)} {dumped}"
            if sig
            else f"exited with {status >> 8 & 0xFF} "
        )
        self.line(pid, f"+++ {how}+++")


def _with_result(pid: int, call: str, result: str) -> str:
    return f"{call + ')':{COLUMN - len(_prefix(pid))}} = {result}"


def _unfinished(row: Row) -> Row:
    return row._replace(text=f"{row.text} <unfinished ...>", known=row.known + 17)
