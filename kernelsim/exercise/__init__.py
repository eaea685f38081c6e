"""Exercises: questions whose answers the machine computes, drills, and checkers of a reader's code.

    ks.exercise.ask("container_of", seed=7)    # a Question, the same one anywhere
    ks.exercise.check(list_add)                # a Report on the function that a reader wrote

A question is answered by running a machine, never from a key; a drill makes as many questions as
a reader wants; a checker says which case fails, and why.  No solution is in here: they are in the
tests, which run them through the same checkers.
"""

from kernelsim.exercise import (
    adopt_drills,
    bank,
    clone_tasks,
    creating_a_process,
    exiting_and_reaping,
    identifier_drills,
    identifier_tasks,
    idr_drills,
    idr_tasks,
    letters,
    link_drills,
    list_drills,
    lists,
    namespace_drills,
    namespace_tasks,
    nested,
    other_namespaces,
    pid_drills,
    pid_namespaces,
    process_drills,
    process_identifiers,
    process_list,
    process_states,
    program_drills,
    progress,
    reused_numbers,
    signalled_states,
    state_drills,
    status_words,
    tasks,
    the_idr,
    thread_drills,
    tree_drills,
    vfork_and_threads,
    way_drills,
)
from kernelsim.exercise.checker import Report, check
from kernelsim.exercise.drill import ask, questions, topics
from kernelsim.exercise.free_text import Text
from kernelsim.exercise.number import Number
from kernelsim.exercise.order import Order, Step
from kernelsim.exercise.parent import Parent
from kernelsim.exercise.question import AnyQuestion, Letter, Option, Question, Verdict
from kernelsim.exercise.sheet import Sheet, sheet

__all__ = [
    "AnyQuestion",
    "Letter",
    "Number",
    "Option",
    "Order",
    "Parent",
    "Question",
    "Report",
    "Sheet",
    "Step",
    "Text",
    "Verdict",
    "adopt_drills",
    "ask",
    "bank",
    "check",
    "clone_tasks",
    "creating_a_process",
    "exiting_and_reaping",
    "identifier_drills",
    "identifier_tasks",
    "idr_drills",
    "idr_tasks",
    "letters",
    "link_drills",
    "list_drills",
    "lists",
    "namespace_drills",
    "namespace_tasks",
    "nested",
    "other_namespaces",
    "pid_drills",
    "pid_namespaces",
    "process_drills",
    "process_identifiers",
    "process_list",
    "process_states",
    "program_drills",
    "progress",
    "questions",
    "reused_numbers",
    "sheet",
    "signalled_states",
    "state_drills",
    "status_words",
    "tasks",
    "the_idr",
    "thread_drills",
    "topics",
    "tree_drills",
    "vfork_and_threads",
    "way_drills",
]
