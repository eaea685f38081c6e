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
        scope: dict[str, Any] = {"T": element}
        bound = "" if t.flexible else f" or i >= {t.length}"
        source = _GET_ELEMENT.format(bound=bound, type=t.c, size=element.sizeof_)
        if is_struct(element):
            source += "    return T(m, a)\n"
        elif isinstance(element, ctype.Array):
            scope["T"] = array_class(element)
            source += "    return T(m, a)\n"
        else:
            source += _element_value(element, scope)
        exec(compile(source, f"<array {t.c}>", "exec"), scope)  # noqa: S102 - our own text
        body = {"__slots__": (), "type_": t, "__getitem__": scope["__getitem__"]}
        cls = _ARRAYS[t] = type("ArrayRef", (ArrayRef,), body)
    return cls


def _element_value(element: Any, scope: dict[str, Any]) -> str:
    result = "v"
    if isinstance(element, ctype.Ptr):
        scope["T"] = _struct_target(element)
        result = "T(m, v)" if scope["T"] is not None else "v"
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

def ref(m, address):
    return m.refs[{number}][address]
"""

_GET_INT = """
def get_{name}(self):
    m = self.machine_
    try:
        v = m.{view}[(self._o + {offset}) >> {shift}]
    except IndexError:
        m.fault(self.address_, {type!r}, {name!r})
    if v == {poison}:
        m.check(self.address_ + {offset}, {type!r}, {name!r})
    return {result}
"""

_SET = """
def set_{name}(self, v):
    m = self.machine_{convert}
    i = (self._o + {offset}) >> 3
    try:
        old = m.u64[i]
    except IndexError:
        m.fault(self.address_, {type!r}, {name!r})
    if old == {poison64}:
        m.check(self.address_ + {offset}, {type!r}, {name!r})
    {store}
    log = m.log
    if log is not None:
        log(old)
        log(i)
"""

_CONVERT_POINTER = """
    try:
        v = v.address_
    except AttributeError:
        if v is None:
            v = 0
        elif v.__class__ is not int:
            raise TypeError({name!r} + " is a pointer: assign a reference, an int or None") from None"""

_GET_EMBEDDED = """
def get_{name}(self):
    return self.machine_.refs[{number}][self.address_ + {offset}]
"""


def _accessors(cls: Any, field: ctype.Field) -> str:
    # The source text of the getter and setter of one member.
    name, t, common = (
        field.name,
        field.type,
        {"name": field.name, "type": cls.c, "offset": field.offset},
    )
    if isinstance(t, (type, ctype.Array)):
        number = _number(t if isinstance(t, type) else array_class(t))
        return _GET_EMBEDDED.format(number=number, **common)
    base = t.base if isinstance(t, ctype.Bits) else t
    view = "u64" if isinstance(t, ctype.Ptr) else base.view
    shift = {1: 0, 2: 1, 4: 2, 8: 3}[t.sizeof_]
    result, convert = "v", ""
    store = f"m.{view}[(self._o + {field.offset}) >> {shift}] = v"
    if isinstance(t, ctype.Ptr):
        convert = _CONVERT_POINTER.format(name=name)
        target = _struct_target(t)
        if target is not None:
            result = f"m.refs[{_number(target)}][v]"
    elif isinstance(t, ctype.Bits):
        mask = (1 << t.width) - 1
        result = f"(v >> {field.bit}) & {mask}"
        unit = f"m.u{t.sizeof_ * 8}[(self._o + {field.offset}) >> {shift}]"
        keep = ((1 << t.sizeof_ * 8) - 1) & ~(mask << field.bit)
        store = f"{unit} = {unit} & {keep} | (int(v) & {mask}) << {field.bit}"
    return _GET_INT.format(
        view=view, shift=shift, poison=_POISON_OF[t.sizeof_], result=result, **common
    ) + _SET.format(convert=convert, store=store, poison64=memory.POISON, **common)


def _set_bytes(field: ctype.Field) -> Any:
    # The setter of a char array: bytes or str, cut to fit and padded with NULs, always terminated.
    t, offset = field.type, field.offset

    def set_bytes(self: Any, value: bytes | str) -> None:
        data = value.encode() if isinstance(value, str) else bytes(value)
        self.machine_.write(self.address_ + offset, data[: t.length - 1].ljust(t.length, b"\0"))

    return set_bytes


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
