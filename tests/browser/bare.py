"""A widget's front end on a page of its own, without JupyterLab: its model is a dictionary."""

import json

from kernelsim.widget import scripts

# The model as anywidget gives it to a part; what the part saves or sends is kept for the test.
MODEL = """
const heard = {};
window.model = {
  state: JSON.parse(document.getElementById('state').textContent), sent: [],
  get: (name) => model.state[name],
  set: (name, value) => { model.state[name] = value; model.tell(name); },
  save_changes: () => {},
  on: (event, act) => (heard[event] ??= new Set()).add(act),
  off: (event, act) => heard[event]?.delete(act),
  send: (message) => model.sent.push(message),
  tell: (name) => heard[`change:${name}`]?.forEach((act) => act()),
  take: (state) => { Object.assign(model.state, state); Object.keys(state).forEach(model.tell); },
};
"""


def page_of(*widgets, theme=""):
    """The HTML of a page that shows widgets, each as (kind, traits); the last one is `model`."""
    parts = []
    for number, (kind, traits) in enumerate(widgets):
        state = json.dumps(traits).replace("<", "\\u003c")
        script = scripts.script(kind).replace("export default ", "const drawn = ")
        model = MODEL.replace("'state'", f"'state{number}'")
        parts.append(
            f"<style>{scripts.style(kind)}</style><div id='root{number}'></div>"
            f"<script type='application/json' id='state{number}'>{state}</script>"
            f"<script type='module'>{script}{model}"
            f"drawn.render({{model, el: document.getElementById('root{number}')}});</script>"
        )
    look = f" data-theme='{theme}'" if theme else ""
    return (
        f"<!DOCTYPE html><html lang='en'{look}><head><meta charset='utf-8'><title>Widgets</title>"
        "<style>body{font-family:sans-serif}html[data-theme=dark]{background:#14181d}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>"
    )


def picture(picture, **traits):
    """A PictureView's kind and traits."""
    words = {"svg": picture.svg, "words": picture.text, "summary": picture.summary}
    return "picture", {**words, "selected": "", "unfolded": False, "said": "", **traits}
