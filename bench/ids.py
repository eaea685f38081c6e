"""The IDR with few and with all numbers in use, and the hash table that it replaced.

The tree for millions of numbers is laid down node by node, for allocating them one after the
other would take a minute; that it is a sound one, `check` sees.
"""

from __future__ import annotations

import random
from typing import Any

import kernelsim as ks
from bench.table import Row, Rows, Size, median, seconds
from kernelsim.include.linux import idr as idr_h
from kernelsim.include.linux import slab
from kernelsim.lib import _radix_node as nodes
from kernelsim.lib import idr
from kernelsim.older import pid_hash

ENTRY = 0xFFFF_8880_0010_0000  # what every number stands for


def full(m: Any, name: str, ids: int) -> Any:
    """An IDR in which the numbers 0 … `ids` - 1 are in use."""
    tree = m.define(name, idr_h.idr)
    idr_h.idr_init(m, tree)
    shift = 0
    while 64 << shift < ids:
        shift += 6
    top = _subtree(m, tree, shift, ids, 0, 0)
    m.write_u64(tree.address_ + 8, nodes.node_address(top) | 2)
    if ids == 64 << shift:
        nodes.root_tag_clear(m, tree._o >> 3, 0)
    check(m, tree, ids)
    return tree


def _subtree(m: Any, tree: Any, shift: int, ids: int, parent: int, offset: int) -> int:
    # The node for the first `ids` numbers of its range; the number of its first word.
    step = 1 << shift
    count = -(-ids // step)
    n = nodes.radix_tree_node_alloc(m, slab.GFP_KERNEL, parent, tree.address_, shift, offset, count)
    assert n >= 0
    here = nodes.node_address(n)
    for i in range(count if shift else 0):
        child = _subtree(m, tree, shift - 6, min(step, ids - i * step), here, i)
        m.u64[n + nodes.SLOTS + i] = nodes.node_address(child) | 2
    if not shift:
        m.u64[n + nodes.SLOTS : n + nodes.SLOTS + count] = m.pattern(ENTRY, count)
    used = ids // step  # slots below which nothing is free
    m.u64[n + nodes.TAGS] = nodes.ALL_FREE >> used << used
    return n


def check(m: Any, tree: Any, ids: int) -> None:
    assert idr.idr_find(m, tree, ids) == 0
    assert idr.idr_find(m, tree, ids - 1) == ENTRY
    if ids <= 10_000:
        idr_h.validate_idr(m, tree)
    assert idr.idr_alloc(m, tree, ENTRY, 0, 0, slab.GFP_KERNEL) == ids
    assert idr.idr_remove(m, tree, ids) == ENTRY


def finding(m: Any, tree: Any, numbers: list[int]) -> float:
    find = idr.idr_find
    return 1e6 / len(numbers) * seconds(lambda: [find(m, tree, number) for number in numbers])


def allocating(m: Any, tree: Any, numbers: list[int]) -> float:
    for number in numbers:
        idr.idr_remove(m, tree, number)
    idr_h.idr_set_cursor(m, tree, 0)
    took = seconds(
        lambda: [idr.idr_alloc_cyclic(m, tree, ENTRY, 0, 0, slab.GFP_KERNEL) for _ in numbers]
    )
    return 1e6 / len(numbers) * took


def rows(size: Size) -> Rows:
    m = ks.boot(memory="1G", record=False).machine
    trees = [(ids, full(m, f"idr_{ids}", ids)) for ids in size.ids]
    chance = random.Random(5)
    for what, measure in (("idr_find", finding), ("idr_alloc_cyclic", allocating)):
        turns = []
        for _ in range(size.rounds):
            picked = [sorted(chance.sample(range(ids), min(60, ids - 4))) for ids, _ in trees]
            turns.append(
                [
                    measure(m, tree, numbers)
                    for (_, tree), numbers in zip(trees, picked, strict=True)
                ]
            )
        for i, (ids, _) in enumerate(trees):
            yield Row(f"{what} at {ids:,} ids", median([turn[i] for turn in turns]), "µs")
        for i, (ids, _) in enumerate(trees[1:], 1):
            ratio = median([turn[i] / turn[0] for turn in turns])
            yield Row(f"{what} at {ids:,} / {size.ids[0]:,}", ratio, "x", 3)


def hash_rows(size: Size) -> Rows:
    """The hash table of 4.14 beside the IDR, at as many numbers, in the same run."""
    k = ks.boot(memory="1G", record=False)
    chance = random.Random(7)
    for ids in size.hashed:
        old = k.pid_hash(1024, pid_max=4 << 20)
        for _ in range(ids):
            old.alloc()
        tree = full(k.machine, f"idr_of_{ids}", ids + 1)
        turns = []
        for _ in range(size.rounds):
            numbers = sorted(chance.sample(range(1, ids + 1), min(60, ids)))
            took = 1e6 / len(numbers) * seconds(lambda: [hashed(old, n) for n in numbers])  # noqa: B023
            turns.append((took, finding(k.machine, tree, numbers)))
        numbers = chance.sample(range(1, ids + 1), min(200, ids))
        compared = sum(map(old.looked_at, numbers)) / len(numbers)
        lines = sum(map(old.lines, numbers)) / len(numbers)
        yield Row(f"find_pid_ns by hash at {ids:,} ids", median([a for a, _ in turns]), "µs")
        yield Row(f"  idr_find beside it at {ids:,} ids", median([b for _, b in turns]), "µs")
        yield Row(f"  hash / IDR at {ids:,} ids", median([a / b for a, b in turns]), "x")
        yield Row(f"  struct pids compared, lines of memory read: {lines:.1f}", compared, "")


def hashed(old: Any, number: int) -> Any:
    return pid_hash.find_pid_ns(old.machine, old.table, number, old.ns)
