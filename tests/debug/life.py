"""A kernel on which much happens: random calls of random puppets, the same for the same seed."""

import contextlib
import random

import kernelsim as ks
from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux import sched, wait

# How often each call is chosen, of all that can be made at that moment.
OFTEN = {
    "fork": 30,
    "exit_group": 14,
    "wait": 10,
    "wait_for_one": 5,
    "wait_asleep": 3,
    "clone": 3,
    "setsid": 2,
    "setpgid": 2,
    "pipe": 3,
    "read": 3,
    "write": 3,
    "close": 2,
    "dup": 2,
    "kill": 4,
}


class Life:
    """A booted kernel and the random numbers that drive it; `most` bounds how many processes live."""

    def __init__(self, seed, *, most=25, record=False):
        self.k = ks.boot(record=record)
        self.random = random.Random(seed)
        self.most = most
        self.pending = 0  # calls that slept

    # The puppets that can be driven, without init: they wait in user mode.
    def awake(self):
        return [
            t for t in self.k.tasks() if t.mm and not t.state and not t.exit_state and t.pid != 1
        ]

    def step(self):
        awake = self.awake()
        if not awake:
            self.k.spawn("sh")
            return
        task, name = self.random.choice(awake), self._name()
        with contextlib.suppress(OSError):  # ECHILD, EBADF, EPERM …: the kernel has answered
            self.pending += self.k.call(task, *getattr(self, f"_{name}")(task)) is ks.PENDING

    def _name(self):
        crowded = len(self.k.tasks()) >= self.most
        often = OFTEN | ({"fork": 0, "clone": 0, "exit_group": 40} if crowded else {})
        return self.random.choices(list(often), list(often.values()))[0]

    # Kill everybody but init and kthreadd.
    def end(self):
        while others := [t for t in self.k.tasks() if t.mm and t.pid != 1]:
            self.k.call(self.k.init, "kill", others[0].pid, signal.SIGKILL)

    # --- the calls, with arguments ------------------------------------------------------------

    def _fork(self, task):
        return ("fork",)

    def _exit_group(self, task):
        return "exit_group", self.random.randrange(256)

    def _wait(self, task):
        return "waitpid", -1, wait.WNOHANG

    def _wait_for_one(self, task):
        children = [t.pid for t in self.k.tasks() if t.real_parent == task] or [4711]
        return "waitpid", self.random.choice(children), self.random.choice([0, wait.WNOHANG])

    def _wait_asleep(self, task):
        return "waitpid", self.random.choice([-1, 0]), 0

    def _clone(self, task):
        return "clone", sched.CLONE_NEWPID | signal.SIGCHLD

    def _setsid(self, task):
        return ("setsid",)

    def _setpgid(self, task):
        return "setpgid", 0, 0

    def _pipe(self, task):
        return ("pipe",)

    def _read(self, task):
        return "read", self.random.randrange(12), 10

    def _write(self, task):
        return "write", self.random.randrange(12), b"x" * self.random.choice([1, 5000])

    def _close(self, task):
        return "close", self.random.randrange(12)

    def _dup(self, task):
        return "dup", self.random.randrange(12)

    def _kill(self, task):
        victims = [t.pid for t in self.k.tasks() if t.mm and t.pid != 1]
        signals = (0, signal.SIGKILL, signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1)
        return "kill", self.random.choice(victims), self.random.choice(signals)
