"""The table of open files, below fs/file.c: its array, its bitmaps, how it grows.

The functions whose names are Linux's are those of fs/file.c and include/linux/fdtable.h.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import fs, slab
from kernelsim.include.uapi.asm import errno
from kernelsim.machine import memory
from kernelsim.mm import page_alloc, slub

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = [
    "alloc_fdtable",
    "copy_fd_bitmaps",
    "expand_fdtable",
    "expand_files",
    "fcheck_files",
    "free_fdtable",
    "init_table",
    "open_fds",
    "open_words",
    "set_bit",
    "set_slot",
    "test_bit",
]

_NR_OPEN = 1024 * 1024  # sysctl_nr_open
_TABLE = fs.files_struct
_FD_ARRAY = _TABLE.offsetof_("fd_array")
_OPEN_FDS = _TABLE.offsetof_("open_fds_init")
_FDTAB = _TABLE.offsetof_("fdtab")
_set_table = _TABLE.store_(
    *("count", "fdt", "fdtab.max_fds", "fdtab.fd"),
    *("fdtab.close_on_exec", "fdtab.open_fds", "fdtab.full_fds_bits"),
)
_get_table = fs.fdtable.load_("max_fds", "fd", "open_fds", "close_on_exec")


def init_table(files: Any) -> None:
    """Let `files` (struct files_struct *) use the arrays embedded in it."""
    a, bits = files.address_, files.address_ + _OPEN_FDS
    _set_table(files, 1, a + _FDTAB, fs.NR_OPEN_DEFAULT, a + _FD_ARRAY, bits - 8, bits, bits + 8)


def fcheck_files(m: Machine, files: Any, fd: int) -> Any:
    """Return the open file (struct file *) that `fd` (unsigned int) stands for in `files`, or NULL."""
    fdt = files.fdt
    return fs.file(m, m.read_u64(fdt.fd + 8 * fd) if 0 <= fd < fdt.max_fds else 0)


def set_slot(m: Machine, fdt: Any, fd: int, file: Any) -> None:
    """Let `fd` stand for `file` (struct file *) in the table `fdt` (struct fdtable *)."""
    m.write_u64(fdt.fd + 8 * fd, file.address_ if file else 0)


def open_words(m: Machine, fdt: Any) -> list[int]:
    """Return the bits of open_fds, a word for each 64 descriptors."""
    max_fds, _, open_fds, _ = _get_table(fdt)
    i = m.index(open_fds)
    return list(m.u64[i : i + (max_fds >> 6)])


def open_fds(m: Machine, fdt: Any) -> list[int]:
    """Return the descriptors in use, lowest first."""
    fds = []
    for i, word in enumerate(open_words(m, fdt)):
        while word:
            bit = word & -word
            fds.append(64 * i + bit.bit_length() - 1)
            word ^= bit
    return fds


def set_bit(m: Machine, bits: int, fd: int, on: object) -> None:
    """Set the bit of `fd` in one of the table's bitmaps (the address `bits`), or clear it."""
    place, bit = bits + 8 * (fd // 64), 1 << fd % 64
    word = m.read_u64(place)
    if bool(word & bit) != bool(on):
        m.write_u64(place, word ^ bit)


def test_bit(m: Machine, bits: int, fd: int) -> bool:
    """Return the bit of `fd` in one of the table's bitmaps (the address `bits`)."""
    return bool(m.read_u64(bits + 8 * (fd // 64)) >> fd % 64 & 1)


def alloc_fdtable(m: Machine, nr: int) -> Any:
    """Return a table (struct fdtable *) with room for descriptor `nr`, NULL if there is no memory."""
    size = 128 << (nr // 128).bit_length()  # whole kilobytes of pointers
    fdt = fs.fdtable(m, slub.kmalloc(m, fs.fdtable.sizeof_, slab.GFP_KERNEL))
    fd = _alloc_array(m, size * 8) if fdt else 0
    full = 8 * -(-size // 4096)  # BITBIT_SIZE(): a bit for each word of open_fds
    bits = slub.kmalloc(m, max(size // 4 + full, 64), slab.GFP_KERNEL) if fd else 0
    if not bits:
        if fd:
            _free_array(m, fd, size * 8)
        slub.kfree(m, fdt.address_)
        return fs.fdtable(m, 0)
    fdt.max_fds, fdt.fd, fdt.open_fds = size, fd, bits
    fdt.close_on_exec, fdt.full_fds_bits = bits + size // 8, bits + size // 4
    return fdt


def _alloc_array(m: Machine, size: int) -> int:
    # kvmalloc_array(): what is too large for a slab comes from the page allocator.
    if size <= slub.KMALLOC_SIZES[-1]:
        return slub.kmalloc(m, size, slab.GFP_KERNEL)
    pages = page_alloc.alloc_pages(m, slab.GFP_KERNEL, _order(size))
    if pages:
        m.write(pages, bytes(size))
    return pages


def _free_array(m: Machine, array: int, size: int) -> None:
    if size <= slub.KMALLOC_SIZES[-1]:
        slub.kfree(m, array)
    else:
        page_alloc.free_pages(m, array, _order(size))


def _order(size: int) -> int:
    return (size - 1 >> memory.PAGE_SHIFT).bit_length()


def copy_fd_bitmaps(m: Machine, new: Any, old: Any, count: int) -> None:
    """Copy the bits of the first `count` descriptors; what follows them is zero already."""
    for to, bits in ((new.open_fds, old.open_fds), (new.close_on_exec, old.close_on_exec)):
        for i in range(0, count // 8, 8):
            word = m.read_u64(bits + i)
            if word:
                m.write_u64(to + i, word)


def expand_fdtable(m: Machine, files: Any, nr: int) -> int:
    """Give `files` (struct files_struct *) a table with room for descriptor `nr`; 1 or -ENOMEM."""
    old = files.fdt
    fdt = alloc_fdtable(m, nr)
    if not fdt:
        return -errno.ENOMEM
    for fd in open_fds(m, old):
        set_slot(m, fdt, fd, fcheck_files(m, files, fd))
    copy_fd_bitmaps(m, fdt, old, old.max_fds)
    files.fdt = fdt
    free_fdtable(m, files, old)
    return 1


def expand_files(m: Machine, files: Any, nr: int) -> int:
    """Make the table `files` (struct files_struct *) large enough for descriptor `nr`.

    Returns 1 if it had to grow, 0 if not, -EMFILE or -ENOMEM.
    """
    if nr < files.fdt.max_fds:
        return 0
    if nr >= _NR_OPEN:
        return -errno.EMFILE
    return expand_fdtable(m, files, nr)


def free_fdtable(m: Machine, files: Any, fdt: Any) -> None:
    """Free `fdt` (struct fdtable *), unless it is the one embedded in `files`."""
    if fdt.address_ != files.fdtab.address_:
        slub.kfree(m, fdt.open_fds)
        _free_array(m, fdt.fd, fdt.max_fds * 8)
        slub.kfree(m, fdt.address_)
