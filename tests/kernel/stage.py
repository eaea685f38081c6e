"""What the tests of the kernel share: kernel code run by a puppet, and what must not leak."""

import pytest

import kernelsim as ks
from kernelsim.debug import validate
from kernelsim.include.linux.sched import task_struct
from kernelsim.include.linux.sched.task import kernel_clone_args
from kernelsim.kernel import fork
from kernelsim.mm import page_alloc, slab_common
from kernelsim.user.libc import UserBuffer

PTHREAD = 0x3D0F00  # the flags of glibc's pthread_create()


# Let the puppet `task` run kernel code, as the inside of a system call: `code` is a coroutine.
# Returns its result, PENDING if it sleeps.
def inside(k, task, code):
    k._driver.fire(task.address_, "code", code)
    return k.result(task)


# clone with any flags, from inside the kernel: the system call takes only some of them.
def clone(k, task, flags, exit_signal=17, **more):
    args = kernel_clone_args(flags=flags, exit_signal=exit_signal, **more)
    result = inside(k, task, fork.kernel_clone(k.machine, args))
    return k.task(result) if result > 0 else result


# A booted kernel and a puppet on it.
def booted(**options):
    k = ks.boot(**options)
    return k, k.spawn("sh")


# Everything that may leak, each read from memory: what is allocated, who exists, what is counted.
def ground(k):
    m = k.machine
    ns = m.symbol("init_pid_ns")
    slabs = slab_common.usage(m)
    slabs["radix_tree_node"] -= m.static.radix_tree_preloads.nr  # idr_preload()'s pool
    in_slabs = sum(s.node.nr_slabs << (s.oo >> 16) for s in slab_common.caches(m))
    zone = m.symbol("contig_zone")
    return {
        "objects": slabs,
        "pages beside slabs": zone.managed_pages - page_alloc.nr_free_pages(m) - in_slabs,
        "nr_threads": m.add("nr_threads", 0),
        "process_counts": m.add("process_counts", 0),
        "processes of root": m.symbol("root_user").processes,
        "pid_allocated": ns.pid_allocated,
        "namespaces": m.symbol("init_nsproxy").count,
        "tasks": [(t.address_, t.pid, t.exit_state) for t in k.tasks()],
        "runnable": sorted(t.address_ for t in k.tasks() if t.on_rq),
    }


# End the child `pid` of `parent` with `status`, and wait for it.
def end(k, parent, pid, status=0):
    k.call(k.task(pid), "exit_group", status)
    assert k.call(parent, "waitpid", pid, 0) == (pid, status << 8)


def check(k):
    validate.validate_machine(k.machine)


# The numbers of the tasks that use `pid` as `kind`, newest first.
def members(pid, kind):
    found, node = [], pid.tasks[kind].first
    while node:
        task = ks.container_of(node, task_struct, f"pid_links[{kind}]")
        found.append(task.pid)
        node = node.next
    return found


# A place in user memory for a pointer argument.
def place(data=None):
    found = UserBuffer()
    found.data = data
    return found


# The errno with which a call that a puppet makes is refused.
def refused(k, task, *call):
    with pytest.raises(OSError, match=r"Errno") as error:
        k.call(task, *call)
    return error.value.errno


HANDLER = 0x5000


# Let `task` handle `sig`; what its handler saw is in the list that is returned.
def handle(k, task, sig, sa_flags=0, mask=0):
    seen = []

    async def handler(m, number):
        action = m.current.sighand.action[number - 1]
        seen.append((number, m.current.pid, m.current.blocked, action.sa_flags, action.sa_handler))

    k.machine.user_text[HANDLER] = handler
    k.call(task, "rt_sigaction", sig, (HANDLER, sa_flags, mask), None, 8)
    return seen
