"""include/linux/utsname.h, uapi/linux/utsname.h @ v5.10.188: the names of a machine, as a container sees them."""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux.ns_common import ns_common
from kernelsim.include.linux.types import refcount_t
from kernelsim.machine.ctype import array, char, ptr
from kernelsim.machine.ref import Struct

__all__ = ["get_uts_ns", "new_utsname", "uts_namespace"]

_LENGTH = 64 + 1  # __NEW_UTS_LEN and the 0 at the end


class new_utsname(Struct):
    """What uname(2) tells."""

    sysname = array(char, _LENGTH)
    nodename = array(char, _LENGTH)
    release = array(char, _LENGTH)
    version = array(char, _LENGTH)
    machine = array(char, _LENGTH)
    domainname = array(char, _LENGTH)


class uts_namespace(Struct):
    """A host name and a domain name of its own."""

    kref = refcount_t
    name = new_utsname
    user_ns = ptr("user_namespace")
    ucounts = ptr("ucounts")
    ns = ns_common


def get_uts_ns(ns: Any) -> Any:
    """Take a reference to `ns` (struct uts_namespace *)."""
    ns.kref += 1
    return ns
