"""Films for the tests: what happened to a family of processes, and where boxes stand in a drawing."""

import itertools

import kernelsim as ks
from kernelsim.view.film import Film, Frame
from tests.view import sample


def shoot(view, looks, **options):
    """A film of these looks at a machine, each with the changes since the one before."""
    frames = [Frame(view(looks[0], **options), "begins")]
    for before, look in itertools.pairwise(looks):
        frames.append(Frame(view(look, since=before, **options), f"at {look.now}"))
    return Film(view.__name__, frames)


def life():
    """Forks, exits, a reparenting, reaping; answers a look at each moment."""
    k = ks.boot()
    bash = k.spawn("bash")
    at = [k.now]

    def then(task, name, *arguments):
        answer = k.call(task, name, *arguments)
        at.append(k.now)
        return k.task(answer) if name == "fork" else answer

    child = then(bash, "fork")
    grandchild = then(child, "fork")
    then(grandchild, "fork")
    then(grandchild, "exit", 0)
    then(child, "waitpid", -1, 0)
    then(bash, "fork")
    then(child, "exit", 3)
    then(bash, "waitpid", -1, 0)
    return [k.at(t) for t in at]


def boxes(svg):
    """Where each node of a drawing is: left, top, width, height."""
    found = {}
    for node in sample.parse(svg).iter(f"{sample.SVG}g"):
        if "ks-node" in node.get("class", "").split():
            face = next(r for r in node.iter(f"{sample.SVG}rect") if "ks-face" in r.get("class"))
            found[node.get("id")] = [float(face.get(n)) for n in ("x", "y", "width", "height")]
    return found


def size(svg):
    return sample.parse(svg).get("viewBox")
