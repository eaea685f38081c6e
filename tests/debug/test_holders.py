"""Who holds what is counted: as many as the kernel counts, by name."""

from kernelsim.debug import holders
from kernelsim.debug.places import Places
from tests.debug import family


def counts(k, ref):
    return {c.member: c for c in holders.counts(Places(k.machine), type(ref), ref.address_)}


def test_every_count_of_a_machine_at_rest_is_explained():
    k, bash, _zombie, child = family.booted()
    k.call(bash, "waitpid", child.pid, 0)
    m = k.machine
    for task in (m.symbol("init_task"), *k.tasks()):
        refs = [task, task.thread_pid, task.mm, task.files, task.fs, task.signal, task.sighand]
        refs += [task.nsproxy, task.cred]
        for ref in refs:
            if ref:
                for count in counts(k, ref).values():
                    assert count.unknown == 0, (ref, count)
    for fd in range(5):
        assert counts(k, bash.files.fd_array[fd])["f_count"].unknown == 0


def test_holders_have_names():
    k, bash, zombie, child = family.booted()
    assert counts(k, bash.cred)["usage"].holders == [
        "real_cred of task 3 (bash)",
        "cred of task 3 (bash)",
        "the file fd 3 of task 3 (bash)",
        "the file fd 4 of task 3 (bash)",
    ]
    assert counts(k, bash.files.fd_array[3])["f_count"].holders == [
        "fd 3 of task 3 (bash)",
        "fd 3 of task 5 (bash)",
    ]
    assert len(counts(k, zombie)["rcu_users"].holders) == 1
    k.call(bash, "waitpid", child.pid, 0)
    assert "task 3 (bash), which waits for it" in counts(k, child.thread_pid)["count"].holders


def test_threads_share_and_are_all_named():
    k, bash, *_ = family.booted()
    flags = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000
    k.call(bash, "clone", flags)
    found = counts(k, bash.signal)
    assert [found[m].value for m in ("sigcnt", "live", "nr_threads")] == [2, 2, 2]
    assert found["sigcnt"].holders == ["task 3 (bash)", "task 6 (bash)"]
    assert counts(k, bash.mm)["mm_users"].value == 2


def test_what_is_not_found_is_called_unknown_and_what_is_too_much_is_said():
    k, bash, *_ = family.booted()
    bash.fs.users = 3
    count = counts(k, bash.fs)["users"]
    assert count.words() == "task 3 (bash); 2 unknown holders"
    bash.fs.users = 0
    assert counts(k, bash.fs)["users"].words().endswith("that is 1 more than the count says")


def test_a_broken_machine_is_asked_without_an_exception():
    k, _bash, _, child = family.booted()
    pid = child.thread_pid
    pid.numbers[0].ns = 0xDEAD0000
    (count,) = counts(k, pid).values()
    assert "it cannot be told" in count.words()


def test_asking_leaves_no_event():
    k, bash, *_ = family.booted()
    now = k.now
    counts(k, bash.thread_pid)
    assert k.now == now


def test_what_is_not_counted_has_no_counts():
    k, bash, *_ = family.booted()
    assert not holders.counted(type(bash.tasks))
    assert holders.counts(Places(k.machine), type(bash.tasks), bash.tasks.address_) == []
