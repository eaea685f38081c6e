"""include/uapi/linux/wait.h @ v5.10.188: options of the wait calls."""

from __future__ import annotations

__all__ = [
    "P_ALL",
    "P_PGID",
    "P_PID",
    "P_PIDFD",
    "WCONTINUED",
    "WEXITED",
    "WNOHANG",
    "WNOWAIT",
    "WSTOPPED",
    "WUNTRACED",
    "__WALL",
    "__WCLONE",
    "__WNOTHREAD",
]

WNOHANG = 0x00000001
WUNTRACED = WSTOPPED = 0x00000002
WEXITED = 0x00000004
WCONTINUED = 0x00000008
WNOWAIT = 0x01000000
__WNOTHREAD = 0x20000000
__WALL = 0x40000000
__WCLONE = 0x80000000

P_ALL, P_PID, P_PGID, P_PIDFD = 0, 1, 2, 3
