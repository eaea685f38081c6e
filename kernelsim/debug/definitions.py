"""Where each struct is defined in the source of v5.10.188: file and line, for links.

The lines are those at which the definition begins (`struct NAME {`), found once by a search through
the release's source.  A struct that Linux does not have under this name has no entry.
"""

from __future__ import annotations

from typing import Any

__all__ = ["DEFINED", "SOURCE", "link"]

SOURCE = "https://elixir.bootlin.com/linux/v5.10.188/source/"
DEFINED: dict[str, tuple[str, int]] = {
    "call_single_node": ("include/linux/smp_types.h", 58),
    "callback_head": ("include/linux/types.h", 216),
    "cfs_rq": ("kernel/sched/sched.h", 521),
    "cgroup_namespace": ("include/linux/cgroup.h", 857),
    "completion": ("include/linux/completion.h", 26),
    "cred": ("include/linux/cred.h", 111),
    "fdtable": ("include/linux/fdtable.h", 27),
    "file": ("include/linux/fs.h", 916),
    "file_operations": ("include/linux/fs.h", 1837),
    "files_struct": ("include/linux/fdtable.h", 49),
    "free_area": ("include/linux/mmzone.h", 96),
    "fs_struct": ("include/linux/fs_struct.h", 9),
    "group_info": ("include/linux/cred.h", 25),
    "hlist_head": ("include/linux/types.h", 182),
    "hlist_node": ("include/linux/types.h", 186),
    "hrtimer_sleeper": ("include/linux/hrtimer.h", 136),
    "idr": ("include/linux/idr.h", 19),
    "ipc_namespace": ("include/linux/ipc_namespace.h", 29),
    "k_sigaction": ("include/linux/signal_types.h", 49),
    "kmem_cache": ("include/linux/slub_def.h", 83),
    "kmem_cache_cpu": ("include/linux/slub_def.h", 42),
    "kmem_cache_node": ("mm/slab.h", 545),
    "kthread": ("kernel/kthread.c", 52),
    "kthread_create_info": ("kernel/kthread.c", 38),
    "list_head": ("include/linux/types.h", 178),
    "load_weight": ("include/linux/sched.h", 325),
    "mm_struct": ("include/linux/mm_types.h", 390),
    "mnt_namespace": ("fs/mount.h", 8),
    "net": ("include/net/net_namespace.h", 56),
    "new_utsname": ("include/uapi/linux/utsname.h", 25),
    "ns_common": ("include/linux/ns_common.h", 7),
    "nsproxy": ("include/linux/nsproxy.h", 31),
    "nsset": ("include/linux/nsproxy.h", 53),
    "page": ("include/linux/mm_types.h", 70),
    "pid": ("include/linux/pid.h", 59),
    "pid_namespace": ("include/linux/pid_namespace.h", 20),
    "pipe_buffer": ("include/linux/pipe_fs_i.h", 26),
    "pipe_inode_info": ("include/linux/pipe_fs_i.h", 58),
    "prev_cputime": ("include/linux/sched.h", 242),
    "proc_ns_operations": ("include/linux/proc_ns.h", 16),
    "radix_tree_preload": ("include/linux/radix-tree.h", 26),
    "rb_node": ("include/linux/rbtree.h", 24),
    "rb_root": ("include/linux/rbtree.h", 31),
    "rb_root_cached": ("include/linux/rbtree.h", 125),
    "restart_block": ("include/linux/restart_block.h", 25),
    "rlimit": ("include/uapi/linux/resource.h", 43),
    "rq": ("kernel/sched/sched.h", 897),
    "sched_class": ("kernel/sched/sched.h", 1783),
    "sched_dl_entity": ("include/linux/sched.h", 515),
    "sched_entity": ("include/linux/sched.h", 459),
    "sched_info": ("include/linux/sched.h", 290),
    "sched_rt_entity": ("include/linux/sched.h", 497),
    "seccomp": ("include/linux/seccomp.h", 35),
    "sighand_struct": ("include/linux/sched/signal.h", 20),
    "signal_struct": ("include/linux/sched/signal.h", 82),
    "sigpending": ("include/linux/signal_types.h", 30),
    "sigqueue": ("include/linux/signal_types.h", 20),
    "sigset_t": ("arch/x86/include/asm/signal.h", 23),
    "task_struct": ("include/linux/sched.h", 644),
    "thread_info": ("arch/x86/include/asm/thread_info.h", 56),
    "thread_struct": ("arch/x86/include/asm/processor.h", 485),
    "time_namespace": ("include/linux/time_namespace.h", 20),
    "track": ("mm/slub.c", 207),
    "ucounts": ("include/linux/user_namespace.h", 95),
    "uid_gid_extent": ("include/linux/user_namespace.h", 17),
    "uid_gid_map": ("include/linux/user_namespace.h", 23),
    "upid": ("include/linux/pid.h", 54),
    "user_namespace": ("include/linux/user_namespace.h", 56),
    "user_struct": ("include/linux/sched/user.h", 13),
    "uts_namespace": ("include/linux/utsname.h", 24),
    "wait_opts": ("kernel/exit.c", 1003),
    "wait_queue_entry": ("include/linux/wait.h", 29),
    "wait_queue_head": ("include/linux/wait.h", 36),
    "xa_node": ("include/linux/xarray.h", 1122),
    "xarray": ("include/linux/xarray.h", 292),
    "zone": ("include/linux/mmzone.h", 428),
}
"""The file and line of each struct, by its name in our declarations."""


def link(t: Any) -> str:
    """Return the address of the page that shows the definition of struct `t`; "" if none is known."""
    path, line = DEFINED.get(getattr(t, "__name__", ""), ("", 0))
    return f"{SOURCE}{path}#L{line}" if path else ""
