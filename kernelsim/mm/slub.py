"""mm/slub.c, mm/slab_common.c @ v5.10.188: caches of objects of one size.

Each cache allocates from one slab at a time (`cpu_slab`), last freed first; other slabs with free
objects wait on the node's partial list.  Objects are debugged as with ``slub_debug=ZPU``: freed
ones are filled with 0x6b, a red zone behind each tells free (0xbb) from used (0xcc), and a track
says who freed it.  New objects are zeroed, as with ``init_on_alloc=1``.

Left out: per-CPU and NUMA copies, memory cgroups, kmemleak; merging of caches of one size.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import list as lists
from kernelsim.include.linux import mm_types, slab, types
from kernelsim.machine import ctype, machine, memory
from kernelsim.machine.memory import DIRECT_MAP, VMEMMAP
from kernelsim.mm import page_alloc, slab_common

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = [
    "kfree",
    "kmalloc",
    "kmem_cache_alloc",
    "kmem_cache_create",
    "kmem_cache_destroy",
    "kmem_cache_free",
    "kmem_cache_init",
    "object_at",
    "validate_slab_cache",
]

SLUB_RED_INACTIVE = 0xBBBB_BBBB_BBBB_BBBB
SLUB_RED_ACTIVE = 0xCCCC_CCCC_CCCC_CCCC
SLUB_MAX_ORDER = 3
KMALLOC_SIZES = (8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192)
_TAIL = 40  # behind an object: red zone, free pointer, track (24 bytes with padding)
_FREELIST = slab.kmem_cache.offsetof_("cpu_slab.freelist") >> 3
_TO_PAGE = memory.PAGE_SHIFT - 6  # from an offset to that of its struct page, of 64 bytes
_PAGE = slab.kmem_cache.offsetof_("cpu_slab.page") >> 3
_ACTIVE = slab.kmem_cache.offsetof_("node.active_objects") >> 3


def kmem_cache_init(m: Machine) -> None:
    """Make the slab allocator work: the cache of caches and the kmalloc caches."""
    m.static.slab_facts = _Facts(m)
    m.define("slab_caches", types.list_head)
    lists.INIT_LIST_HEAD(m.symbol("slab_caches"))
    _init_cache(
        m, m.define("kmem_cache", slab.kmem_cache), "kmem_cache", slab.kmem_cache.sizeof_, 8, 0, 0
    )
    m.who_freed = lambda address: _who_freed(m, address)
    for size in KMALLOC_SIZES:
        kmem_cache_create(m, f"kmalloc-{size if size < 1024 else f'{size >> 10}k'}", size)


def kmem_cache_create(
    m: Machine, name: str, size: int, align: int = 0, flags: int = 0, ctor: int = 0
) -> slab.kmem_cache:
    """Create a cache `name` of objects of `size` bytes; return struct kmem_cache *.

    `ctor` is the address of a kernel function void (*)(void *) or 0.  Raises MemoryError at boot,
    where Linux would panic (SLAB_PANIC).
    """
    address = kmem_cache_alloc(m, m.symbol("kmem_cache"), slab.GFP_KERNEL)
    if not address:
        raise MemoryError(f"kmem_cache_create({name}): no memory")
    cache = slab.kmem_cache(m, address)
    _init_cache(m, cache, name, size, align, flags, ctor)
    return cache


def _init_cache(
    m: Machine, s: Any, name: str, size: int, align: int, flags: int, ctor: int
) -> None:
    if flags & slab.SLAB_HWCACHE_ALIGN:
        align = max(align, _hwcache_align(size))
    align = max(align, 8)
    s.object_size = -(-size // 8) * 8
    s.offset = s.object_size + 8
    s.size = -(-(s.object_size + _TAIL) // align) * align
    order = _calculate_order(s.size)
    s.oo = order << 16 | ((memory.PAGE_SIZE << order) // s.size)
    s.flags, s.align, s.refcount, s.ctor = flags, align, 1, ctor
    s.min_partial = min(max((s.size.bit_length() - 1) // 2, 5), 10)  # set_min_partial()
    symbol, text = f"cache_name.{name}", ctype.array(ctype.char, len(name) + 1)
    label = m.symbol(symbol) if symbol in m.symbols else m.define(symbol, text)
    m.write(label.address_, name.encode() + b"\0")
    s.name = label.address_
    lists.INIT_LIST_HEAD(s.node.partial)
    lists.list_add_tail(s.list, m.symbol("slab_caches"))


def _hwcache_align(size: int) -> int:
    align = 64
    while size <= align // 2:
        align //= 2
    return align


def _slab_order(size: int, min_objects: int, fraction: int) -> int:
    order = max(0, (min_objects * size - 1 >> memory.PAGE_SHIFT).bit_length())
    while (
        order <= SLUB_MAX_ORDER
        and (memory.PAGE_SIZE << order) % size > (memory.PAGE_SIZE << order) // fraction
    ):
        order += 1
    return order


def _calculate_order(size: int) -> int:
    # The order that wastes little and holds enough objects: calculate_order().
    min_objects = min(8, (memory.PAGE_SIZE << SLUB_MAX_ORDER) // size)
    while min_objects > 1:
        for fraction in (16, 8, 4):
            order = _slab_order(size, min_objects, fraction)
            if order <= SLUB_MAX_ORDER:
                return order
        min_objects -= 1
    return _slab_order(size, 1, 1)


# --- allocating ----------------------------------------------------------------------------


class _Facts(dict[int, Any]):
    # What never changes of a cache, by its place in memory: the words of an object, the mask that
    # leads to its slab, and the patterns for a new and for a freed one (with a constructor: None).

    def __init__(self, m: Machine) -> None:
        self.m = m

    def __missing__(self, offset: int) -> tuple[int, int, Any, Any]:
        m, s = self.m, slab.kmem_cache(self.m, memory.DIRECT_MAP + offset)
        words, mask = s.object_size >> 3, -(memory.PAGE_SIZE << (s.oo >> 16))
        patterns: tuple[Any, Any] = (None, None)
        if not s.ctor:
            patterns = m.pattern(0, words), m.pattern(memory.POISON, words)
        found = self[offset] = words, mask, *patterns
        return found


def kmem_cache_alloc(m: Machine, s: Any, gfp: int, *, init: bool = True) -> int:
    """Allocate an object of cache `s` (struct kmem_cache *); return its address, 0 if no memory.

    The object is zeroed unless the cache has a constructor or `init` says that the caller
    overwrites the whole object at once.
    """
    if m.fail_nth and m.should_fail():
        return 0
    u64, o = m.u64, s._o
    c = o >> 3
    obj: int = u64[c + _FREELIST] or _slab_alloc(m, s)
    if not obj:
        return 0
    words, _, zeros, _ = m.static.slab_facts[o]
    i = (obj ^ DIRECT_MAP) >> 3
    red = i + words
    init = init and zeros is not None
    if m.log is not None:
        m.log_words(c + _FREELIST, c + _ACTIVE, red)
        if init:
            m.log_poison(i, words)
    u64[c + _FREELIST] = u64[red + 1]
    u64[c + _ACTIVE] += 1
    u64[red] = SLUB_RED_ACTIVE
    if init:
        u64[i:red] = zeros
    return obj


def _slab_alloc(m: Machine, s: Any) -> int:
    # The CPU's slab is used up: take the next one, from the partial list or new (___slab_alloc).
    cpu = s.cpu_slab
    if cpu.page:
        cpu.page.freelist = 0
        cpu.page.inuse = cpu.page.objects
        cpu.page.frozen = 0
    cpu.page = 0
    node = s.node
    if node.nr_partial:
        page = mm_types.page(m, node.partial.next.address_ - mm_types.page.offsetof_("lru"))
        lists.list_del(page.lru)
        node.nr_partial -= 1
    else:
        page = _new_slab(m, s)
        if not page:
            return 0
    obj: int = page.freelist
    cpu.page, cpu.freelist = page, obj
    page.frozen = 1
    page.freelist = 0
    return obj


def _new_slab(m: Machine, s: Any) -> Any:
    # A new slab, its objects on its free list in address order, filled with poison.
    order, objects, size = s.oo >> 16, s.oo & 0xFFFF, s.size
    base = page_alloc.alloc_pages(m, slab.GFP_KERNEL, order)
    if not base:
        return mm_types.page(m, 0)
    page = page_alloc.virt_to_page(m, base)
    page.flags = mm_types.PG_SLAB | (mm_types.PG_HEAD if order else 0)
    page.slab_cache, page.freelist = s, base
    page.inuse, page.objects, page.frozen = 0, objects, 0
    for i in range(objects):
        _make_free(m, s, base + i * size, base + (i + 1) * size if i + 1 < objects else 0)
        if s.ctor:
            m.call(s.ctor, base + i * size)
    s.node.nr_slabs += 1
    s.node.total_objects += objects
    return page


def _make_free(m: Machine, s: Any, obj: int, next_free: int) -> None:
    size = s.object_size
    if not s.ctor:
        m.fill(obj, memory.POISON, size)
    red = m.index(obj) + (size >> 3)  # what the page held before may look like poison: no check
    for i, word in enumerate((SLUB_RED_INACTIVE, next_free, 0, 0)):  # and no track yet
        memory.put(m, red + i, word)


# --- freeing -------------------------------------------------------------------------------


def kmem_cache_free(m: Machine, s: Any, obj: int) -> None:
    """Give the object at `obj` (void *) back to cache `s`; Fault if it is not in use there."""
    u64, o, c = m.u64, obj ^ DIRECT_MAP, s._o >> 3
    words, mask, _, poison = m.static.slab_facts[s._o]
    red = (o >> 3) + words
    if o >= m.size or u64[red] != SLUB_RED_ACTIVE:
        _bad_free(m, s, obj)
    if m.log is not None:
        m.log_words(red, red + 1, red + 2, red + 3, c + _ACTIVE)
        if poison is not None:
            m.log_block(o >> 3, words)
    if poison is not None:
        u64[o >> 3 : red] = poison
    u64[red] = SLUB_RED_INACTIVE
    u64[red + 2] = _caller(sys._getframe(1))
    u64[red + 3] = (len(m.trace.words) & 0xFFFF_FFFF) << 32 | m.trace.pid
    u64[c + _ACTIVE] -= 1
    page = VMEMMAP + ((o & mask) >> _TO_PAGE)
    if u64[c + _PAGE] == page:
        u64[red + 1] = u64[c + _FREELIST]
        if m.log is not None:
            m.log_word(c + _FREELIST)
        u64[c + _FREELIST] = obj
    else:
        _slab_free(m, s, mm_types.page(m, page), obj, red + 1)


def _caller(frame: Any) -> int:
    # The address of the kernel function that called, 0 if it has none.
    while frame.f_code.co_name in _PASSED_OVER:
        frame = frame.f_back
    return _text.get(frame.f_code.co_name, 0)


_text = machine.text_addresses()
_PASSED_OVER = ("plain", "traced", "kfree")  # ftrace's wrappers; who calls kfree() is meant


def _slab_free(m: Machine, s: Any, page: Any, obj: int, link: int) -> None:
    # The object belongs to another slab than the CPU's (__slab_free); its old `link` is journaled.
    was_full = not page.freelist
    m.u64[link] = page.freelist
    page.freelist = obj
    page.inuse -= 1
    node = s.node
    if not page.inuse and node.nr_partial >= s.min_partial:
        if not was_full:
            lists.list_del(page.lru)
            node.nr_partial -= 1
        _discard_slab(m, s, page)
    elif was_full:
        lists.list_add_tail(page.lru, node.partial)
        node.nr_partial += 1


def _discard_slab(m: Machine, s: Any, page: Any) -> None:
    order = s.oo >> 16
    s.node.nr_slabs -= 1
    s.node.total_objects -= page.objects
    page.flags = 0
    page.slab_cache = 0
    page_alloc.free_pages(m, page_alloc.page_address(page), order)


def _bad_free(m: Machine, s: Any, obj: int) -> None:
    who, found = _who_freed(m, obj), object_at(m, obj)
    name = slab_common.cache_name(m, s)
    if who and found is not None and found[1] == obj:
        raise memory.Fault(obj, "void", "", f"object of {name} freed twice", who)
    raise memory.Fault(obj, "void", "", f"not an object of {name} in use")


def kmalloc(m: Machine, size: int, gfp: int) -> int:
    """Allocate `size` bytes from the kmalloc cache that fits; return the address, 0 if no memory."""
    if size > KMALLOC_SIZES[-1]:
        raise ValueError(f"kmalloc of {size} bytes: at most {KMALLOC_SIZES[-1]} here")
    fit = next(n for n in KMALLOC_SIZES if n >= size)
    for cache in slab_common.caches(m):
        if slab_common.cache_name(m, cache).startswith("kmalloc-") and cache.object_size == fit:
            return kmem_cache_alloc(m, cache, gfp)
    raise LookupError(f"no kmalloc cache of {fit} bytes")


def kfree(m: Machine, obj: int) -> None:
    """Free what kmalloc() gave; NULL is ignored."""
    if obj:
        page = _slab_page(m, obj)
        if page is None:
            raise memory.Fault(obj, "void", "", "kfree of what no slab holds")
        kmem_cache_free(m, page.slab_cache, obj)


def kmem_cache_destroy(m: Machine, s: Any) -> None:
    """Destroy a cache and give its slabs back; Fault if objects are in use."""
    if s.node.active_objects:
        raise memory.Fault(
            s.address_, "struct kmem_cache", "", f"{slab_common.cache_name(m, s)} still has objects"
        )
    pages = [*lists.list_for_each_entry(mm_types.page, s.node.partial, "lru"), s.cpu_slab.page]
    for page in filter(None, pages):
        _discard_slab(m, s, page)
    lists.list_del(s.list)
    m.static.slab_facts.pop(s._o, None)
    kmem_cache_free(m, m.symbol("kmem_cache"), s.address_)


# --- looking -------------------------------------------------------------------------------


def _slab_page(m: Machine, address: int) -> Any:
    # The head page of the slab that `address` lies in, None if it lies in none.
    o = m.offset(address)
    if o >= m.size:
        return None
    pfn = o >> memory.PAGE_SHIFT
    for order in range(SLUB_MAX_ORDER + 1):
        head = pfn & ~((1 << order) - 1)
        page = mm_types.page(m, memory.VMEMMAP + head * page_alloc.PAGE_STRUCT)
        if page.flags & mm_types.PG_SLAB and page.slab_cache.oo >> 16 >= order:
            return page
    return None


def object_at(m: Machine, address: int) -> tuple[str, int, bool] | None:
    """Return (cache name, start of the object, is it in use) for an address in a slab, else None."""
    page = _slab_page(m, address)
    if page is None:
        return None
    s = page.slab_cache
    base = page_alloc.page_address(page)
    direct = memory.DIRECT_MAP + m.offset(address)
    start = direct - (direct - base) % s.size
    used = m.u64[m.offset(start + s.object_size) >> 3] == SLUB_RED_ACTIVE
    return slab_common.cache_name(m, s), start, used


def _who_freed(m: Machine, address: int) -> str:
    # Who freed the object at `address`; "" if it is in use or in no slab.
    found = object_at(m, address)
    if found is None or found[2]:
        return ""
    name, start, _ = found
    page = _slab_page(m, address)
    t = slab.track(m, start + page.slab_cache.object_size + 16)
    if not t.when and not t.addr:
        return f"nobody: an object of {name} that was never allocated"
    function = machine.text_name(t.addr) or "the kernel"
    return f"{function} in task {t.pid} at t={t.when} (cache {name})"


def validate_slab_cache(m: Machine, s: Any, find: Any = object_at) -> int:
    """Check every slab on the partial list and the CPU's; return how many objects are free there.

    Raises AssertionError with both addresses where a free object lies in the wrong slab or is
    marked as used.
    """
    free = 0
    pages = list(lists.list_for_each_entry(mm_types.page, s.node.partial, "lru"))
    heads = [(p, p.freelist) for p in pages] + [(s.cpu_slab.page, s.cpu_slab.freelist)]
    for page, obj in heads:
        while obj:
            found = find(m, obj)
            if found is None or found[1] != obj or found[2]:
                raise AssertionError(
                    f"{slab_common.cache_name(m, s)}: {obj:#x} on the free list of slab {page.address_:#x}"
                )
            free += 1
            obj = m.read_u64(obj + s.offset)
    return free
