"""include/linux/fs.h, fs_struct.h, fdtable.h, pipe_fs_i.h @ v5.10.188: open files and pipes.

Left out: paths, inodes, dentries: a file is its operations and its private data.
"""

from __future__ import annotations

from kernelsim.include.linux.types import atomic_t, callback_head, spinlock_t
from kernelsim.include.linux.wait import wait_queue_head
from kernelsim.machine.ctype import array, func, ptr, s32, s64, u8, u32, ulong, void
from kernelsim.machine.ref import Struct

__all__ = [
    "FMODE_CAN_READ",
    "FMODE_CAN_WRITE",
    "FMODE_PATH",
    "FMODE_READ",
    "FMODE_WRITE",
    "NR_OPEN_DEFAULT",
    "fdtable",
    "file",
    "file_operations",
    "files_struct",
    "fs_struct",
    "pipe_buffer",
    "pipe_inode_info",
]

FMODE_READ = 0x1
FMODE_WRITE = 0x2
FMODE_PATH = 0x4000
FMODE_ATOMIC_POS = 0x8000
FMODE_CAN_READ = 0x20000
FMODE_CAN_WRITE = 0x40000
FMODE_STREAM = 0x200000
NR_OPEN_DEFAULT = 64
PIPE_DEF_BUFFERS = 16


class fs_struct(Struct):
    """Root and working directory, and umask."""

    users = s32
    lock = spinlock_t
    umask = s32
    in_exec = s32
    root = ptr(void)
    pwd = ptr(void)


class file_operations(Struct):
    """What can be done with an open file."""

    llseek = ptr(func)
    read = ptr(func)
    write = ptr(func)
    poll = ptr(func)
    release = ptr(func)
    show_fdinfo = ptr(func)


class file(Struct):
    """An open file description; fork shares it, dup shares it."""

    f_op = ptr("file_operations")
    f_lock = spinlock_t
    f_count = s64.named("atomic_long_t")
    f_flags = u32
    f_mode = u32
    f_pos = s64.named("loff_t")
    f_cred = ptr("cred")
    private_data = ptr(void)


class fdtable(Struct):
    """The open files by number."""

    max_fds = u32
    fd = ptr(ptr("file"))
    close_on_exec = ptr(ulong)
    open_fds = ptr(ulong)
    full_fds_bits = ptr(ulong)
    rcu = callback_head


class files_struct(Struct):
    """The table of open files that a process, or processes, use."""

    count = atomic_t
    fdt = ptr("fdtable")
    fdtab = fdtable
    file_lock = spinlock_t
    next_fd = u32
    close_on_exec_init = array(ulong, 1)
    open_fds_init = array(ulong, 1)
    full_fds_bits_init = array(ulong, 1)
    fd_array = array(ptr("file"), NR_OPEN_DEFAULT)


class pipe_buffer(Struct):
    """One page of a pipe."""

    page = ptr(void)  # the page's address; a struct page * in Linux
    offset = u32
    len = u32
    ops = ptr(void)
    flags = u32
    private = ulong


class pipe_inode_info(Struct):
    """A pipe: a ring of pages."""

    mutex = spinlock_t
    rd_wait = wait_queue_head
    wr_wait = wait_queue_head
    head = u32
    tail = u32
    max_usage = u32
    ring_size = u32
    nr_accounted = u32
    readers = u32
    writers = u32
    files = u32
    r_counter = u32
    w_counter = u32
    poll_usage = u8  # bool in Linux
    bufs = ptr("pipe_buffer")
