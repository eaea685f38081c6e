"""include/uapi/asm-generic/errno-base.h, errno.h @ v5.10.188: error numbers.

The kernel returns them negated; user space sees -1 and errno.
"""

from __future__ import annotations

EPERM, ENOENT, ESRCH, EINTR, EIO = 1, 2, 3, 4, 5
E2BIG, ENOEXEC, EBADF, ECHILD, EAGAIN, ENOMEM, EACCES, EFAULT = 7, 8, 9, 10, 11, 12, 13, 14
EBUSY, EEXIST, ENODEV, ENOTDIR, EISDIR = 16, 17, 19, 20, 21
EINVAL, ENFILE, EMFILE, ENOTTY = 22, 23, 24, 25
ENOPKG = 65
ENOSPC, ESPIPE, EPIPE, ENAMETOOLONG, ENOSYS, EOVERFLOW, EUSERS, EOPNOTSUPP = (
    28,
    29,
    32,
    36,
    38,
    75,
    87,
    95,
)
ETIMEDOUT = 110

# Kernel-internal: include/linux/errno.h; user space never sees them.
ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK = 512, 513, 514, 516

MAX_ERRNO = 4095

__all__ = [name for name in dir() if name.startswith("E") or name == "MAX_ERRNO"]
