"""Colours and type, once for light and once for dark.

The colours follow Okabe and Ito's set (safe for colour-blind readers), darkened or lightened until
each has a contrast of at least 4.5 to 1 on its ground; no meaning hangs on colour alone: letters,
dashes, diamonds and words say the same. A picture stands on a ground of its own, so that it can be
read in a dark page that it knows nothing of. Each declaration is written twice, plain and as a
variable, for programs that know no CSS variables.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

__all__ = ["DARK", "DASHES", "EDGES", "LIGHT", "NODES", "RARE", "Kind", "css", "inline"]

LIGHT = {
    "ground": "#fbfcfd",
    "face": "#ffffff",
    "band": "#e3eaf2",
    "ink": "#1b1f24",
    "dim": "#535c66",
    "line": "#6e7781",
    "hair": "#d5dbe1",
    "blue": "#0a5c99",
    "orange": "#b5460f",
    "green": "#00694e",
    "violet": "#7b2d8b",
    "ochre": "#805300",
    "grey": "#323a43",
    "mark": "#8a3b00",
    "markbg": "#ffe9b8",
    "badgeink": "#ffffff",
}
DARK = {
    "ground": "#14181d",
    "face": "#1e242b",
    "band": "#2f3b49",
    "ink": "#e8edf2",
    "dim": "#a9b4bf",
    "line": "#7d8894",
    "hair": "#38424d",
    "blue": "#6cb6f5",
    "orange": "#ff9d66",
    "green": "#4fd1a5",
    "violet": "#dfa5ee",
    "ochre": "#f0b84d",
    "grey": "#d3dae1",
    "mark": "#ffce73",
    "markbg": "#4a3a10",
    "badgeink": "#10141a",
}


class Kind(NamedTuple):
    """How a kind of node or edge looks: its colour, and the sign that says the same without it."""

    colour: str
    sign: str


NODES = {
    "running": Kind("green", "R"),
    "sleeping": Kind("blue", "S"),
    "disk": Kind("violet", "D"),
    "stopped": Kind("ochre", "T"),
    "zombie": Kind("grey", "Z, dashed"),
    "idle": Kind("dim", "I"),
    "red": Kind("orange", "r, double"),
    "black": Kind("ink", "b, thick"),
    "fold": Kind("dim", "…, dotted"),
    "fault": Kind("mark", "?, dash-dot"),
}
EDGES = {
    "pointer": Kind("grey", "solid"),
    "parent": Kind("grey", "solid"),
    "next": Kind("blue", "solid"),
    "prev": Kind("orange", "dashed"),
    "first": Kind("green", "dash-dot"),
    "leftmost": Kind("violet", "dotted"),
}
"""An unknown kind is grey and solid, and that is no error."""

RARE = {"path": Kind("violet", "thick")}
"""Kinds of edges that few pictures have; these carry their looks themselves, others nothing of it."""

DASHES = {"dashed": "7 4", "dotted": "2 4", "dash-dot": "10 3 2 3"}

_FONT = "ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono','Courier New',monospace"


def _paint(what: str, colour: str) -> str:
    return f"{what}:{LIGHT[colour]};{what}:var(--ks-{colour})"


def _variables(theme: dict[str, str]) -> str:
    return "".join(f"--ks-{name}:{colour};" for name, colour in theme.items())


def _own(what: str) -> str:
    return f"{what}:{LIGHT['grey']};{what}:var(--c,var(--ks-grey))"


@functools.cache
def css() -> str:
    """The style sheet that each picture carries; the same for all, so that two in a page agree."""
    light, dark = _variables(LIGHT), _variables(DARK)
    themes = [
        f".ks{{{light}}}",
        f"@media (prefers-color-scheme:dark){{.ks{{{dark}}}}}",
        f'[data-jp-theme-light="true"] .ks,[data-theme="light"] .ks{{{light}}}',
        f'[data-jp-theme-light="false"] .ks,[data-theme="dark"] .ks{{{dark}}}',
    ]
    kinds = [
        f".ks-{kind}{{--c:var(--ks-{look.colour})}}" for kind, look in {**NODES, **EDGES}.items()
    ]
    dashes = [
        f".ks .ks-edge.ks-{kind} path{{stroke-dasharray:{DASHES[look.sign]}}}"
        for kind, look in EDGES.items()
        if look.sign in DASHES
    ]
    return "\n".join([*themes, _FORCED, *_RULES, "".join(kinds), "".join(dashes), *_LAST])


def inline(kind: str) -> tuple[str, str]:
    """The attributes of an edge of a `RARE` kind: of its group, and of its line; "" for others."""
    if kind not in RARE:
        return "", ""
    return f' style="--c:var(--ks-{RARE[kind].colour})"', ' style="stroke-width:5"'


# Where the system allows few colours only, everything is drawn in them: what a colour said, a
# letter, a dash or a word says too.
_FORCED = (
    "@media (forced-colors:active){.ks.ks,[data-theme] .ks.ks,[data-jp-theme-light] .ks.ks{"
    + "".join(f"--ks-{name}:CanvasText;" for name in LIGHT if name not in {"ground", "face"})
    + "--ks-ground:Canvas;--ks-face:Canvas;--ks-band:Canvas;--ks-markbg:Canvas;--ks-badgeink:Canvas}"
    ".ks,.ks text{forced-color-adjust:none}}"
)


_RULES = [
    f".ks text{{font:14px {_FONT};{_paint('fill', 'ink')};white-space:pre}}",
    f".ks .ks-ground{{{_paint('fill', 'ground')}}}",
    ".ks .ks-title{font-size:16px;font-weight:700}",
    f".ks .ks-small{{{_paint('fill', 'dim')}}}",
    f".ks .ks-dim{{{_paint('fill', 'dim')}}}",
    ".ks .ks-b{font-weight:700}",
    f".ks .ks-strong{{font-weight:700;{_paint('fill', 'violet')}}}",
    ".ks .ks-r{text-anchor:end}",
    ".ks .ks-m{text-anchor:middle}",
    f".ks .ks-face{{{_paint('fill', 'face')};{_paint('stroke', 'line')};stroke-width:1.5}}",
    f".ks .ks-band{{{_paint('fill', 'band')}}}",
    f".ks .ks-hair{{{_paint('stroke', 'hair')};stroke-width:1}}",
    f".ks .ks-torn{{{_paint('stroke', 'line')};stroke-width:1.5;stroke-dasharray:1.5 4}}",
    f".ks .ks-group{{{_paint('fill', 'band')};fill-opacity:.55}}",
    f".ks .ks-sumbg{{{_paint('fill', 'violet')};fill-opacity:.08}}",
    f".ks .ks-badge{{{_own('fill')}}}",
    f".ks .ks-letter{{font-size:20px;font-weight:700;{_paint('fill', 'badgeink')}}}",
    f".ks .ks-markbg{{{_paint('fill', 'markbg')}}}",
    f".ks .ks-tag{{{_paint('fill', 'mark')}}}",
    f".ks .ks-tagtext{{font-weight:700;{_paint('fill', 'ground')}}}",
    f".ks .ks-new .ks-face{{{_paint('stroke', 'mark')};stroke-width:3}}",
    f".ks .ks-focus .ks-face{{{_paint('stroke', 'violet')};stroke-width:3.5}}",
    f".ks .ks-focus .ks-tag{{{_paint('fill', 'violet')}}}",
    ".ks .ks-zombie .ks-face{stroke-dasharray:6 4;stroke-width:2}",
    ".ks .ks-fold .ks-face{stroke-dasharray:2 4}",
    f".ks .ks-fault .ks-face{{{_own('stroke')};stroke-dasharray:10 3 2 3;stroke-width:2}}",
    f".ks .ks-red .ks-face,.ks .ks-black .ks-face{{{_own('stroke')};stroke-width:3}}",
    f".ks .ks-twin{{fill:none;{_own('stroke')};stroke-width:1.5}}",
    f".ks .ks-head .ks-face{{{_paint('stroke', 'grey')};stroke-width:2.5}}",
    f".ks .ks-cluster{{{_paint('fill', 'band')};fill-opacity:.4}}",
    f".ks .ks-cluster{{{_paint('stroke', 'line')};stroke-width:1.5;stroke-dasharray:8 4}}",
    f".ks .ks-edge path{{fill:none;{_own('stroke')};stroke-width:2}}",
    f".ks .ks-edge .ks-tip{{{_own('fill')};stroke:none}}",
    f".ks .ks-edge circle{{{_own('fill')}}}",
    f".ks .ks-edge text{{{_own('fill')};{_paint('stroke', 'ground')}}}",
    ".ks .ks-edge text{stroke-width:4;paint-order:stroke}",
    ".ks .ks-edge.ks-changed path,.ks .ks-edge.ks-new path{stroke-width:3.5}",
    f".ks .ks-sum{{{_paint('stroke', 'violet')};stroke-width:2;fill:none}}",
    f".ks .ks-mark,.ks .ks-edge path.ks-mark{{{_paint('fill', 'mark')};stroke:none}}",
    f".ks .ks-edge path.ks-mark{{{_paint('stroke', 'ground')};stroke-width:1.5}}",
]
_LAST = [".ks .ks-edge path.ks-mark,.ks .ks-edge path.ks-tip{stroke-dasharray:none}"]
