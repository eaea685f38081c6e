"""security/commoncap.c @ v5.10.188: what capabilities mean.

Left out: files with capabilities, securebits, ambient and bounding sets but as numbers.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.uapi.asm import errno

__all__ = ["cap_bprm_creds_from_file", "cap_capable", "cap_issubset", "cap_task_fix_setuid"]


def cap_capable(cred: Any, targ_ns: Any, cap: int) -> int:
    """Tell whether `cred` (const struct cred *) has the capability `cap` over `targ_ns` (struct user_namespace *).

    Returns 0 if so, -EPERM if not; who has it in a namespace has it in those below.
    """
    ns, own = targ_ns, cred.user_ns
    while True:
        if ns == own:
            return 0 if cred.cap_effective >> cap & 1 else -errno.EPERM
        if ns.level <= own.level:
            return -errno.EPERM
        if ns.parent == own and ns.owner == cred.euid:
            return 0
        ns = ns.parent


def cap_issubset(a: int, b: int) -> bool:
    """Return whether the set `a` (kernel_cap_t) has no capability that `b` lacks."""
    return not a & ~b


def cap_task_fix_setuid(new: Any, old: Any, root_uid: int) -> None:
    """After setuid and its kin: who stops being root loses capabilities, who becomes root gets them.

    `new` and `old` are struct cred *, `root_uid` (kuid_t) is who root is in the namespace of `old`.
    """
    was_root = root_uid in (old.uid, old.euid, old.suid)
    if was_root and root_uid not in (new.uid, new.euid, new.suid):
        new.cap_permitted = new.cap_effective = new.cap_ambient = 0
    if old.euid == root_uid and new.euid != root_uid:
        new.cap_effective = 0
    if old.euid != root_uid and new.euid == root_uid:
        new.cap_effective = new.cap_permitted


def cap_bprm_creds_from_file(new: Any, old: Any, root_uid: int) -> None:
    """What a program without capabilities of its own leaves to who runs it: root all, others none.

    `new` and `old` are struct cred *, `root_uid` (kuid_t) is who root is in their namespace.
    """
    permitted = 0
    if root_uid in (new.euid, new.uid):  # handle_privileged_root()
        permitted = old.cap_bset | old.cap_inheritable
    new.suid = new.fsuid = new.euid
    new.sgid = new.fsgid = new.egid
    new.cap_permitted = permitted | new.cap_ambient
    new.cap_effective = new.cap_permitted if new.euid == root_uid else new.cap_ambient
