"""init/version.c @ v5.10.188: what uname(2) tells of this kernel.

The build's number and date are ours, and fixed: no build made it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelsim.include.linux import proc_ns, utsname
from kernelsim.include.uapi.linux.sched import CLONE_NEWUTS

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = ["version_static_init"]

UTS_SYSNAME, UTS_NODENAME, UTS_DOMAINNAME = "Linux", "(none)", "(none)"
UTS_RELEASE, UTS_VERSION, UTS_MACHINE = "5.10.188", "#1", "x86_64"


def version_static_init(m: Machine) -> None:
    """Lay down init_uts_ns."""
    ops = proc_ns._operations(m, "utsns_operations", "uts", CLONE_NEWUTS, "utsns")
    ns = m.define("init_uts_ns", utsname.uts_namespace)
    ns.kref = 2
    ns.name.sysname, ns.name.nodename = UTS_SYSNAME, UTS_NODENAME
    ns.name.release, ns.name.version = UTS_RELEASE, UTS_VERSION
    ns.name.machine, ns.name.domainname = UTS_MACHINE, UTS_DOMAINNAME
    ns.user_ns = m.symbol("init_user_ns")
    ns.ns.inum, ns.ns.ops = proc_ns.PROC_UTS_INIT_INO, ops
