"""Widgets for notebooks: fire system calls, step through time, look, predict.

    explorer = ks.widget.explore(k, focus=bash)    # the three below over one kernel
    explorer                                       # the last line of a cell shows it

Each widget also stands alone.  They decide nothing about the kernel: a callback reads a value,
calls a function, assigns the result.  What they show without a running kernel is the same picture
and words, as text/plain, SVG and HTML.  Hand-written scripts in `front/` draw them.
"""

from kernelsim.widget.drill import Drill
from kernelsim.widget.explorer import Explorer, explore
from kernelsim.widget.graph_pane import GraphPane
from kernelsim.widget.inspector import Inspector, inspect
from kernelsim.widget.life import life
from kernelsim.widget.numbering import numbering
from kernelsim.widget.panel import SyscallPanel
from kernelsim.widget.picture_view import PictureView
from kernelsim.widget.player import Player, play
from kernelsim.widget.predict import Predict
from kernelsim.widget.recall import Recall
from kernelsim.widget.stack_pane import StackPane
from kernelsim.widget.strace_pane import StracePane
from kernelsim.widget.terminal_pane import TerminalPane
from kernelsim.widget.timeline import Timeline

__all__ = [
    "Drill",
    "Explorer",
    "GraphPane",
    "Inspector",
    "PictureView",
    "Player",
    "Predict",
    "Recall",
    "StackPane",
    "StracePane",
    "SyscallPanel",
    "TerminalPane",
    "Timeline",
    "explore",
    "inspect",
    "life",
    "numbering",
    "play",
]
