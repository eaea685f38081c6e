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


def cap_bprm_creds_from_file(new: Any, root_uid: int) -> None:
    """Compute the capabilities after execve(2) of a file that has none of its own.

    `new` (struct cred *) are the credentials to be; `root_uid` (kuid_t) is who root is in its
    namespace, and gets all that the bounding set has.  Everybody else keeps the ambient ones only.
    """
    effective = False
    new.cap_permitted = 0  # get_file_caps()
    if root_uid in (new.uid, new.euid):  # handle_privileged_root()
        new.cap_permitted = new.cap_bset | new.cap_inheritable
        effective = new.euid == root_uid
    new.suid = new.fsuid = new.euid
    new.sgid = new.fsgid = new.egid
    new.cap_permitted |= new.cap_ambient
    new.cap_effective = new.cap_permitted if effective else new.cap_ambient


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
