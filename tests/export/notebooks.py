"""Small notebooks to export, made as a kernel would have left them."""

import json

import kernelsim as ks
from kernelsim.view import film, process_tree

LIVE = "application/vnd.jupyter.widget-view+json"


def text(source, slide="-", name=None):
    """A text cell."""
    cell = {"cell_type": "markdown", "source": source, "metadata": _slide(slide)}
    return cell | ({"id": name} if name else {})


def code(source, *outputs, slide="-", name=None):
    """A code cell with its outputs: strings are printed, dictionaries are displayed by MIME type."""
    cell = {
        "cell_type": "code",
        "source": source,
        "metadata": _slide(slide),
        "execution_count": 1,
        "outputs": [_output(output) for output in outputs],
    }
    return cell | ({"id": name} if name else {})


def _slide(kind):
    return {"slideshow": {"slide_type": kind}}


def _output(output):
    if isinstance(output, str):
        return {"output_type": "stream", "name": "stdout", "text": output}
    return {"output_type": "display_data", "metadata": {}, "data": output}


def write(path, *cells, **metadata):
    """Write a notebook of these cells; cells without a name stay so."""
    metadata = {"language_info": {"name": "python"}, **metadata}
    book = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)}
    path.write_text(json.dumps(book), encoding="utf-8")
    return path


def bundle(picture):
    """What a picture's output holds."""
    return picture._repr_mimebundle_()


def tree_film():
    """A film of three forks, as the output of a cell."""
    k = ks.boot(record=True)
    bash = k.spawn("bash")
    times = [k.now]
    for _ in range(3):
        k.call(bash, "fork")
        times.append(k.now)
    frames = [
        film.Frame(process_tree(k.at(time)), f"bash has forked {count} times")
        for count, time in enumerate(times)
    ]
    player = film.Film("Three forks", frames)
    return {"text/html": player.html(), "text/plain": "Three forks"}


def tree_picture():
    """A picture of a booted machine."""
    return process_tree(ks.boot())
