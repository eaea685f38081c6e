"""fs/anon_inodes.c @ v5.10.188: files that have no name, only operations and private data.

Left out: the inode that they all share, and the name that /proc shows for it (docs/fidelity.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.fs import file as fs_file
from kernelsim.fs import file_table
from kernelsim.include.linux import fs
from kernelsim.include.uapi.asm import fcntl

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = ["anon_inode_getfd", "anon_inode_getfile"]

_MODES = {
    fcntl.O_RDONLY: fs.FMODE_READ,
    fcntl.O_WRONLY: fs.FMODE_WRITE,
    fcntl.O_RDWR: fs.FMODE_READ | fs.FMODE_WRITE,
}


def anon_inode_getfile(m: Machine, name: str, fops: Any, priv: int, flags: int) -> Any:
    """Make an open file of the class `name` with `fops` (struct file_operations *); or -ENOMEM.

    `priv` (void *) is its private data, of `flags` (int) count the access mode and O_NONBLOCK.
    """
    access = flags & fcntl.O_ACCMODE
    kept = access | flags & fcntl.O_NONBLOCK
    return file_table.alloc_file(m, fops, _MODES.get(access, 0), priv, kept)


def anon_inode_getfd(m: Machine, name: str, fops: Any, priv: int, flags: int) -> int:
    """As anon_inode_getfile, with the lowest free descriptor for it: its number; also -EMFILE."""
    fd = fs_file.get_unused_fd_flags(m, flags)
    if fd < 0:
        return fd
    file = anon_inode_getfile(m, name, fops, priv, flags)
    if isinstance(file, int):
        fs_file.put_unused_fd(m, fd)
        return file
    fs_file.fd_install(m, fd, file)
    return fd
