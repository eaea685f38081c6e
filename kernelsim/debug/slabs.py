"""Objects of the slab caches, for who asks about many of them at once."""

from __future__ import annotations

from typing import Any

from kernelsim.machine import memory
from kernelsim.mm import page_alloc, slab_common, slub

__all__ = ["Objects"]


class Objects:
    """What lies where in the slabs of one machine at one moment: each page is looked up once."""

    def __init__(self) -> None:
        self._pages: dict[int, tuple[str, int, int, int] | None] = {}

    def at(self, m: Any, address: int) -> tuple[str, int, bool] | None:
        """As slub.object_at(): (cache name, start of the object, is it in use), or None."""
        o = m.offset(address)
        page = o >> memory.PAGE_SHIFT
        if page not in self._pages:
            self._pages[page] = self._slab(m, address)
        found = self._pages[page]
        if found is None:
            return None
        name, base, size, object_size = found
        start = o - (o - base) % size
        used = m.u64[(start + object_size) >> 3] == slub.SLUB_RED_ACTIVE
        return name, memory.DIRECT_MAP + start, used

    def _slab(self, m: Any, address: int) -> tuple[str, int, int, int] | None:
        # The slab there: its cache's name, where its objects begin, their distance and their size.
        page = slub._slab_page(m, address)
        if page is None:
            return None
        s, base = page.slab_cache, m.offset(page_alloc.page_address(page))
        return slab_common.cache_name(m, s), base, s.size, s.object_size
