"""A machine: memory, symbols, CPU and trace; the first argument of every kernel function.

A symbol is a name for an address in the kernel image: data that the kernel declares statically,
and functions that memory points to.  Function addresses are the same in every machine.
"""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from kernelsim.machine import ctype, memory
from kernelsim.machine.cpu import Cpu
from kernelsim.machine.memory import Memory
from kernelsim.machine.past import Past
from kernelsim.machine.ref import array_ref
from kernelsim.machine.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Machine",
    "PastMachine",
    "function",
    "link",
    "text_address",
    "text_addresses",
    "text_name",
]

TEXT = memory.IMAGE_MAP + memory.PHYSICAL_IMAGE
DATA = TEXT + (8 << 20)
TEXT_STEP = 16
MODULES = (
    0xFFFF_FFFF_C000_0000  # MODULES_VADDR, with an image of 1 GiB at most (CONFIG_RANDOMIZE_BASE)
)

_text: dict[str, int] = {}
_functions: dict[int, tuple[Any, str]] = {}  # address -> (module or object that holds it, name)


def link(modules: list[Any]) -> None:
    """Give every public function of `modules` an address in the kernel's text, in this order, once."""
    for module in modules:
        for name, value in vars(module).items():
            ours = inspect.isfunction(value) and value.__module__ == module.__name__
            if ours and name not in _text and (not name.startswith("_") or name.startswith("__")):
                _text[name] = TEXT + TEXT_STEP * (1 + len(_text))
                _functions[_text[name]] = module, name


def function(module: Any, name: str) -> int:
    """Return the address of the function `name` of `module`, which is linked now if it is not yet."""
    if name not in _text:
        link([module])
    return _text[name]


def text_address(name: str) -> int:
    """Return the address of the kernel function `name`.

    Raises KeyError for a name that no linked module has.
    """
    return _text[name]


def text_addresses() -> dict[str, int]:
    """Return the addresses of all linked functions by name; it grows as more are linked."""
    return _text


def text_name(address: int) -> str:
    """Return the name of the kernel function at `address`, "" if there is none."""
    return _functions[address][1] if address in _functions else ""


class _Named:
    # What a machine and its past have in common: names for addresses.
    symbols: dict[str, tuple[int, Any]]
    _found: dict[str, Any]
    module_text: dict[int, Any]  # functions that were loaded into the kernel after boot

    def symbol(self, name: str) -> Any:
        """Return the static object `name`: a reference, or for integers its address.

        Raises KeyError when the kernel image has no such symbol.
        """
        found = self._found.get(name)
        if found is None:
            address, t = self.symbols[name]
            found = t(self, address) if isinstance(t, type) else address
            if isinstance(t, ctype.Array):
                found = array_ref(self, address, t)  # type: ignore[arg-type] # a mixin of Memory
            self._found[name] = found
        return found

    def symbol_name(self, address: int) -> str:
        """Return the name of the symbol at `address`, "" if there is none."""
        for name, (start, _) in self.symbols.items():
            if start == address:
                return name
        return text_name(address) or self.module_name(address)

    def module_name(self, address: int) -> str:
        """Return the name of the function loaded after boot at `address`, "" if there is none."""
        return getattr(self.module_text.get(address), "__name__", "")


class Machine(_Named, Memory):
    """Memory with names, a CPU and a trace."""

    def __init__(self, size: int, *, record: bool = False) -> None:
        super().__init__(size, record=record)
        self.symbols = {}
        self._found = {}
        self._data_end = DATA
        self.trace = Trace(self.journal)
        self._current_index = memory.NOWHERE
        self._current_type: Any = None
        self.current: Any = None  # the running task, as the word `current_task` in memory names it
        self.cpu = Cpu(lambda: self.u64[self._current_index])
        self.static = SimpleNamespace()  # addresses that kernel code has built in; never state
        self.programs: dict[str, Any] = {}  # the disk: what execve() finds, by name
        self.user_memory: dict[int, Any] = {}  # places of programs that the kernel has a pointer to
        self.user_text: dict[
            int, Any
        ] = {}  # user functions that the kernel may call: signal handlers
        self.module_text = {}
        self.line_out: Callable[[int, bytes], None] = lambda line, data: None  # the serial lines
        self.choose: Callable[[Any, Any], Any] | None = (
            None  # who runs next, if not the scheduler's choice
        )
        self.fail_nth = 0  # as /proc/self/fail-nth: the n-th allocation from now fails; 0 = none

    def define(self, name: str, t: Any) -> Any:
        """Place the static object `name` of type `t` in the kernel image; return `symbol(name)`."""
        if name in self.symbols:
            raise ValueError(f"symbol {name} is defined twice")
        self._data_end = -(-self._data_end // max(t.alignof_, 8)) * max(t.alignof_, 8)
        self.symbols[name] = self._data_end, t
        self._data_end += t.sizeof_
        if self._data_end > TEXT + memory.IMAGE_SIZE:
            raise ValueError("the kernel image is full")
        return self.symbol(name)

    def place(self, name: str, t: Any, address: int) -> Any:
        """Let `name` stand for the object of type `t` at `address`; return `symbol(name)`."""
        if name in self.symbols:
            raise ValueError(f"symbol {name} is defined twice")
        self.symbols[name] = address, t
        return self.symbol(name)

    def add(self, name: str, n: int) -> int:
        """Add `n` to the static int `name`; return its new value."""
        i = (self.symbols[name][0] - memory.IMAGE_MAP) >> 2
        value: int = self.s32[i] + n
        if n:
            if self.log is not None:
                self.log_word(i >> 1)
            self.s32[i] = value
        return value

    def set_current(self, address: int, t: Any) -> None:
        """Say that the word at `address` is the pointer to the running task, of type `t`."""
        self._current_index = self.offset(address) >> 3
        self._current_type = t

    def switch(self, task: Any) -> None:
        """Make `task` (a typed reference) the running one: in memory, and in `current`."""
        i = self._current_index
        if self.log is not None:
            self.log(self.u64[i])
            self.log(i)
        self.u64[i] = task.address_
        self.current = task

    def call(self, address: int, *args: Any) -> Any:
        """Call the kernel function that the pointer `address` points to."""
        try:
            holder, name = _functions[address]
        except KeyError:
            if address not in self.module_text:
                self.fault(address, "void ()")
            return self.module_text[address](self, *args)
        return getattr(holder, name)(self, *args)

    def load_function(self, function: Callable[..., Any]) -> int:
        """Return the address of `function`, which is loaded behind the kernel now if it is not yet."""
        for address, known in self.module_text.items():
            if known is function:
                return address
        address = MODULES + TEXT_STEP * len(self.module_text)
        self.module_text[address] = function
        return address

    def should_fail(self) -> bool:
        """Return whether the allocation just asked for is the one that is to fail (fault injection)."""
        if not self.fail_nth:
            return False
        self.fail_nth -= 1
        return self.fail_nth == 0

    def warn(self, text: str) -> None:
        """Record a WARN: the kernel found something wrong and goes on."""
        self.trace.emit("WARN", text=text)

    def at(self, t: int) -> PastMachine:
        """Return the machine as it was at time `t`, read-only."""
        return PastMachine(self, t)


class PastMachine(_Named, Past):
    """A machine as it was at time `now`: the same names, older bytes, no stores."""

    trace = Trace(None)  # off: looking at the past is no event

    def __init__(self, machine: Machine, t: int, stores: int = 0) -> None:
        super().__init__(machine, machine.trace.place(t) + stores)
        self.present = machine
        self.symbols = machine.symbols
        self.module_text = machine.module_text
        then = (
            (n, v.at_(self) if hasattr(v, "at_") else v) for n, v in vars(machine.static).items()
        )
        self.static = SimpleNamespace(**dict(then))
        self.trace = Trace(None)
        self._found = {}
        self.now = t
        self._current_index = machine._current_index
        self._current_type = machine._current_type

    @property
    def current(self) -> Any:
        """The task that was running, as a typed reference."""
        return self._current_type(self, self.u64[self._current_index])
