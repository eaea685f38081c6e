"""fs/file.c, file_table.c, open.c @ v5.10.188: file descriptors and open files.

Left out: close-on-exec, next_fd and full_fds_bits, which only make searching faster.
A file's last reference may have to wake somebody, but nothing here sleeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import fs, slab
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux import resource
from kernelsim.machine.memory import put
from kernelsim.mm import slub

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "alloc_fdtable",
    "alloc_file",
    "close_fd",
    "dup_fd",
    "exit_files",
    "expand_files",
    "fd_install",
    "files_init",
    "files_static_init",
    "fput",
    "get_unused_fd",
    "lookup_fd",
    "put_files_struct",
    "put_unused_fd",
    "sys_close",
    "sys_dup",
    "sys_dup2",
]

_TABLE = fs.files_struct
_FD_ARRAY = _TABLE.offsetof_("fd_array")
_OPEN_FDS = _TABLE.offsetof_("open_fds_init")
_FDTAB = _TABLE.offsetof_("fdtab")
_set_table = _TABLE.store_(
    *("count", "fdt", "fdtab.max_fds", "fdtab.fd"),
    *("fdtab.close_on_exec", "fdtab.open_fds", "fdtab.full_fds_bits"),
)
_count = _TABLE.add_("count")
_f_count = fs.file.add_("f_count")
_get_table = fs.fdtable.load_("max_fds", "fd", "open_fds")


def files_static_init(m: Machine) -> None:
    """Lay down init_files: no open file."""
    init_files = m.define("init_files", _TABLE)
    _init_table(init_files)


def files_init(m: Machine) -> None:
    """Make the cache of open files."""
    m.static.filp_cachep = slub.kmem_cache_create(
        m, "filp", fs.file.sizeof_, 0, slab.SLAB_HWCACHE_ALIGN
    )


def _init_table(files: Any) -> None:
    # A table that uses the arrays embedded in it.
    a, bits = files.address_, files.address_ + _OPEN_FDS
    _set_table(files, 1, a + _FDTAB, fs.NR_OPEN_DEFAULT, a + _FD_ARRAY, bits - 8, bits, bits + 8)


# --- open files ----------------------------------------------------------------------------


def alloc_file(m: Machine, f_op: Any, mode: int, private_data: int) -> Any:
    """Make an open file with the operations `f_op`; struct file *, or -ENOMEM."""
    address = slub.kmem_cache_alloc(m, m.static.filp_cachep, slab.GFP_KERNEL)
    if not address:
        return -errno.ENOMEM
    file = fs.file(m, address)
    file.f_count = 1
    file.f_op = f_op
    file.f_mode = mode
    file.private_data = private_data
    return file


def fput(m: Machine, file: Any) -> None:
    """Drop a reference to `file` (struct file *); the last one releases it."""
    if not _f_count(file, -1):
        release = file.f_op.release
        if release:
            m.call(release, file)
        slub.kmem_cache_free(m, m.static.filp_cachep, file.address_)


# --- the table -----------------------------------------------------------------------------


def _fd_slot(m: Machine, fdt: Any, fd: int) -> Any:
    # The open file that `fd` stands for in the table `fdt`, NULL if none.
    return fs.file(m, m.read_u64(fdt.fd + 8 * fd))


def _set_slot(m: Machine, fdt: Any, fd: int, file: Any) -> None:
    m.write_u64(fdt.fd + 8 * fd, file.address_ if file else 0)


def _open_words(m: Machine, fdt: Any) -> list[int]:
    # The bits of open_fds, a word for each 64 descriptors.
    max_fds, _, open_fds = _get_table(fdt)
    i = m.index(open_fds)
    return list(m.u64[i : i + (max_fds >> 6)])


def _open_fds(m: Machine, fdt: Any) -> list[int]:
    # The descriptors in use, lowest first.
    fds = []
    for i, word in enumerate(_open_words(m, fdt)):
        while word:
            bit = word & -word
            fds.append(64 * i + bit.bit_length() - 1)
            word ^= bit
    return fds


def _set_open(m: Machine, fdt: Any, fd: int, is_open: bool) -> None:
    place, bit = fdt.open_fds + 8 * (fd // 64), 1 << fd % 64
    word = m.read_u64(place)
    m.write_u64(place, word | bit if is_open else word & ~bit)


def alloc_fdtable(m: Machine, nr: int) -> Any:
    """Return a table (struct fdtable *) with room for descriptor `nr`, NULL if there is no memory."""
    size = 128 << (nr // 128).bit_length()  # whole kilobytes of pointers
    fdt = fs.fdtable(m, slub.kmalloc(m, fs.fdtable.sizeof_, slab.GFP_KERNEL))
    fd = slub.kmalloc(m, size * 8, slab.GFP_KERNEL) if fdt else 0
    bits = slub.kmalloc(m, size // 4, slab.GFP_KERNEL) if fd else 0
    if not bits:
        slub.kfree(m, fd)
        slub.kfree(m, fdt.address_)
        return fs.fdtable(m, 0)
    fdt.max_fds, fdt.fd, fdt.close_on_exec, fdt.open_fds = size, fd, bits + size // 8, bits
    return fdt


def expand_files(m: Machine, files: Any, nr: int) -> int:
    """Make the table `files` (struct files_struct *) large enough for descriptor `nr`; 0 or -ENOMEM."""
    old = files.fdt
    if nr < old.max_fds:
        return 0
    fdt = alloc_fdtable(m, nr)
    if not fdt:
        return -errno.ENOMEM
    for place in _open_fds(m, old):
        _set_slot(m, fdt, place, _fd_slot(m, old, place))
        _set_open(m, fdt, place, True)
    files.fdt = fdt
    _free_fdtable(m, files, old)
    return 0


def _free_fdtable(m: Machine, files: Any, fdt: Any) -> None:
    # Free `fdt`, unless it is the one embedded in `files`.
    if fdt.address_ != files.fdtab.address_:
        slub.kfree(m, fdt.open_fds)
        slub.kfree(m, fdt.fd)
        slub.kfree(m, fdt.address_)


def _limit(m: Machine) -> int:
    # RLIMIT_NOFILE of the running task.
    limit: int = m.current.signal.rlim[resource.RLIMIT_NOFILE].rlim_cur
    return limit


def dup_fd(m: Machine, old: Any) -> Any:
    """Return a copy (struct files_struct *) of `old`, each open file counted once more; or -ENOMEM."""
    address = slub.kmem_cache_alloc(m, m.static.files_cachep, slab.GFP_KERNEL)
    if not address:
        return -errno.ENOMEM
    new = _TABLE.ref_(m, address)
    _init_table(new)
    fdt, copy = old.fdt, new.fdt
    open_fds = _open_fds(m, fdt)
    open_files = (open_fds[-1] | 63) + 1 if open_fds else 64  # sane_fdtable_size()
    if open_files > copy.max_fds:
        copy = alloc_fdtable(m, open_files - 1)
        if not copy:
            slub.kmem_cache_free(m, m.static.files_cachep, address)
            return -errno.ENOMEM
        new.fdt = copy
    theirs, ours = m.index(fdt.fd), m.index(copy.fd)  # the first words of the two arrays
    for i, word in enumerate(_open_words(m, fdt)):
        if word:
            m.write_u64(copy.open_fds + 8 * i, word)
    for fd in open_fds:
        address = m.u64[theirs + fd]
        if address:
            _f_count(fs.file.ref_(m, address), 1)
            put(m, ours + fd, address)
        else:  # reserved in the parent by a call that sleeps, and not used yet
            _set_open(m, copy, fd, False)
    return new


def put_files_struct(m: Machine, files: Any) -> None:
    """Drop a user of the table `files` (struct files_struct *); the last one closes everything."""
    if _count(files, -1):
        return
    fdt = files.fdt
    table = m.index(fdt.fd)
    for fd in _open_fds(m, fdt):
        address = m.u64[table + fd]
        if address:
            put(m, table + fd, 0)
            fput(m, fs.file.ref_(m, address))
    _free_fdtable(m, files, fdt)
    if files.address_ != m.symbol("init_files").address_:
        slub.kmem_cache_free(m, m.static.files_cachep, files.address_)


def exit_files(m: Machine, tsk: task_struct) -> None:
    """Let `tsk` have no open files any more."""
    files = tsk.files
    if files.address_:
        tsk.files = None
        put_files_struct(m, files)


def get_unused_fd(m: Machine) -> int:
    """Reserve the lowest free descriptor of the running task; its number, -EMFILE or -ENOMEM."""
    files = m.current.files
    fdt = files.fdt
    words = _open_words(m, fdt)
    i = next((i for i, word in enumerate(words) if word != _FULL), len(words))
    fd = 64 * i + (0 if i == len(words) else (~words[i] & words[i] + 1).bit_length() - 1)
    if fd >= _limit(m):
        return -errno.EMFILE
    error = expand_files(m, files, fd)
    if error:
        return error
    _set_open(m, files.fdt, fd, True)
    return fd


_FULL = (1 << 64) - 1


def put_unused_fd(m: Machine, fd: int) -> None:
    """Give a reserved descriptor back."""
    _set_open(m, m.current.files.fdt, fd, False)


def fd_install(m: Machine, fd: int, file: Any) -> None:
    """Let the reserved descriptor `fd` stand for `file`."""
    _set_slot(m, m.current.files.fdt, fd, file)


def lookup_fd(m: Machine, fd: int) -> Any:
    """Return the open file (struct file *) that `fd` stands for in the running task, or NULL."""
    fdt = m.current.files.fdt
    return _fd_slot(m, fdt, fd) if 0 <= fd < fdt.max_fds else fs.file(m, 0)


def close_fd(m: Machine, fd: int) -> int:
    """Close `fd`; 0 or -EBADF."""
    file = lookup_fd(m, fd)
    if not file.address_:
        return -errno.EBADF
    fd_install(m, fd, None)
    put_unused_fd(m, fd)
    fput(m, file)
    return 0


def sys_close(m: Machine, fd: int) -> int:
    """close(2)."""
    return close_fd(m, fd)


def sys_dup(m: Machine, fildes: int) -> int:
    """dup(2): the lowest free descriptor for the same open file; -EBADF, -EMFILE."""
    file = lookup_fd(m, fildes)
    if not file:
        return -errno.EBADF
    fd = get_unused_fd(m)
    if fd >= 0:
        file.f_count += 1
        fd_install(m, fd, file)
    return fd


def sys_dup2(m: Machine, oldfd: int, newfd: int) -> int:
    """dup2(2): `newfd` for the same open file, closed first if it is open; -EBADF, -ENOMEM."""
    file = lookup_fd(m, oldfd)
    if oldfd == newfd:
        return newfd if file else -errno.EBADF
    if not 0 <= newfd < _limit(m) or not file:
        return -errno.EBADF
    files = m.current.files
    error = expand_files(m, files, newfd)
    if error:
        return error
    old = lookup_fd(m, newfd)
    file.f_count += 1
    _set_open(m, files.fdt, newfd, True)
    fd_install(m, newfd, file)
    if old:
        fput(m, old)
    return newfd
