"""What lib/ stands on, and nothing above it: memory, pages, slabs and the cache of tree nodes."""

from kernelsim.lib import radix_tree
from kernelsim.machine.machine import Machine
from kernelsim.mm import page_alloc, slab_common, slub


# A machine whose lib/ works, but on which no kernel has been booted.
def machine(size=64 << 20, *, record=False):
    m = Machine(size, record=record)
    page_alloc.mem_init(m)
    slub.kmem_cache_init(m)
    radix_tree.radix_tree_init(m)
    return m


# How many tree nodes are in use, without those that wait in the pool.
def nodes_in_use(m):
    return slab_common.usage(m)["radix_tree_node"] - m.static.radix_tree_preloads.nr


# The texts of the warnings so far; the machine must be recording.
def warnings(m):
    return [event.fields["text"] for event in m.trace.events() if event.name == "WARN"]
