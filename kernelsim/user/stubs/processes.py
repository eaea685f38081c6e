"""The stubs of making, ending and awaiting processes."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from kernelsim.user import gate
from kernelsim.user.stubs import _c, resources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Processes"]


class Processes(gate.Gate):
    """The stubs of making, ending and awaiting processes."""

    async def fork(self) -> int:
        """Make a copy of this process; 0 in the child, the child's pid in the parent."""
        return await self.trap_("fork")

    async def vfork(self) -> int:
        """Make a child that borrows this process's memory; the parent waits until it execs or exits."""
        return await self.trap_("vfork")

    async def clone(
        self,
        flags: int,
        fn: Callable[[Any], Any] | None = None,
        parent_tid: gate.UserBuffer | None = None,
        child_tid: gate.UserBuffer | None = None,
    ) -> int:
        """Make a new task with raw clone flags, the exit signal in the low byte.

        Without `fn` the child goes on here, with 0; with it, it runs `async def fn(libc)`.
        CLONE_PARENT_SETTID stores the child's number in the word `parent_tid`, CLONE_CHILD_SETTID in
        `child_tid`; CLONE_CHILD_CLEARTID puts a 0 there, and wakes who waits for it, at its end.
        """
        number, words = operator.index(flags), (parent_tid, child_tid)
        if fn is not None and not callable(fn):
            raise TypeError(f"the child runs an async function of libc, not {type(fn).__name__}")
        args: list[Any] = [] if fn is None else [gate.Stack(fn)]
        if words != (None, None):
            args = [args[0] if args else 0, *words]
        return await self.trap_("clone", number, *args)

    async def waitpid(self, pid: int, options: int) -> tuple[int, int]:
        """Wait for children; (pid, status word), or (0, 0) with WNOHANG when none is ready."""
        return await self._wait4(_c.to_int(pid, "pid"), _c.to_int(options, "options"))

    async def wait(self) -> tuple[int, int]:
        """Wait for any child; (pid, status word)."""
        return await self._wait4(-1, 0)

    async def wait3(self, options: int) -> tuple[int, int, resources.struct_rusage]:
        """As wait4() for any child."""
        return await self._wait_used(-1, _c.to_int(options, "options"))

    async def wait4(self, pid: int, options: int) -> tuple[int, int, resources.struct_rusage]:
        """Wait for children; (pid, status word, what the child and its children have used)."""
        return await self._wait_used(_c.to_int(pid, "pid"), _c.to_int(options, "options"))

    async def _wait_used(self, pid: int, options: int) -> tuple[int, int, resources.struct_rusage]:
        stat, ru = gate.UserBuffer(), gate.UserBuffer()

        def found(ax: int) -> Any:
            return ax, stat.data or 0, resources.used(ru.data)

        return await self.trap_("wait4", pid, stat, options, ru, result=found)

    async def _wait4(self, pid: int, options: int) -> tuple[int, int]:
        stat = gate.UserBuffer()
        return await self.trap_(
            "wait4", pid, stat, options, None, result=lambda ax: (ax, stat.data or 0)
        )

    async def execve(
        self,
        path: str,
        argv: Iterable[str] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Run the program `path` in this process, with those arguments and that environment.

        Without them argv and envp are NULL: the program finds one empty argument and an empty
        environment, as on Linux.  Returns only if it fails.
        """
        args: tuple[Any, ...] = (str(path),)
        if argv is not None or env is not None:
            args += None if argv is None else _c.strings(argv), _c.environment(env or {})
        await self.trap_("execve", *args)
        raise gate.NewImage

    async def _exit(self, status: int) -> None:
        await self._leave("_exit", status)

    async def exit_group(self, status: int) -> None:
        """End the process; stdio's buffer is lost."""
        await self._leave("exit_group", status)

    async def waitid(self, idtype: int, id: int, options: int) -> tuple[int, int, int, int] | None:
        """Wait for children: (si_pid, si_signo, si_status, si_code), or None with WNOHANG when none is ready."""
        info = gate.UserBuffer()
        args = (
            _c.to_int(idtype, "idtype"),
            _c.to_int(id, "id"),
            info,
            _c.to_int(options, "options"),
            None,
        )
        signo, code, pid, _, status = await self.trap_("waitid", *args, result=lambda ax: info.data)
        return (pid, signo, status, code) if pid else None

    async def kill(self, pid: int, sig: int) -> None:
        """Send signal `sig` to the process, group or everybody that `pid` says."""
        await self.trap_(
            "kill", _c.to_int(pid, "pid"), _c.to_int(sig, "signal"), result=lambda ax: None
        )
