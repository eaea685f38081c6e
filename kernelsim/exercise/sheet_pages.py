"""What a sheet looks like: Markdown for a repository, and a page of HTML that prints well on A4."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kernelsim.exercise.sheet import Item, Sheet
    from kernelsim.view import Picture

__all__ = ["markdown", "page"]

# Black on white, also on a printer without colours; no question is torn apart by the end of a page.
STYLE = """\
@page { size: A4; margin: 18mm 16mm 20mm; }
* { box-sizing: border-box; }
html { color-scheme: light; background: #ffffff; color: #000000; }
body { font: 12pt/1.45 system-ui, "DejaVu Sans", sans-serif; max-width: 178mm; margin: 0 auto; padding: 8mm 4mm; }
h1 { font-size: 18pt; line-height: 1.2; margin: 0 0 2mm; }
.who { border-bottom: 0.3mm solid #000000; margin: 6mm 0; padding-bottom: 1mm; }
ol.sheet { list-style: none; margin: 0; padding: 0; }
.question { break-inside: avoid; page-break-inside: avoid; border-top: 0.2mm solid #777777; padding: 3mm 0 5mm; display: grid; grid-template-columns: 9mm minmax(0, 1fr); }
.question > b { font-size: 13pt; }
p { margin: 0 0 2mm; }
pre, code { font-family: ui-monospace, "DejaVu Sans Mono", Consolas, monospace; font-size: 10.5pt; }
pre { margin: 1mm 0 3mm; padding: 1.5mm 3mm; border-left: 0.8mm solid #777777; white-space: pre-wrap; overflow-wrap: anywhere; }
ul.answers { list-style: none; margin: 1mm 0 0; padding: 0; }
ul.answers li { margin: 0 0 1.5mm; padding-left: 14mm; text-indent: -14mm; overflow-wrap: anywhere; }
ul.answers li.line { padding-left: 0; text-indent: 0; }
.box { display: inline-block; width: 4mm; height: 4mm; border: 0.35mm solid #000000; vertical-align: -0.6mm; margin-right: 3mm; text-indent: 0; }
.blank { display: inline-block; width: 50mm; border-bottom: 0.3mm solid #000000; }
.answer { font-weight: 700; }
figure { margin: 2mm 0; break-inside: avoid; }
figure svg { max-width: 100%; max-height: 130mm; height: auto; }
footer { border-top: 0.2mm solid #777777; margin-top: 8mm; padding-top: 2mm; font-size: 9pt; overflow-wrap: anywhere; }
@media screen { body { font-size: 13pt; } }
@media print { body { max-width: none; padding: 0; } a { color: #000000; } }
"""


BLANK = r"\_" * 12
_ID = re.compile(r' id="[ne]-[0-9a-z-]+"')


# The lines of a prompt, as (whether that is code, text): what is indented is code.
def _parts(prompt: str) -> Iterator[tuple[bool, str]]:
    code: list[str] = []
    for line in prompt.splitlines():
        if line.startswith("    "):
            text = line[4:]
            whole = text[:1] == text[-1:] == "`" and text.count("`") == 2
            code.append(text[1:-1] if whole else text.replace("`", ""))
            continue
        if code:
            yield True, "\n".join(code)
            code = []
        yield False, line
    if code:
        yield True, "\n".join(code)


# --- Markdown ---------------------------------------------------------------------------------


def markdown(sheet: Sheet, pictures: Mapping[int, tuple[str, Picture]], *, key: bool) -> str:
    """Return the questions, or the key, as Markdown; `pictures` are files beside it."""
    lines = [f"# {_plain(sheet.title)}{': key' if key else ''}", ""]
    for number, item in enumerate(sheet.items, 1):
        lines += [f"## {number}.", ""]
        lines += _answered(item) if key else _asked(item)
        if number in pictures:
            name, picture = pictures[number]
            lines += [f"![{_plain(picture.summary)}]({name})", ""]
    return "\n".join([*lines, "---", "", f"`{sheet.footer}`", ""])


def _asked(item: Item) -> list[str]:
    lines = _prompt(item)
    if not item.choice:
        return [*lines, f"*{_code(_hint(item))}*", "", f"Answer: {BLANK}", ""]
    return [*lines, *(f"- [ ] {_code(line)}" for line in item.lines), ""]


# What kind of answer is wanted, in one line: a number, or one of those that the picture shows.
def _hint(item: Item) -> str:
    return "; ".join(line.removeprefix("- ") for line in item.lines)


def _prompt(item: Item) -> list[str]:
    lines = []
    for is_code, text in _parts(item.prompt):
        lines += ["```", text, "```", ""] if is_code else [_code(text), ""]
    return lines


def _answered(item: Item) -> list[str]:
    return [f"**{_code(item.answer)}**", "", *([_code(item.why), ""] if item.why else [])]


# Text in which only `code` is marked up.
def _code(text: str) -> str:
    parts = text.split("`")
    parts[::2] = [_plain(part) for part in parts[::2]]
    return "`".join(parts)


def _plain(text: str) -> str:
    return re.sub(r"([\\*_\[\]<>#|&])", r"\\\1", text)


# --- HTML -------------------------------------------------------------------------------------


def page(sheet: Sheet, *, key: bool) -> str:
    """Return the questions, or the key, as a page that stands alone."""
    title = html.escape(sheet.title + (": key" if key else ""))
    who = "" if key else '<p class="who">Name:</p>\n'
    items = "\n".join(
        f'<li class="question"><b>{number}</b><div>\n{_key(item) if key else _question(item)}</div></li>'
        for number, item in enumerate(sheet.items, 1)
    )
    return (
        '<!DOCTYPE html>\n<html lang="en" data-theme="light">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>{title}</h1>\n{who}<ol class="sheet" role="list">\n{items}\n</ol>\n</main>\n'
        f"<footer><p><code>{html.escape(sheet.footer)}</code></p></footer>\n</body>\n</html>\n"
    )


def _question(item: Item) -> str:
    found = [
        f"<pre>{html.escape(text)}</pre>" if is_code else f"<p>{_prose(text)}</p>"
        for is_code, text in _parts(item.prompt)
    ]
    if item.picture is not None:
        found.append(_figure(item.picture))
    if item.choice:
        rows = [f'<li><span class="box"></span>{_prose(line)}</li>' for line in item.lines]
    else:
        rows = [f'<li class="line">{_prose(_hint(item))}</li>']
        rows.append('<li class="line">Answer: <span class="blank"></span></li>')
    return "\n".join([*found, '<ul class="answers">', *rows, "</ul>\n"])


def _key(item: Item) -> str:
    found = [f'<p class="answer">{_prose(item.answer)}</p>']
    if item.why:
        found.append(f"<p>{_prose(item.why)}</p>")
    if item.shown is not None:
        found.append(_figure(item.shown))
    return "\n".join([*found, ""])


# A picture in the page; its ids go, for there may be several of one machine's task.
def _figure(picture: Picture) -> str:
    return f"<figure>{_ID.sub('', picture.svg)}</figure>"


# Text with `code` between backquotes as HTML.
def _prose(text: str) -> str:
    parts = html.escape(text).split("`")
    parts[1::2] = [f"<code>{part}</code>" for part in parts[1::2]]
    return "".join(parts)
