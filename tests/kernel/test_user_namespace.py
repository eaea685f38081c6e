"""User namespaces, users and capabilities: what real Linux answers, and what may not leak."""

import itertools
import os

import pytest

import kernelsim as ks
from kernelsim import host
from kernelsim.include.uapi.linux import prctl, sched
from kernelsim.user.programs import common
from tests.kernel import stage

NEWUSER, NEWUTS, NEWPID, NEWNET = (
    *(sched.CLONE_NEWUSER, sched.CLONE_NEWUTS, sched.CLONE_NEWPID, sched.CLONE_NEWNET),
)
ROOM = {
    name: getattr(sched, f"CLONE_NEW{name}")
    for name in ("UTS", "PID", "USER", "NS", "CGROUP", "IPC", "NET")
}
needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs real root"
)


def same_on_linux(program):
    simulated, real = ks.run(program), host.run(program)
    assert simulated.stdout.decode().splitlines() == real.stdout.decode().splitlines()
    assert simulated.status == real.status
    return simulated.stdout.decode()


async def write_map(libc, name, data):
    fd = await libc.open(f"/proc/self/{name}", 2)
    try:
        return await libc.write(fd, data)
    finally:
        await libc.close(fd)


async def read_map(libc, name):
    fd = await libc.open(f"/proc/self/{name}", 0)
    data = await libc.read(fd, 1000)
    await libc.close(fd)
    return data


@needs_root
@pytest.mark.needs_namespaces
def test_a_plain_user_becomes_root_of_its_own_namespace_and_of_nothing_else():
    async def program(libc):
        say = common.say
        await libc.setgroups([5, 4])
        await say(libc, f"{sorted(await libc.getgroups())}")
        await libc.setresgid(1000, 1000, 1000)
        await libc.setresuid(1000, 1000, 1000)
        await say(libc, await common.fails(libc.unshare(NEWUTS)))
        await say(libc, await common.fails(libc.kill(1, 0)))
        await say(libc, await common.fails(libc.open("/proc/self/uid_map", 2)))
        await libc.prctl(prctl.PR_SET_DUMPABLE, 1)
        await libc.unshare(NEWUSER)
        await say(libc, f"{await libc.getresuid()} {await libc.getresgid()}")
        for data in (b"0 1001 1", b"0 1000 2", b"junk", b"", b"0 1000 0", b"0 1000 1 1"):
            await say(libc, f"{data!r} {await common.fails(write_map(libc, 'uid_map', data))}")
        await say(libc, await common.fails(write_map(libc, "gid_map", b"0 1000 1")))
        await say(libc, await common.fails(write_map(libc, "setgroups", b"maybe")))
        await say(libc, await common.fails(write_map(libc, "setgroups", b"deny\n")))
        await say(libc, await common.fails(write_map(libc, "gid_map", b"0 1000 1\n")))
        await say(libc, await common.fails(write_map(libc, "uid_map", b"  0\t1000 1 \n")))
        await say(libc, await common.fails(write_map(libc, "uid_map", b"0 1000 1")))
        for name in ("uid_map", "gid_map", "setgroups"):
            await say(libc, f"{await read_map(libc, name)!r}")
        await say(libc, f"{await libc.getresuid()} {await libc.getresgid()}")
        await say(libc, f"{await libc.getgroups()} {await common.fails(libc.setgroups([]))}")
        await say(libc, await common.fails(libc.unshare(NEWUTS | NEWNET)))
        await libc.sethostname("inner")
        await say(libc, await libc.gethostname())
        await say(libc, await common.fails(libc.setuid(7)))
        await say(libc, await common.fails(libc.setresuid(-1, 0, -1)))

    assert "inner" in same_on_linux(program)


@needs_root
@pytest.mark.needs_namespaces
def test_setting_users_and_groups_follows_linux_in_600_cases():
    ids = (0, 1000, 2000, -1)

    async def program(libc):
        cases = list(itertools.product(ids, repeat=3))
        for number, (a, b, c) in enumerate(cases):
            pid = await libc.fork()
            if pid:
                await libc.waitpid(pid, 0)
                continue
            if number % 2:
                await libc.setresuid(1000, 1000 if number % 4 == 1 else 0, 2000)
            for name, args in (
                ("setresuid", (a, b, c)),
                ("setreuid", (b, c)),
                ("setuid", (c,)),
                ("setresgid", (c, a, b)),
                ("setregid", (a, b)),
                ("setgid", (b,)),
                ("setresuid", (c, b, a)),
                ("setreuid", (a, a)),
                ("setuid", (a,)),
                ("setuid", (0,)),
            ):
                result = await common.fails(getattr(libc, name)(*args))
                ids_now = await libc.getresuid(), await libc.getresgid()
                await common.say(libc, f"{number} {name}{args} {result} {ids_now}")
            await libc.exit(0)

    assert len(same_on_linux(program).splitlines()) == 640


@pytest.mark.parametrize("n", [1, 2, 3])
def test_namespaces_in_any_combination_leave_nothing_behind(n):
    k, sh = stage.booted()
    for names in itertools.combinations(ROOM, n):
        before = stage.ground(k)
        child = k.call(sh, "clone", sum(ROOM[name] for name in names) | 17)
        stage.check(k)
        stage.end(k, sh, child)
        stage.check(k)
        after = stage.ground(k)
        if "PID" in names:  # the cache of deeper pids stays
            after["objects"].pop("pid_2", None)
            before["objects"].pop("pid_2", None)
            after["objects"]["kmem_cache"] = before["objects"]["kmem_cache"]
        assert after == before


def test_a_user_namespace_lives_as_long_as_a_namespace_that_it_owns():
    k, sh = stage.booted()
    child = k.task(k.call(sh, "clone", NEWUSER | NEWUTS | 17))
    owner = child.nsproxy.uts_ns.user_ns
    assert owner == child.cred.user_ns
    assert (owner.level, owner.owner, owner.ns.inum) == (1, 0, child.cred.user_ns.ns.inum)
    fd = k.call(sh, "open", f"/proc/{child.pid}/ns/uts", 0)
    stage.end(k, sh, child.pid)
    assert owner.count == 1  # the UTS namespace, which the file keeps
    stage.check(k)
    k.call(sh, "close", fd)
    stage.check(k)


def test_33_levels_of_user_namespaces_and_no_more():
    k, sh = stage.booted()
    for level in range(1, 34):
        k.call(sh, "unshare", NEWUSER)
        assert sh.cred.user_ns.level == level
        assert k.call(sh, "getuid") == 65534
        for name, data in (("uid_map", b"0 0 1"), ("setgroups", b"deny"), ("gid_map", b"0 0 1")):
            fd = k.call(sh, "open", f"/proc/self/{name}", 2)
            k.call(sh, "write", fd, data)
            k.call(sh, "close", fd)
        assert k.call(sh, "getuid") == 0
    with pytest.raises(OSError, match="No space left on device"):
        k.call(sh, "unshare", NEWUSER)
    stage.check(k)


def test_exec_takes_capabilities_from_who_is_not_root():
    k, sh = stage.booted()
    k.call(sh, "unshare", NEWUSER)
    assert sh.cred.cap_effective
    k.call(sh, "execve", "sh")
    assert not sh.cred.cap_effective  # nobody, not root
    with pytest.raises(OSError, match="Operation not permitted"):
        k.call(sh, "unshare", NEWUTS)


def test_setns_of_a_pidfds_process_is_refused_for_what_is_no_pidfd():
    k, sh = stage.booted()
    fd = k.call(sh, "open", "/dev/null", 0)
    before = stage.ground(k)
    with pytest.raises(OSError, match="Invalid argument"):
        k.call(sh, "setns", fd, NEWUTS)
    assert stage.ground(k) == before


@pytest.mark.parametrize("flag", list(ROOM.values()))
def test_each_allocation_of_setns_may_fail(flag):
    from tests.kernel.test_failing_allocations import failing

    k, sh = stage.booted()
    child = k.task(k.call(sh, "clone", flag | 17))
    kind = next(name for name in ROOM if ROOM[name] == flag).lower().replace("ns", "mnt")
    fd = k.call(sh, "open", f"/proc/{child.pid}/ns/{kind}", 0)
    errors = [error for _, error, _ in failing(k, lambda: k.call(sh, "setns", fd, flag))]
    assert errors[-1] is None
    assert set(errors[:-1]) <= {12}
