"""What a reader may have written about tasks and numbers, when everything is right."""

from kernelsim.include.linux.list import list_for_each_entry
from kernelsim.include.linux.sched import task_struct


def count_descendants(task):
    children = list_for_each_entry(task_struct, task.children, "sibling")
    return sum(1 + count_descendants(child) for child in children)


def find_task_by_comm(init_task, name):
    for task in list_for_each_entry(task_struct, init_task.tasks, "tasks"):
        if task.comm.string_() == name:
            return task
    return None


def find_new_parent(father):
    level = father.thread_pid.level
    ns = father.thread_pid.numbers[level].ns
    if father.signal.has_child_subreaper:
        reaper = father.real_parent
        while reaper.pid and reaper.thread_pid.level == level:
            if reaper.signal.is_child_subreaper:
                return reaper
            reaper = reaper.real_parent
    return ns.child_reaper


def make_status(code, sig):
    return sig or (code & 0xFF) << 8


def decode_status(word):
    low, high = word & 0x7F, word >> 8
    if low == 0x7F:
        return "stopped", high
    return ("killed", low) if low else ("exited", high)


def next_pid(used, last, pid_max):
    low = 300 if last + 1 > 300 else 1
    for pid in [*range(last + 1, pid_max), *range(low, last + 1)]:
        if pid not in used:
            return pid
    return None
