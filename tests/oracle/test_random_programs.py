"""Real Linux decides: programs that nobody wrote, of pipes, descriptors and forks in sequence.

A script is a tree of steps drawn from a seed; a fork step carries the child's script, and the
parent waits for it at once, so that the outcome is certain. A read may sleep for ever: then both
kernels must say so, Linux by the time limit and the simulator by finding nobody who could run.
"""

import random
from typing import Any

import pytest

import kernelsim as ks
from kernelsim import host
from kernelsim.user.programs import common

pytestmark = pytest.mark.needs_namespaces

BLOCKS = 6
SCRIPTS = 25  # per block
OUT = 20

KINDS = [  # what is there twice comes twice as often
    *("pipe", "write", "close", "fork", "fork", "pipe", "write", "close", "fork"),
    *("read", "dup", "dup2", "lseek", "wait", "waitpid", "exit", "ids"),
]

Step = tuple[Any, ...]


def _fd(rng: random.Random) -> int:
    return rng.choice((-1, 0, 1, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 8, 9))


def _step(rng: random.Random, depth: int) -> Step:
    kind = rng.choice(KINDS)
    match kind:
        case "pipe" | "wait":
            return (kind,)
        case "write":
            return (kind, _fd(rng), bytes(rng.choices(b"abc", k=rng.choice((0, 1, 3, 9)))))
        case "read":
            return (kind, _fd(rng), rng.choice((0, 1, 4, 100)))
        case "close" | "dup":
            return (kind, _fd(rng))
        case "dup2":
            return (kind, _fd(rng), _fd(rng))
        case "lseek":
            return (kind, _fd(rng), rng.choice((0, 5, -1)), rng.choice((0, 1, 2, 9)))
        case "fork" if depth < 4:
            return (kind, _script(rng, depth + 1))
        case "waitpid":
            return (kind, rng.choice((-1, 0, 1, 2, 3, 4, -7)), rng.choice((0, 1, 2, 8, 0x10)))
        case "exit" if depth > 0:
            return (kind, rng.choice((0, 1, 7, 255, 256, -1)))
    return ("ids",)


def _script(rng: random.Random, depth: int = 0) -> list[Step]:
    return [_step(rng, depth) for _ in range(rng.randint(2, 14 - 2 * depth))]


# Carry the script out and tell each result on a descriptor that no step can reach.
async def _play(libc: Any, script: list[Step]) -> int:
    for name, *args in script:
        text = name
        if name == "fork":
            pid = await libc.fork()
            if pid == 0:
                return await _play(libc, args[0])
            text = f"fork {pid} waitpid {await common.fails(libc.waitpid(pid, 0))}"
        elif name == "ids":
            text = f"ids {await libc.getpid()} {await libc.getppid()} {await libc.gettid()}"
        elif name == "exit":
            await libc.exit(args[0])
        else:
            text = f"{name}{tuple(args)} {await common.fails(getattr(libc, name)(*args))}"
        await libc.write(OUT, f"{text}\n".encode())
    return len(script)


# The outcome of a run; of one that could not end, only what it had written.
def _outcome(run: Any) -> tuple[bytes, int | None]:
    try:
        done = run()
    except host.Timeout as stuck:
        return stuck.stdout, None
    return done.stdout, done.status


@pytest.mark.parametrize("block", range(BLOCKS))
def test_random_scripts_print_and_end_as_on_linux(block: int) -> None:
    for seed in range(block * SCRIPTS, (block + 1) * SCRIPTS):
        script = _script(random.Random(seed))

        async def program(libc: Any, script: list[Step] = script) -> int:
            await libc.dup2(1, OUT)
            for fd in (0, 1, 2):  # whatever they are: a script's descriptors are all pipes
                await libc.close(fd)
            return await _play(libc, script)

        simulated = _outcome(lambda program=program: ks.run(program))
        # A busy machine is slow to end, and slow to get to where a script hangs for ever.
        for patience in (0.5, 2.0, 20.0) if simulated[1] is None else (20.0,):
            real = _outcome(
                lambda program=program, patience=patience: host.run(program, timeout=patience)
            )
            if real == simulated:
                break
        assert simulated == real, f"seed {seed}: {script}"
