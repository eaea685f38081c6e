"""C types and the x86-64 ABI's layout of structs; one declaration yields everything.

A struct is declared once, as a class whose body lists the members in C order::

    class list_head(Struct):
        next = ptr("list_head")
        prev = ptr("list_head")

From it come the layout (`offsetof_`, `sizeof_`), the C text (`c_text_`), the offset table
(`pahole_`), the types that drgn is given, and the typed reference: `list_head(m, address)`
stands for ``(struct list_head *)address`` in machine `m`.  Layout and member access are built
when the class is first used, so that types may refer to each other in any order.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

__all__ = [
    "REGISTRY",
    "Array",
    "Bits",
    "CType",
    "Declared",
    "Field",
    "Int",
    "Layout",
    "Ptr",
    "Union",
    "Void",
    "array",
    "bits",
    "char",
    "func",
    "layout",
    "ptr",
    "resolve",
    "s8",
    "s16",
    "s32",
    "s64",
    "type_name",
    "u8",
    "u16",
    "u32",
    "u64",
    "ulong",
    "union",
    "void",
]


class CType:
    """A C type: its name in C, its size and its alignment in bytes."""

    c: str
    sizeof_: int
    alignof_: int

    def declare(self, name: str) -> str:
        """Return the C declaration of a member `name` of this type."""
        return f"{self.c} {name}"


class Int(CType):
    """An integer type: `size` bytes, signed or not, `c` its name in C, `code` memoryview's letter."""

    def __init__(self, c: str, size: int, *, signed: bool) -> None:
        self.c = c
        self.sizeof_ = self.alignof_ = size
        self.signed = signed
        self.view = f"{'s' if signed else 'u'}{size * 8}"  # the memory view it is read through

    def named(self, c: str) -> Int:
        """Return the same type under another C name (a typedef)."""
        return Int(c, self.sizeof_, signed=self.signed)


class Void(CType):
    """void, or a function: something with no size that a pointer may point to."""

    def __init__(self, c: str) -> None:
        self.c = c
        self.sizeof_, self.alignof_ = 0, 1


# To a type checker a member is whatever reading it gives, so the types are Any to it.
u8: Any = Int("u8", 1, signed=False)
s8: Any = Int("s8", 1, signed=True)
u16: Any = Int("u16", 2, signed=False)
s16: Any = Int("s16", 2, signed=True)
u32: Any = Int("unsigned int", 4, signed=False)
s32: Any = Int("int", 4, signed=True)
u64: Any = Int("u64", 8, signed=False)
s64: Any = Int("s64", 8, signed=True)
ulong: Any = Int("unsigned long", 8, signed=False)
char: Any = Int("char", 1, signed=False)
void: Any = Void("void")
func: Any = Void("void ()")

REGISTRY: dict[str, Any] = {}
"""The struct classes by their C name."""


class Ptr(CType):
    """A pointer to `target`: a type, or the name of a struct that may be declared later."""

    sizeof_ = alignof_ = 8

    def __init__(self, target: Any) -> None:
        self.target = target

    @property
    def c(self) -> str:  # type: ignore[override]
        """The type's name in C."""
        name = type_name(self.target)
        return f"{name}{'' if name.endswith('*') else ' '}*"

    def declare(self, name: str) -> str:
        """Return the C declaration of a member `name` of this type."""
        if self.target is func:
            return f"void (*{name})()"
        return f"{self.c}{name}"


class Array(CType):
    """An array of `length` elements; `flexible` where C code indexes beyond the declared length."""

    def __init__(self, element: Any, length: int, *, flexible: bool = False) -> None:
        self.element = element
        self.length = length
        self.flexible = flexible

    @property
    def sizeof_(self) -> int:  # type: ignore[override]
        """Size in bytes."""
        return resolve(self.element).sizeof_ * self.length

    @property
    def alignof_(self) -> int:  # type: ignore[override]
        """Alignment in bytes."""
        align: int = resolve(self.element).alignof_
        return align

    @property
    def c(self) -> str:  # type: ignore[override]
        """The type's name in C."""
        return f"{type_name(self.element)}[{self.length}]"

    def declare(self, name: str) -> str:
        """Return the C declaration of a member `name` of this type."""
        element = resolve(self.element)
        inner = f"{name}[{self.length}]"
        if isinstance(element, (Ptr, Array)):
            return element.declare(inner)
        return f"{type_name(self.element)} {inner}"


class Union(CType):
    """An anonymous union; its members appear as members of the struct around it."""

    c = "union"

    def __init__(self, **members: Any) -> None:
        self.members = members

    @property
    def sizeof_(self) -> int:  # type: ignore[override]
        """Size in bytes."""
        return _up(max(resolve(t).sizeof_ for t in self.members.values()), self.alignof_)

    @property
    def alignof_(self) -> int:  # type: ignore[override]
        """Alignment in bytes."""
        return max(resolve(t).alignof_ for t in self.members.values())


class Bits(CType):
    """A bit field of `width` bits in units of the integer type `base`."""

    def __init__(self, base: Int, width: int) -> None:
        self.base, self.width = base, width
        self.c, self.sizeof_, self.alignof_ = base.c, base.sizeof_, base.alignof_

    def declare(self, name: str) -> str:
        """Return the C declaration of a member `name` of this type."""
        return f"{self.c} {name}:{self.width}"


def ptr(target: Any) -> Any:
    """Return the type pointer to `target` (a type, or a struct's name)."""
    return Ptr(target)


def array(element: Any, length: int, *, flexible: bool = False) -> Any:
    """Return the type array of `length` elements."""
    return Array(element, length, flexible=flexible)


def union(**members: Any) -> Any:
    """Return an anonymous union of the members given."""
    return Union(**members)


def bits(base: Any, width: int) -> Any:
    """Return a bit field of `width` bits."""
    return Bits(base, width)


def resolve(t: Any) -> Any:
    """Return the type that `t` names, if it is a struct's name, else `t`."""
    if isinstance(t, str):
        try:
            return REGISTRY[t]
        except KeyError:
            raise TypeError(f"struct {t} is not declared") from None
    return t


def type_name(t: Any) -> str:
    """Return the C name of `t`: a type, or the name of a struct."""
    if isinstance(t, str):
        return f"struct {t}"
    name: str = t.c
    return name


class Field(NamedTuple):
    """A member of a struct: `offset` in bytes; `bit` is its lowest bit in the unit, for bit fields."""

    name: str
    type: Any
    offset: int
    bit: int = 0
    group: str = ""  # the anonymous union it belongs to, "" if none


class Layout(NamedTuple):
    """Where the members of a struct lie."""

    fields: tuple[Field, ...]
    sizeof_: int
    alignof_: int


def _up(value: int, align: int) -> int:
    return -(-value // align) * align


def layout(members: dict[str, Any]) -> Layout:
    """Lay `members` out as the x86-64 psABI (and GCC) does."""
    fields: list[Field] = []
    offset = align = 0  # offset in bits while we walk
    for name, declared in members.items():
        t = resolve(declared)
        align = max(align, t.alignof_)
        if isinstance(t, Bits):
            unit = t.sizeof_ * 8
            if offset // unit != (offset + t.width - 1) // unit:
                offset = _up(offset, unit)
            fields.append(Field(name, t, offset // unit * t.sizeof_, offset % unit))
            offset += t.width
            continue
        at = _up(_up(offset, 8) // 8, t.alignof_)
        if isinstance(t, Union):
            fields += [Field(n, resolve(m), at, 0, name) for n, m in t.members.items()]
        else:
            fields.append(Field(name, t, at))
        offset = (at + t.sizeof_) * 8
    return Layout(tuple(fields), _up(_up(offset, 8) // 8, align or 1), align or 1)


class Declared:
    """What a struct class knows of its declaration; `Struct` in `ref` adds the access."""

    members_: ClassVar[dict[str, Any]] = {}
