"""The layout of every struct against gcc: sizes, offsets and bit positions."""

import os
import shutil
import subprocess

import pytest

import kernelsim.session  # noqa: F401 - declares every struct
from kernelsim.machine import ctype

COMPILER = shutil.which("gcc")
STRUCTS = sorted(
    name for name, cls in ctype.REGISTRY.items() if cls.__module__.startswith("kernelsim.")
)


def declaration(t, name):
    """`t name;` in C, with every type by a name that the prelude knows."""
    if isinstance(t, ctype.Bits):
        return f"{scalar(t.base)} {name}:{t.width}"
    if isinstance(t, ctype.Array):
        return declaration(ctype.resolve(t.element), f"{name}[{t.length}]")
    if isinstance(t, ctype.Ptr):
        return f"void *{name}"
    return f"struct {t.__name__} {name}" if isinstance(t, type) else f"{scalar(t)} {name}"


def scalar(t):
    return f"{'s' if t.signed else 'u'}{t.sizeof_ * 8}"


def text_of(cls):
    lines = [f"struct {cls.__name__} {{"]
    for name, declared in cls.members_.items():
        t = ctype.resolve(declared)
        if isinstance(t, ctype.Union):
            inner = " ".join(declaration(ctype.resolve(m), n) + ";" for n, m in t.members.items())
            lines.append(f"union {{ {inner} }};")
        else:
            lines.append(declaration(t, name) + ";")
    return "\n".join([*lines, "};"])


# Embedded structs must be declared before those that embed them.
def in_order(names):
    done, out = set(), []

    def visit(cls):
        if cls.__name__ in done:
            return
        done.add(cls.__name__)
        for declared in cls.members_.values():
            t = ctype.resolve(declared)
            for part in t.members.values() if isinstance(t, ctype.Union) else [t]:
                inner = ctype.resolve(part)
                while isinstance(inner, ctype.Array):
                    inner = ctype.resolve(inner.element)
                if isinstance(inner, type):
                    visit(inner)
        out.append(cls)

    for name in names:
        visit(ctype.REGISTRY[name])
    return out


PRELUDE = """
#include <stdio.h>
#include <stddef.h>
#include <string.h>
typedef unsigned char u8; typedef signed char s8; typedef unsigned short u16; typedef short s16;
typedef unsigned int u32; typedef int s32; typedef unsigned long u64; typedef long s64;
"""


def probe(cls):
    name = cls.__name__
    lines = [f'printf("{name} = %zu\\n", sizeof(struct {name}));']
    for field in cls.fields_:
        if isinstance(field.type, ctype.Bits):
            lines.append(
                f"{{ struct {name} s; memset(&s, 0, sizeof s); s.{field.name} = 1;"
                f" unsigned char *p = (void *)&s; size_t i = 0; while (!p[i]) i++;"
                f" int bit = 0; while (!(p[i] >> bit & 1)) bit++;"
                f' printf("{name}.{field.name} = %zu\\n", i * 8 + bit); }}'
            )
        else:
            lines.append(
                f'printf("{name}.{field.name} = %zu\\n", offsetof(struct {name}, {field.name}));'
            )
    return "\n".join(lines)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    if COMPILER is None:
        if os.environ.get("CI") == "true":
            pytest.fail("gcc is missing, and in CI no test may be left out")
        pytest.skip("gcc is not here")
    folder = tmp_path_factory.mktemp("layout")
    classes = in_order(STRUCTS)
    body = "\n".join(map(text_of, classes)) + "\nint main(void) {\n"
    source = PRELUDE + body + "\n".join(map(probe, classes)) + "\nreturn 0; }\n"
    (folder / "layout.c").write_text(source)
    subprocess.run([COMPILER, "-w", "-o", "layout", "layout.c"], cwd=folder, check=True)
    out = subprocess.run([folder / "layout"], capture_output=True, text=True, check=True).stdout
    return dict(line.split(" = ") for line in out.splitlines())


@pytest.mark.parametrize("name", STRUCTS)
def test_gcc_lays_the_struct_out_as_we_do(name, compiled):
    cls = ctype.REGISTRY[name]
    ours = {name: cls.sizeof_}
    for field in cls.fields_:
        bits = isinstance(field.type, ctype.Bits)
        place = field.offset * 8 + field.bit if bits else field.offset
        ours[f"{name}.{field.name}"] = place
    assert ours == {key: int(compiled[key]) for key in ours}


def test_the_sizes_that_the_fact_sheet_names_are_ours():
    size = {name: ctype.REGISTRY[name].sizeof_ for name in ("pid", "xa_node", "upid", "list_head")}
    assert size == {"pid": 112, "xa_node": 576, "upid": 16, "list_head": 16}
