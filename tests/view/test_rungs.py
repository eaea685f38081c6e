"""The ladder of copy_process: every rung that took something is undone, in reverse, and nothing else."""

import pytest

import kernelsim as ks
from kernelsim.include.uapi.linux import sched
from kernelsim.view import rungs

THREAD = (
    sched.CLONE_VM | sched.CLONE_FS | sched.CLONE_FILES | sched.CLONE_SIGHAND | sched.CLONE_THREAD
)


def shell():
    k = ks.boot()
    bash = k.spawn("bash")
    k.call(bash, "fork")  # so that no slab grows
    return k, bash


def failed(k, bash, nth, *call):
    k.machine.fail_nth = nth
    with pytest.raises(OSError, match="memory"):
        k.call(bash, *call)
    return rungs.climb(k)


def test_a_fork_takes_all_rungs_and_undoes_nothing():
    k, _ = shell()
    found = rungs.climb(k)
    assert tuple(found.took) == rungs.RUNGS
    assert (found.failed, found.undone) == ("", ())
    assert found.took["copy_mm"] == "+1 mm_struct"
    assert found.took["dup_task_struct"] == "+1 task_struct, +4 pages"


def test_a_thread_shares_what_a_fork_copies():
    k, bash = shell()
    k.call(bash, "clone", THREAD)
    took = rungs.climb(k).took
    assert took["copy_mm"] == "mm.mm_users 1 → 2"
    assert took["copy_signal"] == ""
    assert "signal.sigcnt 1 → 2" in took[rungs.PUBLISH]


# A minus for each plus, and the other way round: what was taken last is given back first.
def opposite(words):
    def turned(word):
        if "→" not in word:
            return word.translate(str.maketrans("+−", "−+"))  # noqa: RUF001 - a minus
        name, before, _, after = word.split(" ")
        return f"{name} {after} → {before}"

    return [turned(word) for word in words.split(", ")]


# Nine allocations make a process: task, stack, cred, files, fs, sighand, signal, mm, pid; three a thread.
FAILURES = [
    *(pytest.param(nth, ("fork",), id=f"process-{nth}") for nth in range(1, 10)),
    *(pytest.param(nth, ("clone", THREAD), id=f"thread-{nth}") for nth in range(1, 4)),
]


@pytest.mark.parametrize(("nth", "call"), FAILURES)
def test_what_was_taken_is_given_back_in_reverse(nth, call):
    k, bash = shell()
    found = failed(k, bash, nth, *call)
    assert found.error == "ENOMEM"
    taken = [words for words in found.took.values() if words]
    back = [sorted(one.took.split(", ")) for one in found.undone]
    assert back == [sorted(opposite(words)) for words in taken[::-1]]


def test_checks_turn_back_with_their_own_error():
    k, bash = shell()
    with pytest.raises(OSError, match="argument"):
        k.call(bash, "clone", sched.CLONE_THREAD)
    assert rungs.climb(k) == rungs.Climb("bash", 3, {}, rungs.FLAGS, "EINVAL", ())
    m = k.machine
    m.add("max_threads", m.add("nr_threads", 0) - m.add("max_threads", 0))
    with pytest.raises(BlockingIOError):
        k.call(bash, "fork")
    found = rungs.climb(k)
    assert (found.failed, found.error) == (rungs.THREADS, "EAGAIN")
    assert [one.label for one in found.undone] == ["bad_fork_cleanup_count", "bad_fork_free"]


def test_the_picture_shows_where_it_turned_back_and_the_film_how():
    k, bash = shell()
    found = failed(k, bash, 8, "fork")
    picture = ks.view.ladder(k)
    rows = {field.name: field for field in picture.nodes[0].fields}
    assert rows["copy_mm"].value == "ENOMEM: back"
    assert rows["copy_mm"].changed
    assert rows["alloc_pid"].value == "·"
    assert [field.name for field in picture.nodes[1].fields] == [o.label for o in found.undone]
    (edge,) = picture.edges
    assert (edge.src_port, edge.dst) == (rows["copy_mm"].port, "undone")
    film = rungs.climbed(k)
    assert len(film) == 1 + len(found.took) + 1 + len(found.undone)
    assert film.frames[-1].picture.nodes[0].fields[11].value == "ENOMEM: back"
    assert "copy_mm: ENOMEM. It turns back." in film.text
    assert film.html() == rungs.climbed(k).html()


def test_a_machine_that_nobody_has_forked_on_since_has_an_empty_ladder():
    k, _ = shell()
    assert rungs.climb(k, k.now) is None
    assert "nobody has called it" in ks.view.ladder(k, since=k.now).nodes[0].lines[1]
    assert len(rungs.climbed(k, since=k.now)) == 0


def test_the_ladder_of_an_earlier_time_is_the_one_climbed_by_then():
    k, bash = shell()
    then = k.now
    failed(k, bash, 1, "fork")
    assert rungs.climb(k).failed == "dup_task_struct"
    assert rungs.climb(k.at(then)).failed == ""
