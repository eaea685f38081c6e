"""Reading and writing by descriptor."""

import kernelsim as ks
from kernelsim.include.linux import fs


def file_of(k, task, fd):
    return fs.file(k.machine, k.machine.read_u64(task.files.fdt.fd + 8 * fd))


def test_a_reader_that_sleeps_counts_on_a_table_of_its_own_and_takes_no_reference():
    k = ks.boot(record=False)
    sh = k.spawn("sh")
    assert k.call(sh, "pipe") == (3, 4)
    assert k.call(sh, "read", 3, 1) is ks.PENDING
    assert file_of(k, sh, 3).f_count == 1  # as __fget_light() has it where files->count is 1


def test_a_reader_killed_in_its_sleep_leaves_nothing_behind():
    k = ks.boot(record=False)
    before = k.slabs()
    sh = k.spawn("sh")
    k.call(sh, "pipe")
    k.call(sh, "read", 3, 1)
    k.call(k.init, "kill", sh.pid, 9)
    assert k.slabs() == before
