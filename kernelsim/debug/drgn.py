"""The simulated memory as a program of drgn, the kernel developers' debugger.

drgn reads bytes at kernel addresses and asks for types and objects by name, and its helpers walk
lists, trees and tables as they do on a live kernel.  It knows nothing of us: what it finds is
what is in memory.  docs/drgn.md says which helpers run.

Left out: registers and stack traces, page tables, everything of the kernel that is not here.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from kernelsim.debug.drgn_types import ENUMS, Types
from kernelsim.include.linux import sched
from kernelsim.machine import machine, memory
from kernelsim.machine.machine import Machine, PastMachine

if TYPE_CHECKING:
    from collections.abc import Iterator

    import drgn

__all__ = ["drgn_program"]

# fs/proc/array.c
TASK_STATES = (
    *("R (running)", "S (sleeping)", "D (disk sleep)", "T (stopped)", "t (tracing stop)"),
    *("X (dead)", "Z (zombie)", "P (parked)", "I (idle)"),
)
# What Linux has in .rodata and we have nowhere, for nothing of ours reads it: behind the image.
RODATA = memory.IMAGE_MAP + memory.PHYSICAL_IMAGE + memory.IMAGE_SIZE


def drgn_program(k: Any) -> drgn.Program:
    """Return a `drgn.Program` over the memory of `k`: a Kernel, a `k.at(t)` or a Machine.

    It reads what is there when it is asked, so that it follows a machine that goes on.  Raises
    ImportError where drgn is not installed, TypeError for what has no memory.
    """
    module = _drgn()
    m = getattr(k, "machine", k)
    if not isinstance(m, Machine | PastMachine):
        raise TypeError(f"drgn_program() takes a kernel or a machine, not {type(k).__name__}")
    prog = module.Program(module.Platform(module.Architecture.X86_64))
    constants = _Constants()
    for start, size in _windows(m):
        prog.add_memory_segment(start, size, _reader(module, m))
    prog.add_memory_segment(RODATA, len(constants.data), constants.read)
    types = Types(prog)
    prog.register_type_finder("kernelsim", types.find, enable_index=0)
    prog.register_object_finder(
        "kernelsim", _Objects(module, m, types, constants).find, enable_index=0
    )
    prog.register_symbol_finder("kernelsim", _Symbols(module, m, constants).find, enable_index=0)
    return prog


def _drgn() -> ModuleType:
    try:
        import drgn
    except ImportError:
        raise ImportError(
            "drgn_program() needs the drgn debugger, which exists for Linux on x86-64: pip install 'kernelsim[drgn]'"
        ) from None
    module: ModuleType = drgn
    return module


# --- memory --------------------------------------------------------------------------------


def _windows(m: memory.Memory) -> Iterator[tuple[int, int]]:
    # (address, size) of the windows on memory: direct map, page descriptors, kernel image.
    yield memory.DIRECT_MAP, m.size
    yield memory.VMEMMAP, m.size >> memory.PAGE_SHIFT << 6
    yield memory.IMAGE_MAP + memory.PHYSICAL_IMAGE, memory.IMAGE_SIZE


def _reader(module: ModuleType, m: memory.Memory) -> Any:
    def read(address: int, count: int, offset: int, physical: bool) -> bytes:
        try:
            return m.read(address, count)
        except memory.Fault as fault:
            raise module.FaultError(fault.reason, address) from None

    return read


class _Constants:
    # Read-only data: where each constant is, and of what C type.
    def __init__(self) -> None:
        self.data = b""
        self.places: dict[str, tuple[int, str]] = {}
        texts = [self._put(text.encode() + b"\0") for text in TASK_STATES]
        self._name("task_state_array", f"const char *const [{len(texts)}]", *texts)
        for name in ("online", "possible", "present"):
            self._name(f"__cpu_{name}_mask", "struct cpumask", 1)
        self._name("nr_cpu_ids", "unsigned int", 1)
        self._name("__per_cpu_offset", "unsigned long [1]", 0)

    def _put(self, data: bytes) -> int:
        address = RODATA + len(self.data)
        self.data += data
        return address

    def _name(self, name: str, c: str, *words: int) -> None:
        self.data += bytes(-len(self.data) % 8)
        self.places[name] = self._put(b"".join(w.to_bytes(8, "little") for w in words)), c

    def read(self, address: int, count: int, offset: int, physical: bool) -> bytes:
        return self.data[offset : offset + count]


# --- names ---------------------------------------------------------------------------------


class _Objects:
    # The object finder: enumerators, static objects of the image, constants, functions.
    def __init__(
        self, module: ModuleType, m: Machine | PastMachine, types: Types, constants: _Constants
    ) -> None:
        self.drgn, self.m, self.types, self.constants = module, m, types, constants
        self.enumerators = {name: enum for enum, names in ENUMS.items() for name in names}

    def find(
        self, prog: drgn.Program, name: str, flags: Any, filename: str | None
    ) -> drgn.Object | None:
        kind, make = self.drgn.FindObjectFlags, self.drgn.Object
        if filename is not None:
            return None
        if kind.CONSTANT in flags and name in self.enumerators:
            return make(prog, f"enum {self.enumerators[name]}", getattr(sched, name))
        if kind.VARIABLE in flags and name in self.m.symbols:
            address, t = self.m.symbols[name]
            return make(prog, self.types.of(t), address=address)
        if kind.VARIABLE in flags and name in self.constants.places:
            address, c = self.constants.places[name]
            return make(prog, c, address=address)
        if kind.FUNCTION in flags and name in machine._text:
            void = prog.function_type(prog.void_type(), [], True)
            return make(prog, void, address=machine.text_address(name))
        return None


class _Symbols:
    # The symbol finder: name and address of what the image holds.
    def __init__(self, module: ModuleType, m: Machine | PastMachine, constants: _Constants) -> None:
        self.drgn, self.m, self.constants = module, m, constants

    def _all(self) -> Iterator[tuple[str, int, int, Any]]:
        kind = self.drgn.SymbolKind
        for name, (address, t) in self.m.symbols.items():
            yield name, address, t.sizeof_, kind.OBJECT
        for name, (address, _) in self.constants.places.items():
            yield name, address, 8, kind.OBJECT
        for name, address in machine._text.items():
            yield name, address, machine.TEXT_STEP, kind.FUNC

    def find(
        self, prog: drgn.Program, name: str | None, address: int | None, one: bool
    ) -> list[drgn.Symbol]:
        found = [
            self.drgn.Symbol(symbol, start, size, self.drgn.SymbolBinding.GLOBAL, kind)
            for symbol, start, size, kind in self._all()
            if name in (None, symbol) and (address is None or start <= address < start + size)
        ]
        return found[:1] if one else found
