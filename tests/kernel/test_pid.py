"""Numbers: handed out in a circle, at every level, and found again (fact sheet 3, 18)."""

import pytest

import kernelsim as ks
from kernelsim.include.linux import pid as pid_h
from kernelsim.kernel import pid as kernel_pid
from kernelsim.kernel import pid_namespace
from tests.kernel import stage

EAGAIN, EEXIST, EINVAL, EPERM, ENOMEM = -11, -17, -22, -1, -12
ADDING = 1 << 31


@pytest.fixture(scope="module")
def full():
    return Numbers(ks.boot(memory="64M", record=False))


@pytest.fixture
def numbers():
    return Numbers(ks.boot(memory="64M", record=False))


# The numbers of the initial namespace, taken and given back without processes.
class Numbers:
    def __init__(self, k):
        self.k, self.m = k, k.machine
        self.ns = self.m.symbol("init_pid_ns")
        self.held = {}

    def alloc(self, *set_tid):
        pid = kernel_pid.alloc_pid(self.m, self.ns, set_tid)
        if isinstance(pid, int):
            return pid
        number = pid.numbers[pid.level].nr
        self.held[number] = pid
        return number

    def free(self, number):
        kernel_pid.free_pid(self.m, self.held.pop(number))

    @property
    def cursor(self):
        return self.ns.idr.idr_next

    @cursor.setter
    def cursor(self, value):
        self.ns.idr.idr_next = value


# --- the circle --------------------------------------------------------------------------------


def test_numbers_grow_and_freed_ones_are_not_used_again_before_the_wrap(numbers):
    assert [numbers.alloc() for _ in range(4)] == [3, 4, 5, 6]
    numbers.free(4)
    numbers.free(6)
    assert [numbers.alloc() for _ in range(2)] == [7, 8]
    assert numbers.cursor == 9


def test_after_the_wrap_the_search_begins_at_300(numbers):
    numbers.cursor = 32766
    assert [numbers.alloc() for _ in range(4)] == [32766, 32767, 300, 301]
    assert numbers.cursor == 302


def test_a_cursor_of_300_or_less_still_searches_from_1(numbers):
    kernel_pid.set_pid_max(numbers.m, 301)
    numbers.cursor = 299
    assert [numbers.alloc() for _ in range(3)] == [299, 300, EAGAIN]
    numbers.free(300)
    numbers.free(299)
    assert (numbers.alloc(), numbers.cursor) == (300, 301)  # 301 > 300: the search begins at 300
    numbers.free(300)
    numbers.cursor = 300  # as after handing out 299: it is not above RESERVED_PIDS
    assert numbers.alloc() == 300
    numbers.cursor = 300
    assert numbers.alloc() == 3  # from 300 up there is none, so again from 1


def test_the_worked_example_of_the_wrap(full):
    kernel_pid.set_pid_max(full.m, 32768)
    while (number := full.alloc()) > 0:
        pass
    assert number == EAGAIN
    for number in (200, 500):
        full.free(number)
    full.cursor = 32768
    assert full.alloc() == 500  # 200 is below 300
    assert full.alloc() == EAGAIN
    assert full.ns.pid_allocated == ADDING + 32766
    full.free(32767)
    assert full.alloc() == 32767
    assert full.alloc() == EAGAIN
    full.free(300)
    assert full.alloc() == 300


@pytest.mark.parametrize("pid_max", [301, 302, 1000, 4194304])
def test_the_highest_number_is_one_below_pid_max(pid_max):
    numbers = Numbers(ks.boot(memory="40M", pid_max=pid_max, record=False))
    numbers.cursor = pid_max - 1
    assert numbers.alloc() == pid_max - 1
    assert numbers.alloc() == (300 if pid_max > 301 else EAGAIN)


@pytest.mark.parametrize(
    ("value", "result"), [(300, EINVAL), (301, 0), (4194304, 0), (4194305, EINVAL), (-1, EINVAL)]
)
def test_pid_max_has_its_bounds(numbers, value, result):
    assert kernel_pid.set_pid_max(numbers.m, value) == result
    read = numbers.m.read(numbers.m.symbol("pid_max"), 4)
    assert int.from_bytes(read, "little") == (value if result == 0 else 32768)


def test_a_refused_number_leaves_nothing_behind(numbers):
    numbers.m.add("pid_max", 301 - 32768)
    numbers.cursor = 301
    numbers.alloc()
    before = stage.ground(numbers.k), numbers.cursor, numbers.ns.value_()
    assert numbers.alloc() == EAGAIN
    assert (stage.ground(numbers.k), numbers.cursor, numbers.ns.value_()) == before


# --- a wished number (clone3's set_tid) --------------------------------------------------------


def test_a_wished_number_is_given_if_it_is_free_and_the_cursor_stays(numbers):
    cursor = numbers.cursor
    assert numbers.alloc(77) == 77
    assert numbers.cursor == cursor
    assert numbers.alloc(77) == EEXIST
    assert numbers.alloc(1) == EEXIST  # init has it
    for wrong in (0, -1, 32768, 1 << 30):
        assert numbers.alloc(wrong) == EINVAL
    assert numbers.alloc(5, 6) == EINVAL  # there is one level only


def test_a_wish_needs_a_capability(numbers):
    cred = numbers.m.current.cred
    for cap, result in ((0, EPERM), (1 << 40, 70), (1 << 21, 71), (1 << 7, EPERM)):
        cred.cap_effective = cap
        assert numbers.alloc(max(result, 69)) == result


def test_wishes_are_for_the_deepest_levels_first_and_the_rest_is_cyclic():
    k, sh = stage.booted()
    k.call(sh, "clone", 0x20000000 | 17)
    inner = k.tasks()[-1].thread_pid.numbers[1].ns
    cursor = k.machine.symbol("init_pid_ns").idr.idr_next
    pid = kernel_pid.alloc_pid(k.machine, inner, (42,))
    assert [pid.numbers[i].nr for i in range(2)] == [cursor, 42]
    both = kernel_pid.alloc_pid(k.machine, inner, (43, 500))
    assert [both.numbers[i].nr for i in range(2)] == [500, 43]
    assert kernel_pid.alloc_pid(k.machine, inner, (44, 500)) == EEXIST
    assert not kernel_pid.find_pid_ns(k.machine, 44, inner)  # undone at the deeper level
    assert kernel_pid.alloc_pid(k.machine, inner, (1, 2, 3)) == EINVAL


def test_in_a_namespace_without_an_init_only_1_can_be_wished():
    k, sh = stage.booted()
    m = k.machine
    ns = pid_namespace.create_pid_namespace(m, sh.cred.user_ns, m.symbol("init_pid_ns"))
    assert kernel_pid.alloc_pid(m, ns, (5,)) == EINVAL
    pid = kernel_pid.alloc_pid(m, ns, (1,))
    assert pid.numbers[1].nr == 1


# --- what a struct pid is ----------------------------------------------------------------------


def test_a_new_pid_is_counted_once_and_used_by_nobody(numbers):
    number = numbers.alloc()
    pid = numbers.held[number]
    assert (pid.count, pid.level) == (1, 0)
    assert (pid.numbers[0].nr, pid.numbers[0].ns) == (number, numbers.ns)
    assert [tasks.first.address_ for tasks in pid.tasks] == [0] * 4
    assert pid.wait_pidfd.head.next == pid.wait_pidfd.head
    assert numbers.ns.pid_allocated == ADDING + 3
    assert kernel_pid.find_pid_ns(numbers.m, number, numbers.ns) == pid
    kernel_pid.get_pid(pid)
    numbers.free(number)
    assert pid.count == 1  # somebody still looks at it, though its number is gone
    assert not kernel_pid.find_pid_ns(numbers.m, number, numbers.ns)
    kernel_pid.put_pid(numbers.m, pid)
    with pytest.raises(ks.Fault, match="freed by put_pid"):
        _ = pid.count


def test_a_pid_is_visible_only_when_it_is_complete(monkeypatch):
    k, _ = stage.booted()
    seen = []
    original = kernel_pid.wait.init_waitqueue_head

    def look(head):
        address = head.address_ - pid_h.pid.offsetof_("wait_pidfd")
        pid = pid_h.pid(k.machine, address)
        ns = k.machine.symbol("init_pid_ns")
        if pid.count == 1 and pid.numbers[0].nr:
            found = kernel_pid.find_pid_ns(k.machine, pid.numbers[0].nr, ns)
            seen.append((pid.numbers[0].nr, found.address_))
        original(head)

    monkeypatch.setattr(kernel_pid.wait, "init_waitqueue_head", look)
    pid = kernel_pid.alloc_pid(k.machine, k.machine.symbol("init_pid_ns"))
    assert seen == [(pid.numbers[0].nr, 0)]  # the number is taken, but leads nowhere yet


def test_numbers_lead_to_pids_and_pids_to_tasks():
    k, sh = stage.booted()
    m, ns = k.machine, k.machine.symbol("init_pid_ns")
    child = k.task(k.call(sh, "fork"))
    pid = child.thread_pid
    assert kernel_pid.find_pid_ns(m, child.pid, ns) == pid
    assert kernel_pid.pid_task(pid, 0) == kernel_pid.pid_task(pid, 1) == child
    assert not kernel_pid.pid_task(pid, 2)
    assert kernel_pid.pid_task(k.init.thread_pid, 3) == 0
    assert kernel_pid.find_task_by_pid_ns(m, 4711, ns) == 0
    for nothing in (0, -1, 1 << 22, 1 << 40):
        assert not kernel_pid.find_pid_ns(m, nothing, ns)
    assert not kernel_pid.pid_task(pid_h.pid(m, 0), 0)
    above = [kernel_pid.find_ge_pid(m, n, ns) for n in (0, 1, 2, 3, child.pid, child.pid + 1)]
    assert [p.numbers[0].nr if p else 0 for p in above] == [1, 1, 2, 3, 4, 0]


def test_a_number_that_two_levels_have_is_asked_by_level():
    k, sh = stage.booted()
    k.call(sh, "clone", 0x20000000 | 17)
    pid = k.tasks()[-1].thread_pid
    outer, inner = k.machine.symbol("init_pid_ns"), pid.numbers[1].ns
    assert [kernel_pid.pid_nr_ns(pid, ns) for ns in (outer, inner)] == [4, 1]
    assert kernel_pid.pid_nr_ns(sh.thread_pid, inner) == 0  # it can't be seen from there
    k.call(sh, "clone", 0x20000000 | 17)
    sister = k.tasks()[-1].thread_pid.numbers[1].ns
    assert kernel_pid.pid_nr_ns(pid, sister) == 0  # same level, another namespace
    assert kernel_pid.pid_nr_ns(pid_h.pid(k.machine, 0), outer) == 0


def test_a_pid_that_is_not_what_its_number_says_is_found():
    k, sh = stage.booted()
    kernel_pid.validate_pid(k.machine, sh.thread_pid)
    sh.thread_pid.numbers[0].nr = 2
    with pytest.raises(AssertionError, match="number 2 at level 0 leads to"):
        kernel_pid.validate_pid(k.machine, sh.thread_pid)
    sh.thread_pid.numbers[0].nr = 3
    child = k.task(k.call(sh, "fork"))
    child.thread_pid = sh.thread_pid
    pid = pid_h.pid(k.machine, child.signal.pids[1].address_)
    with pytest.raises(AssertionError, match="is linked to"):
        kernel_pid.validate_pid(k.machine, pid)


def test_a_task_takes_the_place_of_another_in_a_list():
    k, sh = stage.booted()
    first, second, third = (k.task(k.call(sh, "fork")) for _ in range(3))
    pid = k.machine.symbol("init_struct_pid")
    group = stage.members(pid, 2)
    k.call(second, "setpgid", 0, 0)
    kernel_pid.transfer_pid(first, second, 2)
    assert stage.members(pid, 2) == [
        second.pid if n == first.pid else n for n in group if n != second.pid
    ]
    assert third.pid in stage.members(pid, 2)
