"""fs/nsfs.c @ v5.10.188: a namespace as a file, which keeps it alive and lets others enter it.

Left out: inodes and mounts, so that each open file has a reference of its own; ioctl.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.fs import file_table
from kernelsim.include.linux import fs, ns_common
from kernelsim.include.uapi.asm import errno
from kernelsim.machine import machine

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = ["get_proc_ns", "ns_get_name", "ns_get_path", "nsfs_evict", "nsfs_init", "proc_ns_file"]


def nsfs_init(m: Machine) -> None:
    """Set up the operations of a namespace's file."""
    m.define("ns_file_operations", fs.file_operations).release = machine.text_address("nsfs_evict")


def get_proc_ns(file: Any) -> Any:
    """Return the namespace (struct ns_common *) that `file` (struct file *) stands for."""
    return ns_common.ns_common(file.machine_, file.private_data)


def nsfs_evict(m: Machine, file: Any) -> int:
    """The file is closed for good: drop the namespace."""
    ns = get_proc_ns(file)
    m.call(ns.ops.put, ns)
    return 0


def ns_get_path(m: Machine, task: task_struct, ops: Any, mode: int, flags: int) -> Any:
    """Open the namespace of `task` of the kind of `ops` (struct proc_ns_operations *).

    Returns struct file *, or -ENOENT if the task has none, -ENOMEM.
    """
    ns = m.call(ops.get, task)
    if not ns:
        return -errno.ENOENT
    operations = m.symbol("ns_file_operations")
    file = file_table.alloc_file(m, operations, mode, ns.address_, flags)
    if isinstance(file, int):
        m.call(ops.put, ns)
    return file


def ns_get_name(m: Machine, task: task_struct, ops: Any) -> str | int:
    """Return what the link /proc/PID/ns/… says, such as "pid:[4026531836]"; or -ENOENT."""
    ns = m.call(ops.get, task)
    if not ns:
        return -errno.ENOENT
    kind = ops.real_ns_name.string_().decode()
    name = f"{kind}:[{ns.inum}]"
    m.call(ops.put, ns)
    return name


def proc_ns_file(file: Any) -> bool:
    """Return whether `file` (struct file *) stands for a namespace."""
    return bool(file.f_op == file.machine_.symbol("ns_file_operations"))
