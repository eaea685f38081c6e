"""Is this DOT text sound? Says which line and what, for the layout engine says neither.

The whole language of Graphviz's grammar is read except HTML-like labels, which are refused: the
WebAssembly build prints the node's name in their place. Refused as well, for they are mistakes that
Graphviz passes over in silence or with a warning nobody sees: colours of three digits, records whose
braces do not match, edges to a port that the record does not have, control characters; and a record
whose first line is blank, for that makes the WebAssembly build write outside its memory.
"""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

__all__ = ["DotError", "check"]


class DotError(ValueError):
    """The DOT text is not sound; ``line`` counts from 1."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"DOT, line {line}: {problem}")
        self.line = line
        self.problem = problem


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


_TOKEN = re.compile(
    r"""(?P<blank>[ \t\r]+|//[^\n]*|/\*.*?\*/|(?m:^)\#[^\n]*)
      | (?P<line>\n)
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<word>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*
               | -?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?))
      | (?P<arrow>->|--)
      | (?P<mark>[{}\[\]=;,:+])
    """,
    re.VERBOSE | re.DOTALL,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_SHORT_COLOUR = re.compile(r"#[0-9a-fA-F]{3}(?![0-9a-fA-F])")
_COMPASS = frozenset(["n", "ne", "e", "se", "s", "sw", "w", "nw", "c", "_"])
_KEYWORDS = frozenset(["node", "edge", "graph", "digraph", "subgraph", "strict"])
_DEEPEST = 42
_END = _Token("end", "the end of the text", 0)


def check(dot: str) -> None:
    """Raise ``DotError`` unless the text is one sound graph."""
    if found := _CONTROL.search(dot):
        line = dot.count("\n", 0, found.start()) + 1
        raise DotError(line, f"control character {found.group()!r}")
    _Reader(_tokens(dot)).graph()


def _tokens(dot: str) -> list[_Token]:
    tokens: list[_Token] = []
    place, line = 0, 1
    while place < len(dot):
        match = _TOKEN.match(dot, place)
        if match is None:
            _no_token(dot, place, line, tokens)
        kind, text = match.lastgroup or "", match.group()
        if kind not in {"blank", "line"}:
            tokens.append(_Token(kind, text, line))
        line += text.count("\n") if kind != "word" else 0
        place = match.end()
    tokens.append(_END._replace(line=line))
    return tokens


def _no_token(dot: str, place: int, line: int, tokens: list[_Token]) -> NoReturn:
    if dot[place] == '"':
        raise DotError(line, "the string that opens here is never closed")
    if dot.startswith("/*", place):
        raise DotError(line, "the comment that opens here is never closed")
    if dot[place] == "<":
        before = f" after {tokens[-2].text} =" if len(tokens) > 1 and tokens[-1].text == "=" else ""
        raise DotError(line, f"HTML-like text{before}; use a plain or a record label")
    raise DotError(line, f"unexpected character {dot[place]!r}")


# Recursive descent over the grammar at https://graphviz.org/doc/info/lang.html
class _Reader:
    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.place = 0
        self.arrow = "->"
        self.shape = ["ellipse"]  # the default shape, one for each open subgraph
        self.ports: dict[str, set[str]] = {}  # node: the ports of its record label
        self.used: list[tuple[str, str, int]] = []  # node, port, line

    @property
    def next(self) -> _Token:
        return self.tokens[self.place]

    def take(self) -> _Token:
        token = self.tokens[self.place]
        self.place += token.kind != "end"
        return token

    def found(self, text: str) -> bool:
        token = self.tokens[self.place]
        if token.text != text or token.kind == "string":
            return False
        self.place += 1
        return True

    def want(self, text: str, where: str) -> None:
        if not self.found(text):
            token = self.next
            raise DotError(token.line, f"{text!r} expected {where}, found {token.text}")

    # -- the grammar, in its own order ---------------------------------------------------------

    def graph(self) -> None:
        self.found("strict")
        if self.found("graph"):
            self.arrow = "--"
        else:
            self.want("digraph", "at the beginning")
        if self.next.text != "{":
            self.name("the graph's name")
        self.want("{", "after the graph's name")
        self.statements()
        if self.next.kind != "end":
            raise DotError(self.next.line, f"{self.next.text} after the end of the graph")
        self.known_ports()

    def statements(self) -> None:
        opened = self.tokens[self.place - 1].line
        self.shape.append(self.shape[-1])
        if len(self.shape) > _DEEPEST:
            raise DotError(opened, f"subgraphs nested more than {_DEEPEST - 2} deep")
        while not self.found("}"):
            if self.next.kind == "end":
                raise DotError(opened, "the '{' that opens here is never closed")
            self.statement()
            self.found(";")
        self.shape.pop()

    def statement(self) -> None:
        token = self.next
        if token.kind == "word" and token.text in {"node", "edge", "graph"}:
            self.take()
            options = self.options(required=True)
            if token.text == "node":
                self.shape[-1] = options.get("shape", self.shape[-1])
            return
        node = self.end()
        if node and self.found("="):
            self.value(node)
            return
        if self.next.kind == "arrow":
            self.edges()
        elif node:
            self.record(node, token.line, self.options())

    def edges(self) -> None:
        while self.next.kind == "arrow":
            arrow = self.take()
            if arrow.text != self.arrow:
                kind = "directed" if self.arrow == "->" else "undirected"
                raise DotError(arrow.line, f"{arrow.text!r} in a graph that is {kind}")
            self.end()
        self.options()

    # A node with its port, or a subgraph ("" then).
    def end(self) -> str:
        if self.found("subgraph") and self.next.text != "{":
            self.name("the subgraph's name")
        if self.found("{"):
            self.statements()
            return ""
        line = self.next.line
        node = self.name("a node, an edge, a subgraph or '}'")
        if self.found(":"):
            port = self.name("a port")
            if self.found(":"):
                compass = self.name("a compass point")
                if compass not in _COMPASS:
                    raise DotError(line, f"{compass!r} is no compass point")
            elif port in _COMPASS:
                return node
            self.used.append((node, port, line))
        return node

    def options(self, *, required: bool = False) -> dict[str, str]:
        found: dict[str, str] = {}
        if required and self.next.text != "[":
            raise DotError(self.next.line, f"'[' expected, found {self.next.text}")
        while self.found("["):
            while not self.found("]"):
                key = self.name("an attribute or ']'")
                self.want("=", f"after the attribute {key}")
                found[key] = self.value(key)
                if not self.found(","):
                    self.found(";")
        return found

    def value(self, key: str) -> str:
        line = self.next.line
        value = self.name(f"a value for {key}")
        if key.endswith("color") and (short := _SHORT_COLOUR.search(value)):
            raise DotError(line, f"colour {short.group()} in {key}: write six digits")
        return value

    # An identifier: word or string, strings joined by '+'.
    def name(self, what: str) -> str:
        token = self.take()
        if token.kind == "word" and token.text.lower() not in _KEYWORDS:
            return token.text
        if token.kind != "string":
            raise DotError(token.line, f"{what} expected, found {token.text}")
        value = token.text[1:-1]
        while self.found("+"):
            value += self.name("a string after '+'")
        return value.replace('\\"', '"')

    # -- beyond the grammar --------------------------------------------------------------------

    def record(self, node: str, line: int, options: dict[str, str]) -> None:
        if options.get("shape", self.shape[-1]) in {"record", "Mrecord"}:
            self.ports[node] = _record_ports(options.get("label", ""), line)

    def known_ports(self) -> None:
        for node, port, line in self.used:
            if node in self.ports and port not in self.ports[node]:
                raise DotError(line, f"the record {node!r} has no port {port!r}")


_RECORD = re.compile(r"\\.|[{}|<>]|[^\\{}|<>]+", re.DOTALL)


# The ports of a record label; raises where Graphviz would say "bad label format" and go on.
def _record_ports(label: str, line: int) -> set[str]:
    ports: set[str] = set()
    depth, port, blank = 0, None, True
    for part in _RECORD.findall(label):
        if port is not None:
            if part == ">":
                ports.add(port.strip())
                port = None
            elif part in {"<", "{", "}", "|"}:
                raise DotError(line, f"{part!r} inside a port's name in a record label")
            else:
                port += part
            continue
        if part == ">":
            raise DotError(line, "'>' without '<' in a record label")
        if blank and part in {r"\l", r"\n", r"\r"}:
            raise DotError(line, "a field of a record begins with a blank line")
        blank = part in {"|", "{", "}"} or (blank and part.strip(" ") in {"", "\\", "<"})
        port = "" if part == "<" else None
        depth += (part == "{") - (part == "}")
        if depth < 0:
            raise DotError(line, "'}' without '{' in a record label")
    if port is not None:
        raise DotError(line, "'<' without '>' in a record label")
    if depth:
        raise DotError(line, "'{' without '}' in a record label")
    return ports
