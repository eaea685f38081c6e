"""fs/file_table.c, open.c, include/linux/fs.h @ v5.10.188: open files and who counts them.

Left out: paths, inodes, locks and the limit on all files; the last reference is
dropped at once and not by a task work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import cred as cred_h
from kernelsim.include.linux import fs, slab
from kernelsim.include.uapi.asm import errno
from kernelsim.kernel import cred
from kernelsim.mm import slub

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = ["alloc_file", "files_init", "filp_close", "fput", "get_file"]

_f_count = fs.file.add_("f_count")
_usage = cred_h.cred.add_("usage")


def files_init(m: Machine) -> None:
    """Make the cache of open files."""
    m.static.filp_cachep = slub.kmem_cache_create(
        m, "filp", fs.file.sizeof_, 0, slab.SLAB_HWCACHE_ALIGN
    )


def alloc_file(m: Machine, f_op: Any, mode: int, private_data: int, flags: int = 0) -> Any:
    """Make an open file (struct file *) with the operations `f_op`, or -ENOMEM.

    `mode` (fmode_t) is what may be done with it, `flags` (int) what fcntl(2) tells of it.
    """
    address = slub.kmem_cache_alloc(m, m.static.filp_cachep, slab.GFP_KERNEL)
    if not address:
        return -errno.ENOMEM
    file = fs.file(m, address)
    file.f_count = 1
    opener = m.current.cred
    file.f_cred = opener
    _usage(opener, 1)  # get_cred()
    file.f_op = f_op
    file.f_flags = flags
    file.f_mode = mode
    file.private_data = private_data
    return file


def get_file(file: Any) -> Any:
    """Take one more reference to `file` (struct file *), and return it."""
    _f_count(file, 1)
    return file


def fput(m: Machine, file: Any) -> None:
    """Drop a reference to `file` (struct file *); the last one releases it."""
    if not _f_count(file, -1):
        release = file.f_op.release
        if release:
            m.call(release, file)
        cred.put_cred(m, file.f_cred)
        slub.kmem_cache_free(m, m.static.filp_cachep, file.address_)


def filp_close(m: Machine, filp: Any) -> int:
    """Let a descriptor no longer stand for `filp` (struct file *); 0."""
    fput(m, filp)
    return 0
