"""A booted kernel with a shell, a child and some history, for the tests of the widgets."""

import kernelsim as ks


def booted():
    k = ks.boot()
    return k, k.spawn("bash")


def family():
    """A shell (3) that sleeps in waitpid for its child (4), which has a child of its own (5)."""
    k, bash = booted()
    child = k.task(k.call(bash, "fork"))
    assert k.call(bash, "waitpid", -1, 0) is ks.PENDING
    k.call(child, "fork")
    return k, bash, child


def pids(look):
    return [task.pid for task in look.tasks()]


async def race(libc):
    """Parent and child print a letter each, twice, and give way in between."""
    pid = await libc.fork()
    for _ in range(2):
        await libc.write(1, b"p" if pid else b"c")
        await libc.sched_yield()
    if pid:
        await libc.wait()
