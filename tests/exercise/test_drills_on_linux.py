"""Real Linux answers the same questions: programs that fork and print, status words, numbers."""

import os
import re

import pytest

from kernelsim import exercise, host
from kernelsim.exercise import drill, family, program_drills

pytestmark = pytest.mark.needs_namespaces
SEEDS = range(12)
each_level = pytest.mark.parametrize("level", [1, 2, 3])


@each_level
def test_a_program_makes_as_many_processes(level):
    for seed in SEEDS:
        q = exercise.ask("how many processes", seed, level)
        run = host.run(program_drills.program_of(program_drills.program_text(q.prompt)))
        forks = sum(1 for call in run.records if call.name == "fork" and call.result)
        assert q.did == str(1 + forks), q.prompt


@each_level
def test_a_program_prints_a_letter_as_often(level):
    for seed in SEEDS:
        q = exercise.ask("what is printed how often", seed, level)
        text = program_drills.program_text(q.prompt)
        if "is a terminal" in q.prompt:
            text = program_drills.to_a_terminal(text)
        letter = re.search(r"How often is `(\w)`", q.prompt)[1]
        run = host.run(program_drills.program_of(text))
        assert q.did == str(run.stdout.count(letter.encode())), q.prompt


# The word that Linux stores, and what the C library's macros make of it.
def real_word(words):
    code, name = re.search(r"_exit\((-?\d+)\)|by (SIG\w+)", words).groups()

    async def program(libc):
        pid = await libc.fork()
        if pid == 0:
            if code is not None:
                await libc._exit(int(code))
            await libc.pause()
        if name is not None:
            await libc.kill(pid, int(re.search(r"signal (\d+)", words)[1]))
        _, word = await libc.waitpid(pid, os.WUNTRACED)
        await libc.write(1, str(word).encode())
        if os.WIFSTOPPED(word):
            await libc.kill(pid, 9)

    return int(host.run(program).stdout)


def shell(word):
    if os.WIFSTOPPED(word):
        return 128 + os.WSTOPSIG(word)
    return os.WEXITSTATUS(word) if os.WIFEXITED(word) else 128 + os.WTERMSIG(word)


@each_level
def test_a_status_word_is_what_linux_stores(level):
    for seed in range(40):
        q = exercise.ask("the status word", seed, level)
        if "What happened" in q.prompt:
            stored = int(re.search(r"0x\w+", q.prompt)[0], 16)
            assert real_word(q.did) == stored
            continue
        word = real_word(q.prompt)
        macro = re.search(r"What is `?([$?\w]+)", q.prompt)
        if macro is None:
            assert q.did == f"{word:#06x}"
        else:
            value = shell(word) if macro[1] == "$?" else int(getattr(os, macro[1])(word))
            assert q.did == str(value), q.prompt


# A story really lived: the first process tells each actor by a pipe what to do, and waits for its
# word; the shell's own parent ends at once, so that it is a child of init.
def lived(made):
    numbers = [made.first, *(step.whom for step in made.steps if step.what == "fork")]

    async def act(libc, pipes, words, me):
        while True:
            order = (await libc.read(pipes[me][0], 1))[0]
            if order == ord("x"):
                await libc.write(words[1], b".")
                await libc._exit(0)
            if order == ord("f") and await libc.fork() == 0:
                me = numbers[numbers.index(await libc.getpid())]
            elif order == ord("w"):
                await libc.wait()
                await libc.write(words[1], b".")
            elif order == ord("p"):
                await libc.write(words[1], bytes([await libc.getppid()]))
            elif order == ord("f"):
                await libc.write(words[1], b".")

    async def program(libc):
        pipes = {number: await libc.pipe() for number in numbers}
        words = await libc.pipe()
        child = await libc.fork()
        if child == 0:
            if await libc.fork() == 0:
                await act(libc, pipes, words, made.first)
            await libc._exit(0)
        await libc.waitpid(child, 0)
        for what, who, _whom in made.steps:
            await libc.write(pipes[who][1], what[0].replace("e", "x").encode())
            await libc.read(words[0], 1)
            await libc.nanosleep(0, 20_000_000)
        living = [n for n, one in made.imagined().items() if n in numbers and not one.dead]
        for number in living:
            await libc.write(pipes[number][1], b"p")
            parent = (await libc.read(words[0], 1))[0]
            await libc.write(1, f"{number}:{parent} ".encode())
        for number in living:
            await libc.kill(number, 9)

    return dict(pair.split(":") for pair in host.run(program).stdout.decode().split())


def test_the_living_of_a_family_have_the_parents_that_linux_gives_them():
    for seed in range(10):
        dice = drill.Dice(f"linux:{seed}", 2)
        made = family.story(dice, 7, "fork fork fork orphan leaf", first=4)
        right = {str(n): str(m.parent) for n, m in made.imagined().items() if n > 1 and not m.dead}
        assert lived(made) == right, str(made)
