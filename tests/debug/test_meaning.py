"""Words for values, as the kernel's headers name them."""

import pytest

from kernelsim.debug.meaning import meaning, signal_name
from kernelsim.include.linux.types import spinlock_t
from kernelsim.machine.ctype import u32, ulong


@pytest.mark.parametrize(
    ("owner", "member", "value", "words"),
    [
        ("task_struct", "state", 0, "TASK_RUNNING"),
        ("task_struct", "state", 1, "TASK_INTERRUPTIBLE"),
        ("task_struct", "state", 0x102, "TASK_KILLABLE"),
        ("task_struct", "state", 0x402, "TASK_IDLE"),
        ("task_struct", "state", 0x80, "TASK_DEAD"),
        ("task_struct", "exit_state", 0x20, "EXIT_ZOMBIE"),
        ("task_struct", "exit_state", 0x30, "EXIT_TRACE"),
        ("task_struct", "exit_code", 0x300, "exit status 3"),
        ("task_struct", "exit_code", 9, "killed by SIGKILL"),
        ("task_struct", "exit_signal", 17, "SIGCHLD"),
        ("task_struct", "exit_signal", -1, "none: a thread, not the leader of its group"),
        ("task_struct", "flags", 0x200044, "PF_EXITING | PF_FORKNOEXEC | PF_KTHREAD"),
        ("task_struct", "flags", 0x40000000, "0x40000000"),
        ("task_struct", "blocked", 1 << 16 | 1 << 8, "{SIGKILL, SIGCHLD}"),
        ("task_struct", "static_prio", 125, "nice 5"),
        ("thread_info", "flags", 0xC, "TIF_SIGPENDING | TIF_NEED_RESCHED"),
        ("k_sigaction", "sa_handler", 1, "SIG_IGN"),
        ("fs_struct", "umask", 18, "0o22"),
        ("files_struct", "open_fds_init", 7, "{0, 1, 2}"),
        ("rb_node", "__rb_parent_color", 1, "black"),
        ("task_struct", "pid", 3, ""),
    ],
)
def test_a_value_has_the_kernels_words(owner, member, value, words):
    assert meaning(owner, member, ulong, value) == words


def test_some_types_speak_for_themselves():
    assert meaning("any", "lock", spinlock_t, 0) == "unlocked"
    assert meaning("any", "lock", spinlock_t, 1) == "locked"
    assert meaning("any", "lock", u32, 1) == ""


def test_signals_beyond_the_named_ones():
    assert [signal_name(n) for n in (32, 34, 99)] == ["SIGRTMIN", "SIGRTMIN+2", "signal 99"]
