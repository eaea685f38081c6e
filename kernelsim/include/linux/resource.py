"""include/linux/resource.h, uapi/linux/resource.h @ v5.10.188: what a process has used."""

from __future__ import annotations

from kernelsim.machine.ctype import s64
from kernelsim.machine.ref import Struct

__all__ = ["rusage"]


slong = s64.named("long")


class timeval(Struct):
    """__kernel_old_timeval: seconds and microseconds."""

    tv_sec = slong
    tv_usec = slong


class rusage(Struct):
    """What was used; Linux leaves the sizes (ixrss, idrss, isrss), swaps, messages and signals at 0."""

    ru_utime = timeval
    ru_stime = timeval
    ru_maxrss = slong
    ru_ixrss = slong
    ru_idrss = slong
    ru_isrss = slong
    ru_minflt = slong
    ru_majflt = slong
    ru_nswap = slong
    ru_inblock = slong
    ru_oublock = slong
    ru_msgsnd = slong
    ru_msgrcv = slong
    ru_nsignals = slong
    ru_nvcsw = slong
    ru_nivcsw = slong
