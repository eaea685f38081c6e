"""Namespaces: a host name of one's own, numbers of one's own, going in and coming back."""

from __future__ import annotations

from typing import Any

from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux import sched
from kernelsim.user.programs import common

__all__ = [
    "a_file_keeps_a_namespace",
    "a_namespace_without_its_init",
    "a_new_host_name_is_seen_inside_only",
    "below_the_deepest_level",
    "going_back_to_the_namespace_of_before",
    "nested_first_processes",
    "setns_refuses",
    "the_links_tell_namespaces_apart",
    "two_unshares_of_numbers",
    "unshare_and_clone_flags_that_contradict",
]

NEWUTS, NEWPID, NEWIPC = sched.CLONE_NEWUTS, sched.CLONE_NEWPID, sched.CLONE_NEWIPC


async def a_new_host_name_is_seen_inside_only(libc: Any) -> None:
    """A child with a UTS namespace of its own changes the name for itself and its children."""
    before = await libc.gethostname()
    pid = await libc.fork()
    if pid == 0:
        await libc.unshare(NEWUTS)
        await common.say(libc, f"the same at first: {await libc.gethostname() == before}")
        await libc.sethostname("box")
        inner = await libc.fork()
        if inner == 0:
            await common.say(libc, f"the grandchild: {await libc.gethostname()}")
            await libc.exit(0)
        await libc.waitpid(inner, 0)
        await common.say(libc, await common.fails(libc.sethostname("x" * 65)))
        await libc.sethostname("")
        await common.say(libc, repr((await libc.uname()).nodename))
        await libc.exit(0)
    await libc.waitpid(pid, 0)
    await common.say(libc, f"outside as before: {await libc.gethostname() == before}")


async def going_back_to_the_namespace_of_before(libc: Any) -> None:
    """An open /proc/self/ns/uts leads back, but for the wrong kind of namespace."""
    fd = await libc.open("/proc/self/ns/uts", 0)
    before = await libc.gethostname()
    await libc.unshare(NEWUTS)
    await libc.sethostname("elsewhere")
    await common.say(libc, await common.fails(libc.setns(fd, NEWPID)))
    await common.say(libc, f"there: {await libc.gethostname()}")
    await libc.setns(fd, NEWUTS)
    await common.say(libc, f"back: {await libc.gethostname() == before}")
    await common.say(libc, await common.fails(libc.setns(fd)))


async def setns_refuses(libc: Any) -> None:
    """What is no namespace, no open file, and the caller's own user namespace."""
    r, w = await libc.pipe()
    await common.say(libc, await common.fails(libc.setns(r)))
    await common.say(libc, await common.fails(libc.setns(r, NEWUTS)))
    await common.say(libc, await common.fails(libc.setns(99)))
    await common.say(libc, await common.fails(libc.setns(-1)))
    fd = await libc.open("/proc/self/ns/user", 0)
    await common.say(libc, await common.fails(libc.setns(fd)))
    await common.say(libc, await common.fails(libc.open("/proc/self/ns/user", 1)))
    await common.say(libc, await common.fails(libc.open("/proc/self/ns/nothing", 0)))
    await common.say(libc, await common.fails(libc.write(fd, b"x")))
    await common.say(libc, await common.fails(libc.lseek(fd, 0, 0)))
    await libc.close(w)


async def the_links_tell_namespaces_apart(libc: Any) -> None:
    """Same link, same namespace: a fork shares all of them, unshare changes those that it names."""
    kinds = ("uts", "ipc", "mnt", "net", "pid", "pid_for_children", "user", "cgroup")
    before = [await libc.readlink(f"/proc/self/ns/{kind}") for kind in kinds]
    pid = await libc.fork()
    if pid == 0:
        mine = [await libc.readlink(f"/proc/self/ns/{kind}") for kind in kinds]
        await common.say(libc, f"after fork: {mine == before}")
        await libc.unshare(NEWUTS | NEWIPC | sched.CLONE_NEWNS | sched.CLONE_NEWNET)
        mine = [await libc.readlink(f"/proc/self/ns/{kind}") for kind in kinds]
        new = [k for k, a, b in zip(kinds, before, mine, strict=True) if a != b]
        await common.say(libc, f"new: {new}")
        await common.say(libc, f"numbers differ: {len(set(mine)) == len(kinds) - 1}")
        await libc.exit(0)
    await libc.waitpid(pid, 0)


async def nested_first_processes(libc: Any) -> None:
    """Three levels down, everybody is number 1 at home and has no parent that it could see."""
    for level in range(3):
        await libc.unshare(NEWPID)
        pid = await libc.fork()
        if pid:
            await common.say(libc, f"level {level}: child {pid}, {await libc.waitpid(pid, 0)}")
            break
        await common.say(
            libc, f"level {level}: I am {await libc.getpid()}, my parent {await libc.getppid()}"
        )


async def two_unshares_of_numbers(libc: Any) -> None:
    """Whose children live elsewhere can't move them on, and makes no thread."""
    await libc.unshare(NEWPID)
    await common.say(libc, f"still {await libc.getpid() > 1}")
    await common.say(libc, await common.fails(libc.unshare(NEWPID)))
    pid = await libc.fork()
    if pid == 0:
        await common.say(libc, f"{await libc.getpid()}")
        await libc.exit(7)
    await common.say(libc, f"{await libc.waitpid(pid, 0)}")
    await common.say(libc, await common.fails(libc.fork()))  # its init is dead


async def a_namespace_without_its_init(libc: Any) -> None:
    """The death of a namespace's first process takes the others with it."""
    r, w = await libc.pipe()
    await libc.unshare(NEWPID)
    first = await libc.fork()
    if first == 0:
        for _ in range(3):
            if await libc.fork() == 0:
                await libc.close(r)
                while True:
                    await libc.pause()
        await libc.exit(5)
    await libc.close(w)
    await common.say(libc, f"{await libc.waitpid(first, 0) == (first, 0x500)}")
    await common.say(libc, f"nobody writes any more: {await libc.read(r, 1)!r}")


async def a_file_keeps_a_namespace(libc: Any) -> None:
    """Into the namespace of a child by its file, while its first process lives and afterwards."""
    home = await libc.open("/proc/self/ns/pid", 0)
    await libc.unshare(NEWPID)
    await common.say(libc, await common.fails(libc.open("/proc/self/ns/pid_for_children", 0)))
    r, w = await libc.pipe()
    first = await libc.fork()
    if first == 0:
        await libc.close(w)
        await libc.read(r, 1)
        await libc.exit(0)
    there = await libc.open("/proc/self/ns/pid_for_children", 0)
    await libc.setns(home)
    pid = await libc.fork()
    if pid == 0:
        await libc.exit(int(await libc.getpid() == 2))
    await common.say(libc, f"{(await libc.waitpid(pid, 0))[1]}")
    await libc.setns(there)
    pid = await libc.fork()
    if pid == 0:
        await common.say(libc, f"I am {await libc.getpid()} under {await libc.getppid()}")
        await common.say(libc, await common.fails(libc.kill(1, 0)))
        await common.say(libc, await common.fails(libc.kill(1, signal.SIGKILL)))
        await common.say(libc, await common.fails(libc.setns(home)))
        await libc.exit(0)
    await libc.waitpid(pid, 0)
    await libc.close(w)
    await libc.waitpid(first, 0)
    await libc.setns(there)
    await common.say(libc, await common.fails(libc.fork()))


async def below_the_deepest_level(libc: Any) -> None:
    """The nesting ends: at some depth a new namespace is refused."""
    for _ in range(40):
        result = await common.fails(libc.unshare(NEWPID))
        if result != "returned None":
            await common.say(libc, result)
            return
        pid = await libc.fork()
        if pid:
            await libc.waitpid(pid, 0)
            return
    await common.say(libc, "no end")


async def unshare_and_clone_flags_that_contradict(libc: Any) -> None:
    """What unshare() does not know, alone and together with what it knows."""
    for flags in (sched.CLONE_VFORK, sched.CLONE_PARENT, sched.CLONE_PIDFD, 0x80000000, 17,
                  NEWUTS | sched.CLONE_VFORK, sched.CLONE_NEWUSER | sched.CLONE_PARENT):  # fmt: skip
        await common.say(libc, f"{flags:#x}: {await common.fails(libc.unshare(flags))}")
    for flags in (0, sched.CLONE_FS, sched.CLONE_FILES, sched.CLONE_SYSVSEM, sched.CLONE_THREAD):
        await common.say(libc, f"{flags:#x}: {await common.fails(libc.unshare(flags))}")
