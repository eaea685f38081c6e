"""Drills about threads: real Linux prints the same numbers, and gives a thread's child the same parent."""

import contextlib
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kernelsim import exercise
from kernelsim.exercise.thread_drills import FIRST, Step, Story

SEEDS = range(8)
TOPICS = ("what a thread prints", "the child of a thread")
each_level = pytest.mark.parametrize("level", [1, 2, 3])
# Tasks that each obey a pipe of their own: t (make a thread), f (fork), e (end alone), x (end all),
# p (tell number, getpid, gettid, getppid), w (tell whether that process is a child of this very task).
ACTOR = r"""
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
struct order { int what, whom, pid; };
static int todo[64], said;
static void tell(int number, long a, long b, long c)
{
    char line[64];
    int n = snprintf(line, sizeof line, "%d %ld %ld %ld\n", number, a, b, c);
    if (write(said, line, n) != n)
        abort();
}
static void *act(void *own)
{
    long me = (long)own;
    struct order order = { 'p' };
    do {
        pthread_t thread;
        if (order.what == 't' && pthread_create(&thread, 0, act, (void *)(long)order.whom))
            abort();
        if (order.what == 'f' && fork() == 0) {
            me = order.whom;
            order.what = 'p';
        }
        if (order.what == 'e')
            syscall(SYS_exit, 0);
        if (order.what == 'x')
            _exit(0);
        if (order.what == 'p')
            tell(me, getpid(), syscall(SYS_gettid), getppid());
        if (order.what == 'w')
            tell(me, waitpid(order.pid, 0, WNOHANG | __WNOTHREAD) == 0, 0, 0);
    } while (read(todo[me], &order, sizeof order) == sizeof order);
    return 0;
}
int main(int count, char **numbers)
{
    said = atoi(numbers[1]);
    for (int i = 2; i < count; i++)
        todo[i + 1] = atoi(numbers[i]);
    act((void *)3);
    return 0;
}
"""


class Lived:
    """A story lived by real tasks: numbers of the story are kept, real ones are looked up."""

    def __init__(self, actor, story):
        self.story = story
        members = [FIRST, *(step.whom for step in story.steps if step.whom)]
        pipes = {number: os.pipe() for number in members}
        reads, writes = os.pipe()
        ends = [pipes[number][0] for number in members]
        command = [actor, str(writes), *map(str, ends)]
        self.first = subprocess.Popen(command, pass_fds=[writes, *ends], start_new_session=True)
        for end in [writes, *ends]:
            os.close(end)
        self.todo = {number: pipe[1] for number, pipe in pipes.items()}
        self.said = os.fdopen(reads)
        self.pids, self.tids = {}, {}
        self.hear()
        for step in story.steps:
            self.do(step)

    def hear(self):
        number, *words = map(int, self.said.readline().split())
        if number not in self.pids:
            self.pids[number], self.tids[number] = words[:2]
        return words

    def order(self, who, what, whom=0, pid=0):
        os.write(self.todo[who], struct.pack("3i", ord(what), whom, pid))

    def do(self, step):
        self.order(step.who, {"exit": "x"}.get(step.what, step.what[0]), step.whom)
        if step.whom:
            self.hear()
            return
        tid = self.pids[step.who] if step.what == "exit" else self.tids[step.who]
        for _ in range(1000):
            if self.is_over(self.pids[step.who], tid):
                return
            time.sleep(0.005)
        raise AssertionError(f"{step} did not end")

    @staticmethod
    def is_over(pid, tid):
        with contextlib.suppress(OSError):
            return (
                Path(f"/proc/{pid}/task/{tid}/stat").read_text().rpartition(")")[2].split()[0]
                in "ZX"
            )
        return True

    def number(self, pid):
        found = [number for number, one in self.tids.items() if one == pid]
        return found[0] if found else 1

    def prints(self, who):
        self.order(who, "p")
        return " ".join(str(self.number(pid)) for pid in self.hear())

    def parent(self, who):
        for number in sorted(set(self.tids) - self.story.ended() - {who}):
            self.order(number, "w", pid=self.pids[who])
            if self.hear()[0]:
                return number
        return 1

    def close(self):
        for pid in set(self.pids.values()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.first.wait()
        self.said.close()
        for end in self.todo.values():
            os.close(end)


@pytest.fixture(scope="module")
def actor(tmp_path_factory):
    if sys.platform != "linux" or shutil.which("gcc") is None:
        pytest.skip("needs Linux and a C compiler")
    folder = tmp_path_factory.mktemp("actor")
    (folder / "actor.c").write_text(ACTOR)
    subprocess.run(["gcc", "-pthread", "-o", folder / "actor", folder / "actor.c"], check=True)
    return folder / "actor"


# The story that a question tells, and its last line.
def read(prompt):
    *lines, asked = prompt.splitlines()
    steps = []
    for line in lines[1:]:
        who, *whom = map(int, re.findall(r"\b(\d+)\b(?!\))", line))
        words = {"thread": "thread", "forks": "fork", "alone": "end", "exit_group": "exit"}
        what = next(what for word, what in words.items() if word in line)
        steps.append(Step(what, who, *whom))
    return Story(tuple(steps)), asked


@each_level
@pytest.mark.parametrize("topic", TOPICS)
def test_real_threads_give_the_answer(actor, topic, level):
    for seed in SEEDS:
        question = exercise.ask(topic, seed, level)
        story, asked = read(question.prompt)
        lived = Lived(actor, story)
        try:
            who = int(re.findall(r"\d+", asked)[-1])
            if "How many" in asked:
                did = str([lived.number(pid) for pid in lived.pids.values()].count(who))
            elif "parent" in asked:
                did = {1: "1, init"}.get(parent := lived.parent(who), str(parent))
            else:
                did = lived.prints(who)
        finally:
            lived.close()
        assert question.did == did, question.prompt


@each_level
@pytest.mark.parametrize("topic", TOPICS)
def test_a_question_is_the_same_each_time_and_says_why_to_each_wrong_answer(topic, level):
    for seed in range(25):
        question = exercise.ask(topic, seed, level)
        assert str(question) == str(exercise.ask(topic, seed, level))
        for number in range(len(getattr(question, "options", ()))):
            verdict = question.check(number)
            assert verdict.feedback
            assert bool(verdict) is verdict.feedback.startswith("Yes"), (question.prompt, verdict)


def test_the_topic_on_parents_ends_threads_leaders_and_whole_processes():
    found = {exercise.ask(TOPICS[1], seed, 3).did for seed in range(40)}
    assert "1, init" in found
    assert len(found) >= 4
