"""include/net/net_namespace.h @ v5.10.188: a namespace of network devices, addresses, ports and routes.

It is counted, owned and entered as in Linux.  Left out: the network.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux.ns_common import ns_common
from kernelsim.include.linux.types import refcount_t
from kernelsim.machine.ctype import ptr
from kernelsim.machine.ref import Struct

__all__ = ["get_net", "net"]


class net(Struct):
    """A network of its own."""

    passive = refcount_t
    count = refcount_t
    user_ns = ptr("user_namespace")
    ucounts = ptr("ucounts")
    ns = ns_common


def get_net(net: Any) -> Any:
    """Take a reference to `net` (struct net *)."""
    net.count += 1
    return net
