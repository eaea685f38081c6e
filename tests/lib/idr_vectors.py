"""Replays a vector file of tests/data/idr on an IDR in memory, in the words of its README."""

import json

from kernelsim.include.linux import radix_tree, slab, xarray
from kernelsim.include.linux.idr import idr as idr_type
from kernelsim.lib import idr

POINTER = 0xFFFF_C900_0000_0000  # stored pointer number i is POINTER + 8 * i


class Replay:
    def __init__(self, m, name):
        self.m = m
        self.idr = m.define(name, idr_type)
        idr.idr_init(m, self.idr)
        self.stored = []  # (ID, index of the operation) of each pointer ever stored

    def operate(self, op, i):
        """Do operation `i`; return its result and the operation that stored a pointer given back."""
        name, *args = op.split()
        result, by = getattr(self, f"do_{name}")(*map(int, args))
        if by == "store":
            self.stored.append((result, i))
            by = None
        return result, by

    def pointer(self):
        return POINTER + 8 * len(self.stored)

    # The ID under which the pointer was stored, and by which operation.
    def origin(self, pointer):
        return self.stored[(pointer - POINTER) // 8] if pointer else (None, None)

    def do_alloc(self, start, end, how=idr.idr_alloc):
        result = how(self.m, self.idr, self.pointer(), start, end, slab.GFP_KERNEL)
        return result, "store" if result >= 0 else None

    def do_cyclic(self, start, end):
        return self.do_alloc(start, end, idr.idr_alloc_cyclic)

    def do_alloc_u32(self, start, last):
        return self.do_alloc(start, last, idr.idr_alloc_u32)

    def do_remove(self, number):
        return self.origin(idr.idr_remove(self.m, self.idr, number))

    def do_find(self, number):
        return self.origin(idr.idr_find(self.m, self.idr, number))

    def do_replace(self, number):
        old = idr.idr_replace(self.m, self.idr, self.pointer(), number)
        if old < 0:
            return old, None
        result = self.origin(old)
        self.stored.append((number, self.step))
        return result

    def do_next(self, number):
        pointer, found = idr.idr_get_next(self.m, self.idr, number)
        if not pointer:
            return None, None
        stored, by = self.origin(pointer)
        assert stored == found
        return found, by

    def do_init(self, base):
        idr.idr_init_base(self.m, self.idr, base)
        return None, None

    def do_destroy(self):
        idr.idr_destroy(self.m, self.idr)
        return None, None

    # --- dumps ---

    def node(self, entry):
        return xarray.xa_node(self.m, xarray.xa_to_node(entry))

    def fields(self, node):
        names = ("shift", "offset", "count", "nr_values")
        return {name: getattr(node, name) for name in names} | {"free": node.tags[0][0]}

    def root(self, entry):
        if not entry:
            return None
        if not xarray.xa_is_node(entry):
            return self.origin(entry)[0]
        node = self.node(entry)
        slots = {str(i): self.root(slot) for i, slot in enumerate(node.slots) if slot}
        return self.fields(node) | {"slots": slots}

    def nodes(self, entry):
        if xarray.xa_is_node(entry):
            yield self.node(entry)
            for slot in self.node(entry).slots:
                yield from self.nodes(slot)

    def levels(self):
        levels = {}
        for node in self.nodes(self.idr.idr_rt.xa_head):
            levels.setdefault(node.shift, []).append(node)
        for shift, nodes in sorted(levels.items(), reverse=True):
            counts = [node.count for node in nodes]
            yield {
                "shift": shift,
                "nodes": len(nodes),
                "count_sum": sum(counts),
                "count_min": min(counts),
                "count_max": max(counts),
                "free_bits": sum(node.tags[0][0].bit_count() for node in nodes),
            }

    def path(self, number):
        entry, index, path = self.idr.idr_rt.xa_head, number - self.idr.idr_base, []
        if not entry or index >> self.node(entry).shift > 63:
            entry = 0
        while xarray.xa_is_node(entry):
            node = self.node(entry)
            slot = index >> node.shift & 63
            path.append(self.fields(node) | {"slot": slot})
            entry = node.slots[slot]
        return {"id": number, "path": path, "entry": self.origin(entry)[0]}

    def dump(self, like):
        root = self.idr.idr_rt
        free = bool(root.xa_flags >> radix_tree.ROOT_TAG_SHIFT & 1)
        dump = {"idr_next": self.idr.idr_next, "idr_base": self.idr.idr_base, "root_free": free}
        if "root" in like:
            return dump | {"root": self.root(root.xa_head)}
        paths = [self.path(path["id"]) for path in like["summary"]["paths"]]
        return dump | {"summary": {"levels": list(self.levels()), "paths": paths}}


# Replay the file at `path`; every result, every stored_by and every dump is compared.
def replay(m, path):
    run = json.loads(path.read_text(encoding="utf-8"))
    assert len(run["results"]) == len(run["ops"])
    one = Replay(m, run["name"])
    dumps = {dump["after"]: dump["tree"] for dump in run["dumps"]}
    assert dumps
    for i in range(-1, len(run["ops"])):
        if i >= 0:
            one.step = i
            result, by = one.operate(run["ops"][i], i)
            place = f"operation {i}, {run['ops'][i]}"
            assert result == run["results"][i], place
            assert by == run["stored_by"].get(str(i)), place
        if i in dumps:
            assert one.dump(dumps[i]) == dumps[i], f"tree after operation {i}"
            idr.validate_idr(m, one.idr)
    return one
