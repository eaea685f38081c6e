"""The stubs of signals."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.asm import signal as asm_signal
from kernelsim.user import gate
from kernelsim.user.stubs import _c

if TYPE_CHECKING:
    from collections.abc import Iterable

_HANDLERS = 0x402000  # where the code of a program's handlers is said to begin

__all__ = ["Signals"]


class Signals(gate.Gate):
    """The stubs of signals."""

    async def pause(self) -> None:
        """Sleep until a signal has been handled."""
        try:
            await self.trap_("pause")
        except OSError as error:  # it never returns anything else
            if error.errno != errno.EINTR:
                raise

    async def signal(self, sig: int, handler: Any) -> Any:
        """Set what happens at `sig`: SIG_DFL, SIG_IGN, or `async def handler(sig)`; the old one.

        Calls that the handler interrupts are made once more, as Python does it.
        """
        if not 1 <= sig <= 64:
            raise ValueError("signal number out of range")
        return await self.sigaction(sig, handler, asm_signal.SA_RESTART)

    async def sigaction(
        self, sig: int, handler: Any, flags: int = 0, mask: Iterable[int] = ()
    ) -> Any:
        """As `signal`, with SA_* flags, and signals that are blocked while the handler runs."""
        old = gate.UserBuffer()
        act = self._address(handler), operator.index(flags), _c.sigset(mask)
        address, _, _ = await self.trap_(
            "rt_sigaction", _c.to_int(sig, "signal"), act, old, 8, result=lambda ax: old.data
        )
        return self.handlers_.get(address, address)

    def _address(self, handler: Any) -> int:
        # Where a handler is: functions get addresses in the order in which they are named.
        if not callable(handler) or isinstance(handler, int):
            return operator.index(handler)
        if self._log is None:
            raise TypeError("a puppet has no code that could handle a signal: SIG_DFL or SIG_IGN")
        known = [address for address, one in self.handlers_.items() if one is handler]
        if known:
            return known[0]
        address = self.again_.pop(0) if self.again_ else _HANDLERS + 16 * len(self.handlers_)
        self.named_.append(address)
        self.handlers_[address] = handler
        return address

    async def sigprocmask(self, how: int, mask: Iterable[int]) -> set[int]:
        """Block (SIG_BLOCK), unblock or set the signals that wait; the set before."""
        old = gate.UserBuffer()
        args = (_c.to_int(how, "how"), _c.sigset(mask), old, 8)
        return _c.signals(await self.trap_("rt_sigprocmask", *args, result=lambda ax: old.data))

    async def sigpending(self) -> set[int]:
        """The signals that have come and wait because they are blocked."""
        found = gate.UserBuffer()
        return _c.signals(await self.trap_("rt_sigpending", found, 8, result=lambda ax: found.data))

    async def tgkill(self, tgid: int, tid: int, sig: int) -> None:
        """Send signal `sig` to one thread."""
        args = (_c.to_int(tgid, "tgid"), _c.to_int(tid, "tid"), _c.to_int(sig, "signal"))
        await self.trap_("tgkill", *args, result=lambda ax: None)
