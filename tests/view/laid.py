"""Tasks laid into memory by hand: no boot, no fork, only words where a task_struct has them."""

from kernelsim.include.linux import list as lists
from kernelsim.include.linux import sched
from kernelsim.include.linux.sched import task_struct
from kernelsim.machine.machine import Machine
from kernelsim.machine.memory import DIRECT_MAP

FIRST = DIRECT_MAP + (2 << 20)
STEP = (task_struct.sizeof_ + 63) // 64 * 64


class Laid:
    """A machine with init_task and whatever tasks are added to it."""

    def __init__(self, size=32 << 20, *, record=True):
        self.machine = Machine(size, record=record)
        self.init_task = self.machine.define("init_task", task_struct)
        self.count = 0
        self.links(self.init_task)
        lists.INIT_LIST_HEAD(self.init_task.tasks)
        self.init_task.real_parent = self.init_task
        self.init_task.flags = sched.PF_KTHREAD
        self.name(self.init_task, b"swapper/0")

    def links(self, task):
        lists.INIT_LIST_HEAD(task.children)
        lists.INIT_LIST_HEAD(task.sibling)

    def name(self, task, comm):
        self.machine.write(task.comm.address_, comm[:15].ljust(16, b"\0"))

    def add(self, parent, comm, pid=None, **members):
        """A task at the next free place, last child of parent, last of the list."""
        task = task_struct(self.machine, FIRST + self.count * STEP)
        self.count += 1
        task.pid = task.tgid = self.count if pid is None else pid
        task.start_time = self.count
        self.links(task)
        self.name(task, comm)
        for member, value in members.items():
            setattr(task, member, value)
        task.real_parent = parent
        lists.list_add_tail(task.sibling, parent.children)
        lists.list_add_tail(task.tasks, self.init_task.tasks)
        return task

    def remove(self, task):
        lists.list_del(task.sibling)
        lists.list_del(task.tasks)

    def tick(self):
        """Let an event happen; answers its time, at which memory is as it is now."""
        self.machine.trace.emit("tick")
        return self.machine.trace.now - 1
