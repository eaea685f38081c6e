"""What readers write about tasks and numbers when one idea is not right yet."""

import itertools
import os

from kernelsim.include.linux.list import list_for_each_entry
from kernelsim.include.linux.sched import task_struct


def wrong(case, words):
    def mark(function):
        function.case, function.words = case, words
        return function

    return mark


def children(task):
    return list_for_each_entry(task_struct, task.children, "sibling")


class count_descendants:
    @wrong("a task without children", "returns None; the machine says 0")
    def stub(task):
        pass

    @wrong("a task without children", "The task itself is not below itself")
    def with_itself(task):
        return 1 + sum(map(count_descendants.with_itself, children(task)))

    @wrong("a child and a grandchild", "theirs are missing")
    def children_only(task):
        return len(list(children(task)))

    @wrong("a zombie, which is a child until somebody waits", "A zombie is still there")
    def living_only(task):
        alive = [child for child in children(task) if not child.exit_state]
        return sum(1 + count_descendants.living_only(child) for child in alive)

    @wrong("a task without children", "runs for ever")
    def children_by_children(task):
        count, link = 0, task.children.next
        while True:
            count += 1
            link = link.next

    @wrong("one child", "raises RecursionError")
    def round_and_round(task):
        return sum(count_descendants.round_and_round(child.real_parent) for child in children(task))

    @wrong("a task without children", "returns a generator")
    def generator(task):
        yield from children(task)

    @wrong("a task without children", "not a bool")
    def a_bool(task):
        return False

    @wrong("a task without children", "ends Python itself")
    def gone(task):
        os._exit(0)

    @wrong("a task without children", "raises SystemExit")
    def left(task):
        raise SystemExit(3)

    @wrong("a task without children", "whose repr raises ValueError")
    def odd(task):
        class Odd:
            def __eq__(self, other):
                return True

            __hash__ = None

            def __repr__(self):
                raise ValueError

        return Odd()


class find_task_by_comm:
    @wrong("the first process on the list: init", "returns None; the machine says task 1 (init)")
    def stub(init_task, name):
        pass

    @wrong("the last process of that name is not the first: bash", "the last one of that name")
    def the_last_one(init_task, name):
        found = None
        for task in list_for_each_entry(task_struct, init_task.tasks, "tasks"):
            if task.comm.string_() == name:
                found = task
        return found

    @wrong("a name that begins like another: ssh", "Its name only begins so")
    def by_its_beginning(init_task, name):
        for task in list_for_each_entry(task_struct, init_task.tasks, "tasks"):
            if task.comm.string_().startswith(name):
                return task
        return None

    @wrong("the name of init_task, which heads the list and is not on it: swapper/0", "is the head")
    def head_too(init_task, name):
        if init_task.comm.string_() == name:
            return init_task
        for task in list_for_each_entry(task_struct, init_task.tasks, "tasks"):
            if task.comm.string_() == name:
                return task
        return None

    @wrong("the first process on the list: init", "not a int")
    def its_number(init_task, name):
        return 1


class find_new_parent:
    @wrong("nobody but init can adopt", "returns None")
    def stub(father):
        pass

    @wrong("nobody but init can adopt", "The grandparent adopts only if")
    def grandparent(father):
        return father.real_parent

    @wrong("the parent of the dead one is a subreaper", "Init is the last resort")
    def init_always(father):
        while father.pid != 1:
            father = father.real_parent
        return father

    @wrong("two subreapers above", "go up from the father, one at a time")
    def the_farthest(father):
        found = None
        while father.pid != 1:
            father = father.real_parent
            if father.signal.is_child_subreaper:
                found = father
        return found or father

    @wrong("the dead one itself was a subreaper", "The father is the one who dies")
    def from_itself(father):
        while father.pid != 1 and not father.signal.is_child_subreaper:
            father = father.real_parent
        return father

    @wrong("in a namespace, which has an init of its own", "Init is the last resort")
    def no_namespaces(father):
        father = father.real_parent
        while father.pid != 1 and not father.signal.is_child_subreaper:
            father = father.real_parent
        return father

    @wrong("a subreaper outside the namespace is not asked", "It is in another namespace")
    def out_of_the_namespace(father):
        ns = father.thread_pid.numbers[father.thread_pid.level].ns
        while father.pid != 1:
            father = father.real_parent
            if father.signal.is_child_subreaper:
                return father
        return ns.child_reaper


class make_status:
    @wrong("_exit(0)", "returns None; the machine says 0x0000")
    def stub(code, sig):
        pass

    @wrong("_exit(1)", "That is the code itself")
    def code_itself(code, sig):
        return sig or code

    @wrong("_exit(256)", "Only eight bits of the exit code are kept")
    def unmasked(code, sig):
        return sig or code << 8

    @wrong("killed by SIGHUP", "a deadly signal stands in the low seven bits")
    def signal_in_the_second_byte(code, sig):
        return sig << 8 or (code & 0xFF) << 8

    @wrong("killed by SIGHUP", "added by a shell")
    def as_a_shell(code, sig):
        return sig + 128 if sig else (code & 0xFF) << 8

    @wrong("killed by SIGHUP", "core was dumped")
    def with_core(code, sig):
        return sig | 0x80 if sig else (code & 0xFF) << 8


class decode_status:
    @wrong("_exit(0)", "returns None")
    def stub(word):
        pass

    @wrong("_exit(1)", "not the whole word")
    def whole(word):
        return "exited", word

    @wrong("_exit(1)", "the low one is for signals")
    def low_byte(word):
        return "exited", word & 0xFF

    @wrong("killed by SIGHUP", "this was no exit")
    def exits_only(word):
        return "exited", word >> 8

    @wrong("stopped by SIGSTOP", "it says that the child was stopped")
    def never_stopped(word):
        return ("killed", word & 0x7F) if word & 0x7F else ("exited", word >> 8)

    @wrong("stopped by SIGSTOP", "the signal is the second byte")
    def stopped_by_the_mark(word):
        low = word & 0x7F
        return (
            ("stopped", low) if low == 0x7F else ("killed", low) if low else ("exited", word >> 8)
        )

    @wrong("_exit(0)", "not a list")
    def a_list(word):
        return ["exited", 0]


class next_pid:
    @wrong("one more than the last", "returns None")
    def stub(used, last, pid_max):
        pass

    @wrong("a number that became free is not taken", "go on from the last one given")
    def lowest(used, last, pid_max):
        return next(n for n in itertools.count(last if last < 4 else 1) if n not in used)

    @wrong("the next one is taken", "That one is taken")
    def without_a_look(used, last, pid_max):
        return last + 1

    @wrong("after the last one", "stay below pid_max")
    def up_to_pid_max(used, last, pid_max):
        return next(n for n in range(last + 1, pid_max + 2) if n not in used)

    @wrong("after the last one", "go on from the last one given")
    def round_to_one(used, last, pid_max):
        return next(n for n in [*range(last + 1, pid_max), *range(1, last)] if n not in used)

    @wrong("after the last one, where 300 is taken", "That one is taken")
    def always_300(used, last, pid_max):
        return next((n for n in range(last + 1, pid_max) if n not in used), 300)

    @wrong("all from 300 on are taken", "raises StopIteration")
    def never_full(used, last, pid_max):
        low = 300 if last >= 300 else 1
        return next(n for n in [*range(last + 1, pid_max), *range(low, last + 1)] if n not in used)
