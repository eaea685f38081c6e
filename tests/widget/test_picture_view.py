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


def test_a_box_that_is_opened_names_those_that_it_stands_for():
    k, _ = scene.booted()
    for _ in range(12):
        k.spawn("sh")
    picture = ks.view.task_list(k)
    (fold,) = [node for node in picture.nodes if node.folded]
    view, heard = ks.widget.PictureView(picture), []
    view.on_fold = lambda more: heard.append((more, view.opened))
    view.heard({"do": "unfold", "box": fold.id})
    view.heard({"do": "unfold", "box": "n-no-such-box"})
    view.heard({"do": "unfold", "box": ["odd"]})
    view.heard({"do": "fold"})
    assert heard == [(True, fold.hides), (True, ()), (True, ()), (False, ())]
    assert len(fold.hides) == fold.folded


def test_what_is_looked_for_is_answered_with_a_sentence():
    view, said = ks.widget.PictureView(), []
    view.send = said.append
    view.heard({"do": "find", "text": "x"})
    view.on_find = lambda text: f"found {text}"
    view.heard({"do": "find", "text": "7" * 200})
    view.heard({"do": "find", "text": 7})
    assert said == [{"said": "found " + "7" * 100}]


def test_an_empty_one_shows_and_hears_nothing():
    view = ks.widget.PictureView()
    view.heard({"do": "unfold"})
    assert view.static() == {"text/plain": "PictureView(None)"}
