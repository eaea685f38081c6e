"""kernel/kthread.c @ v5.10.188: kernel threads, which kthreadd makes for whoever asks.

A request is put on a list; kthreadd makes the thread, so that it has a clean task for a parent and
nothing of the process that asked.  The macros kthread_create() and kthread_run() of
include/linux/kthread.h stand here too.  Left out: workers, freezing, control groups, use of an
mm; the policy and CPUs that root may have given kthreadd, for no call of ours can.
"""

from __future__ import annotations

from types import CoroutineType
from typing import TYPE_CHECKING, Any

from kernelsim.fs import exec as fs_exec
from kernelsim.include.linux import err, sched, slab
from kernelsim.include.linux import kthread as kthread_h
from kernelsim.include.linux import list as lists
from kernelsim.include.linux import types as types_h
from kernelsim.include.linux.sched import task_struct
from kernelsim.include.linux.wait import completion
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.asm.signal import SIG_IGN, SIGCHLD
from kernelsim.include.uapi.linux import sched as clone
from kernelsim.kernel import exit as kernel_exit
from kernelsim.kernel import fork
from kernelsim.kernel.sched import _inactive, core, wait
from kernelsim.machine import machine
from kernelsim.mm import slub

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = [
    "__kthread_should_park",
    "free_kthread_struct",
    "kthread",
    "kthread_bind",
    "kthread_bind_mask",
    "kthread_create",
    "kthread_create_on_cpu",
    "kthread_create_on_node",
    "kthread_data",
    "kthread_func",
    "kthread_is_per_cpu",
    "kthread_park",
    "kthread_parkme",
    "kthread_run",
    "kthread_set_per_cpu",
    "kthread_should_park",
    "kthread_should_stop",
    "kthread_stop",
    "kthread_unpark",
    "kthreadd",
]


def _to_kthread(m: Machine, k: task_struct) -> kthread_h.kthread:
    # to_kthread(): a kernel thread never tells a program its number, so set_child_tid is free.
    if not k.flags & sched.PF_KTHREAD:
        m.warn("to_kthread: not a kernel thread")
    return kthread_h.kthread(m, k.set_child_tid)


def _test_bit(bit: int, self: kthread_h.kthread) -> bool:
    return bool(self.flags >> bit & 1)


def free_kthread_struct(m: Machine, k: task_struct) -> None:
    """Free the struct kthread of the kernel thread `k`; one made by kernel_thread() has none."""
    slub.kfree(m, k.set_child_tid)


def kthread_should_stop(m: Machine) -> bool:
    """Return whether the running kernel thread is to return: kthread_stop() waits for that."""
    return _test_bit(kthread_h.KTHREAD_SHOULD_STOP, _to_kthread(m, m.current))


def __kthread_should_park(m: Machine, k: task_struct) -> bool:
    """Return whether `k` is to park."""
    return _test_bit(kthread_h.KTHREAD_SHOULD_PARK, _to_kthread(m, k))


def kthread_should_park(m: Machine) -> bool:
    """Return whether the running kernel thread is to call kthread_parkme()."""
    return __kthread_should_park(m, m.current)


def _known(m: Machine, task: task_struct) -> kthread_h.kthread:
    # __to_kthread(): NULL for what is no kernel thread.
    address = task.set_child_tid if task.flags & sched.PF_KTHREAD else 0
    return kthread_h.kthread(m, address)


def kthread_func(m: Machine, task: task_struct) -> int:
    """Return the address of the function that the kernel thread `task` runs, 0 if it is none."""
    kthread = _known(m, task)
    return int(kthread.threadfn) if kthread else 0


def kthread_data(m: Machine, task: task_struct) -> int:
    """Return the argument (void *) of the function of the kernel thread `task`."""
    return int(_to_kthread(m, task).data)


# --- the life of a thread ------------------------------------------------------------------


async def __kthread_parkme(m: Machine, self: kthread_h.kthread) -> None:
    current = m.current
    while True:
        current.state = sched.TASK_PARKED  # set_special_state()
        if not _test_bit(kthread_h.KTHREAD_SHOULD_PARK, self):
            break
        wait.complete(m, self.parked)
        await core.schedule(m)
    current.state = sched.TASK_RUNNING


async def kthread_parkme(m: Machine) -> None:
    """Sleep in TASK_PARKED as long as the running kernel thread is to park."""
    await __kthread_parkme(m, _to_kthread(m, m.current))


def _take_done(create: kthread_h.kthread_create_info) -> Any:
    # xchg(&create->done, NULL): whoever gets it tells the other one, who frees the request.
    done = create.done
    create.done = None
    return done


async def kthread(m: Machine, _create: int) -> int:
    """The first function of a kernel thread: tell who asked, sleep until woken, run `threadfn`.

    `_create` (struct kthread_create_info *) is what was asked for.  Never returns.
    """
    create = kthread_h.kthread_create_info(m, _create)
    threadfn, data, current = create.threadfn, create.data, m.current
    address = slub.kmalloc(m, kthread_h.kthread.sizeof_, slab.GFP_KERNEL | slab.__GFP_ZERO)
    current.set_child_tid = address  # set_kthread_struct()
    done = _take_done(create)
    if not done:  # who asked was killed
        slub.kfree(m, create.address_)
        await kernel_exit.do_exit(m, -errno.EINTR)
    if not address:
        create.result = err.ERR_PTR(-errno.ENOMEM)
        wait.complete(m, done)
        await kernel_exit.do_exit(m, -errno.ENOMEM)
    self = kthread_h.kthread(m, address)
    self.threadfn, self.data = threadfn, data
    wait.init_completion(self.exited)
    wait.init_completion(self.parked)
    current.vfork_done = self.exited
    current.state = sched.TASK_UNINTERRUPTIBLE
    create.result = current
    wait.complete(m, done)
    await core.schedule(m)
    ret = -errno.EINTR
    if not _test_bit(kthread_h.KTHREAD_SHOULD_STOP, self):
        await __kthread_parkme(m, self)
        ret = m.call(threadfn, data)
        if ret.__class__ is CoroutineType:
            ret = await ret
    await kernel_exit.do_exit(m, int(ret or 0))
    return 0


# --- making one ----------------------------------------------------------------------------


async def create_kthread(m: Machine, create: kthread_h.kthread_create_info) -> None:
    # kthreadd's part: a child that runs kthread(), or the news that there is none.
    pid = await fork.kernel_thread(
        m,
        machine.text_address("kthread"),
        create.address_,
        clone.CLONE_FS | clone.CLONE_FILES | SIGCHLD,
    )
    if pid < 0:
        done = _take_done(create)
        if not done:
            slub.kfree(m, create.address_)
            return
        create.result = err.ERR_PTR(pid)
        wait.complete(m, done)


async def __kthread_create_on_node(
    m: Machine, threadfn: int, data: int, node: int, name: str
) -> Any:
    # Ask kthreadd and wait for it; struct task_struct *, -ENOMEM, -EAGAIN or -EINTR.
    address = slub.kmalloc(m, kthread_h.kthread_create_info.sizeof_, slab.GFP_KERNEL)
    if not address:
        return -errno.ENOMEM
    create = kthread_h.kthread_create_info(m, address)
    done = wait.stack_push(m, completion)
    wait.init_completion(done)
    create.threadfn, create.data, create.node, create.done = threadfn, data, node, done
    lists.list_add_tail(create.list, m.symbol("kthread_create_list"))
    core.wake_up_process(m, task_struct(m, m.read_u64(m.symbols["kthreadd_task"][0])))
    if await wait.wait_for_completion(m, done, sched.TASK_KILLABLE):
        if _take_done(create):  # kthreadd, or the new thread, frees the request
            wait.stack_pop(m, completion)
            return -errno.EINTR
        await wait.wait_for_completion(m, done)
    wait.stack_pop(m, completion)
    task = create.result
    if not err.IS_ERR(task.address_):
        fs_exec.set_task_comm(m, task, name)
    slub.kfree(m, address)
    return err.PTR_ERR(task.address_) if err.IS_ERR(task.address_) else task


async def kthread_create_on_node(m: Machine, threadfn: int, data: int, node: int, name: str) -> Any:
    """Make a kernel thread called `name`, which sleeps until wake_up_process() lets it run `threadfn`.

    `threadfn` is the address of int (*)(void *data), `data` its argument, `node` the NUMA node.
    Returns struct task_struct *, or -ENOMEM, -EAGAIN, or -EINTR when the caller is killed.
    """
    return await __kthread_create_on_node(m, threadfn, data, node, name)


async def kthread_create(m: Machine, threadfn: int, data: int, name: str) -> Any:
    """kthread_create_on_node() on whatever node."""
    return await kthread_create_on_node(m, threadfn, data, kthread_h.NUMA_NO_NODE, name)


async def kthread_run(m: Machine, threadfn: int, data: int, name: str) -> Any:
    """kthread_create(), and let the thread run."""
    task = await kthread_create(m, threadfn, data, name)
    if not isinstance(task, int):
        core.wake_up_process(m, task)
    return task


def __kthread_bind_mask(m: Machine, p: task_struct, mask: int, state: int) -> None:
    if not _inactive.wait_task_inactive(p, state):
        m.warn("kthread_bind: the thread runs already")
        return
    _inactive.do_set_cpus_allowed(p, mask)
    p.flags |= sched.PF_NO_SETAFFINITY


def kthread_bind_mask(m: Machine, p: task_struct, mask: int) -> None:
    """Bind the new kernel thread `p`, not yet woken, to the CPUs of `mask` for ever."""
    __kthread_bind_mask(m, p, mask, sched.TASK_UNINTERRUPTIBLE)


def kthread_bind(m: Machine, p: task_struct, cpu: int) -> None:
    """Bind the new kernel thread `p`, not yet woken, to CPU number `cpu` for ever."""
    __kthread_bind_mask(m, p, 1 << cpu, sched.TASK_UNINTERRUPTIBLE)


async def kthread_create_on_cpu(
    m: Machine, threadfn: int, data: int, cpu: int, namefmt: str
) -> Any:
    """kthread_create() and kthread_bind(); a "%u" in `namefmt` becomes the number of the CPU."""
    p = await kthread_create_on_node(m, threadfn, data, 0, namefmt.replace("%u", str(cpu)))
    if isinstance(p, int):
        return p
    kthread_bind(m, p, cpu)
    _to_kthread(m, p).cpu = cpu
    return p


def kthread_set_per_cpu(m: Machine, k: task_struct, cpu: int) -> None:
    """Say that the bound thread `k` belongs to CPU number `cpu`, to no CPU if that is negative."""
    kthread = _to_kthread(m, k)
    if not k.flags & sched.PF_NO_SETAFFINITY:
        m.warn("kthread_set_per_cpu: the thread is not bound")
    if cpu < 0:
        kthread.flags &= ~(1 << kthread_h.KTHREAD_IS_PER_CPU)
        return
    kthread.cpu = cpu
    kthread.flags |= 1 << kthread_h.KTHREAD_IS_PER_CPU


def kthread_is_per_cpu(m: Machine, p: task_struct) -> bool:
    """Return whether `p` is a kernel thread that belongs to one CPU."""
    kthread = _known(m, p)
    return bool(kthread) and _test_bit(kthread_h.KTHREAD_IS_PER_CPU, kthread)


# --- parking and stopping ------------------------------------------------------------------


def kthread_unpark(m: Machine, k: task_struct) -> None:
    """Let the kernel thread `k` go on, if it is parked, and no longer ask it to park."""
    kthread = _to_kthread(m, k)
    if _test_bit(kthread_h.KTHREAD_IS_PER_CPU, kthread):
        __kthread_bind_mask(m, k, 1 << kthread.cpu, sched.TASK_PARKED)
    kthread.flags &= ~(1 << kthread_h.KTHREAD_SHOULD_PARK)
    core.wake_up_state(m, k, sched.TASK_PARKED)


async def kthread_park(m: Machine, k: task_struct) -> int:
    """Ask the kernel thread `k` to park, and wait until it has; one that is new parks before `threadfn`.

    Returns 0, -ENOSYS if it is exiting, -EBUSY if somebody has asked already.
    """
    kthread = _to_kthread(m, k)
    if k.flags & sched.PF_EXITING:
        m.warn("kthread_park: the thread is exiting")
        return -errno.ENOSYS
    if _test_bit(kthread_h.KTHREAD_SHOULD_PARK, kthread):
        m.warn("kthread_park: the thread is to park already")
        return -errno.EBUSY
    kthread.flags |= 1 << kthread_h.KTHREAD_SHOULD_PARK
    if k.address_ != m.current.address_:
        core.wake_up_process(m, k)
        await wait.wait_for_completion(m, kthread.parked)
        if not _inactive.wait_task_inactive(k, sched.TASK_PARKED):
            m.warn("kthread_park: the thread runs")
    return 0


async def kthread_stop(m: Machine, k: task_struct) -> int:
    """Ask the kernel thread `k` to return, and wait, uninterruptibly, until it has.

    Returns what `threadfn` returned, or -EINTR if it was never woken.
    """
    fork._usage(k, 1)  # get_task_struct()
    kthread = _to_kthread(m, k)
    kthread.flags |= 1 << kthread_h.KTHREAD_SHOULD_STOP
    kthread_unpark(m, k)
    core.wake_up_process(m, k)
    await wait.wait_for_completion(m, kthread.exited)
    ret: int = k.exit_code
    fork.put_task_struct(m, k)
    return ret


async def kthreadd(m: Machine, unused: int) -> int:
    """Make the kernel threads that are asked for: a loop that sleeps while nobody asks."""
    tsk = m.current
    fs_exec.set_task_comm(m, tsk, "kthreadd")
    for action in tsk.sighand.action:  # ignore_signals()
        action.sa_handler = SIG_IGN
    tsk.flags |= sched.PF_NOFREEZE
    requests = m.define("kthread_create_list", types_h.list_head)
    requests.next = requests.prev = requests
    while True:
        tsk.state = sched.TASK_INTERRUPTIBLE
        if lists.list_empty(requests):
            await core.schedule(m)
        tsk.state = sched.TASK_RUNNING
        while not lists.list_empty(requests):
            create = lists.list_first_entry(requests, kthread_h.kthread_create_info, "list")
            lists.list_del_init(create.list)
            await create_kthread(m, create)
