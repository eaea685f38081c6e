"""Hand-made pictures for the tests of drawing; no machine behind them."""

import xml.etree.ElementTree as ET

from kernelsim.view import Field, Picture, PictureBuilder

SVG = "{http://www.w3.org/2000/svg}"
FIRST = 0xFFFF888000002000
STEP = 0x1B80
TASKS = 0x398


def parse(svg):
    """The root of our own SVG (or Graphviz's)."""
    return ET.fromstring(svg)  # noqa: S314  # made by this process


def addresses(count):
    return [FIRST + place * STEP for place in range(count)]


def ring(names, *, changed=None):
    """Tasks in a ring, next and prev; ``changed`` is the number of a task whose next changed."""
    builder = PictureBuilder("The ring", "LR", subtitle="at event 7")
    where = addresses(len(names))
    for place, (name, address) in enumerate(zip(names, where, strict=True)):
        following = where[(place + 1) % len(names)] + TASKS
        builder.record(
            address,
            [name, f"{address:#018x}"],
            [
                Field("tasks", offset=TASKS, size=16, port="tasks", kind="group"),
                Field(
                    "tasks.next", f"{following:#018x}", TASKS, 8, "tasks.next", kind="member",
                    changed=place == changed, was="0x1" if place == changed else None,
                ),
                Field(
                    "tasks.prev", f"{where[place - 1] + TASKS:#018x}", TASKS + 8, 8, "tasks.prev",
                    kind="member",
                ),
                Field("comm", name if isinstance(name, str) else name.decode("latin-1"), 0x600, 16),
            ],
        )  # fmt: skip
    builder.level(*where)
    for place, address in enumerate(where):
        following, before = (place + 1) % len(names), (place - 1) % len(names)
        builder.edge(
            address, "tasks.next", where[following], "tasks", kind="next", side="e",
            pointer=address + TASKS, target=where[following] + TASKS,
            route="direct" if following > place else "below",
            change="changed" if place == changed else "",
        )  # fmt: skip
        builder.edge(
            address, "tasks.prev", where[before], "tasks", kind="prev", side="w",
            pointer=address + TASKS + 8, target=where[before] + TASKS, back=before < place,
            route="direct" if before < place else "below",
        )  # fmt: skip
    builder.legend("next", "tasks.next")
    return builder.picture()


def tree(names, *, rankdir="LR", route="elbow"):
    """A binary tree of plain boxes; each child points to its parent."""
    builder = PictureBuilder("The tree", rankdir, uniform=True)
    where = addresses(len(names))
    for place, (name, address) in enumerate(zip(names, where, strict=True)):
        builder.node(address, [name, f"pid {place}"], kind="sleeping", badge="S", words=name)
        if place:
            parent = where[(place - 1) // 2]
            builder.edge(
                address, None, parent, name="real_parent", kind="parent", back=True, route=route
            )
    return builder.picture()


def figures() -> list[Picture]:
    names = [f"task{number}" for number in range(9)]
    return [
        ring(names[:4], changed=1),
        ring(names[:1]),
        tree(names),
        tree(names, rankdir="TB"),
        tree(names, route="layout"),
        tree(names, rankdir="TB", route="direct"),
    ]
