"""What lies at an address, in words: an object of a slab cache, a symbol, a stack, or nothing.

Nothing here raises for an address, whatever it is: to look at a wrong address is what a reader does
to learn that it is wrong.
"""

from __future__ import annotations

import contextlib
import operator
from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim.debug import changes
from kernelsim.include.linux import list as lists
from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux import poison, sched
from kernelsim.include.linux import slab as slab_h
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.machine import ctype, machine, memory
from kernelsim.machine.memory import Fault
from kernelsim.mm import slub

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Place", "Places", "article", "looking", "member_at", "threads", "visible"]

MOST_STACKS = 2000  # tasks whose kernel stacks are looked through
_POISONS = {
    poison.LIST_POISON1: "LIST_POISON1",
    poison.LIST_POISON2: "LIST_POISON2",
    memory.POISON: "POISON_FREE",
}
_POISONED = {
    "LIST_POISON1": "list_del() leaves it in next, so that nobody follows a link that is gone",
    "LIST_POISON2": "list_del() leaves it in prev, so that nobody follows a link that is gone",
    "POISON_FREE": "the bytes 0x6b that fill freed memory: this pointer was read from an object "
    "that was freed",
}


class Place(NamedTuple):
    """What lies at an address.

    `kind` is null, poison, unmapped, function, object, freed, static, stack, page or memory; `words`
    name it briefly; `type` and `start` are those of the whole object, where they are known; `member`
    is the path of the member in it at that address; `said` is a sentence about what is special.
    """

    kind: str
    words: str
    type: Any = None
    start: int = 0
    member: str = ""
    said: str = ""


@contextlib.contextmanager
def looking(m: Any) -> Iterator[None]:
    """While kernel functions are called only to look, they leave no events in the trace of `m`."""
    was, m.trace.on = m.trace.on, False
    try:
        yield
    finally:
        m.trace.on = was


def visible(text: bytes) -> str:
    """Return bytes that a program chose as text on one line, every character visible."""
    decoded = text.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in decoded)


def article(noun: str) -> str:
    """Return the noun with "a" or "an" before it."""
    return f"{'an' if noun[:1] in 'aeiox' else 'a'} {noun}"


def threads(m: Any) -> Iterator[Any]:
    """Yield every thread (struct task_struct *) that can be reached, the idle task first.

    A list that is broken ends where it breaks.
    """
    seen: set[int] = set()
    try:
        for leader in (m.symbol("init_task"), *_until_broken(_processes(m))):
            for task in _until_broken(sched_signal.for_each_thread(leader)):
                if task.address_ not in seen:
                    seen.add(task.address_)
                    yield task
    except Fault:
        return


def _processes(m: Any) -> Iterator[Any]:
    head = m.symbol("init_task").tasks
    return lists.list_for_each_entry(sched.task_struct, head, "tasks")


# What an iterator yields until it faults or comes back to what it has yielded.
def _until_broken(found: Iterator[Any]) -> Iterator[Any]:
    seen: set[int] = set()
    try:
        for task in found:
            if task.address_ in seen:
                return
            seen.add(task.address_)
            yield task
    except Fault:
        return


class Places:
    """What lies where in machine `m`; asked for one structure, it remembers what it has found."""

    def __init__(self, m: Any) -> None:
        self.m = m
        self._found: dict[int, Place] = {}
        self._static: list[tuple[int, int, str, Any]] | None = None
        self._stacks: list[tuple[int, Any]] | None = None

    def at(self, address: int) -> Place:
        """Say what lies at an address."""
        found = self._found.get(address)
        if found is None:
            found = self._found[address] = self._look(address)
        return found

    def _look(self, address: int) -> Place:
        if not 0 <= address < 1 << 64:
            return Place("unmapped", "no address of 64 bits")
        if address < memory.PAGE_SIZE:
            return _null(address)
        if address in _POISONS:
            name = _POISONS[address]
            return Place("poison", name, said=f"{name}: {_POISONED[name]}.")
        if name := machine.text_name(address) or self.m.module_name(address):
            return Place("function", f"{name}()", said=f"The code of {name}() begins here.")
        if self.m.offset(address) >= self.m.size:
            words = "nothing is mapped here"
            said = f"No memory stands behind {address:#018x}: an access there is a fault."
            return Place("unmapped", words, said=said)
        try:
            with looking(self.m):
                return self._slab(address) or self._symbol(address) or self._elsewhere(address)
        except Fault as fault:
            return Place("memory", "memory", said=f"It cannot be told what lies here: {fault}.")

    # -- objects -------------------------------------------------------------------------------

    def _slab(self, address: int) -> Place | None:
        found = slub.object_at(self.m, address)
        if found is None:
            return None
        cache, start, used = found
        t = changes.TYPES.get("pid" if cache.startswith("pid_") and cache[4:].isdigit() else cache)
        if not used:
            who = slub._who_freed(self.m, address)
            said = f"This is a free object of the slab cache {cache}"
            said += f", freed by {who.rpartition(' (cache ')[0] or who}." if who else "."
            return Place("freed", f"a freed {cache}", t, start, said=said)
        name = self.name(t, start) if t is not None else f"an object of {cache}"
        return self._inside("object", name, t, start, address)

    def _symbol(self, address: int) -> Place | None:
        if self._static is None:
            rows = ((a, a + t.sizeof_, n, t) for n, (a, t) in self.m.symbols.items())
            self._static = sorted(rows, key=operator.itemgetter(0))
        offset = self.m.offset(address)
        image = memory.IMAGE_MAP + offset  # the image is also seen through the direct map
        for start, end, name, t in self._static:
            if start <= address < end or start <= image < end:
                begin = start if start <= address < end else address - (image - start)
                words = self.name(t, begin) if t is sched.task_struct else name
                return self._inside("static", words, t, begin, address)
        return None

    # The object, or what is in it at that address.
    def _inside(self, kind: str, name: str, t: Any, start: int, address: int) -> Place:
        if address == start or t is None:
            behind = f" + {address - start:#x}" if address != start else ""
            return Place(kind, name + behind, t, start)
        member = member_at(t, address - start)
        words = f"{member} of {name}" if member else f"{name} + {address - start:#x}"
        return Place(kind, words, t, start, member)

    def name(self, t: Any, address: int) -> str:
        """Return what an object of struct `t` at `address` is called: a task by number and name."""
        try:
            if t is sched.task_struct:
                return self._task(address)
            if t is pid_h.pid:
                number = pid_h.pid(self.m, address).numbers[0].nr
                return f"pid {number}"
            if t is pid_h.pid_namespace:
                ns: Any = pid_h.pid_namespace(self.m, address)
                return f"the pid_namespace of level {ns.level}"
            if t is slab_h.kmem_cache:
                cache: Any = slab_h.kmem_cache(self.m, address)
                return f"the kmem_cache {visible(self.m.read(cache.name, 32).split(bytes(1))[0])}"
        except Fault:
            pass
        return article(ctype.type_name(t).removeprefix("struct "))

    def _task(self, address: int) -> str:
        task: Any = sched.task_struct(self.m, address)
        name = visible(task.comm.string_())
        if address == self.m.symbol("init_task").address_:
            name = "init_task"
        elif task.flags & sched.PF_KTHREAD:
            name = f"[{name}]"
        return f"task {task.pid} ({name})"

    # -- memory without objects ----------------------------------------------------------------

    def _elsewhere(self, address: int) -> Place:
        if 0 <= address - memory.VMEMMAP < self.m.size >> memory.PAGE_SHIFT << 6:
            number = (address - memory.VMEMMAP) >> 6
            start = memory.VMEMMAP + (number << 6)
            t = ctype.REGISTRY["page"]
            return self._inside("page", f"the struct page of frame {number}", t, start, address)
        task = self._stack(address)
        if task is not None:
            words = f"the kernel stack of {self.name(sched.task_struct, task.address_)}"
            t = ctype.array(ctype.ulong, sched.THREAD_SIZE // 8)
            inside = address - task.stack
            return Place("stack", words + (f" + {inside:#x}" if inside else ""), t, task.stack)
        return Place("memory", "memory of no known object")

    def _stack(self, address: int) -> Any:
        if self._stacks is None:
            self._stacks = []
            for task, _ in zip(threads(self.m), range(MOST_STACKS), strict=False):
                self._stacks.append((task.stack, task))
        return next(
            (task for low, task in self._stacks if low <= address < low + sched.THREAD_SIZE), None
        )


def _null(address: int) -> Place:
    if not address:
        return Place("null", "NULL", said="NULL points to nothing: the first page is never mapped.")
    said = f"{address:#x} lies in the first page, which is never mapped: NULL plus an offset."
    return Place("null", f"NULL + {address:#x}", said=said)


def member_at(t: Any, offset: int) -> str:
    """Return the path of the outermost member of struct `t` that begins at `offset`.

    Of an offset inside a member it is the innermost one that holds it; "" for padding.
    """
    if not isinstance(t, type):
        leaf = changes._leaf(t, offset)
        return leaf[0] if leaf else ""
    path, at = "", 0
    while isinstance(t, type):
        fields: tuple[ctype.Field, ...] = t.fields_  # type: ignore[attr-defined] # a struct class
        field = next((f for f in fields if _holds(f, offset - at)), None)
        if field is None:
            return ""
        path, at, t = f"{path}.{field.name}" if path else field.name, at + field.offset, field.type
        if at == offset and not isinstance(t, ctype.Array):
            return path
    if isinstance(t, ctype.Array) and t.element is not ctype.char:
        size = ctype.resolve(t.element).sizeof_
        inner = member_at(ctype.resolve(t.element), (offset - at) % size)
        path += f"[{(offset - at) // size}]"
        return f"{path}.{inner}" if inner and (offset - at) % size else path
    return path


def _holds(field: ctype.Field, offset: int) -> bool:
    flexible = isinstance(field.type, ctype.Array) and field.type.flexible
    inside: bool = field.offset <= offset < field.offset + field.type.sizeof_
    return inside or (flexible and offset >= field.offset)
