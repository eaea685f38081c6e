"""Random programs of processes that signal, stop, adopt and wait for each other.

A program is a list of commands, each for one agent.  An agent is a process that reads the numbers
of its commands from a pipe of its own and tells what came of each; `fork` makes the next agent.
The first process sends one command after the other and then lets everybody come to rest (a short
sleep, which costs the simulator nothing), so that what happens does not depend on a race.  What is
told is compared agent by agent.  One race is left out by the generator: signals to a whole group
while somebody handles SIGCHLD, for then the deaths and stops of the others come sooner or later.
"""

import dataclasses
import random
import re
from typing import Any

from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux import prctl, wait
from kernelsim.user.programs import common

__all__ = ["Command", "coverage", "outcome", "program", "script"]

AGENTS = 6
OUT, FIRST_PIPE = 100, 20
FIRST_PID = 3  # of an agent: pid 2 is the first process
REST = 12_000_000  # nanoseconds in which everybody comes to rest
SIGNALS = (
    *(0, signal.SIGHUP, signal.SIGKILL, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM),
    *(signal.SIGCHLD, signal.SIGCONT, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN),
    *(signal.SIGCONT, signal.SIGSTOP, signal.SIGUSR1, 34, 65),
)
ACTIONS = ("default", "ignore", "handler", "handler", "reap")
WAITS = (0, 1, 1, wait.WUNTRACED, wait.WUNTRACED | 1, wait.WCONTINUED | 1, 8 | 2 | 1, 1 << 30, 16)
WAITIDS = (
    *(wait.WEXITED, wait.WEXITED | wait.WNOHANG, wait.WEXITED | wait.WNOWAIT | wait.WNOHANG),
    *(wait.WSTOPPED | wait.WNOHANG, wait.WCONTINUED | wait.WNOHANG, 15, wait.WNOHANG),
)
KINDS = (
    *("fork", "fork", "fork", "kill", "kill", "kill", "waitpid", "waitpid", "signal", "signal"),
    *("setpgid", "setpgid", "setsid", "ids", "mask", "pending", "exit", "waitid", "pause"),
    *("subreaper", "pdeathsig", "stop_child", "nap"),
)


@dataclasses.dataclass(frozen=True)
class Command:
    """What an agent is to do."""

    agent: int
    name: str
    args: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return f"{self.agent}: {self.name}{self.args}"


def script(seed: int, length: int = 22) -> list[Command]:
    """The program with that number."""
    rng, forked, found = random.Random(seed), 1, list[Command]()
    groups = rng.random() < 0.5  # signals to groups, or handlers of SIGCHLD
    while len(found) < length:
        agent = rng.randrange(forked) if rng.random() < 0.8 else forked - 1
        name = "fork" if forked < 3 and rng.random() < 0.4 else rng.choice(KINDS)
        if name == "fork":
            if forked == AGENTS:
                continue
            found.append(Command(agent, name, (forked,)))
            forked += 1
        else:
            args = _arguments(rng, name)
            if groups and name == "signal" and (args[0] == signal.SIGCHLD or args[1] == "reap"):
                continue
            if not groups and name == "kill" and args[0] <= 0:
                args = (args[0], 0)
            found.append(Command(agent, name, args))
    return found


def _pid(rng: random.Random, *others: int) -> int:
    return rng.choice((*range(FIRST_PID, FIRST_PID + 5), *others))


def _arguments(rng: random.Random, name: str) -> tuple[Any, ...]:
    match name:
        case "kill":
            return _pid(rng, 0, 99, -FIRST_PID, -FIRST_PID - 1), rng.choice(SIGNALS)
        case "waitpid":
            return _pid(rng, -1, -1, -1, 0, -FIRST_PID), rng.choice(WAITS)
        case "waitid":
            which = rng.choice((wait.P_ALL, wait.P_ALL, wait.P_PID, wait.P_PGID, 7))
            return which, _pid(rng, 0), rng.choice(WAITIDS)
        case "signal":
            return rng.choice(SIGNALS[1:-1]), rng.choice(ACTIONS)
        case "setpgid":
            return rng.choice((0, 0, _pid(rng))), rng.choice((0, 0, _pid(rng, -1, 99)))
        case "mask":
            return rng.choice((0, 1, 2)), tuple(sorted(rng.sample(SIGNALS[1:-1], 2)))
        case "exit":
            return (rng.choice((0, 1, 255, 256)),)
        case "subreaper":
            return (rng.choice((0, 1, 1)),)
        case "pdeathsig":
            return (rng.choice((signal.SIGUSR1, signal.SIGTERM, signal.SIGSTOP, 0)),)
        case "stop_child":
            return _pid(rng), rng.choice((signal.SIGSTOP, signal.SIGCONT))
    return ()


def program(commands: list[Command], rest: int = REST) -> Any:
    """Return `async def main(libc)` that carries the commands out, with rests of so many nanoseconds."""

    async def main(libc: Any) -> int:
        await libc.dup2(1, OUT)
        for agent in range(AGENTS):
            r, w = await libc.pipe()
            await libc.dup2(r, FIRST_PIPE + 2 * agent)
            await libc.dup2(w, FIRST_PIPE + 2 * agent + 1)
            await libc.close(r)
            await libc.close(w)
        pid = await libc.fork()
        if pid == 0:
            await libc.setpgid(0, 0)  # who signals its group spares the first process and init
            return await _obey(libc, commands, rest)
        for number, command in enumerate(commands):
            await libc.write(FIRST_PIPE + 2 * command.agent + 1, bytes([number]))
            await libc.nanosleep(0, rest)
        await libc.nanosleep(0, 4 * rest)
        for victim in range(FIRST_PID, FIRST_PID + AGENTS):
            await common.fails(libc.kill(victim, signal.SIGKILL))
        return 0

    return main


async def _obey(libc: Any, commands: list[Command], rest: int) -> int:
    me = [0]  # which agent this is: a forked one is the next

    async def tell(text: str) -> None:
        await libc.write(OUT, f"{me[0]} {text}\n".encode())

    async def handler(sig: int) -> None:
        await tell(f"handles {sig}")

    async def reap(sig: int) -> None:
        await tell(f"handles {sig}: {await common.fails(libc.waitpid(-1, 11))}")

    handlers = {"default": 0, "ignore": 1, "handler": handler, "reap": reap}
    while True:
        number = (await libc.read(FIRST_PIPE + 2 * me[0], 1))[0]
        command = commands[number]
        if command.name == "fork":
            pid = await libc.fork()
            if pid == 0:
                me[0] = command.args[0]
            else:
                await tell(f"{number} fork {pid}")
        elif command.name == "exit":
            await libc.exit(command.args[0])
        else:
            result = await _result(libc, command, handlers, rest)
            if command.name in {"kill", "stop_child"}:  # what it does to others may come back
                await libc.nanosleep(0, rest // 3)
            await tell(f"{number} {command.name} {result}")


async def _result(libc: Any, command: Command, handlers: dict[str, Any], rest: int) -> str:
    name, args = command.name, command.args
    match name:
        case "ids":
            ids = [await libc.getpid(), await libc.getppid(), await libc.getpgid(0)]
            return f"{ids} {await libc.getsid(0)}"
        case "signal":
            old = await common.fails(libc.signal(args[0], handlers[args[1]]))
            return re.sub(r"<function _obey.<locals>.(\w+) .*>", r"\1", old)
        case "mask":
            return str(sorted(await libc.sigprocmask(args[0], set(args[1]))))
        case "pending":
            return str(sorted(await libc.sigpending()))
        case "subreaper":
            return await common.fails(libc.prctl(prctl.PR_SET_CHILD_SUBREAPER, *args))
        case "pdeathsig":
            return await common.fails(libc.prctl(prctl.PR_SET_PDEATHSIG, *args))
        case "stop_child":
            return await common.fails(libc.kill(*args))
        case "nap":
            return await common.fails(libc.nanosleep(0, rest * 5 // 2))
    return await common.fails(getattr(libc, name)(*args))


def outcome(run: Any) -> tuple[dict[str, list[str]], int]:
    """What a run told, agent by agent, and its status."""
    told: dict[str, list[str]] = {}
    for line in run.stdout.decode().splitlines():
        agent, _, text = line.partition(" ")
        told.setdefault(agent, []).append(text)
    return told, run.status


def coverage(commands: list[Command]) -> list[str]:
    """Which calls a program makes, with what decides their meaning."""
    found = []
    for command in commands:
        name, args = command.name, command.args
        detail = {"kill": args[1:], "signal": args, "waitpid": args[1:], "waitid": args[::2]}
        found.append(f"{name}{detail.get(name, ())}")
    return found
