"""HTML of one cell made fit for a page: links, boxes, tables, pictures that follow the page's look.

Each function takes HTML and returns HTML.  What a reader or a program chose has been escaped by
then; nothing here builds HTML out of words.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

import bs4

from kernelsim.export import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["contents", "output", "prose", "refuse_requests"]

_SVG = "data:image/svg+xml;base64,"
_BOXES = {"In Linux.": "linux", "On your machine.": "machine"}


def prose(html: str, link: Callable[[str], str | None]) -> str:
    """Finish the HTML of a text cell.

    :param link: where a link to this address leads now; None if it leads nowhere any more.
    """
    soup = _soup(html)
    for anchor in soup.find_all("a", href=True):
        target = link(str(anchor["href"]))
        if target is None:
            anchor.unwrap()
        else:
            anchor["href"] = target
    _boxes(soup)
    _tables(soup)
    return str(soup)


def output(html: str, words: str, prefix: str) -> str:
    """Finish an output's HTML: still pictures are drawn in the page and said in words.

    :param words: the output's plain text; it goes with a picture, unfolded on demand.
    :param prefix: what makes the ids of this output's pictures unique in the page.
    """
    soup = _soup(html)
    for number, image in enumerate(soup.select("figure:not([data-kernelsim]) > img")):
        svg = _svg(str(image.get("src", "")))
        figure = image.parent
        if svg is None or figure is None:
            continue
        for caption in figure.find_all("figcaption"):
            caption.decompose()  # the picture has its title in it
        figure["class"] = "picture"
        drawing = _soup(svg).svg
        for element in drawing.select("[id]"):  # two pictures of one machine have the same ids
            element["id"] = f"{prefix}-{number}-{element['id']}"
        drawing["style"] = f"--natural:{drawing['width']}px"
        image.replace_with(drawing)
    _tables(soup)
    if words and soup.select("figure.picture"):
        soup.append(_details("In words", words))
    return str(soup)


def contents(html: str) -> list[dict[str, str]]:
    """The headings of the second level: their ids and texts."""
    headings = _soup(html).select("h2[id]")
    return [{"id": str(h["id"]), "title": h.get_text(" ", strip=True)} for h in headings]


def refuse_requests(html: str, name: str) -> None:
    """Look whether a browser that shows this HTML would ask anybody for anything.

    :raises reading.ExportError: it would.
    """
    for what in _asked_for(_soup(html)):
        raise reading.ExportError(
            f"{name} would load {what!r}: an exported page asks nobody, so the notebook must carry it"
        )


# What the elements and style sheets name for the browser to load, but for data in the page itself.
def _asked_for(soup: Any) -> Iterator[str]:
    found: list[str] = []
    for element in soup.find_all(True):
        loads = ["src", "srcset", "poster", "data", "background"]
        if element.name in {"link", "image", "use"}:
            loads += ["href", "xlink:href"]
        found += [str(element[name]) for name in loads if element.get(name)]
        styles = [str(element.get("style", ""))]
        styles += [element.get_text()] if element.name == "style" else []
        for style in styles:
            found += re.findall(r"url\(\s*[\"']?([^\"')]*)", style)
            found += re.findall(r"@import\s+[\"']([^\"']*)", style)
    return (what for what in found if not what.startswith(("data:", "#")))


def _soup(html: str) -> Any:
    return bs4.BeautifulSoup(html, features="html.parser")


# A quotation that begins with the name of a box becomes that box, and so does each such part of it.
def _boxes(soup: Any) -> None:
    for quote in soup.find_all("blockquote"):
        box = None
        for paragraph in list(quote.find_all(recursive=False)):
            strong = paragraph.find("strong")
            kind = _BOXES.get(strong.get_text()) if strong else None
            if kind:
                name = strong.get_text().rstrip(".")
                box = soup.new_tag(
                    "div", attrs={"class": f"box {kind}", "role": "note", "aria-label": name}
                )
                quote.insert_before(box)
            if box is not None:
                box.append(paragraph.extract())
        if not quote.get_text(strip=True):
            quote.decompose()


# A table may be wider than the page: it scrolls in a box. A head without words is no head.
def _tables(soup: Any) -> None:
    for table in soup.find_all("table"):
        for head in table.find_all("thead"):
            if not head.get_text(strip=True):
                head.decompose()
        table.attrs.pop("border", None)
        table.wrap(soup.new_tag("div", attrs={"class": "scroll"}))


# The drawing in a data address, if it is one of ours.
def _svg(address: str) -> str | None:
    if not address.startswith(_SVG):
        return None
    try:
        text = base64.b64decode(address.removeprefix(_SVG)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return text if text.startswith("<svg") and 'class="ks"' in text[:200] else None


def _details(title: str, words: str) -> Any:
    soup = _soup("")
    details = soup.new_tag("details", attrs={"class": "words"})
    for name, text in (("summary", title), ("pre", words)):
        tag = soup.new_tag(name)
        tag.string = text
        details.append(tag)
    return details
