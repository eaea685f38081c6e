"""include/uapi/linux/resource.h, asm-generic/resource.h @ v5.10.188: what is used, and what may be.

INIT_RLIMITS is the kernel's own asm-generic/resource.h: the limits that the first task has.
"""

from __future__ import annotations

__all__ = [
    "INIT_RLIMITS",
    "MLOCK_LIMIT",
    "PRIO_MAX",
    "PRIO_MIN",
    "PRIO_PGRP",
    "PRIO_PROCESS",
    "PRIO_USER",
    "RLIMIT_AS",
    "RLIMIT_CORE",
    "RLIMIT_CPU",
    "RLIMIT_DATA",
    "RLIMIT_FSIZE",
    "RLIMIT_LOCKS",
    "RLIMIT_MEMLOCK",
    "RLIMIT_MSGQUEUE",
    "RLIMIT_NICE",
    "RLIMIT_NOFILE",
    "RLIMIT_NPROC",
    "RLIMIT_RSS",
    "RLIMIT_RTPRIO",
    "RLIMIT_RTTIME",
    "RLIMIT_SIGPENDING",
    "RLIMIT_STACK",
    "RLIM_INFINITY",
    "RLIM_NLIMITS",
    "RUSAGE_BOTH",
    "RUSAGE_CHILDREN",
    "RUSAGE_SELF",
    "RUSAGE_THREAD",
    "_STK_LIM",
]

RUSAGE_SELF = 0
RUSAGE_CHILDREN = -1
RUSAGE_BOTH = -2  # for the kernel's own use: what wait4() tells
RUSAGE_THREAD = 1

PRIO_MIN, PRIO_MAX = -20, 20
PRIO_PROCESS, PRIO_PGRP, PRIO_USER = 0, 1, 2

RLIMIT_CPU = 0  # seconds of CPU time
RLIMIT_FSIZE = 1
RLIMIT_DATA = 2
RLIMIT_STACK = 3
RLIMIT_CORE = 4
RLIMIT_RSS = 5
RLIMIT_NPROC = 6  # tasks of one user
RLIMIT_NOFILE = 7  # one more than the highest descriptor
RLIMIT_MEMLOCK = 8
RLIMIT_AS = 9
RLIMIT_LOCKS = 10
RLIMIT_SIGPENDING = 11  # queued signals of one user
RLIMIT_MSGQUEUE = 12
RLIMIT_NICE = 13  # 20 less the least nice value
RLIMIT_RTPRIO = 14
RLIMIT_RTTIME = 15
RLIM_NLIMITS = 16
RLIM_INFINITY = (1 << 64) - 1

_STK_LIM = 8 << 20
MLOCK_LIMIT = 64 << 10
_INR_OPEN_CUR, _INR_OPEN_MAX = 1024, 4096  # fs.h
_MQ_BYTES_MAX = 819200  # mqueue.h

_FREE = (RLIM_INFINITY, RLIM_INFINITY)
INIT_RLIMITS = (
    _FREE,
    _FREE,
    _FREE,
    (_STK_LIM, RLIM_INFINITY),
    (0, RLIM_INFINITY),
    _FREE,
    (0, 0),  # set by fork_init(), as is RLIMIT_SIGPENDING
    (_INR_OPEN_CUR, _INR_OPEN_MAX),
    (MLOCK_LIMIT, MLOCK_LIMIT),
    _FREE,
    _FREE,
    (0, 0),
    (_MQ_BYTES_MAX, _MQ_BYTES_MAX),
    (0, 0),
    (0, 0),
    _FREE,
)
"""(soft, hard) by number."""
