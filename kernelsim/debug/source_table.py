"""Writes the table that `source` reads: where each function of the mirrored tree stands in Linux.

    python -m kernelsim.debug.source_table linux-5.10.188

The argument is a folder with the kernel source.  The table holds every function that a mirrored
module defines, and all those in the C files that the modules of `kernel/` mirror.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from kernelsim.debug import source

__all__ = ["OURS", "find", "main", "mirrored", "places", "table"]

HERE = Path(__file__).resolve().parent.parent
MIRROR: tuple[str, ...] = (
    "arch",
    "drivers",
    "fs",
    "include",
    "init",
    "ipc",
    "kernel",
    "lib",
    "mm",
    "net",
)
MIRROR += ("security",)
# What is searched, the likelier first: among equals, the first one found is taken.
SEARCHED = (
    *("kernel", "mm", "fs", "lib", "init", "include/linux", "arch/x86/entry", "arch/x86/kernel"),
    *(
        "arch/x86/mm",
        "arch/x86/include",
        "drivers/tty",
        "drivers/char/mem.c",
        "include/uapi/linux/futex.h",
        "include/asm-generic",
        "security",
        "ipc",
        "net/core/net_namespace.c",
        "include/net/net_namespace.h",
    ),
)
# Of several definitions for several configurations, the one of x86-64 with CONFIG_SMP and
# CONFIG_NUMA: its number, if it is not the first.
CHOSEN = {"sys_clone": 3, "page_address": 2}
# Functions of mirrored modules that stand nowhere in Linux 5.10, and why.
OURS = {
    "Linux has this laid out by the compiler: static data": (
        *("cred_static_init", "declare", "files_static_init", "fs_static_init"),
        *("init_task_init", "nsproxy_static_init", "pid_static_init", "cgroup_static_init"),
        *("ipc_static_init", "net_static_init", "time_ns_static_init", "ucounts_static_init"),
        *("user_static_init", "version_static_init", "proc_init"),
    ),
    "Linux has no such function: it is ours, to check or to look": (
        *(
            "around",
            "cache_name",
            "caches",
            "check_arguments",
            "object_at",
            "queued_tasks",
            "slabinfo",
        ),
        *("syscall_name", "syscall_number", "usage", "user_address", "validate_hlist"),
        *("validate_idr", "validate_list", "validate_pid", "validate_radix_tree"),
        *("validate_rbtree",),
    ),
    "the linker, the boot loader, the CPU or ftrace itself does this in Linux": (
        *("boot_task", "is_symbol", "link_kernel", "register", "symbol", "traced"),
        *("user_mode", "user_work"),
    ),
    "Linux does this inside a larger function, or in several": (
        *("proc_id_map_read", "proc_open", "proc_readlink", "proc_single_read"),
        *("proc_single_release",),
        *("each", "each_safe", "fill_pool", "free_blocks", "free_fdtable", "hlist_insert_rcu"),
        *("hlist_remove", "init", "init_table", "insert", "insert_tail", "link", "load"),
        *("load_root", "node_address", "node_index", "open_fds", "open_words", "remove"),
        *("root_index", "root_is_idr", "set_pid_max", "set_slot", "stack_pop", "stack_push"),
        *("word_index",),
    ),
    "Linux 5.10 has it under another name (__kill_pgrp_info)": ("kill_pgrp_info",),
}

# Not part of the kernel of x86-64: tools of the build, tests, the loader.
_ELSEWHERE = re.compile(r"_32\.|_test\.|^fs/unicode/|/zstd/|/decompress|/conmakehash")
_FILE = re.compile(r"[\w/-]+\.(?:[chS]|lds\.S|tbl)\b")
_NAME = re.compile(
    r"""^SYSCALL_DEFINE\d\((?P<call>\w+)
    | ^\#[ \t]*define[ \t]+(?P<macro>\w+)\(
    | ^\#[ \t]*define[ \t]+(?P<constant>\w+)[ \t]
    | ^struct[ ]\w+[ ](?P<data>\w+)[ ]=[ ]\{
    | ^SYM_(?:FUNC|CODE)_START\w*\((?P<symbol>\w+)\)
    | ^DEFINE_IDTENTRY\w*\((?P<entry>\w+)\)
    | ^[A-Za-z_][\w\t *]*(?:\([\w", .]*\)[\w\t *]*)?\n?[\t *]*\b(?P<function>(?!__releases|__acquires|__must_hold)\w+)[ ]?
      \((?:[^;{}()]|\((?:[^;{}()]|\([^;{}()]*\))*\))*\)(?:\s|__\w+(?:\([^()]*\))?|/\*[^*]*\*/)*\{
    """,
    re.MULTILINE | re.VERBOSE,
)


def mirrored() -> dict[str, tuple[str, ...]]:
    """Return the functions that mirrored modules define, each with the C files its module names."""
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted(path for room in MIRROR for path in (HERE / room).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        files = tuple(_files((ast.get_docstring(tree) or "").partition("@")[0]))
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if not re.match(r"_(?!_)", node.name):
                # A module of ours may hold the kernel's functions too, among helpers.
                found[node.name] = ("",) if path.name.startswith("_") else files
    return found


# The files that a docstring begins with; one without a folder is in the folder of the one before.
def _files(head: str) -> Iterator[str]:
    folder = ""
    for name in _FILE.findall(head):
        if "/" in name:
            folder = name.rpartition("/")[0]
        yield name if "/" in name or not folder else f"{folder}/{name}"


def places(tree: Path) -> dict[str, list[source.Place]]:
    """Return where the functions, system calls and macros of the kernel source are defined, by name."""
    found: dict[str, list[source.Place]] = {}
    ours = mirrored()
    for top in SEARCHED:
        paths = [tree / top] if (tree / top).is_file() else sorted((tree / top).rglob("*.[chS]"))
        for path in paths:
            text = path.read_text(encoding="utf-8", errors="replace")
            name = path.relative_to(tree).as_posix()
            if _ELSEWHERE.search(name):
                continue
            for match in _NAME.finditer(text):
                kind = match.lastgroup or ""
                if kind in {"constant", "data"} and match[kind] not in ours:
                    continue
                line = text.count("\n", 0, match.start(kind)) + 1
                symbol = f"sys_{match[kind]}" if kind == "call" else match[kind]
                found.setdefault(symbol, []).append(source.Place(name, line))
    return found


def find(
    name: str, files: tuple[str, ...], known: dict[str, list[source.Place]]
) -> list[source.Place]:
    """Return where `name` is defined: in the files that its mirror names, else anywhere; if it is Linux's."""
    if any(name in names for names in OURS.values()):
        return []
    everywhere = known.get(name, [])
    return [p for p in everywhere if p.path in files] or everywhere


def table(tree: Path) -> dict[str, source.Place]:
    """Return the table for a kernel source."""
    known, ours = places(tree), mirrored()
    files = {file for path in ours.values() for file in path if file.startswith("kernel/")}
    found = {}
    for name, where in known.items():
        if any(place.path in files for place in where):
            found[name] = next(place for place in where if place.path in files)
    for name, own in ours.items():
        if of_name := find(name, own, known):
            found[name] = of_name[CHOSEN.get(name, 0)]
    return found


def main(arguments: list[str]) -> int:
    """Write the table from the kernel source in the folder given; return an exit status."""
    if len(arguments) != 1 or not (Path(arguments[0]) / "kernel/fork.c").is_file():
        sys.stderr.write(f"{__doc__}\n")
        return 2
    rows = sorted(table(Path(arguments[0])).items())
    lines = [f"{name}\t{place.path}\t{place.line}\n" for name, place in rows]
    source.TABLE.write_text("".join(lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
