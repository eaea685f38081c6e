"""How much work something is: bytecode instructions, which no other load on the machine changes."""

import sys


def count(action):
    """Return how many instructions of Python `action` takes."""
    found = 0

    def trace(frame, event, _argument):
        nonlocal found
        frame.f_trace_opcodes = True
        found += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return found
