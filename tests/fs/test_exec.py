"""What execve takes, refuses and hands over (fs/exec.c); real Linux is asked where it can be."""

import errno
import resource

import pytest

import kernelsim as ks
from kernelsim import host
from kernelsim.debug import validate
from kernelsim.user.programs import common
from tests.kernel import stage

SEEN: list[object] = []


async def tell(libc, argv, env):
    SEEN.append((argv, env))


@pytest.fixture
def k():
    SEEN.clear()
    k = ks.boot(record=False)
    k.load("/bin/tell", tell)
    return k


@pytest.fixture
def sh(k):
    return k.spawn("sh")


def error(k, task, *call):
    try:
        return k.call(task, *call)
    except OSError as refused:
        return -refused.errno


# --- what the program gets ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "found"),
    [
        ((["a", "b c", ""], {"X": "1", "Y": ""}), (["a", "b c", ""], {"X": "1", "Y": ""})),
        ((["a"],), (["a"], {})),
        ((), ([""], {})),  # nobody finds argc 0
        ((["\udcff", "ä"], {"Ä": "ö=ü"}), (["\udcff", "ä"], {"Ä": "ö=ü"})),
    ],
)
def test_a_program_gets_its_arguments_and_its_environment(k, sh, args, found):
    k.call(sh, "execve", "/bin/tell", *args)
    assert [found] == SEEN


def test_main_takes_as_much_as_it_names(k):
    async def alone(libc):
        SEEN.append("alone")

    async def with_default(libc, n=5):
        SEEN.append(n)

    async def with_arguments(libc, argv):
        SEEN.append(argv)

    for name, program in (("0", alone), ("1", with_default), ("2", with_arguments)):
        k.load(name, program)
        k.call(k.spawn("sh"), "execve", name, [name])
    assert SEEN == ["alone", 5, ["2"]]


def test_a_string_of_the_environment_without_an_equals_sign_is_no_variable(k, sh):
    k.call(sh, 59, "/bin/tell", [b"x"], [b"A=1", b"nothing", b"A=2", b"=3"])
    assert SEEN == [(["x"], {"A": "1", "": "3"})]


def test_the_name_is_the_last_part_of_the_path_and_15_bytes_long(k, sh):
    for path, comm in (
        ("/usr/bin/a", b"a"),
        ("plain", b"plain"),
        ("/bin/0123456789abcdefgh", b"0123456789abcde"),
        ("/bin/12345678901234ä", b"12345678901234\xc3"),
    ):
        k.machine.programs[path] = None
        k.call(sh, "execve", path)
        assert sh.comm.string_() == comm


def test_a_child_forked_by_the_new_program_has_its_arguments(k, sh):
    async def parent(libc, argv):
        if await libc.fork() == 0:
            SEEN.append(argv)
            return
        await libc.wait()
        SEEN.append([*argv, "parent"])

    k.load("parent", parent)
    k.call(sh, "execve", "parent", ["x"])
    assert SEEN == [["x"], ["x", "parent"]]


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "number"),
    [
        ((8,), errno.EFAULT),
        ((None, 8), errno.EFAULT),
        (("", 8), errno.ENOENT),  # the path's text first
        (("x" * 4096, 8), errno.ENAMETOOLONG),
        (("/no/such", 8), errno.EFAULT),  # then the arrays
        (("/no/such", ["x"], 8), errno.EFAULT),
        (("/no/such", [8], ["x" * 131072]), errno.E2BIG),  # the environment is copied first
        (("/no/such", ["x" * 131072, 8]), errno.EFAULT),  # the last one first
        (("/no/such", [8, "x" * 131072]), errno.E2BIG),
        (("/no/such", ["x"]), errno.ENOENT),
        (("/dev/null",), errno.EACCES),
        (("/dev",), errno.EACCES),
        (("/",), errno.EACCES),
        (("/bin/",), errno.EACCES),
        (("/dev/null/x",), errno.ENOTDIR),
        (("/bin/tell/",), errno.ENOTDIR),
        (("/bin/tel",), errno.ENOENT),
    ],
)
def test_the_first_thing_that_is_wrong_decides_and_the_old_program_goes_on(k, sh, args, number):
    before, mm = stage.ground(k), sh.mm
    assert error(k, sh, 59, *args) == -number
    assert (sh.mm, sh.comm.string_(), SEEN) == (mm, b"sh", [])
    assert stage.ground(k) == before
    validate.validate_machine(k.machine)


def test_what_is_no_list_of_text_never_gets_to_the_kernel(k, sh):
    for args, refused in (
        (("text",), TypeError),
        (([],), ValueError),
        (([""],), ValueError),
        (([3],), TypeError),
        ((["a\0b"],), ValueError),
        ((["a"], {"": "x"}), ValueError),
        ((["a"], {"a=b": "x"}), ValueError),
    ):
        with pytest.raises(refused):
            k.call(sh, "execve", "/bin/tell", *args)
    assert SEEN == []


# --- with real Linux as referee ----------------------------------------------------------------

LIMIT = (8 << 20) // 4  # of strings and pointers, for a stack of 8 MB
TRUE = "/bin/true"


# Arguments whose strings and pointers, with the path, come to `size` bytes.
def arguments(size, env=()):
    env_size = sum(len(text) + 1 + 8 for text in env)
    left = size - (len(TRUE) + 1) - env_size
    argv = []
    while left > 131072 + 200:
        argv.append("x" * 131063)
        left -= 131064 + 8
    return [*argv, "x" * (left // 2 - 9), "x" * (left - left // 2 - 9)]


CASES = {
    "one of 131071 bytes": (["x", "a" * 131071], {}),
    "one of 131072 bytes": (["x", "a" * 131072], {}),
    "one of 131072 bytes in the environment": (["x"], {"A": "a" * 131070}),
    "as much as there is room": (arguments(LIMIT), {}),
    "one byte too many": (arguments(LIMIT + 1), {}),
    "as much as there is room, with an environment": (arguments(LIMIT, ["A=bc"]), {"A": "bc"}),
    "one byte too many, with an environment": (arguments(LIMIT + 1, ["A=bc"]), {"A": "bc"}),
    "pointers alone": (["x"] + [""] * (LIMIT // 9), {}),
    "fewer pointers": (["x"] + [""] * (LIMIT // 9 - 10), {}),
}


@pytest.fixture
def _stack_of_8_mb():
    before = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (8 << 20, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_STACK, before)


@pytest.mark.needs_namespaces
@pytest.mark.usefixtures("_stack_of_8_mb")
@pytest.mark.parametrize("case", CASES)
def test_so_much_may_be_handed_over_as_on_linux(case):
    argv, env = CASES[case]

    async def program(libc):
        await libc.printf(await common.fails(libc.execve(TRUE, argv, env)))

    async def nothing(libc):
        return

    real = host.run(program)
    simulated = ks.run(program, programs={TRUE: nothing}, record=False)
    assert (simulated.stdout, simulated.status) == (real.stdout, real.status)
    assert real.stdout in (b"", b"E2BIG")


@pytest.mark.needs_namespaces
def test_paths_are_refused_as_on_linux():
    async def program(libc):
        for path in (
            "",
            "/",
            "/dev",
            "/dev/null",
            "/dev/null/x",
            "/no-such",
            "/no/such",
            "y" * 4096,
        ):
            result = await common.fails(libc.execve(path, ["x"]))
            await libc.printf(f"{path[:20]}: {result}\n")

    assert ks.run(program, record=False).stdout == host.run(program).stdout
