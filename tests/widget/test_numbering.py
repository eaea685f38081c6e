"""widget/numbering.py: alloc_pid as a film, each frame a store, in the order of the source."""

import kernelsim as ks


def film(forks, **options):
    k = ks.boot(memory="64M")
    bash = k.spawn("bash")
    for _ in range(forks):
        k.call(bash, "fork")
    before = k.now
    k.call(bash, "fork")
    return ks.widget.numbering(k, since=before, **options).film


def test_a_number_is_taken_with_null_and_published_last():
    said = [frame.sentence.split("(): ")[-1] for frame in film(0).frames]
    assert said[1:] == [
        "count is 4.",
        "bit 4 of IDR_FREE is cleared: taken.",
        "idr_next is 5: there the next search begins.",
        "slots[4] holds the struct pid: now it is found.",
        "pid_allocated is 4.",
        "the struct pid leads to its task.",
    ]


def test_the_function_that_stores_is_named():
    named = [frame.sentence.partition("(")[0] for frame in film(0).frames[1:]]
    assert named[0] == "__radix_tree_replace"
    assert named[2] == "idr_alloc_cyclic"
    assert named[-1] == "attach_pid"


def test_a_tree_that_grows_grows_before_the_number_is_taken():
    said = [frame.sentence.split("(): ")[-1] for frame in film(60).frames[1:5]]
    assert said == [
        "the tree has another top node.",
        "slots[1] holds a node.",
        "count is 2.",
        "count is 1.",
    ]
    assert film(60, still=2).still == 2


def test_an_idr_of_ones_own_can_be_played_and_each_step_says_what_was_done():
    k = ks.boot(memory="64M")
    ids, before = k.idr(), k.now
    ids.alloc("far", start=5000)
    ids.alloc("near", start=1)
    ids.remove(5000)
    film = ks.widget.play(k, "idr", since=before, ns=ids).film
    assert [frame.sentence for frame in film.frames[1:]] == [
        "alloc('far', 5000, 0).",
        "alloc('near', 1, 0).",
        "remove(5000).",
    ]
    nodes = [sum(n.kind == "slots" for n in frame.picture.nodes) for frame in film.frames]
    assert nodes == [0, 3, 5, 1]
