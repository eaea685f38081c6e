"""fs/file.c, include/linux/fdtable.h, file.h @ v5.10.188: the table of file descriptors.

Left out: next_fd and full_fds_bits, which only make searching faster.
A file's last reference may have to wake somebody, but nothing here sleeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.fs import _fdtable, file_table
from kernelsim.include.linux import file as file_h
from kernelsim.include.linux import fs, sched, slab
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.asm.fcntl import O_CLOEXEC
from kernelsim.include.uapi.linux import resource
from kernelsim.machine.memory import put
from kernelsim.mm import slub

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "NR_OPEN_MAX",
    "__alloc_fd",
    "__close_fd",
    "__put_unused_fd",
    "alloc_fd",
    "do_close_on_exec",
    "do_dup2",
    "dup_fd",
    "exit_files",
    "f_dupfd",
    "fcheck",
    "fd_install",
    "fdget",
    "fdget_raw",
    "fdput",
    "fget",
    "fget_raw",
    "fget_task",
    "files_static_init",
    "get_close_on_exec",
    "get_unused_fd_flags",
    "ksys_dup3",
    "pick_file",
    "put_files_struct",
    "put_unused_fd",
    "reset_files_struct",
    "set_close_on_exec",
    "sys_dup",
    "sys_dup2",
    "sys_dup3",
]

NR_OPEN_MAX = 0xFFFF_FFFF  # fs/file.c: ~0U
_UINT = 0xFFFF_FFFF
_FULL = (1 << 64) - 1
_TABLE = fs.files_struct
_count = _TABLE.add_("count")
_f_count = fs.file.add_("f_count")
_sp = sched.task_struct.add_("thread.sp")


def files_static_init(m: Machine) -> None:
    """Lay down init_files: no open file."""
    init_files = m.define("init_files", _TABLE)
    _fdtable.init_table(init_files)


# --- the table -----------------------------------------------------------------------------


def fcheck(m: Machine, fd: int) -> Any:
    """Return the open file (struct file *) that `fd` stands for in the running task, or NULL."""
    return _fdtable.fcheck_files(m, m.current.files, fd)


def dup_fd(m: Machine, old: Any, max_fds: int = NR_OPEN_MAX) -> Any:
    """Return a copy (struct files_struct *) of `old`, each open file counted once more; or -ENOMEM.

    Descriptors from `max_fds` (unsigned int) on need not be copied.
    """
    address = slub.kmem_cache_alloc(m, m.static.files_cachep, slab.GFP_KERNEL)
    if not address:
        return -errno.ENOMEM
    new = _TABLE.ref_(m, address)
    _fdtable.init_table(new)
    fdt, copy = old.fdt, new.fdt
    open_fds = _fdtable.open_fds(m, fdt)
    open_files = _sane_fdtable_size(open_fds, max_fds)
    if open_files > copy.max_fds:
        copy = _fdtable.alloc_fdtable(m, open_files - 1)
        if not copy:
            slub.kmem_cache_free(m, m.static.files_cachep, address)
            return -errno.ENOMEM
        new.fdt = copy
    theirs, ours = m.index(fdt.fd), m.index(copy.fd)  # the first words of the two arrays
    _fdtable.copy_fd_bitmaps(m, copy, fdt, open_files)
    for fd in open_fds:
        if fd >= open_files:
            break
        address = m.u64[theirs + fd]
        if address:
            _f_count(fs.file.ref_(m, address), 1)
            put(m, ours + fd, address)
        else:  # reserved in the parent by a call that sleeps, and not used yet
            _fdtable.set_bit(m, copy.open_fds, fd, on=False)
    return new


def _sane_fdtable_size(open_fds: list[int], max_fds: int) -> int:
    # How many descriptors to copy: whole words, up to the last one that is open.
    count = (open_fds[-1] | 63) + 1 if open_fds else 64  # count_open_files()
    return min(count, max(max_fds, fs.NR_OPEN_DEFAULT) + 63 & ~63)


def put_files_struct(m: Machine, files: Any) -> None:
    """Drop a user of the table `files` (struct files_struct *); the last one closes everything."""
    if _count(files, -1):
        return
    fdt = files.fdt
    table = m.index(fdt.fd)
    for fd in _fdtable.open_fds(m, fdt):
        address = m.u64[table + fd]
        if address:
            put(m, table + fd, 0)
            file_table.filp_close(m, fs.file.ref_(m, address))
    _fdtable.free_fdtable(m, files, fdt)
    if files.address_ != m.symbol("init_files").address_:
        slub.kmem_cache_free(m, m.static.files_cachep, files.address_)


def reset_files_struct(m: Machine, files: Any) -> None:
    """Let the running task use the table `files` (struct files_struct *) and no longer its own."""
    old = m.current.files
    m.current.files = files
    put_files_struct(m, old)


def exit_files(m: Machine, tsk: task_struct) -> None:
    """Let `tsk` have no open files any more."""
    files = tsk.files
    if files.address_:
        tsk.files = None
        put_files_struct(m, files)


# --- one descriptor --------------------------------------------------------------------------


def __alloc_fd(m: Machine, files: Any, start: int, end: int, flags: int) -> int:
    """Reserve the lowest free descriptor from `start` on; its number, -EMFILE from `end` on, or -ENOMEM.

    `flags` may hold O_CLOEXEC.
    """
    words = _fdtable.open_words(m, files.fdt)
    i, low = start >> 6, (1 << (start & 63)) - 1
    while i < len(words) and words[i] | low == _FULL:
        i, low = i + 1, 0
    fd = start
    if i < len(words):
        free = ~(words[i] | low)
        fd = 64 * i + (free & -free).bit_length() - 1
    elif start < 64 * len(words):
        fd = 64 * len(words)
    if fd >= end:
        return -errno.EMFILE
    error = _fdtable.expand_files(m, files, fd)
    if error < 0:
        return error
    fdt = files.fdt
    _fdtable.set_bit(m, fdt.open_fds, fd, on=True)
    _fdtable.set_bit(m, fdt.close_on_exec, fd, flags & O_CLOEXEC)
    return fd


def _limit(m: Machine) -> int:
    # rlimit(RLIMIT_NOFILE), of which most callers take the low 32 bits.
    limit: int = m.current.signal.rlim[resource.RLIMIT_NOFILE].rlim_cur
    return limit


def alloc_fd(m: Machine, start: int, flags: int) -> int:
    """Reserve the running task's lowest free descriptor from `start` on; its number, -EMFILE, -ENOMEM."""
    return __alloc_fd(m, m.current.files, start, _limit(m) & _UINT, flags)


def get_unused_fd_flags(m: Machine, flags: int) -> int:
    """Reserve the running task's lowest free descriptor; its number, -EMFILE or -ENOMEM."""
    return alloc_fd(m, 0, flags)


def __put_unused_fd(m: Machine, files: Any, fd: int) -> None:
    """Give a descriptor of `files` (struct files_struct *) back."""
    _fdtable.set_bit(m, files.fdt.open_fds, fd, on=False)


def put_unused_fd(m: Machine, fd: int) -> None:
    """Give a reserved descriptor back."""
    __put_unused_fd(m, m.current.files, fd)


def fd_install(m: Machine, fd: int, file: Any) -> None:
    """Let the reserved descriptor `fd` stand for `file`, whose reference it takes."""
    _fdtable.set_slot(m, m.current.files.fdt, fd, file)


def pick_file(m: Machine, files: Any, fd: int) -> Any:
    """Take `fd` out of `files` (struct files_struct *): the open file (struct file *), NULL if none."""
    file = _fdtable.fcheck_files(m, files, fd)
    if file:
        _fdtable.set_slot(m, files.fdt, fd, None)
        __put_unused_fd(m, files, fd)
    return file


def __close_fd(m: Machine, files: Any, fd: int) -> int:
    """Close `fd` of `files` (struct files_struct *); 0 or -EBADF."""
    file = pick_file(m, files, fd)
    return file_table.filp_close(m, file) if file else -errno.EBADF


def do_close_on_exec(m: Machine, files: Any) -> None:
    """Close what is to be closed in `files` (struct files_struct *) when another program begins."""
    i = 0
    while 64 * i < files.fdt.max_fds:
        place = files.fdt.close_on_exec + 8 * i
        bits = m.read_u64(place)
        if bits:
            m.write_u64(place, 0)
        while bits:
            bit = bits & -bits
            __close_fd(m, files, 64 * i + bit.bit_length() - 1)
            bits ^= bit
        i += 1


# --- an open file while a call uses it ---------------------------------------------------------


def _fget_files(m: Machine, files: Any, fd: int, mask: int) -> Any:
    # __fget_files(): the open file, counted once more; NULL if there is none, or one of those modes.
    file = _fdtable.fcheck_files(m, files, fd)
    if not file or file.f_mode & mask:
        return fs.file(m, 0)
    return file_table.get_file(file)


def fget(m: Machine, fd: int) -> Any:
    """Return the open file (struct file *) that `fd` stands for, counted once more, or NULL."""
    return _fget_files(m, m.current.files, fd, fs.FMODE_PATH)


def fget_raw(m: Machine, fd: int) -> Any:
    """As fget(), also for what O_PATH has opened."""
    return _fget_files(m, m.current.files, fd, 0)


def fget_task(m: Machine, task: task_struct, fd: int) -> Any:
    """As fget_raw(), for a descriptor of `task`."""
    files = task.files
    return _fget_files(m, files, fd, 0) if files else fs.file(m, 0)


def _fget_light(m: Machine, fd: int, mask: int) -> file_h.fd:
    # __fget_light(): only a shared table can lose the file while the caller sleeps.
    files = m.current.files
    if files.count == 1:
        file = _fdtable.fcheck_files(m, files, fd)
        return file_h.fd(fs.file(m, 0) if file and file.f_mode & mask else file, 0)
    file = _fget_files(m, files, fd, mask)
    if not file:
        return file_h.fd(file, 0)
    held = file_h._fd.ref_(m, _sp(m.current, -file_h._fd.sizeof_))  # on the kernel stack
    held.file, held.flags = file, file_h.FDPUT_FPUT
    return file_h.fd(file, file_h.FDPUT_FPUT)


def fdget(m: Machine, fd: int) -> file_h.fd:
    """Return the open file that `fd` stands for (struct fd), to be given back with fdput()."""
    return _fget_light(m, fd, fs.FMODE_PATH)


def fdget_raw(m: Machine, fd: int) -> file_h.fd:
    """As fdget(), also for what O_PATH has opened."""
    return _fget_light(m, fd, 0)


def fdput(m: Machine, f: file_h.fd) -> None:
    """Give back what fdget() returned."""
    if f.flags & file_h.FDPUT_FPUT:
        _sp(m.current, file_h._fd.sizeof_)
        file_table.fput(m, f.file)


def set_close_on_exec(m: Machine, fd: int, flag: int) -> None:
    """Let `fd` be closed when another program begins, or not."""
    _fdtable.set_bit(m, m.current.files.fdt.close_on_exec, fd, flag)


def get_close_on_exec(m: Machine, fd: int) -> bool:
    """Return whether `fd` is closed when another program begins."""
    return _fdtable.test_bit(m, m.current.files.fdt.close_on_exec, fd)


# --- a second descriptor -----------------------------------------------------------------------


def do_dup2(m: Machine, files: Any, file: Any, fd: int, flags: int) -> int:
    """Let `fd` of `files` stand for `file` too, and close what it stood for; `fd`, or -EBUSY.

    -EBUSY: another thread has reserved `fd` and not yet used it.
    """
    fdt = files.fdt
    tofree = _fdtable.fcheck_files(m, files, fd)
    if not tofree and _fdtable.test_bit(m, fdt.open_fds, fd):
        return -errno.EBUSY
    _fdtable.set_slot(m, fdt, fd, file_table.get_file(file))
    _fdtable.set_bit(m, fdt.open_fds, fd, on=True)
    _fdtable.set_bit(m, fdt.close_on_exec, fd, flags & O_CLOEXEC)
    if tofree:
        file_table.filp_close(m, tofree)
    return fd


def ksys_dup3(m: Machine, oldfd: int, newfd: int, flags: int) -> int:
    """Let `newfd` stand for the open file of `oldfd`; `newfd`, -EINVAL, -EBADF, -ENOMEM or -EBUSY."""
    files = m.current.files
    if flags & ~O_CLOEXEC:
        return -errno.EINVAL
    if oldfd == newfd:
        return -errno.EINVAL
    if newfd >= _limit(m):
        return -errno.EBADF
    error = _fdtable.expand_files(m, files, newfd)
    file = fcheck(m, oldfd)
    if not file or error == -errno.EMFILE:
        return -errno.EBADF
    if error < 0:
        return error
    return do_dup2(m, files, file, newfd, flags)


def sys_dup3(m: Machine, oldfd: int, newfd: int, flags: int) -> int:
    """dup3(2): as dup2(2), with O_CLOEXEC in `flags`; -EINVAL for others or where both are the same."""
    return ksys_dup3(m, oldfd & _UINT, newfd & _UINT, flags)


def sys_dup2(m: Machine, oldfd: int, newfd: int) -> int:
    """dup2(2): `newfd` for the same open file, closed first if it is open; -EBADF, -ENOMEM, -EBUSY."""
    oldfd, newfd = oldfd & _UINT, newfd & _UINT
    if oldfd == newfd:
        return oldfd if fcheck(m, oldfd) else -errno.EBADF
    return ksys_dup3(m, oldfd, newfd, 0)


def sys_dup(m: Machine, fildes: int) -> int:
    """dup(2): the lowest free descriptor for the same open file; -EBADF, -EMFILE, -ENOMEM."""
    file = fget_raw(m, fildes & _UINT)
    if not file:
        return -errno.EBADF
    fd = get_unused_fd_flags(m, 0)
    if fd >= 0:
        fd_install(m, fd, file)
    else:
        file_table.fput(m, file)
    return fd


def f_dupfd(m: Machine, start: int, file: Any, flags: int) -> int:
    """Return the lowest free descriptor from `start` (unsigned int) on, for `file`.

    -EINVAL for a `start` beyond the limit, -EMFILE, -ENOMEM.
    """
    if start >= _limit(m):
        return -errno.EINVAL
    fd = alloc_fd(m, start, flags)
    if fd >= 0:
        fd_install(m, fd, file_table.get_file(file))
    return fd
