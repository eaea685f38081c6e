"""Films: one layout for all frames, and frames as data."""

import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import kernelsim as ks
from kernelsim.view import Field, PictureBuilder, engine, film, process_tree, scenes, task_list
from kernelsim.view.film import Film, Frame
from tests.view import sample

HOSTILE = [
    b"<img src=x onerror=alert(1)>",
    b'"];}',
    b"a\nb",
    "😀宽".encode(),
    b"",
    b"</script><script>alert(1)</script>",
    b"x" * 1000,
]


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


# -- one layout ---------------------------------------------------------------------------------


def test_a_film_of_one_picture_draws_it_as_the_picture_draws_itself():
    for picture in sample.figures():
        assert Film(picture.title, [Frame(picture)]).pictures[0].svg == picture.svg


@pytest.mark.parametrize("view", [task_list, process_tree])
def test_all_frames_have_one_size_and_no_two_boxes_overlap(view):
    drawn = [picture.svg for picture in shoot(view, life()).pictures]
    assert len({size(svg) for svg in drawn}) == 1
    _, _, width, height = map(float, size(drawn[0]).split())
    for svg in drawn:
        places = list(boxes(svg).values())
        for number, (x, y, w, h) in enumerate(places):
            assert 0 <= x <= x + w <= width
            assert 0 <= y <= y + h <= height
            for a, b, c, d in places[number + 1 :]:
                assert x + w <= a or a + c <= x or y + h <= b or b + d <= y


def test_a_process_stays_where_it_is_unless_it_gets_another_parent():
    looks = life()
    played = shoot(process_tree, looks)
    assert begins(played) == [0]
    before, parents, moved = {}, {}, []
    for look, picture in zip(looks, played.pictures, strict=True):
        now = boxes(picture.svg)
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
        for node, box in boxes(picture.svg).items():
            assert places.setdefault(node, box) == box
    assert size(played.pictures[0].svg) == size(rows("abcd").pictures[0].svg)


def test_structures_that_are_never_seen_together_share_a_place():
    played = rows("ab", "ac", "ad")
    places = [boxes(picture.svg) for picture in played.pictures]
    assert len({tuple(sorted(map(tuple, place.values()))) for place in places}) == 1


def test_a_row_that_is_turned_round_begins_a_new_scene():
    assert begins(rows("abc", "abc", "acb", "acb")) == [0, 2]


def test_a_row_that_wanders_on_begins_a_new_scene_before_it_becomes_long():
    played = rows("abc", "bcd", "cde", "def", "efg", "fgh")
    assert begins(played) == [0, 3]
    assert size(played.pictures[0].svg) == size(rows("abcde").pictures[0].svg)


def test_a_record_that_is_taller_at_times_pushes_nothing_aside():
    shown = [row("a", "b"), row("a", "b", tall="a"), row("a", "b")]
    drawn = [boxes(p.svg) for p in Film("rows", map(Frame, shown)).pictures]
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
    assert [len(boxes(p.svg)) for p in played.pictures] == [len(p.nodes) for p in pictures]
    assert len({size(p.svg) for p in played.pictures}) == 1


def test_what_is_new_comes_behind_what_stands_before_it():
    assert scenes.merge([], "abc") == ["a", "b", "c"]
    assert scenes.merge(["a", "c"], "abdc") == ["a", "b", "d", "c"]
    assert scenes.merge(["a", "c"], "xcy") == ["x", "a", "c", "y"]


# -- frames as data -----------------------------------------------------------------------------


def edited(before, edits):
    """What `front/player.js` does with edits."""
    steps, at = [], 0
    while at < len(edits):
        where, gone, come = edits[at : at + 3]
        steps.append((where, gone, edits[at + 3 : at + 3 + come]))
        at += 3 + come
    found = list(before)
    for where, gone, come in reversed(steps):
        found[where : where + gone] = come
    return found


def unrolled(data):
    parts, lines = [], []
    for drawn, said, sentence, call in data["frames"]:
        parts, lines = edited(parts, drawn), edited(lines, said)
        texts = [data["pool"][line] for part in parts for line in data["elements"][part]]
        words = "\n".join(data["pool"][line] for line in lines)
        yield texts, words, data["pool"][sentence], data["pool"][call]


def test_the_data_of_a_film_are_all_its_frames():
    played = shoot(task_list, life())
    data = json.loads(json.dumps(played.data()))
    found = list(unrolled(data))
    assert [(words, sentence) for _, words, sentence, _ in found] == [
        (frame.picture.text, frame.sentence) for frame in played.frames
    ]
    # Nodes are drawn in the corner and moved from there; all else is as in the picture.
    for (texts, *_), picture in zip(found, played.pictures, strict=True):
        svg = data["sheet"].replace("</svg>", "\n".join(texts) + "</svg>")
        moved = re.findall(
            r'<g transform="translate\(([\d.]+) ([\d.]+)\)">\n<g class="ks-node', svg
        )
        own = boxes(picture.svg)
        corners = {(round(x, 1), round(y, 1)) for x, y, *_ in own.values()}
        assert {(float(x), float(y)) for x, y in moved} == corners
        assert [box[2:] for box in boxes(svg).values()] == [box[2:] for box in own.values()]
        edges = [line for line in picture.svg.split("\n") if "ks-edge" in line]
        assert edges == [line for line in svg.split("\n") if "ks-edge" in line]


def busy(view, **options):
    k = ks.boot()
    bash = k.spawn("bash")
    for _ in range(24):
        k.call(bash, "fork")
    at = [k.now]
    while len(at) <= 200:
        child = k.task(k.call(k.tasks()[5 + len(at) % 7], "fork"))
        at.append(k.now)
        k.call(child, "exit", 1)
        at.append(k.now)
        k.call(child.real_parent, "waitpid", -1, 0)
        at.append(k.now)
    return shoot(view, [k.at(t) for t in at[:201]], limit=40, **options)


@pytest.mark.parametrize("view", [process_tree, task_list])
def test_two_hundred_steps_of_thirty_boxes_are_a_megabyte_at_most(view):
    played = busy(view)
    assert len(played) == 201
    assert max(len(frame.picture.nodes) for frame in played.frames) >= 29
    assert len(played.html().encode()) <= 1_000_000


def test_the_same_film_is_the_same_bytes_whatever_the_seed_of_hashes():
    program = (
        "import hashlib; from tests.view import test_film as t\n"
        "from kernelsim.view import process_tree, task_list\n"
        "html = ''.join(t.shoot(v, t.life()).html() for v in (process_tree, task_list))\n"
        "print(hashlib.sha256(html.encode()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True, text=True, check=True,
        ).stdout.strip()
        for seed in ("0", "1", "77")
    }  # fmt: skip
    here = "".join(shoot(v, life()).html() for v in (process_tree, task_list))
    assert found == {hashlib.sha256(here.encode()).hexdigest()}


def test_the_figure_is_a_picture_with_its_data_and_one_can_read_them():
    played = shoot(process_tree, life())
    html = played.html()
    assert html.startswith('<figure class="kernelsim-figure" data-kernelsim="player"><img alt="')
    stored = re.search(
        r'<script type="application/json" class="kernelsim-data">(.*)</script>', html
    )
    assert "<" not in stored.group(1)
    assert json.loads(stored.group(1)) == played.data()
    assert "process_tree, step 8 of 8. at " in html


def test_the_still_frame_is_the_last_one_or_the_one_chosen():
    frames = shoot(process_tree, life()).frames
    assert Film("t", frames).still == 8
    assert Film("t", frames, still=2).still == 2
    assert "t, step 2 of 8. " in Film("t", frames, still=2).html()
    with pytest.raises(IndexError, match="no frame 9: the film has 9"):
        Film("t", frames, still=9)


def test_hostile_names_are_text_in_every_frame():
    frames = []
    for count in range(len(HOSTILE)):
        builder = PictureBuilder("hostile")
        for number, name in enumerate(HOSTILE[: count + 1]):
            builder.node(f"n{number}", [name or "?"], fields=[Field("comm", name.decode())])
        frames.append(Frame(builder.picture(), HOSTILE[count].decode(), HOSTILE[count].decode()))
    played = Film(HOSTILE[0].decode(), frames)
    for picture in played.pictures:
        assert not [
            e for e in sample.parse(picture.svg).iter() if e.tag.endswith(("img", "script"))
        ]
    html = played.html()
    assert html.count("<script") == html.count("</script") == html.count("<img") == 1
    assert "<img src=x" not in html
    assert [sentence for *_, sentence, _ in unrolled(played.data())][2] == r"a\nb"


def test_an_empty_film_says_that_there_is_nothing_to_play():
    nothing = Film("nothing", [])
    assert nothing.text == "nothing: there is nothing to play."
    assert nothing.pictures == ()
    assert nothing.data()["frames"] == []
    bundle = nothing._repr_mimebundle_()
    assert "image/svg+xml" not in bundle
    assert "<img" not in bundle["text/html"]


def test_a_film_of_a_thousand_frames_is_told_in_few_lines():
    pictures = [row(*"abcdefgh"[: 2 + number % 5]) for number in range(5)]
    played = Film("long", [Frame(pictures[n % 5], f"step {n}") for n in range(1000)])
    assert len(played.data()["frames"]) == 1000
    lines = played.text.split("\n")
    assert lines[0] == "long, 999 steps:"
    assert "… 959 more steps …" in lines
    assert len(lines) < 60
    assert len(played.html()) < 200_000


def test_without_a_layout_engine_a_film_is_its_words():
    played = Film("t", shoot(process_tree, life()).frames, engine="none")
    bundle = played._repr_mimebundle_()
    assert list(bundle) == ["text/plain"]
    assert "(no drawing: no layout engine 'none'" in bundle["text/plain"]
    with pytest.raises(engine.EngineError):
        played.html()


def test_a_figure_of_another_kind_carries_its_data_too():
    html = film.figure("question", None, "a < b", {"x": "</script>"})
    assert html == (
        '<figure class="kernelsim-figure" data-kernelsim="question"><figcaption>a &lt; b</figcaption>'
        '<script type="application/json" class="kernelsim-data">'
        '{"x":"\\u003c/script>"}</script></figure>'
    )
