"""The C text that readers are shown, given to gcc: it must mean there what it means here."""

import os
import re
import shutil
import subprocess

import pytest

import kernelsim.session  # noqa: F401 - declares every struct
from kernelsim.machine import ctype

COMPILER = shutil.which("gcc")


@pytest.mark.skipif(not COMPILER and os.environ.get("CI") != "true", reason="gcc is not here")
def test_the_c_text_of_every_struct_means_to_gcc_what_it_means_to_us(tmp_path):
    classes = in_c_order()
    text = "\n".join(cls.c_text_() for cls in classes)
    names = set(re.findall(r"^\t+(?:const |volatile )?(\w+) \**\w+[;:[]", text, re.MULTILINE))
    known = {"int", "char", "void", "long", "short", "struct", "unsigned", "signed"}
    lines = [f"typedef {base_of(name)} {name};" for name in sorted(names - known)]
    lines.append(text)
    for cls in classes:
        lines.append(
            f"_Static_assert(sizeof(struct {cls.__name__}) == {cls.sizeof_}, {cls.__name__!r});".replace(
                "'", '"'
            )
        )
        lines += [
            f'_Static_assert(__builtin_offsetof(struct {cls.__name__}, {f.name}) == {f.offset}, "{cls.__name__}.{f.name}");'
            for f in cls.fields_
            if not isinstance(f.type, ctype.Bits)
        ]
    source = tmp_path / "text.c"
    source.write_text("\n".join(lines) + "\n")
    command = [COMPILER, "-m64", "-std=gnu11", "-Wno-strict-prototypes", "-fsyntax-only", source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:2000]


# The structs of the kernel, each after those that it embeds.
def in_c_order():
    found = []

    def visit(t):
        t = ctype.resolve(t)
        if isinstance(t, ctype.Array):
            visit(t.element)
        elif isinstance(t, ctype.Union):
            for member in t.members.values():
                visit(member)
        elif isinstance(t, type) and t not in found:
            for member in t.members_.values():
                visit(member)
            found.append(t)

    for cls in list(ctype.REGISTRY.values()):
        if cls.__module__.startswith("kernelsim."):
            visit(cls)
    return found


# What a typedef name of ours stands for, by the size of some member that has it.
def base_of(name):
    for cls in in_c_order():
        for f in cls.fields_:
            t = f.type
            while isinstance(t, ctype.Array):
                t = ctype.resolve(t.element)
            base = t.base if isinstance(t, ctype.Bits) else t
            if isinstance(base, ctype.Int) and base.c == name:
                word = {1: "char", 2: "short", 4: "int", 8: "long"}[base.sizeof_]
                return f"{'signed' if base.signed else 'unsigned'} {word}"
            if isinstance(t, ctype.Ptr) and isinstance(t.target, ctype.Int) and t.target.c == name:
                return "int"
    raise AssertionError(f"no member has the type {name}")
