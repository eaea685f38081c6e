"""A picture as a widget."""

import kernelsim as ks
from tests.widget import scene


def test_it_shows_one_picture_and_then_the_next():
    k, bash = scene.booted()
    first = ks.view.task_list(k)
    view = ks.widget.PictureView(first)
    assert (view.svg, view.words, view.summary) == (first.svg, first.text, first.summary)
    k.call(bash, "fork")
    view.show(ks.view.task_list(k))
    assert view.svg != first.svg


def test_without_a_kernel_it_is_its_picture():
    picture = ks.view.process_tree(ks.boot())
    view = ks.widget.PictureView(picture)
    data, _ = view._repr_mimebundle_()
    data.pop("application/vnd.jupyter.widget-view+json")
    assert data == picture._repr_mimebundle_()
    assert repr(view) == f"PictureView({picture!r})"


def test_an_empty_one_shows_and_hears_nothing():
    view = ks.widget.PictureView()
    view.heard({"do": "unfold"})
    assert view.static() == {"text/plain": "PictureView(None)"}
