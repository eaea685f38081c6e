"""The generated access of references: text templates, and the functions they are made into; arrays.

One field of a struct costs one index into a typed view of memory.  To get there, getters and
setters are generated per struct as source text, for they are the innermost loop of everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from kernelsim.machine import ctype, memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelsim.machine.memory import Memory

__all__ = [
    "ArrayRef",
    "array_class",
    "array_ref",
    "build",
    "is_struct",
    "pointer",
]

_MASK = (1 << 64) - 1
_POISON_OF = {n: int.from_bytes(bytes([memory.POISON_BYTE]) * n, "little") for n in (1, 2, 4, 8)}


def is_struct(t: Any) -> bool:
    """Return whether the type `t` is a struct: those are classes, the other types are objects."""
    return isinstance(t, type)


def pointer(value: Any) -> int:
    """Return the address that `value` (a reference, an int or None) stands for."""
    if value is None:
        return 0
    address = getattr(value, "address_", value)
    if not isinstance(address, int):
        raise TypeError(f"a pointer is a reference, an int or None, not {type(value).__name__}")
    return address & _MASK


class ArrayRef:
    """A reference to a C array: index, length, iteration; `string_()` for char arrays."""

    __slots__ = ("address_", "machine_")
    type_: ClassVar[ctype.Array]

    def __init__(self, m: Memory, address: int) -> None:
        self.machine_, self.address_ = m, address

    def __len__(self) -> int:
        return self.type_.length

    def __getitem__(self, i: int) -> Any:
        raise NotImplementedError  # generated, per type of array

    def __setitem__(self, i: int, value: Any) -> None:
        t = self.type_
        if i < 0 or (i >= t.length and not t.flexible):
            raise IndexError(f"index {i} of {t.c}")
        element = ctype.resolve(t.element)
        _store(self.machine_, self.address_ + i * element.sizeof_, element, value)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(self.type_.length))

    def __repr__(self) -> str:
        return f"({ctype.type_name(self.type_.element)} [{self.type_.length}]){self.address_:#x}"

    def string_(self) -> bytes:
        """Return the bytes up to the first NUL (char arrays)."""
        return bytes(self.machine_.read(self.address_, self.type_.sizeof_)).split(b"\0", 1)[0]

    def value_(self) -> Any:
        """Return the elements as a list, or the bytes of a char array."""
        if self.type_.element is ctype.char:
            return self.machine_.read(self.address_, self.type_.sizeof_)
        nested = not isinstance(ctype.resolve(self.type_.element), ctype.Ptr)
        return [v.value_() if nested and hasattr(v, "value_") else v for v in self]


def array_ref(m: Memory, address: int, t: ctype.Array) -> ArrayRef:
    """Return the reference to the array of type `t` at `address`."""
    return array_class(t)(m, address)


def _store(m: Any, address: int, t: Any, value: Any) -> None:
    # Store `value` as type `t` at `address`.
    if isinstance(t, ctype.Ptr):
        m.write_u64(address, pointer(value))
    elif isinstance(t, ctype.Int):
        m.write(address, (int(value) & ((1 << (t.sizeof_ * 8)) - 1)).to_bytes(t.sizeof_, "little"))
    else:
        raise TypeError(f"a {t.c} can't be assigned: assign its members")


_GET_ELEMENT = """
def __getitem__(self, i):
    if i < 0{bound}:
        raise IndexError(f"index {{i}} of {type}")
    m = self.machine_
    a = self.address_ + i * {size}
"""

_ELEMENT_VALUE = """    o = a ^ {direct_map}
    try:
        v = m.{view}[(o if o < m.size else m.far(a)) >> {shift}]
    except IndexError:
        m.fault(a, {element!r})
    if v == {poison}:
        m.check(a, {element!r})
    return {result}
"""

_ARRAYS: dict[ctype.Array, type[ArrayRef]] = {}


def array_class(t: ctype.Array) -> type[ArrayRef]:
    """The class of references to arrays of type `t`, with a generated index operation."""
    cls = _ARRAYS.get(t)
    if cls is None:
        element = ctype.resolve(t.element)
        scope: dict[str, Any] = {}
        bound = "" if t.flexible else f" or i >= {t.length}"
        source = _GET_ELEMENT.format(bound=bound, type=t.c, size=element.sizeof_)
        if is_struct(element) or isinstance(element, ctype.Array):
            kept = element if is_struct(element) else array_class(element)
            source += f"    return m.refs[{_number(kept)}][a]\n"
        else:
            source += _element_value(element)
        exec(compile(source, f"<array {t.c}>", "exec"), scope)  # noqa: S102 - our own text
        body = {"__slots__": (), "type_": t, "__getitem__": scope["__getitem__"]}
        cls = _ARRAYS[t] = type("ArrayRef", (ArrayRef,), body)
    return cls


def _element_value(element: Any) -> str:
    target = _struct_target(element) if isinstance(element, ctype.Ptr) else None
    result = "v" if target is None else f"m.refs[{_number(target)}][v]"
    return _ELEMENT_VALUE.format(
        direct_map=memory.DIRECT_MAP,
        view="u64" if isinstance(element, ctype.Ptr) else element.view,
        shift={1: 0, 2: 1, 4: 2, 8: 3}[element.sizeof_],
        element=ctype.type_name(element),
        poison=_POISON_OF[element.sizeof_],
        result=result,
    )


def _struct_target(t: ctype.Ptr) -> Any:
    # The struct class that `t` points to, None if it points to something else.
    known = not isinstance(t.target, str) or t.target in ctype.REGISTRY
    target = ctype.resolve(t.target) if known else None
    return target if is_struct(target) else None


_numbers: dict[Any, int] = {}


def _number(cls: Any) -> int:
    # The place of `cls` in a machine's `refs`.
    if cls not in _numbers:
        _numbers[cls] = len(memory.classes)
        memory.classes.append(cls)
    return _numbers[cls]


# --- generated access ----------------------------------------------------------------------

_INIT = """
def __init__(self, m, address):
    self.machine_ = m
    self.address_ = address
    o = address ^ {direct_map}
    if o >= m.size:
        o = address - {image_map}
        if not {image} <= o < {image_end}:
            o = m.far(address)
    self._o = o
    {windows}

def ref(m, address):
    return m.refs[{number}][address]
"""

_GET = """
def get_{name}(self):
    try:
        v = {place}
    except IndexError:
        self.machine_.fault(self.address_, {type!r}, {name!r})
    if v == {poison}:
        self.machine_.check(self.address_ + {offset}, {type!r}, {name!r})
    return {result}
"""

_SET = """
def set_{name}(self, v):
    m = self.machine_{convert}
    try:
        old = {word}
    except IndexError:
        m.fault(self.address_, {type!r}, {name!r})
    if old == {poison64}:
        m.check(self.address_ + {offset}, {type!r}, {name!r})
    {store}
    if m.log is not None:
        m.journal.extend((old, (self._o + {offset}) >> 3))
"""

_CONVERT_POINTER = """
    if v.__class__ is not int:
        try:
            v = 0 if v is None else v.address_
        except AttributeError:
            raise TypeError({name!r} + " is a pointer: assign a reference, an int or None") from None"""

_GET_EMBEDDED = """
def get_{name}(self):
    return self.machine_.refs[{number}][self.address_ + {offset}]
"""


def _place(t: Any, offset: int, view: str) -> tuple[str, str]:
    # The expressions that stand for the member at `offset`, of type `t`, to load and to store.
    # A reference has two windows on its struct: `_w`, 64-bit words, and `_h`, signed halves.
    shift = {1: 0, 2: 1, 4: 2, 8: 3}[t.sizeof_]
    anywhere = f"self.machine_.{view}[(self._o + {offset}) >> {shift}]"
    if t.sizeof_ == 8:
        here = f"self._w[{offset >> 3}]"
        return here, here if view == "u64" else anywhere
    if t.sizeof_ == 4:
        here = f"self._h[{offset >> 2}]"
        return here, here if view == "s32" else anywhere
    return anywhere, anywhere


def _accessors(cls: Any, field: ctype.Field) -> str:
    # The source text of the getter and setter of one member.
    name, t, offset = field.name, field.type, field.offset
    common = {"name": name, "type": cls.c, "offset": offset}
    if isinstance(t, (type, ctype.Array)):
        number = _number(t if isinstance(t, type) else array_class(t))
        return _GET_EMBEDDED.format(number=number, **common)
    base = t.base if isinstance(t, ctype.Bits) else t
    view = "u64" if isinstance(t, ctype.Ptr) else base.view
    load, place = _place(t, offset, view)
    convert, store = "", f"{place} = v"
    result = {"s64": "v - (v >> 63 << 64)", "u32": "v & 0xFFFFFFFF"}.get(view, "v")
    if isinstance(t, ctype.Ptr):
        convert = _CONVERT_POINTER.format(name=name)
        target = _struct_target(t)
        if target is not None:
            result = f"self.machine_.refs[{_number(target)}][v]"
    elif isinstance(t, ctype.Bits):
        mask = (1 << t.width) - 1
        result = f"(v >> {field.bit}) & {mask}"
        shift = {1: 0, 2: 1, 4: 2, 8: 3}[t.sizeof_]
        unit = f"m.u{t.sizeof_ * 8}[(self._o + {offset}) >> {shift}]"
        keep = ((1 << t.sizeof_ * 8) - 1) & ~(mask << field.bit)
        store = f"{unit} = {unit} & {keep} | (int(v) & {mask}) << {field.bit}"
    word = f"self._w[{offset >> 3}]" if cls.alignof_ == 8 else f"m.u64[(self._o + {offset}) >> 3]"
    return _GET.format(
        place=load, poison=_POISON_OF[t.sizeof_], result=result, **common
    ) + _SET.format(convert=convert, store=store, word=word, poison64=memory.POISON, **common)


def _set_bytes(field: ctype.Field) -> Any:
    # The setter of a char array: bytes or str, cut to fit and padded with NULs, always terminated.
    t, offset = field.type, field.offset

    def set_bytes(self: Any, value: bytes | str) -> None:
        data = value.encode() if isinstance(value, str) else bytes(value)
        self.machine_.write(self.address_ + offset, data[: t.length - 1].ljust(t.length, b"\0"))

    return set_bytes


def _windows(cls: Any) -> str:
    # The statements that open those windows that the members of `cls` are seen through.
    sizes = {field.type.sizeof_ for field in cls.fields_ if not is_struct(field.type)}
    words = [f"self._w = m.words(o, {cls.sizeof_})"] * (cls.alignof_ == 8)
    halves = [f"self._h = m.halves(o, {cls.sizeof_})"] * (4 in sizes)
    return "; ".join(words + halves) or "pass"


def build(cls: Any) -> None:
    """Generate constructor and accessors of `cls`, once."""
    scope: dict[str, Any] = {}
    source = [
        _INIT.format(
            direct_map=memory.DIRECT_MAP,
            image_map=memory.IMAGE_MAP,
            image=memory.PHYSICAL_IMAGE,
            image_end=memory.IMAGE_END,
            number=_number(cls),
            windows=_windows(cls),
        )
    ]
    source += [_accessors(cls, field) for field in cls.fields_]
    exec(compile("".join(source), f"<struct {cls.__name__}>", "exec"), scope)  # noqa: S102 - our own text
    cls.__init__, cls.ref_ = scope["__init__"], staticmethod(scope["ref"])
    for field in cls.fields_:
        setter = scope.get(f"set_{field.name}")
        if isinstance(field.type, ctype.Array) and field.type.element is ctype.char:
            setter = _set_bytes(field)
        setattr(cls, field.name, property(scope[f"get_{field.name}"], setter))
