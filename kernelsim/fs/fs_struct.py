"""fs/fs_struct.c @ v5.10.188: root and working directory, and umask.

Left out: paths; a directory is only remembered as a pointer that is NULL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import fs, slab
from kernelsim.mm import slub

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = ["copy_fs_struct", "exit_fs", "fs_static_init"]


def fs_static_init(m: Machine) -> None:
    """Lay down init_fs."""
    init_fs = m.define("init_fs", fs.fs_struct)
    init_fs.users = 1
    init_fs.umask = 0o022


_set_all = fs.fs_struct.store_("users", "umask", "root", "pwd")
_get = fs.fs_struct.load_("umask", "root", "pwd")
_users = fs.fs_struct.add_("users")


def copy_fs_struct(m: Machine, old: Any) -> Any:
    """Return a copy (struct fs_struct *) of `old`, NULL if there is no memory."""
    new = fs.fs_struct.ref_(m, slub.kmem_cache_alloc(m, m.static.fs_cachep, slab.GFP_KERNEL))
    if new.address_:
        _set_all(new, 1, *_get(old))
    return new


def exit_fs(m: Machine, tsk: task_struct) -> None:
    """Let `tsk` have no fs_struct any more; the last user frees it."""
    old = tsk.fs
    if old.address_:
        tsk.fs = None
        if not _users(old, -1):
            slub.kmem_cache_free(m, m.static.fs_cachep, old.address_)
