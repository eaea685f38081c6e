"""Figures on a page that is opened from a file, with no kernel and no network; and their reader."""

import kernelsim as ks
from kernelsim.view import Field, PictureBuilder
from kernelsim.view.film import Frame
from kernelsim.widget import play, scripts


def family():
    """A kernel in which tasks come, get another parent and go; and when that began."""
    k = ks.boot()
    bash = k.spawn("bash")
    since = k.now
    child = k.task(k.call(bash, "fork"))
    k.call(child, "fork")
    k.call(child, "exit", 3)
    k.call(bash, "waitpid", -1, 0)
    k.call(bash, "fork")
    return k, since


def film(view="process_tree", **options):
    k, since = family()
    return play(k, view, since=since, **options).film


def boxes(*names):
    """A frame with a box for each name."""
    builder = PictureBuilder("Boxes")
    for number, name in enumerate(names):
        builder.node(f"n{number}", [name or "?"], fields=[Field("comm", name)])
    return Frame(builder.picture(), f"{len(names)} boxes: {names[-1]}", names[-1])


class Page:
    """A page of figures, opened from a file; it notes errors, dialogs and every request."""

    def __init__(self, browser, path, **look):
        self.context = browser.new_context(offline=True, **look)
        self.page = self.context.new_page()
        self.path = path
        self.noted = []
        self.page.on("pageerror", lambda error: self.noted.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.noted.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda r: self.noted.append(r.url) if self.strange(r.url) else None)

    def strange(self, url):
        return not url.startswith((self.path.as_uri(), "data:"))

    def open(self, *figures, script=True):
        code, style = scripts.page()
        body = "".join(figures) + (f"<script>{code}</script>" if script else "")
        html = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>t</title><style>{style}</style>'
        self.path.write_text(f"{html}<body>{body}", encoding="utf-8")
        self.page.goto(self.path.as_uri())
        return Player(self.page, self.page.locator("figure").first)


class Player:
    """One player, as its reader uses it."""

    def __init__(self, page, root):
        self.page, self.root = page, root

    def click(self, *names):
        for name in names:
            self.root.get_by_role("button", name=name, exact=True).click()

    def place(self):
        return int(self.root.get_by_label("Step", exact=True).input_value())

    def told(self):
        return self.root.locator(".ksw-told").inner_text()

    def nodes(self):
        return self.root.locator(".ks-node:not(.ksw-ghost)").evaluate_all(
            "(all) => all.map((n) => n.id)"
        )

    def label(self, button):
        return self.root.get_by_role("button", name=button)

    # Wait until the player is at this frame.
    def reaches(self, place):
        for _ in range(100):
            if self.place() == place:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"at {self.place()}, not {place}")


def shown(frame):
    return [f"n-{node.id}" for node in frame.picture.nodes]
