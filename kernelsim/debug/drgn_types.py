"""Our struct declarations as drgn types: one declaration yields both.

Where a declaration shows as one word what in C is a struct around that word (refcount_t,
spinlock_t, sigset_t …), drgn is given the struct of Linux 5.10, for its helpers look inside.
Structs are made when they are first asked for, so that they may refer to each other.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import sched
from kernelsim.machine import ctype
from kernelsim.machine.ref import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import drgn

__all__ = ["Types"]

# What Linux calls by another name: typedef -> type.
TYPEDEFS: dict[str, str | dict[str, str]] = {
    **{
        f"__{sign}{bits}": name
        for bits, name in ((8, "char"), (16, "short"), (32, "int"), (64, "long long"))
        for sign, name in (
            ("u", f"unsigned {name}"),
            ("s", f"signed {name}" if bits == 8 else name),
        )
    },
    **{f"{sign}{bits}": f"__{sign}{bits}" for bits in (8, 16, 32, 64) for sign in "us"},
    "__kernel_pid_t": "int",
    "__kernel_loff_t": "long long",
    "__kernel_size_t": "unsigned long",
    "__kernel_uid32_t": "unsigned int",
    "__poll_t": "unsigned int",
    "__kernel_gid32_t": "unsigned int",
    "arch_spinlock_t": "struct qspinlock",
    "atomic64_t": {"counter": "s64"},
    "atomic_long_t": "atomic64_t",
    "atomic_t": {"counter": "int"},
    "cpumask_t": "struct cpumask",
    "gfp_t": "unsigned int",
    "gid_t": "__kernel_gid32_t",
    "kernel_cap_t": "struct kernel_cap_struct",
    "kgid_t": {"val": "gid_t"},
    "kuid_t": {"val": "uid_t"},
    "loff_t": "__kernel_loff_t",
    "pid_t": "__kernel_pid_t",
    "raw_spinlock_t": "struct raw_spinlock",
    "refcount_t": "struct refcount_struct",
    "sigset_t": {"sig": "unsigned long [1]"},
    "size_t": "__kernel_size_t",
    "spinlock_t": "struct spinlock",
    "uid_t": "__kernel_uid32_t",
    "wait_queue_entry_t": "struct wait_queue_entry",
    "wait_queue_head_t": "struct wait_queue_head",
}

# The structs around one word: their members in order.
STRUCTS = {
    "cpumask": {"bits": "unsigned long [1]"},
    "kernel_cap_struct": {"cap": "__u32 [2]"},
    "kmem_cache_order_objects": {"x": "unsigned int"},
    "kref": {"refcount": "refcount_t"},
    "qspinlock": {"val": "atomic_t"},
    "raw_spinlock": {"raw_lock": "arch_spinlock_t"},
    "refcount_struct": {"refs": "atomic_t"},
    "spinlock": {"rlock": "struct raw_spinlock"},
}

# Members that have that type in C, though our declaration shows the plain word or pointer.
REAL = {
    "kmem_cache.oo": "struct kmem_cache_order_objects",
    "pid_namespace.kref": "struct kref",
    "rq.lock": "raw_spinlock_t",
    "sigaction.sa_mask": "sigset_t",
    "sigpending.signal": "sigset_t",
    "task_struct.blocked": "sigset_t",
    "task_struct.cpus_mask": "cpumask_t",
    "task_struct.cpus_ptr": "const cpumask_t *",
    "task_struct.pi_lock": "raw_spinlock_t",
    "task_struct.real_blocked": "sigset_t",
    "task_struct.saved_sigmask": "sigset_t",
}

# struct k_sigaction { struct sigaction sa; }: our declaration holds the members of the inner one.
WRAPPED = {"k_sigaction": ("sa", "sigaction")}
INNER = {inner: outer for outer, (_, inner) in WRAPPED.items()}

ENUMS = {"pid_type": [name for name in dir(sched) if name.startswith("PIDTYPE_")]}


class Types:
    """The types of one drgn program, by name; `find` is the type finder."""

    def __init__(self, prog: drgn.Program) -> None:
        import drgn

        self.drgn = drgn
        self.prog = prog
        self.made: dict[tuple[str, str], Any] = {}

    def find(
        self, prog: drgn.Program, kinds: Any, name: str, filename: str | None
    ) -> drgn.Type | None:
        """Return the type `name` of one of the `kinds`, None if there is none here."""
        kind = self.drgn.TypeKind
        if filename is not None:
            return None
        if kind.STRUCT in kinds and (name in STRUCTS or name in INNER or name in ctype.REGISTRY):
            return self._once("struct", name, self._struct)
        if kind.TYPEDEF in kinds and name in TYPEDEFS:
            return self._once("typedef", name, self._typedef)
        if kind.ENUM in kinds and name in ENUMS:
            return self._once("enum", name, self._enum)
        return None

    def _once(self, keyword: str, name: str, make: Callable[[str], Any]) -> Any:
        if (keyword, name) not in self.made:
            self.made[keyword, name] = make(name)
        return self.made[keyword, name]

    def of(self, t: Any) -> drgn.Type:
        """Return the type that corresponds to `t`, a type of `kernelsim.machine.ctype` or a struct's name."""
        if (
            isinstance(t, str) and t not in ctype.REGISTRY
        ):  # nobody has declared it: an incomplete type
            return self._once("struct", t, self.prog.struct_type)
        t = ctype.resolve(t)
        if t is ctype.func:
            return self.prog.function_type(self.prog.void_type(), [], True)
        if isinstance(t, ctype.Ptr):
            return self.prog.pointer_type(self.of(t.target))
        if isinstance(t, ctype.Array):
            return self.prog.array_type(self.of(t.element), t.length)
        return self.prog.type(t.c)

    def _typedef(self, name: str) -> Any:
        target = TYPEDEFS[name]
        aliased = self.prog.type(target) if isinstance(target, str) else self._small(None, target)
        return self.prog.typedef_type(name, aliased)

    def _enum(self, name: str) -> Any:
        names = sorted(ENUMS[name], key=lambda n: getattr(sched, n))
        values = [self.drgn.TypeEnumerator(n, getattr(sched, n)) for n in names]
        return self.prog.enum_type(name, self.prog.type("unsigned int"), values)

    # --- structs ------------------------------------------------------------------------------

    def _struct(self, name: str) -> Any:
        if name in STRUCTS:
            return self._small(name, STRUCTS[name])
        declared = ctype.REGISTRY[INNER.get(name, name)]
        if name in WRAPPED:
            member, inner = WRAPPED[name]
            return self._complete(
                name, declared.sizeof_, [self._lazy(member, 0, f"struct {inner}")]
            )
        return self._complete(name, declared.sizeof_, list(self._members(name, declared)))

    def _complete(self, name: str | None, size: int, members: list[Any]) -> Any:
        return self.prog.struct_type(name, size, members)

    def _small(self, name: str | None, members: dict[str, str]) -> Any:
        # A struct of members that need no padding.
        offset, out = 0, []
        for member, c in members.items():
            t = self.prog.type(c)
            out.append(self.drgn.TypeMember(t, member, offset * 8))
            offset += self.drgn.sizeof(t)
        return self._complete(name, offset, out)

    def _lazy(self, name: str | None, offset: int, t: Any) -> Any:
        # A member whose type (ours, or C text) is looked up when it is first needed.
        make = (lambda: self.prog.type(t)) if isinstance(t, str) else lambda: self.of(t)
        return self.drgn.TypeMember(make, name, offset * 8)

    def _members(self, name: str, declared: type[Struct]) -> Iterator[Any]:
        # The members in order, those of an anonymous union inside an anonymous union of drgn's.
        for group, run in itertools.groupby(declared.fields_, lambda f: f.group):
            if not group:
                yield from (self._member(name, f) for f in run)
                continue
            fields = list(run)
            start = fields[0].offset
            inner = [self._member(name, f._replace(offset=f.offset - start)) for f in fields]
            t = self.prog.union_type(None, declared.members_[group].sizeof_, inner)
            yield self.drgn.TypeMember(t, None, start * 8)

    def _member(self, struct: str, f: ctype.Field) -> Any:
        real = REAL.get(f"{struct}.{f.name}")
        if not isinstance(f.type, ctype.Bits):
            return self._lazy(f.name, f.offset, f.type if real is None else real)
        field = self.drgn.Object(self.prog, self.of(f.type.base), bit_field_size=f.type.width)
        return self.drgn.TypeMember(field, f.name, f.offset * 8 + f.bit)
