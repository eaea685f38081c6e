"""arch/x86/kernel/vmlinux.lds.S @ v5.10.188: where the kernel's functions lie in its image.

Every module of the mirrored tree is linked, in one order, so that a function has the same address
in every process and on every machine.  Left out: sections, alignment, the functions' code.
"""

from __future__ import annotations

import importlib
import pkgutil

from kernelsim.machine import machine

__all__ = ["ROOMS", "link_kernel"]

ROOMS = ("kernel", "mm", "fs", "ipc", "net", "security", "lib", "init", "drivers", "arch")


def link_kernel() -> None:
    """Give every function of the kernel its address; to be called before the first boot."""
    names = []
    for room in ROOMS:
        package = importlib.import_module(f"kernelsim.{room}")
        found = pkgutil.walk_packages(package.__path__, f"kernelsim.{room}.")
        names += sorted(info.name for info in found)
    machine.link([importlib.import_module(name) for name in names])
