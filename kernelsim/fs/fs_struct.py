"""fs/fs_struct.c @ v5.10.188: root and working directory, and umask.

Left out: paths; a directory is only remembered as a pointer that is NULL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelsim.include.linux import fs, slab
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux.sched import CLONE_FS
from kernelsim.mm import slub

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = ["copy_fs", "exit_fs", "fs_static_init"]


def fs_static_init(m: Machine) -> None:
    """Lay down init_fs."""
    init_fs = m.define("init_fs", fs.fs_struct)
    init_fs.users = 1
    init_fs.umask = 0o022


def copy_fs(m: Machine, clone_flags: int, tsk: task_struct) -> int:
    """Share the parent's fs_struct (CLONE_FS) or copy it; 0, -EAGAIN during an exec, -ENOMEM."""
    old = m.current.fs
    if clone_flags & CLONE_FS:
        if old.in_exec:
            return -errno.EAGAIN
        old.users += 1
        return 0
    address = slub.kmem_cache_alloc(m, m.static.fs_cachep, slab.GFP_KERNEL)
    tsk.fs = address
    if not address:
        return -errno.ENOMEM
    new = fs.fs_struct(m, address)
    new.users = 1
    new.umask = old.umask
    new.root = old.root
    new.pwd = old.pwd
    return 0


def exit_fs(m: Machine, tsk: task_struct) -> None:
    """Let `tsk` have no fs_struct any more; the last user frees it."""
    old = tsk.fs
    if old.address_:
        tsk.fs = None
        users = old.users - 1
        old.users = users
        if not users:
            slub.kmem_cache_free(m, m.static.fs_cachep, old.address_)
