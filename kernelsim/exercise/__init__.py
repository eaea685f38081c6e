"""Exercises: questions whose answers the machine computes, drills, and checkers of a reader's code.

A question is answered by running a kernel, never from a key; a drill makes as many questions as a
reader wants, the same for the same seed anywhere; a checker says which case fails, and why.  No
solution is in here: they are in the tests, which run them through the same checkers.
"""

from kernelsim.exercise.question import Option, Question, Verdict

__all__ = ["Option", "Question", "Verdict"]
