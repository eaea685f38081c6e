"""futex and clone in words: what strace 6.1 has printed of tests/oracle/threads.c."""

import pytest

from kernelsim.debug import strace_args
from kernelsim.include.uapi.linux import futex
from tests.kernel import stage

ANY = futex.FUTEX_BITSET_MATCH_ANY
WORD, OTHER = stage.place(0), stage.place(0)
AT = strace_args.BUFFER
HEAD = f"{AT}, FUTEX_WAKE_OP, 1, 1, {AT}"


def timespec(seconds, nanoseconds):
    return stage.place((seconds, nanoseconds))


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ((0, 0, 0), "NULL, FUTEX_WAIT, 0, NULL"),
        ((1 << 60, 128, 0), "0x1000000000000000, FUTEX_WAIT_PRIVATE, 0, NULL"),
        ((6, 129, 0), "0x6, FUTEX_WAKE_PRIVATE, 0"),
        ((WORD, 9, 5), f"{AT}, FUTEX_WAIT_BITSET, 5, NULL, 0"),
        (
            (WORD, 9, 0, None, None, ANY),
            f"{AT}, FUTEX_WAIT_BITSET, 0, NULL, FUTEX_BITSET_MATCH_ANY",
        ),
        (
            (WORD, 9 | 256, 0, timespec(1, 0), None, 1),
            f"{AT}, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 0, {{tv_sec=1, tv_nsec=0}}, 0x1",
        ),
        ((WORD, 10, 1, None, None, 0x80000000), f"{AT}, FUTEX_WAKE_BITSET, 1, 0x80000000"),
        ((WORD, 1, -1), f"{AT}, FUTEX_WAKE, 4294967295"),
        ((WORD, 2, 1), f"{AT}, FUTEX_FD, 1"),
        ((WORD, 77, 1), f"{AT}, 0x4d /* FUTEX_??? */, 1, NULL, NULL, 0"),
        (
            (WORD, 0, 5, timespec(0, -1)),
            f"{AT}, FUTEX_WAIT, 5, {{tv_sec=0, tv_nsec=18446744073709551615}}",
        ),
        ((WORD, 0, 5, 8), f"{AT}, FUTEX_WAIT, 5, 0x8"),
        ((WORD, 3, 1, -1, OTHER, 5), f"{AT}, FUTEX_REQUEUE, 1, 4294967295, {AT}"),
        ((WORD, 4, 1, 1, 3, 5), f"{AT}, FUTEX_CMP_REQUEUE, 1, 1, 0x3, 5"),
        (
            (WORD, 133, 1, 1, 4, 0),
            f"{AT}, FUTEX_WAKE_OP_PRIVATE, 1, 1, 0x4, FUTEX_OP_SET<<28|0<<12|FUTEX_OP_CMP_EQ<<24|0",
        ),
        (
            (WORD, 5, 1, 1, OTHER, futex.FUTEX_OP(1, -3, 1, 7)),
            f"{AT}, FUTEX_WAKE_OP, 1, 1, {AT}, FUTEX_OP_ADD<<28|0xffd<<12|FUTEX_OP_CMP_NE<<24|0x7",
        ),
        (
            (WORD, 5, 1, 1, OTHER, futex.FUTEX_OP(8 | 2, 31, 5, 0)),
            f"{HEAD}, FUTEX_OP_OPARG_SHIFT<<28|FUTEX_OP_OR<<28|0x1f<<12|FUTEX_OP_CMP_GE<<24|0",
        ),
        (
            (WORD, 5, 1, 1, OTHER, futex.FUTEX_OP(5, 1, 6, 0)),
            f"{HEAD}, 0x5<<28 /* FUTEX_OP_??? */|0x1<<12|0x6<<24 /* FUTEX_OP_CMP_??? */|0",
        ),
    ],
)
def test_futex_is_decoded_as_there(args, expected):
    assert ", ".join(strace_args.arguments("futex", args, -1)) == expected


def test_the_words_that_clone_stores_in_are_named():
    args = (0x350F00, 0, stage.place(), WORD)
    flags, *words = strace_args.arguments("clone", args, 9681)[1:]
    assert flags.endswith("CLONE_SYSVSEM|CLONE_PARENT_SETTID|CLONE_CHILD_CLEARTID")
    assert words == ["parent_tid=[9681]", f"child_tidptr={AT}"]
