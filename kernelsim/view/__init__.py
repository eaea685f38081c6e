"""Pictures of simulated memory: a machine at a moment in, a ``Picture`` out.

A view is a pure function of memory. It reads through typed references only, never draws from a
Python attribute, and gives the same bytes for the same memory on every machine.
"""

from kernelsim.view.builder import PictureBuilder
from kernelsim.view.family import family
from kernelsim.view.film import Film, Frame
from kernelsim.view.frames import namespaces
from kernelsim.view.graph import Edge, Field, Node
from kernelsim.view.hashes import pid_hash
from kernelsim.view.hlists import pid_tasks
from kernelsim.view.identifiers import identifiers
from kernelsim.view.lists import task_list
from kernelsim.view.nsproxies import nsproxies
from kernelsim.view.picture import Picture
from kernelsim.view.radix import idr
from kernelsim.view.rbtrees import runqueue
from kernelsim.view.rungs import ladder
from kernelsim.view.sharing import sharing
from kernelsim.view.states import states
from kernelsim.view.tree import process_tree

__all__ = [
    "Edge",
    "Field",
    "Film",
    "Frame",
    "Node",
    "Picture",
    "PictureBuilder",
    "family",
    "identifiers",
    "idr",
    "ladder",
    "namespaces",
    "nsproxies",
    "pid_hash",
    "pid_tasks",
    "process_tree",
    "runqueue",
    "sharing",
    "states",
    "task_list",
]
