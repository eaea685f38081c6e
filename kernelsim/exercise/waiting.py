"""Questions of the chapter on exiting and reaping: wait, threads that end, groups, init."""

from __future__ import annotations

from typing import Any

from kernelsim import session, view
from kernelsim.exercise import bank, state_drills
from kernelsim.exercise.number import Number
from kernelsim.exercise.question import Option, Question
from kernelsim.include.linux.sched import task_state_to_char
from kernelsim.include.uapi.asm.signal import SIG_IGN, SIGCHLD, SIGSTOP
from kernelsim.include.uapi.linux import sched
from kernelsim.machine.cpu import Panic

__all__ = [
    "THREAD",
    "what_becomes_of_a_stopped_job",
    "what_the_end_of_init_does",
    "what_the_word_of_a_killed_child_is",
    "what_the_word_of_an_exit_is",
    "what_wait_finds_when_sigchld_is_ignored",
    "whether_a_dead_leader_can_be_reaped",
]

THREAD = (
    sched.CLONE_VM | sched.CLONE_FS | sched.CLONE_FILES | sched.CLONE_SIGHAND | sched.CLONE_THREAD
)
EXIT = 60  # exit(2), which ends one thread; libc's exit ends the process


@bank.asked_in("08")
def what_the_word_of_an_exit_is() -> Number:
    """The status word of exit(3)."""
    return Number(
        "A child calls exit(3). Which number does waitpid() store as its status?",
        lambda: state_drills.status_word(3, ""),
        {
            3: "The code alone is what WEXITSTATUS takes out of the word.",
            0x30: "A byte is two hexadecimal digits: the code is one byte further up.",
        },
        yes="Yes: the code is the second byte, and the first is 0, for no signal did it.",
        no="The word has room for a signal in its lowest byte; the code is above that.",
        base=16,
    )


@bank.asked_in("08")
def what_the_word_of_a_killed_child_is() -> Number:
    """The status word of a child that SIGTERM killed."""
    return Number(
        "A child is killed by SIGTERM, which is signal 15. Which number does waitpid() store?",
        lambda: state_drills.status_word(0, "SIGTERM"),
        {
            0x0F00: "The second byte is the code of an exit. A deadly signal is in the first one.",
            0x8F: "128 is what a shell adds, for its $?. In the word, bit 7 says: core dumped.",
            0x0F7F: "0x7f in the first byte says: stopped, and not dead.",
        },
        yes="Yes: the low seven bits are the signal.",
        no="Of a deadly signal the word has the number, and nothing else.",
        base=16,
    )


@bank.asked_in("08")
def what_wait_finds_when_sigchld_is_ignored() -> Question:
    """What wait does where there are no zombies."""

    def answer() -> int:
        k: Any = session.boot()
        bash = k.spawn("bash")
        k.call(bash, "signal", SIGCHLD, SIG_IGN)
        first, second = (k.task(k.call(bash, "fork")) for _ in range(2))
        k.call(first, "exit", 3)
        if k.call(bash, "wait") is not session.PENDING:
            return 0
        k.call(second, "exit", 4)
        try:
            found = k.result(bash)
        except ChildProcessError:
            return 2
        return 3 if found is session.PENDING else 1

    return Question(
        "bash ignores SIGCHLD, with SIG_IGN, and has two children, 4 and 5. 4 calls exit(3). bash "
        "calls wait. Later 5 calls exit(4). What does wait do?",
        [
            Option(
                "returns 4 at once, with its status",
                "4 has left no zombie, so there is nothing to ask for.",
            ),
            Option(
                "sleeps until 5 exits, and returns 5",
                "5 leaves no zombie either: its status is lost.",
            ),
            Option(
                "sleeps until 5 exits, and fails with ECHILD",
                "Yes. Children that nobody wants to hear of are released at once; when none is left "
                "there is nothing to wait for.",
            ),
            Option("sleeps for ever", "Each child that ends wakes it, also if it is not reported."),
        ],
        answer,
    )


@bank.asked_in("08")
def whether_a_dead_leader_can_be_reaped() -> Question:
    """What wait does when the leader has ended and a thread lives."""

    def answer() -> int:
        k: Any = session.boot()
        bash = k.spawn("bash")
        leader = k.task(k.call(bash, "fork"))
        number, thread = leader.pid, k.task(k.call(leader, "clone", THREAD))
        k.call(leader, EXIT, 7)
        if task_state_to_char(leader) != "Z":
            return 3
        if k.call(bash, "waitpid", number, 0) is not session.PENDING:
            return 0
        if task_state_to_char(thread) != "R":
            return 1
        k.call(thread, EXIT, 0)
        return 2 if k.result(bash) == (number, 7 << 8) else 1

    return Question(
        "Process 4 has two threads, 4 and 5. Thread 4, the leader, ends alone, by exit(2) with 7. "
        "Its parent calls waitpid for 4. What happens?",
        [
            Option(
                "waitpid returns 4 at once, and thread 5 goes on",
                "Then a process without a number would run: its number is the leader's.",
            ),
            Option(
                "thread 5 is killed, and waitpid returns 4",
                "That is what exit_group does. exit(2) ends one thread.",
            ),
            Option(
                "waitpid sleeps until thread 5 ends too, and returns 4 with code 7",
                "Yes. The leader is a zombie, but one that cannot be reaped before all its threads "
                "are gone.",
            ),
            Option("the leader cannot end before its threads", "It can, and ps shows a Z for it."),
        ],
        answer,
    )


# A session: login, 3, its leader, and a job, 4, in a group of its own, that has been stopped.
def _job() -> tuple[Any, Any, Any]:
    k: Any = session.boot()
    login = k.spawn("login")
    k.call(login, "setsid")
    job = k.task(k.call(login, "fork"))
    k.call(job, "setpgid", 0, 0)
    k.call(login, "kill", job.pid, SIGSTOP)
    return k, login, job


@bank.asked_in("08")
def what_becomes_of_a_stopped_job() -> Question:
    """What the kernel does with a stopped group that becomes orphaned."""

    def answer() -> int:
        k, login, job = _job()
        before, number = k.now, job.pid
        k.call(login, "exit", 0)
        if number in [task.pid for task in k.tasks()]:
            return 0 if task_state_to_char(job) == "T" else 1
        sent = [
            event.fields["sig"]
            for event in k.events(before)
            if event.name == "signal_generate" and event.fields["pid"] == number
        ]
        return {(1, 18): 2, (9,): 3}[tuple(sent)]

    return Question(
        "login, a session's leader, has stopped a job: 4, in a process group of its own. Then login "
        "exits. What becomes of 4, which handles no signals?",
        [
            Option(
                "it stays stopped for ever",
                "So it would, for nobody of its session is left who could continue it. The kernel "
                "sees to it that this does not happen.",
            ),
            Option(
                "it goes on: it gets SIGCONT",
                "It does get SIGCONT, so that it runs. But another signal comes before.",
            ),
            Option(
                "it dies of SIGHUP: it gets SIGHUP, then SIGCONT",
                "Yes. SIGCONT lets it run, so that it can handle SIGHUP, or die of it.",
            ),
            Option("it dies of SIGKILL", "A job that handles SIGHUP is to have its chance."),
        ],
        answer,
        shows=lambda: view.family(_job()[0]),
    )


@bank.asked_in("08")
def what_the_end_of_init_does() -> Question:
    """What happens when process 1 exits."""

    def answer() -> int:
        k: Any = session.boot()
        try:
            result = k.call(k.init, "exit", 3)
        except OSError:
            return 0
        if isinstance(result, Panic):
            return 2
        return 1 if k.init.exit_state else 3

    return Question(
        "init, process 1, calls exit(3). What happens?",
        [
            Option("exit fails: init may not", "exit never fails, and never returns."),
            Option(
                "kthreadd adopts everybody",
                "kthreadd makes kernel threads, and reaps no process.",
            ),
            Option("the kernel panics", "Yes. Nobody would adopt and reap any more."),
            Option("the kernel starts init again", "It starts init once, at boot."),
        ],
        answer,
    )
