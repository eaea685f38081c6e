"""Typed references: a machine, a C type and an address, and nothing else.

`Struct` is the base of every declared struct; an instance stands for a pointer to one.  C
members are attributes (``task.real_parent.pid``); what belongs to Python ends in `_`.  A
reference is only an address: making, comparing or printing one touches no memory.  Reading or
writing a member does, and faults as the hardware and the slab's poison would.

The accessors are generated, see `access`.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, ClassVar

from kernelsim.machine import access, batch, ctype
from kernelsim.machine.access import ArrayRef, array_ref, pointer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kernelsim.machine.memory import Memory

__all__ = ["ArrayRef", "Struct", "ValidationError", "array_ref", "container_of", "pointer"]

_MASK = (1 << 64) - 1


class ValidationError(AssertionError):
    """A structure in memory is not as its invariants say; the message names both addresses."""


class _StructMeta(type):
    # Collects the declared members and puts the class into the registry; sizes come on demand.
    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> Any:
        declared = {k: v for k, v in body.items() if _is_member(v)}
        for member in declared:
            del body[member]
        mangled = (
            f"_{name.lstrip('_')}__"  # what the compiler makes of a member that starts with __
        )
        members = {
            k.replace(mangled, "__", 1) if k.startswith(mangled) else k: v
            for k, v in declared.items()
        }
        body.setdefault("__slots__", ())
        cls = super().__new__(mcs, name, bases, body)
        if bases:
            cls.members_ = members
            cls.layout_cache_ = None  # computed when first asked for
            ctype.REGISTRY[name] = cls
        return cls

    if TYPE_CHECKING:  # an embedded struct is a class in the declaration, a reference when read

        def __getattr__(cls, name: str) -> Any: ...

        def __setattr__(cls, name: str, value: Any) -> None: ...

    @property
    def c(cls) -> str:
        return f"struct {cls.__name__}"

    layout_cache_: ctype.Layout | None

    @property
    def layout_(cls) -> ctype.Layout:
        if cls.layout_cache_ is None:
            cls.layout_cache_ = ctype.layout(cls.members_)
        return cls.layout_cache_

    @property
    def sizeof_(cls) -> int:
        return cls.layout_.sizeof_

    @property
    def alignof_(cls) -> int:
        return cls.layout_.alignof_

    @property
    def fields_(cls) -> tuple[ctype.Field, ...]:
        return cls.layout_.fields


def _is_member(value: Any) -> bool:
    return isinstance(value, (ctype.CType, _StructMeta))


class Struct(metaclass=_StructMeta):
    """A typed reference to a C struct at `address` in machine `m`."""

    __slots__ = ("_h", "_o", "_w", "address_", "machine_")
    members_: ClassVar[dict[str, Any]]
    layout_cache_: ClassVar[ctype.Layout | None]

    def __init__(self, m: Memory, address: int) -> None:
        cls = type(self)
        access.build(cls)
        cls.__init__(self, m, address)

    @classmethod
    def declare(cls, name: str) -> str:
        """Return the C declaration of a member `name` of this type."""
        return f"struct {cls.__name__} {name}"

    @classmethod
    def ref_(cls, m: Memory, address: int) -> Any:
        """Return the reference to `address` that machine `m` keeps: as `cls(m, address)`, but faster."""
        access.build(cls)  # which puts a faster one in the place of this
        return cls.ref_(m, address)

    @property
    def type_(self) -> type[Struct]:
        """The struct's class."""
        return type(self)

    def __eq__(self, other: object) -> bool:
        address = getattr(other, "address_", other)
        return self.address_ == (0 if address is None else address)

    def __hash__(self) -> int:
        return hash(self.address_)

    def __bool__(self) -> bool:
        return self.address_ != 0

    def __int__(self) -> int:
        address: int = self.address_
        return address

    def __index__(self) -> int:
        address: int = self.address_
        return address

    def __repr__(self) -> str:
        return f"(struct {type(self).__name__} *){self.address_:#x}"

    def __add__(self, n: int) -> Any:
        return type(self)(self.machine_, (self.address_ + n * type(self).sizeof_) & _MASK)

    def __sub__(self, n: int) -> Any:
        return self + -n

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"struct {type(self).__name__} has no member {name!r}")

    @classmethod
    def field_(cls, path: str) -> tuple[Any, int]:
        """Return (C type, offset in bytes) of the member at `path`, such as ``"tasks.next"``."""
        t: Any = cls
        offset = 0
        for part in path.replace("[", ".[").split("."):
            if part.startswith("["):
                t, offset = (
                    ctype.resolve(t.element),
                    offset + int(part[1:-1]) * ctype.resolve(t.element).sizeof_,
                )
                continue
            field = next((f for f in getattr(t, "fields_", ()) if f.name == part), None)
            if field is None:
                raise AttributeError(f"{ctype.type_name(t)} has no member {part!r}")
            t, offset = field.type, offset + field.offset
        return t, offset

    @classmethod
    def offsetof_(cls, path: str) -> int:
        """Return the offset in bytes of the member at `path`."""
        return cls.field_(path)[1]

    @classmethod
    def store_(cls, *names: str) -> Any:
        """Return a function (ref, value, …) that stores the members `names` at once, in that order.

        The same as one assignment each, but faster; made once, for code that runs often.
        """
        return batch.make_store(cls, names)

    @classmethod
    def load_(cls, *names: str) -> Any:
        """Return a function (ref) that returns the members `names` as a tuple; pointers are ints.

        The same as one look at each, but faster; made once, for code that runs often.
        """
        return batch.make_load(cls, names)

    @classmethod
    def add_(cls, name: str) -> Any:
        """Return a function (ref, n) that adds n to the member `name` and returns the new value.

        Made once, for counters of code that runs often.
        """
        return batch.make_add(cls, name)

    def member_(self, path: str) -> Any:
        """Return the value of the member at `path`, such as ``"tasks.next"`` or ``"numbers[1].nr"``."""
        value: Any = self
        for part in path.replace("[", ".[").split("."):
            value = value[int(part[1:-1])] if part.startswith("[") else getattr(value, part)
        return value

    def address_of_(self, path: str) -> int:
        """Return the address of the member at `path` (C's ``&p->path``)."""
        return (self.address_ + self.offsetof_(path)) & _MASK

    def at_(self, m: Memory) -> Any:
        """Return the reference to the same address in another machine, or the same at another time."""
        return type(self)(getattr(m, "machine", m), self.address_)

    def value_(self) -> dict[str, Any]:
        """Return the members and their values, embedded structs as dicts."""
        out: dict[str, Any] = {}
        for field in type(self).fields_:
            value = getattr(self, field.name)
            embedded = isinstance(field.type, _StructMeta)
            out[field.name] = value.value_() if embedded or isinstance(value, ArrayRef) else value
        return out

    def bytes_(self) -> bytes:
        """Return the struct's bytes, freed or not."""
        data: bytes = self.machine_.read(self.address_, type(self).sizeof_)
        return data

    def hexdump_(self, path: str = "") -> str:
        """Return the bytes of the struct, or of the member at `path`, as `hexdump -C` prints them."""
        t, offset = self.field_(path) if path else (type(self), 0)
        data = self.machine_.read(self.address_ + offset, t.sizeof_)
        return _hexdump(self.address_ + offset, data)

    @classmethod
    def c_text_(cls) -> str:
        """Return the struct's declaration as C text, with the offset of each member."""
        lines = [f"struct {cls.__name__} {{"]
        for _, rows in _members(cls, lambda f: f"/* {f.offset:5} */"):
            lines += rows
        return "\n".join([*lines, f"}}; /* size: {cls.sizeof_} */"])

    @classmethod
    def pahole_(cls) -> str:
        """Return the offset table in the style of pahole: offset, size, holes."""
        lines, end = [f"struct {cls.__name__} {{"], 0
        for fields, rows in _members(cls, _pahole_place):
            if fields[0].offset > end:
                lines.append(f"\n\t/* XXX {fields[0].offset - end} bytes hole, try to pack */\n")
            lines += rows
            end = max(end, *(f.offset + f.type.sizeof_ for f in fields))
        lines.append(f"\n\t/* size: {cls.sizeof_}, members: {len(cls.members_)} */")
        if cls.sizeof_ > end:
            lines.append(f"\t/* padding: {cls.sizeof_ - end} */")
        return "\n".join([*lines, "};"])


def _members(
    cls: Any, place: Callable[[ctype.Field], str]
) -> Iterator[tuple[list[Any], list[str]]]:
    # Each member as (fields, lines of C): one of each, but for anonymous unions, which have braces.
    for _, found in itertools.groupby(cls.fields_, lambda f: f.group or f.name):
        fields = list(found)
        tabs = "\t\t" if fields[0].group else "\t"
        rows = [f"{tabs}{f.type.declare(f.name)};".ljust(48) + place(f) for f in fields]
        yield fields, ["\tunion {", *rows, "\t};"] if fields[0].group else rows


def _pahole_place(f: ctype.Field) -> str:
    bits = f": {f.bit:2} {f.type.sizeof_:2}" if isinstance(f.type, ctype.Bits) else ""
    return f"/* {f.offset:5}{bits or f' {f.type.sizeof_:5}'} */"


def _hexdump(address: int, data: bytes) -> str:
    lines = []
    for i in range(0, len(data), 16):
        row = data[i : i + 16]
        halves = "  ".join(" ".join(f"{b:02x}" for b in row[j : j + 8]) for j in (0, 8))
        text = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        lines.append(f"{address + i:016x}  {halves:<48}  |{text}|")
    return "\n".join(lines)


def container_of(ptr: Any, type: Any, member: str) -> Any:
    """Return the reference to the struct of `type` in which `ptr` points at `member`.

    `ptr` is a reference; the result's address is ``ptr - offsetof(type, member)``: a subtraction,
    nothing is looked up or checked, and NULL gives the address just below the top of memory.
    """
    return type(ptr.machine_, (ptr.address_ - type.offsetof_(member)) & _MASK)
