"""fs/open.c, file.c, stat.c @ v5.10.188: open and close.

Left out: permissions, O_PATH, openat(2).
`__close_range` stands in fs/file.c, which kernel/fork.c imports: here it makes no circle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.fs import file as fs_file
from kernelsim.fs import file_table, namei
from kernelsim.fs.proc import base as proc
from kernelsim.include.linux import uaccess
from kernelsim.include.uapi.asm import errno, fcntl
from kernelsim.include.uapi.linux import sched as uapi
from kernelsim.kernel import fork

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = [
    "__close_range",
    "build_open_flags",
    "do_sys_open",
    "sys_close",
    "sys_close_range",
    "sys_open",
    "sys_readlink",
]

_UINT = 0xFFFF_FFFF
_VALID = (
    *(fcntl.O_ACCMODE, fcntl.O_CREAT, fcntl.O_EXCL, fcntl.O_NOCTTY, fcntl.O_TRUNC),
    *(fcntl.O_APPEND, fcntl.O_NONBLOCK, fcntl.O_SYNC, fcntl.FASYNC, fcntl.O_DIRECT),
    *(fcntl.O_LARGEFILE, fcntl.O_DIRECTORY, fcntl.O_NOFOLLOW, fcntl.O_NOATIME),
    *(fcntl.O_CLOEXEC, fcntl.O_TMPFILE),
)
VALID_OPEN_FLAGS = 0
for _flag in _VALID:
    VALID_OPEN_FLAGS |= _flag


def build_open_flags(flags: int) -> int:
    """Return the `flags` of open(2) as the file keeps them, or -EINVAL."""
    flags &= VALID_OPEN_FLAGS & ~fcntl.O_CLOEXEC
    if flags & fcntl.__O_TMPFILE:
        if flags & fcntl.O_TMPFILE_MASK != fcntl.O_TMPFILE:
            return -errno.EINVAL
        if flags & fcntl.O_ACCMODE == fcntl.O_RDONLY:
            return -errno.EINVAL
    return flags


def do_sys_open(m: Machine, filename: Any, flags: int) -> int:
    """Open the device `filename` (const char *); its descriptor, or a negative errno."""
    kept = build_open_flags(flags)
    error = kept if kept < 0 else namei.getname(filename)
    if error < 0:
        return error
    fd = fs_file.get_unused_fd_flags(m, flags)
    if fd >= 0:
        file = namei.do_filp_open(m, filename, kept)
        if isinstance(file, int):
            fs_file.put_unused_fd(m, fd)
            return file
        fs_file.fd_install(m, fd, file)
    return fd


def sys_open(m: Machine, filename: Any, flags: int, mode: int) -> int:
    """open(2) of a device: its descriptor; -EINVAL, -EFAULT, -ENOENT for everything else, -EMFILE, -ENOMEM."""
    return do_sys_open(m, filename, flags | fcntl.O_LARGEFILE)


def sys_readlink(m: Machine, path: Any, buf: Any, bufsiz: int) -> int:
    """readlink(2) of a link in /proc: how many bytes, cut to `bufsiz`; -EINVAL, -ENOENT, -EFAULT."""
    if bufsiz <= 0:
        return -errno.EINVAL
    error = namei.getname(path)
    if error:
        return error
    name = path.decode("utf-8", "surrogateescape") if isinstance(path, bytes) else path
    if not name.startswith("/proc/"):
        return -errno.EINVAL if name in namei.DEVICES else -errno.ENOENT
    target = proc.proc_readlink(m, name)
    if isinstance(target, int):
        return target
    data = target.encode()[:bufsiz]
    return uaccess.put_user(m, data, buf) or len(data)


def sys_close(m: Machine, fd: int) -> int:
    """close(2): 0 or -EBADF."""
    return fs_file.__close_fd(m, m.current.files, fd & _UINT)


def __close_range(m: Machine, fd: int, max_fd: int, flags: int) -> int:
    """Close the descriptors from `fd` to `max_fd` (unsigned int); 0, -EINVAL, -ENOMEM or -EMFILE.

    With CLOSE_RANGE_UNSHARE in a table of the running task's own.
    """
    if flags & ~fcntl.CLOSE_RANGE_UNSHARE:
        return -errno.EINVAL
    if fd > max_fd:
        return -errno.EINVAL
    me = m.current
    files, displaced = me.files, None
    cur_max = files.fdt.max_fds - 1
    if flags & fcntl.CLOSE_RANGE_UNSHARE:
        most = fd if max_fd >= cur_max else fs_file.NR_OPEN_MAX
        copy = fork.unshare_fd(m, uapi.CLONE_FILES, most)
        if isinstance(copy, int):
            return copy
        if copy is not None:
            files, displaced = copy, files
    for one in range(fd, min(max_fd, cur_max) + 1):
        file = fs_file.pick_file(m, files, one)
        if file:
            file_table.filp_close(m, file)
    if displaced is not None:
        me.files = files
        fs_file.put_files_struct(m, displaced)
    return 0


def sys_close_range(m: Machine, fd: int, max_fd: int, flags: int) -> int:
    """close_range(2)."""
    return __close_range(m, fd & _UINT, max_fd & _UINT, flags & _UINT)
