"""What a kernel offers for playing with numbers: IDRs, old hash tables, references to struct pids."""

from __future__ import annotations

from typing import Any

from kernelsim import held, ids, old_pids

__all__ = ["Numbering"]


class Numbering:
    """The part of a Kernel that makes IDRs and hash tables of one's own, and holds struct pids; a branch too."""

    now: int
    commands: list[tuple[int, str, tuple[Any, ...]]]
    _numbered: list[ids.Idr | old_pids.OldPids | held.Held]

    def idr(self, base: int = 0) -> ids.Idr:
        """Return a new, empty IDR in this kernel's memory, to be filled, drawn and inspected.

        `base` is its first number.
        """
        made = ids.Idr(self, base)
        self._keep(made, "idr", base)
        return made

    def pid_hash(self, megabytes: int = 1024, pid_max: int = 32768) -> old_pids.OldPids:
        """Return a new hash table of pids, as Linux 4.14 made it on a machine with so much memory."""
        made = old_pids.OldPids(self, megabytes, pid_max)
        self._keep(made, "pid_hash", megabytes, pid_max)
        return made

    def get_pid(self, number: int) -> held.Held:
        """Take a reference to the struct pid that has a number now, as kernel code does.

        :raises OSError: ESRCH, no struct pid has it.
        """
        made = held.Held(self, ids.as_int(number, "number"))
        self._keep(made, "get_pid", number)
        return made

    def _keep(self, made: ids.Idr | old_pids.OldPids | held.Held, how: str, *args: int) -> None:
        place = len(self._numbered)
        self._numbered.append(made)
        self.commands.append((self.now, how, args))

        def note(name: str, args: tuple[Any, ...]) -> None:
            self.commands.append((self.now, "_number", (place, name, *args)))

        made.note = note

    def _number(self, place: int, name: str, *args: Any) -> None:
        # What was done to the IDR, hash table or reference number `place`, done again in a branch.
        getattr(self._numbered[place], name)(*args)
