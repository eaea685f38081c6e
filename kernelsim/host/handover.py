"""Functions as bytes, for another interpreter of the same Python.

No counterpart in Linux. `pickle` writes a function as the name under which it can be imported; what
a reader runs is mostly a function of their notebook. Such a one is written whole: its code, what it
closes over, and of its module's globals those that it names. Left out: classes defined there.
"""

from __future__ import annotations

import builtins
import importlib
import io
import marshal
import pickle
import sys
import types
from collections.abc import Iterator
from typing import Any

__all__ = ["dumps", "loads"]

_EMPTY = object()


def dumps(value: Any) -> bytes:
    """Return `value`, functions and all, as bytes; pickle.PicklingError, TypeError or AttributeError."""
    out = io.BytesIO()
    _Pickler(out).dump(value)
    return out.getvalue()


def loads(data: bytes) -> Any:
    """Return what `dumps` wrote."""
    return pickle.loads(data)  # noqa: S301 (it comes from the process that we were a moment ago)


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, types.ModuleType):
            return importlib.import_module, (value.__name__,)
        if isinstance(value, types.CellType):
            try:
                return types.CellType, (), value.cell_contents, None, None, _fill_cell
            except ValueError:  # nothing is in it yet
                return types.CellType, ()
        if isinstance(value, types.FunctionType) and not _can_be_imported(value):
            cells = len(value.__closure__ or ())
            state = (
                _globals_of(value),
                value.__closure__,
                value.__defaults__,
                value.__kwdefaults__,
            )
            args = (marshal.dumps(value.__code__), value.__name__, value.__module__, cells)
            return _make_function, args, state, None, None, _fill_function
        return NotImplemented


# Whether another interpreter finds the function by its name: what is installed, and kernelsim.
def _can_be_imported(function: types.FunctionType) -> bool:
    module = sys.modules.get(function.__module__)
    if module is None or getattr(module, function.__qualname__, None) is not function:
        return False
    root = module.__name__.partition(".")[0]
    installed = "site-packages" in (getattr(module, "__file__", None) or "")
    return root == "kernelsim" or root in sys.stdlib_module_names or installed


# The globals that a function and those inside it name.
def _globals_of(function: types.FunctionType) -> dict[str, Any]:
    names = set(_names(function.__code__))
    return {name: value for name, value in function.__globals__.items() if name in names}


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from _names(const)


def _make_function(code: bytes, name: str, module: str, cells: int) -> types.FunctionType:
    space = {"__builtins__": builtins, "__name__": module}
    closure = tuple(types.CellType() for _ in range(cells))
    return types.FunctionType(marshal.loads(code), space, name, None, closure)  # noqa: S302 (as above)


def _fill_function(function: types.FunctionType, state: Any) -> None:
    space, closure, function.__defaults__, function.__kwdefaults__ = state
    function.__globals__.update(space)
    for own, cell in zip(function.__closure__ or (), closure or (), strict=True):
        try:
            own.cell_contents = cell.cell_contents
        except ValueError:  # nothing is in it yet
            continue


def _fill_cell(cell: types.CellType, contents: Any) -> None:
    cell.cell_contents = contents
