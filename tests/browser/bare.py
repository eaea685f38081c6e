"""A widget's front end on a page of its own, without JupyterLab: its model is a dictionary."""

import json

from kernelsim.widget import scripts

# The model as anywidget gives it to a part; what the part saves or sends is kept for the test.
MODEL = """
const heard = {};
const model = window.model = {
  state: JSON.parse(document.getElementById('STATE').textContent), sent: [],
  get: (name) => model.state[name],
  set: (name, value) => { model.state[name] = value; model.tell(name); },
  save_changes: () => {},
  on: (event, act) => (heard[event] ??= new Set()).add(act),
  off: (event, act) => heard[event]?.delete(act),
  send: (message) => model.sent.push(message),
  tell: (name) => heard[`change:${name}`]?.forEach((act) => act()),
  say: (message) => heard['msg:custom']?.forEach((act) => act(message)),
  take: (state) => { Object.assign(model.state, state); Object.keys(state).forEach(model.tell); },
};
"""
OURS = {"layout", "tabbable", "tooltip", "comm", "children", "box_style"}


def page_of(*widgets, theme="", head=""):
    """The HTML of a page that shows widgets, each as (kind, traits); the last one is `model`."""
    parts = []
    for number, (kind, traits) in enumerate(widgets):
        state = json.dumps(traits).replace("<", "\\u003c")
        script = scripts.script(kind).replace("export default ", "const drawn = ")
        parts.append(
            f"<style>{scripts.style(kind)}</style><div id='root{number}'></div>"
            f"<script type='application/json' id='state{number}'>{state}</script>"
            f"<script type='module'>{script}{MODEL.replace('STATE', f'state{number}')}"
            f"drawn.render({{model, el: document.getElementById('root{number}')}});</script>"
        )
    return document("".join(parts), theme=theme, head=head)


def document(body, *, theme="", head=""):
    """A page with this body, light or dark."""
    look = f" data-theme='{theme}'" if theme else ""
    return (
        f"<!DOCTYPE html><html lang='en'{look}><head><meta charset='utf-8'><title>Widgets</title>"
        "<style>body{font-family:sans-serif}html[data-theme=dark]{background:#14181d;color:#e8edf2;color-scheme:dark}"
        f"</style>{head}</head><body><main><h1>Widgets</h1>{body}</main></body></html>"
    )


def traits_of(widget):
    """A widget's kind, and the traits that its front end shares."""
    names = [name for name in widget.traits(sync=True) if name[0] != "_" and name not in OURS]
    return widget.kind, {name: getattr(widget, name) for name in names}


def parts_of(widget):
    """The widgets that a widget is made of and that have a front end of our own."""
    if hasattr(widget, "kind"):
        return [widget]
    return [part for child in getattr(widget, "children", ()) for part in parts_of(child)]


def picture(picture, **traits):
    """A PictureView's kind and traits."""
    words = {"svg": picture.svg, "words": picture.text, "summary": picture.summary}
    return "picture", {**words, "selected": "", "unfolded": False, "finds": False, **traits}
