"""One layout for all frames of a film, scene by scene."""

import itertools
import re

import pytest

from kernelsim.view import Field, PictureBuilder, process_tree, scenes, task_list
from kernelsim.view.film import Film, Frame
from tests.view import reel, sample


def row(*names, tall="", wide=""):
    """A picture of records in a row; those in `tall` have a row more, the values in `wide` width."""
    builder = PictureBuilder("row", "LR")
    where = [sample.FIRST + ord(name) * sample.STEP for name in names]
    for name, address in zip(names, where, strict=True):
        more = [Field("more", "1")] if name in tall else []
        builder.record(
            address, [name], [Field("next", "…" * (9 if name in wide else 1), port="next"), *more]
        )
    builder.level(*where, port="next")
    builder.legend("next", "next")
    for one, other in itertools.pairwise(where):
        builder.edge(one, "next", other, "next", kind="next", route="direct")
    return builder.picture()


def rows(*names):
    return Film("rows", [Frame(row(*word)) for word in names])


def begins(played):
    return played._drawn.scenes


def test_a_film_of_one_picture_draws_it_as_the_picture_draws_itself():
    for picture in sample.figures():
        assert Film(picture.title, [Frame(picture)]).pictures[0].svg == picture.svg


@pytest.mark.parametrize("view", [task_list, process_tree])
def test_all_frames_have_one_size_and_no_two_boxes_overlap(view):
    drawn = [picture.svg for picture in reel.shoot(view, reel.life()).pictures]
    assert len({reel.size(svg) for svg in drawn}) == 1
    _, _, width, height = map(float, reel.size(drawn[0]).split())
    for svg in drawn:
        places = list(reel.boxes(svg).values())
        for number, (x, y, w, h) in enumerate(places):
            assert 0 <= x <= x + w <= width
            assert 0 <= y <= y + h <= height
            for a, b, c, d in places[number + 1 :]:
                assert x + w <= a or a + c <= x or y + h <= b or b + d <= y


def test_a_process_stays_where_it_is_unless_it_gets_another_parent():
    looks = reel.life()
    played = reel.shoot(process_tree, looks)
    assert begins(played) == [0]
    before, parents, moved = {}, {}, []
    for look, picture in zip(looks, played.pictures, strict=True):
        now = reel.boxes(picture.svg)
        parent = {f"n-{t.address_:016x}": t.real_parent.address_ for t in look.tasks()}
        for node in now.keys() & before.keys():
            if now[node] != before[node]:
                moved.append(node)
                assert parent[node] != parents[node]
        before, parents = now, parent
    assert len(moved) == 1  # the orphan


def test_a_task_of_a_row_keeps_its_place_while_others_come_and_go():
    played = rows("ab", "abc", "ac", "acd", "cd", "xcd")
    assert begins(played) == [0]
    places = {}
    for picture in played.pictures:
        for node, box in reel.boxes(picture.svg).items():
            assert places.setdefault(node, box) == box
    assert reel.size(played.pictures[0].svg) == reel.size(rows("abcd").pictures[0].svg)


def test_structures_that_are_never_seen_together_share_a_place():
    played = rows("ab", "ac", "ad")
    places = [reel.boxes(picture.svg) for picture in played.pictures]
    assert len({tuple(sorted(map(tuple, place.values()))) for place in places}) == 1


def test_a_row_that_is_turned_round_begins_a_new_scene():
    assert begins(rows("abc", "abc", "acb", "acb")) == [0, 2]


def test_a_row_that_wanders_on_begins_a_new_scene_before_it_becomes_long():
    played = rows("abc", "bcd", "cde", "def", "efg", "fgh")
    assert begins(played) == [0, 2, 4]
    assert reel.size(played.pictures[0].svg) == reel.size(rows("abcd").pictures[0].svg)


def test_a_record_that_is_taller_at_times_pushes_nothing_aside():
    shown = [row("a", "b"), row("a", "b", tall="a"), row("a", "b")]
    drawn = [reel.boxes(p.svg) for p in Film("rows", map(Frame, shown)).pictures]
    assert drawn[0] == drawn[2] != drawn[1]
    (low, high), other = ([d[node] for d in drawn[:2]] for node in sorted(drawn[0]))
    assert low[:3] == high[:3]
    assert low[3] < high[3]
    assert other[0] == other[1]


def test_values_stand_in_one_column_however_wide_they_are():
    shown = [row("a", "b"), row("a", "c", wide="c"), row("a", "d")]
    drawn = [sample.parse(p.svg) for p in Film("rows", map(Frame, shown)).pictures]
    values = [
        [t.get("x") for t in svg.iter(f"{sample.SVG}text") if t.text[0] == "…"] for svg in drawn
    ]
    assert values[0] == values[1] == values[2]


def test_what_stands_below_the_pictures_stays_where_it_is():
    shown = [row("a", "b"), row("b", "a", tall="a"), row("a", "b")]
    played = Film("rows", map(Frame, shown))
    assert begins(played) == [0, 1, 2]
    tops = [re.search(r'ks-foot" data-top="([\d.]+)"', p.svg).group(1) for p in played.pictures]
    assert len(set(tops)) == 1


def pointing(*pairs, new=""):
    """A picture of boxes that point to each other."""
    builder = PictureBuilder("arrows")
    for name in dict.fromkeys("".join(pairs)):
        builder.node(name, name, change="new" if name in new else "")
    for one, other in pairs:
        builder.edge(one, None, other, route="direct")
    return Frame(builder.picture())


def test_arrows_that_are_turned_round_begin_a_new_scene():
    played = Film(
        "arrows", [pointing("ab", "bc", "ac"), pointing("ab"), pointing("ba", "bc", "ac")]
    )
    assert begins(played) == [0, 2]
    circle = pointing("ab", "bc", "ca")
    assert begins(Film("circles", [circle, circle])) == [0]


def lefts(picture):
    return {node: left for node, (left, *_) in reel.boxes(picture.svg).items()}


def test_children_follow_each_other_as_in_each_picture():
    played = Film("tree", [pointing("pa", "pc"), pointing("pb", "pc"), pointing("pa", "pb")])
    assert begins(played) == [0]
    first, second, third = map(lefts, played.pictures)
    assert first["n-a"] < second["n-b"] < first["n-c"] == second["n-c"]
    assert third == {"n-p": first["n-p"], "n-a": first["n-a"], "n-b": second["n-b"]}


def test_children_that_change_places_begin_a_new_scene():
    played = Film("tree", [pointing("pa", "pb"), pointing("pb", "pa")])
    assert begins(played) == [0, 1]


def test_one_that_has_taken_the_memory_of_another_stands_where_it_belongs():
    first, last = pointing("pa", "pb"), pointing("pb", "pa", new="a")
    played = Film("tree", [first, last])
    assert begins(played) == [0]
    before, after = map(lefts, played.pictures)
    assert before["n-a"] < before["n-b"] == after["n-b"] < after["n-a"]


def test_rows_of_a_record_leave_no_gaps_where_others_are_at_times():
    def record(*names):
        builder = PictureBuilder("record", "LR")
        builder.record("r", ["r"], [Field(name, "1") for name in names])
        return Frame(builder.picture())

    played = Film("record", [record("a", "b", "c"), record("a", "c")])
    tall, low = (reel.boxes(picture.svg)["n-r"][3] for picture in played.pictures)
    assert low < reel.boxes(record("a", "c").picture.svg)["n-r"][3] + 2 < tall


def test_two_rows_that_become_one_begin_a_new_scene_if_they_would_collide():
    def two(*words):
        builder = PictureBuilder("rows", "LR")
        for word in words:
            for name in word:
                builder.record(name, [name], [Field("next", "…", port="next")])
            builder.level(*word, port="next")
        return builder.picture()

    played = Film("rows", [Frame(two("ab", "cd")), Frame(two("ad"))])
    assert begins(played) == [0, 1]
    assert begins(Film("rows", [Frame(two("ab", "cd")), Frame(two("ab"))])) == [0]


def test_pictures_of_all_sorts_can_be_one_film():
    pictures = sample.figures()
    played = Film("all", map(Frame, pictures))
    assert [len(reel.boxes(p.svg)) for p in played.pictures] == [len(p.nodes) for p in pictures]
    assert len({reel.size(p.svg) for p in played.pictures}) == 1


def test_what_is_new_comes_behind_what_stands_before_it():
    assert scenes.merge([], "abc") == ["a", "b", "c"]
    assert scenes.merge(["a", "c"], "abdc") == ["a", "b", "d", "c"]
    assert scenes.merge(["a", "c"], "xcy") == ["x", "a", "c", "y"]
