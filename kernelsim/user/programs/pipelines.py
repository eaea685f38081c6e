"""Processes that work together: pipelines, rings, fans, and a sieve."""

from __future__ import annotations

from typing import Any

from kernelsim.user.programs import common

__all__ = [
    "fan_in",
    "fan_out",
    "prime_sieve",
    "ring_of_processes",
    "shell_pipeline",
    "sum_of_the_parts",
    "three_stages_forked_from_the_end",
    "token_passes_the_turn",
    "tree_of_sums",
]


# What a shell does for a stage of a pipeline: the ends become 0 and 1, everything else is closed.
async def _plug(libc: Any, fd: int, place: int) -> None:
    if fd != place:
        await libc.dup2(fd, place)
        await libc.close(fd)


async def shell_pipeline(libc: Any) -> None:
    """`seq 5 | square | sum` as a shell sets it up: each stage knows only 0 and 1."""

    async def seq() -> None:
        for number in range(1, 6):
            await common.say(libc, str(number))

    async def square() -> None:
        for line in (await common.read_all(libc, 0)).split():
            await common.say(libc, str(int(line) ** 2))

    async def total() -> None:
        await common.say(libc, str(sum(map(int, (await common.read_all(libc, 0)).split()))))

    source = 0
    stages = (seq, square, total)
    for stage in stages:
        r, w = await libc.pipe() if stage is not total else (0, 1)
        if await libc.fork() == 0:
            if r:
                await libc.close(r)
            await _plug(libc, source, 0)
            await _plug(libc, w, 1)
            await stage()
            return
        if source:
            await libc.close(source)
        if r:
            await libc.close(w)
        source = r
    await common.say(libc, f"{await common.collect(libc)} stages, next pipe {await libc.pipe()}")


async def three_stages_forked_from_the_end(libc: Any) -> None:
    """Each stage forks the one before it and reads from it."""
    text = b""
    w = 1
    for change in (bytes.title, bytes.swapcase, bytes.strip):
        r, next_w = await libc.pipe()
        if await libc.fork() != 0:
            await libc.close(next_w)
            text = change(await common.read_all(libc, r))
            await libc.write(w, text + (b"\n" if w == 1 else b""))
            await libc.wait()
            return
        await libc.close(r)
        w = next_w
    await libc.write(w, b"  the quick brown fox  ")


async def ring_of_processes(libc: Any) -> None:
    """Five processes in a ring add their pid to a number that goes round three times."""
    pipes = [await libc.pipe() for _ in range(5)]
    place = 0
    for number in range(1, 5):
        if await libc.fork() == 0:
            place = number
            break
    r, w = pipes[place][0], pipes[(place + 1) % 5][1]
    if place == 0:
        await libc.write(w, b"0")
    for _ in range(3):
        value = int(await libc.read(r, 16)) + await libc.getpid()
        await common.say(libc, f"place {place}: {value}")
        if place or _ < 2:
            await libc.write(w, str(value).encode())
    if place == 0:
        await common.collect(libc)


async def token_passes_the_turn(libc: Any) -> None:
    """Who holds the token may speak: four children in a fixed order."""
    r, w = await libc.pipe()
    for number in range(4):
        next_r, next_w = await libc.pipe()
        if await libc.fork() == 0:
            await libc.read(r, 1)
            await common.say(libc, f"child {number} speaks")
            await libc.write(next_w, b"T")
            return
        if number == 0:
            first = w
        r, w = next_r, next_w
    await common.say(libc, "parent gives the token")
    await libc.write(first, b"T")
    await libc.read(r, 1)
    await common.say(libc, f"parent has it back from {await common.collect(libc)} children")


async def prime_sieve(libc: Any) -> None:
    """A process per prime: each strikes out the multiples of its own and passes the rest on."""
    r, w = await libc.pipe()
    if await libc.fork() != 0:
        await libc.close(r)
        for number in range(2, 36):
            await libc.write(w, bytes([number]))
        await libc.close(w)
        await libc.wait()
        return
    await libc.close(w)
    while first := await libc.read(r, 1):
        await common.say(libc, f"prime {first[0]}")
        next_r, next_w = await libc.pipe()
        if await libc.fork() != 0:
            await libc.close(next_r)
            while number := await libc.read(r, 1):
                if number[0] % first[0]:
                    await libc.write(next_w, number)
            await libc.close(next_w)
            await libc.wait()
            return
        await libc.close(next_w)
        await libc.close(r)
        r = next_r


async def fan_out(libc: Any) -> None:
    """One pipe, three workers: each job is taken by one of them, whoever it is."""
    jobs_r, jobs_w = await libc.pipe()
    done_r, done_w = await libc.pipe()
    for _ in range(3):
        if await libc.fork() == 0:
            await libc.close(jobs_w)
            while job := await libc.read(jobs_r, 1):
                await libc.write(done_w, bytes([job[0] * 2]))
            return
    await libc.close(done_w)
    await libc.write(jobs_w, bytes(range(1, 31)))
    await libc.close(jobs_w)
    done = await common.read_all(libc, done_r)
    await common.say(libc, f"{sorted(done)}")
    await common.say(libc, f"by {await common.collect(libc)} workers")


async def fan_in(libc: Any) -> None:
    """Four children each have a pipe to the parent, which reads them in its own order."""
    ends = []
    for number in range(4):
        r, w = await libc.pipe()
        if await libc.fork() == 0:
            await libc.write(w, f"report {number} from {await libc.getpid()}".encode())
            return
        await libc.close(w)
        ends.append(r)
    for r in reversed(ends):
        await common.say(libc, f"fd {r}: {(await common.read_all(libc, r)).decode()}")
    await common.collect(libc)


async def sum_of_the_parts(libc: Any) -> None:
    """Each child adds a quarter of the numbers up; the parent adds the four sums."""
    r, w = await libc.pipe()
    for part in range(4):
        if await libc.fork() == 0:
            total = sum(range(part * 250, (part + 1) * 250))
            await libc.write(w, f"{total} ".encode())
            return
    await libc.close(w)
    sums = sorted(map(int, (await common.read_all(libc, r)).split()))
    await common.collect(libc)
    await common.say(libc, f"{sums} make {sum(sums)}")


async def tree_of_sums(libc: Any) -> None:
    """A list is halved down to single numbers, one process each; the sums come back up by pipes."""
    numbers = [3, 1, 4, 1, 5, 9, 2, 6]
    up = 1
    while len(numbers) > 1:
        half = len(numbers) // 2
        r, w = await libc.pipe()
        for part in (numbers[:half], numbers[half:]):
            if await libc.fork() == 0:
                numbers, up = part, w
                await libc.close(r)
                break
        else:
            await libc.close(w)
            await common.collect(libc)
            numbers = [sum(map(int, (await common.read_all(libc, r)).split()))]
    await libc.write(up, f"{numbers[0]}\n".encode())
