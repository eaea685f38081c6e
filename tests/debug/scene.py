"""A small family with something of everything, and drgn's eyes on it."""

import functools
import importlib

import kernelsim as ks
from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux import sched

MODULES = (
    *(
        "list",
        "pid",
        "idr",
        "radixtree",
        "xarray",
        "sched",
        "rbtree",
        "signal",
        "wait",
        "completion",
    ),
    *("cpumask", "percpu", "kthread", "user", "slab", "fs", "mm"),
)


class Scene:
    """init → sh (3) → reader (4, asleep in a pipe), lonely (5, pid 1 of its own namespace) and
    zombie (6); busy (7), a child of init, blocks SIGUSR1 and has been sent it.
    """

    def __init__(self):
        import drgn  # not on every machine

        self.drgn = drgn
        self.k = k = ks.boot()
        self.m = k.machine
        self.sh = k.spawn("sh")
        k.call(self.sh, "pipe")
        calls = ("fork",), ("clone", sched.CLONE_NEWPID | signal.SIGCHLD), ("fork",)
        self.reader, self.lonely, self.zombie = (k.task(k.call(self.sh, *call)) for call in calls)
        assert k.call(self.reader, "read", 3, 1) is ks.PENDING
        k.call(self.zombie, "exit_group", 7)
        self.busy = k.spawn("busy")
        self.busy.blocked = 1 << signal.SIGUSR1 - 1
        k.call(self.sh, "kill", self.busy.pid, signal.SIGUSR1)
        self.thread = k.kthread_run("kworker/0:1")
        self.prog = ks.debug.drgn_program(k)
        self.ns = self.prog["init_pid_ns"].address_of_()
        self.rq = self.prog["runqueues"].address_of_()
        self.root = self.prog["runqueues"].cfs.tasks_timeline.rb_root.address_of_()
        self.children = self.t(self.sh).children.address_of_()
        self.tree = self.ns.idr.idr_rt.address_of_()

    def __getattr__(self, name):
        # drgn's own helper of that name
        for module in MODULES:
            helper = getattr(importlib.import_module(f"drgn.helpers.linux.{module}"), name, None)
            if helper is not None:
                return helper
        raise AttributeError(name)

    # drgn's object for a reference of ours.
    def t(self, ref):
        return self.drgn.Object(self.prog, f"struct {type(ref).__name__} *", ref.address_)

    @functools.cached_property
    def first(self):
        return self.t(self.sh)
