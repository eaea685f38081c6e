"""The reader's own Linux as the referee: the same program, really run.

Its rules. A run happens in a PID namespace of its own and leaves nothing behind. What a program
can see (pids, descriptors, process group, session, signal actions) is the same on every machine
and in every run, so that the simulator can be held against it. Where the machine cannot do this,
the error says so, and `transcript` tells what a named kernel did.
"""

from kernelsim.host.caller import run, unavailable
from kernelsim.host.result import Call, Run, Runaway, Timeout, Unavailable
from kernelsim.host.transcripts import transcript

__all__ = [
    "Call",
    "Run",
    "Runaway",
    "Timeout",
    "Unavailable",
    "run",
    "transcript",
    "unavailable",
]
