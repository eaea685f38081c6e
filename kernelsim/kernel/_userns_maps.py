"""The part of kernel/user_namespace.c @ v5.10.188 that reads and writes uid_map, gid_map and setgroups.

Left out: more than five stretches, project ids.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import user_namespace as user_ns_h
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux import capability as caps
from kernelsim.kernel import capability, user_namespace
from kernelsim.security import commoncap

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = [
    "map_write",
    "new_idmap_permitted",
    "proc_gid_map_write",
    "proc_setgroups_write",
    "proc_uid_map_write",
    "show",
    "verify_root_map",
]

_INVALID = 0xFFFF_FFFF
_PAGE_SIZE = 4096
_LINE = re.compile(rb"\s*(\d+)\s+(\d+)\s+(\d+)\s*")
_Extents = list[tuple[int, int, int]]  # (first, lower_first, count)


def show(ns: Any, name: str, reader: Any) -> bytes:
    """Return what the file `name` of `ns` says to who opened it in `reader` (struct user_namespace *)."""
    if name == "setgroups":
        return b"allow\n" if ns.flags & user_ns_h.USERNS_SETGROUPS_ALLOWED else b"deny\n"
    lower = ns.parent if reader == ns and ns.parent else reader
    back = user_namespace.from_kuid if name == "uid_map" else user_namespace.from_kgid
    map = getattr(ns, name)
    extents = [map.extent[i] for i in range(map.nr_extents)]
    return b"".join(
        b"%10d %10d %10d\n" % (e.first, back(lower, e.lower_first), e.count) for e in extents
    )


def _parse(data: bytes) -> _Extents | int:
    # The stretches that the lines say, or -EINVAL.
    found: _Extents = []
    for line in data.removesuffix(b"\n").split(b"\n"):
        match = _LINE.fullmatch(line)
        if match is None:
            return -errno.EINVAL
        first, lower, count = (int(n) & _INVALID for n in match.groups())
        if _INVALID in (first, lower) or not count or max(first, lower) + count > _INVALID:
            return -errno.EINVAL
        for was_first, was_lower, was_count in found:  # mappings_overlap()
            if was_first < first + count and first < was_first + was_count:
                return -errno.EINVAL
            if was_lower < lower + count and lower < was_lower + was_count:
                return -errno.EINVAL
        found.append((first, lower, count))
    return found if len(found) <= user_ns_h.UID_GID_MAP_MAX_BASE_EXTENTS else -errno.EINVAL


def _file_ns_capable(file: Any, ns: Any, cap: int) -> bool:
    # Had who opened the file the capability?
    return not commoncap.cap_capable(file.f_cred, ns, cap)


def verify_root_map(file: Any, map_ns: Any, extents: _Extents) -> bool:
    """Return whether the writer may map root of the namespace above, if `extents` do that."""
    if all(lower for _, lower, _ in extents):
        return True
    if map_ns == file.f_cred.user_ns:
        return bool(map_ns.parent_could_setfcap)
    return _file_ns_capable(file, map_ns.parent, caps.CAP_SETFCAP)


def new_idmap_permitted(m: Machine, file: Any, ns: Any, cap_setid: int, extents: _Extents) -> bool:
    """Return whether who opened `file` may map these ids: its own one alone, or any with `cap_setid`."""
    cred, users = file.f_cred, cap_setid == caps.CAP_SETUID
    if users and not verify_root_map(file, ns, extents):
        return False
    if len(extents) == 1 and extents[0][2] == 1 and ns.owner == cred.euid:
        id = extents[0][1]
        if users:
            if user_namespace.make_kuid(ns.parent, id) == cred.euid:
                return True
        elif (
            not ns.flags & user_ns_h.USERNS_SETGROUPS_ALLOWED
            and user_namespace.make_kgid(ns.parent, id) == cred.egid
        ):
            return True
    return capability.ns_capable(m, ns.parent, cap_setid) and _file_ns_capable(
        file, ns.parent, cap_setid
    )


def map_write(m: Machine, file: Any, data: bytes, cap_setid: int, map: Any, parent_map: Any) -> int:
    """Set `map` (struct uid_gid_map *) once and for all; how many bytes, -EINVAL or -EPERM.

    `data` is lines of: the first id, which id that is in the namespace above, how many.
    """
    ns = user_ns_h.user_namespace(m, file.private_data)
    if file.f_pos or len(data) >= _PAGE_SIZE:
        return -errno.EINVAL
    if map.nr_extents or not _file_ns_capable(file, ns, caps.CAP_SYS_ADMIN):
        return -errno.EPERM
    extents = _parse(data)
    if isinstance(extents, int):
        return extents
    if not new_idmap_permitted(m, file, ns, cap_setid, extents):
        return -errno.EPERM
    lowers = [user_namespace._map_id_range_down(parent_map, low, n) for _, low, n in extents]
    if _INVALID in lowers:
        return -errno.EPERM
    for i, (first, _, count) in enumerate(extents):
        extent = map.extent[i]
        extent.first, extent.lower_first, extent.count = first, lowers[i], count
    map.nr_extents = len(extents)
    file.f_pos = len(data)
    return len(data)


async def _write(m: Machine, file: Any, data: bytes, cap_setid: int, name: str) -> int:
    ns = user_ns_h.user_namespace(m, file.private_data)
    opener = file.f_cred.user_ns
    if not ns.parent or opener not in (ns, ns.parent):
        return -errno.EPERM
    return map_write(m, file, data, cap_setid, getattr(ns, name), getattr(ns.parent, name))


async def proc_uid_map_write(m: Machine, file: Any, data: bytes) -> int:
    """Write /proc/PID/uid_map."""
    return await _write(m, file, data, caps.CAP_SETUID, "uid_map")


async def proc_gid_map_write(m: Machine, file: Any, data: bytes) -> int:
    """Write /proc/PID/gid_map."""
    return await _write(m, file, data, caps.CAP_SETGID, "gid_map")


async def proc_setgroups_write(m: Machine, file: Any, data: bytes) -> int:
    """Write "allow" or "deny" to /proc/PID/setgroups; -EINVAL for anything else, -EPERM when it is too late."""
    ns = user_ns_h.user_namespace(m, file.private_data)
    match = re.fullmatch(rb"(allow|deny)\s*", data)
    if file.f_pos or len(data) >= 8 or match is None:
        return -errno.EINVAL
    if match[1] == b"allow":
        if not ns.flags & user_ns_h.USERNS_SETGROUPS_ALLOWED:
            return -errno.EPERM
    elif ns.gid_map.nr_extents:
        return -errno.EPERM
    else:
        ns.flags &= ~user_ns_h.USERNS_SETGROUPS_ALLOWED
    file.f_pos = len(data)
    return len(data)
