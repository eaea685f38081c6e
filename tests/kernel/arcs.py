"""The arcs that tasks take between their states, read from the journal: for the tests of states."""

import itertools

import kernelsim as ks
from kernelsim.debug.stores import stores
from kernelsim.include.linux import sched
from kernelsim.include.linux.sched import task_struct

RUNNING, INTERRUPTIBLE, UNINTERRUPTIBLE, STOPPED, PARKED, DEAD, KILLABLE, WAKING, IDLE, NEW = (
    *(0x0, 0x1, 0x2, 0x104, 0x40, 0x80, 0x102, 0x200, 0x402, 0x800),
)
ZOMBIE, EXIT_DEAD = 0x20, 0x10
THREAD = 0x10F00 | 0x40000  # VM, FS, FILES, SIGHAND, THREAD, SYSVSEM
SLEEPS = (INTERRUPTIBLE, UNINTERRUPTIBLE, KILLABLE, IDLE)
WORDS = ("state", "exit_state", "on_rq", "on_cpu")

# Every pair of values of a word, one after the other, that Linux's own code can store.
ARCS = {
    ("state", RUNNING, NEW),  # sched_fork(), on the copy of a running task
    ("state", NEW, RUNNING),  # wake_up_new_task()
    *(("state", RUNNING, s) for s in (*SLEEPS, STOPPED, PARKED)),  # the task itself
    *(("state", s, RUNNING) for s in (*SLEEPS, PARKED)),  # itself, or __schedule() for a signal
    *(("state", s, WAKING) for s in (*SLEEPS, STOPPED, PARKED)),  # try_to_wake_up()
    ("state", WAKING, RUNNING),  # ttwu_do_wakeup()
    ("state", RUNNING, DEAD),  # do_task_dead()
    ("exit_state", 0, ZOMBIE),  # exit_notify()
    ("exit_state", ZOMBIE, EXIT_DEAD),  # whoever releases it
    *((word, a, 1 - a) for word in ("on_rq", "on_cpu") for a in (0, 1)),
}


class Scene:
    """A kernel, and what becomes of its tasks' words from `since` on."""

    def __init__(self):
        self.k = ks.boot()
        self.sh = self.k.spawn("sh")
        self.since = self.k.now

    def fork(self, *calls):
        task = self.k.task(self.k.call(self.sh, "fork"))
        for call in calls:
            self.k.call(task, *call)
        return task

    # From here on.
    def now(self):
        self.since = self.k.now

    # The arcs of `task`, or of every task, as (word, old, new) in the order of their stores.
    def taken(self, task=None):
        found, last = [], {}
        for store in stores(self.k, self.since, of="task_struct"):
            if task is not None and store.address != task.address_:
                continue
            m = self.k.at(*store.when).machine
            at = task_struct(m, store.address)
            words = {word: getattr(at, word) for word in WORDS}
            if words["on_cpu"] not in {0, 1}:  # it was freed: full of 0x6b
                last.pop(store.address, None)
                continue
            if store.address not in last:
                before = task_struct(self.k.at(self.since).machine, store.address)
                last[store.address] = read(before, words)
            found += [
                (word, old, words[word])
                for word, old in last[store.address].items()
                if old != words[word]
            ]
            last[store.address] = words
        return found


# The words of a task that may not have been there: then those that it is born with.
def read(task, born):
    try:
        words = {word: getattr(task, word) for word in WORDS}
    except ks.Fault:
        return born
    return words if words["on_cpu"] in {0, 1} else born


def follows(steps, taken):
    """Are `steps` among those taken, in this order?."""
    rest = iter(taken)
    return all(step in rest for step in steps)


def letter(task):
    return sched.task_state_to_char(task)


def state(*values):
    return [("state", a, b) for a, b in itertools.pairwise(values)]
