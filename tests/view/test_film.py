"""Films: frames as data, figures and words."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import kernelsim as ks
from kernelsim.view import Field, PictureBuilder, engine, film, process_tree, task_list
from kernelsim.view.film import Film, Frame
from tests.view import reel, sample

HOSTILE = [
    b"<img src=x onerror=alert(1)>",
    b'"];}',
    b"a\nb",
    "😀宽".encode(),
    b"",
    b"</script><script>alert(1)</script>",
    b"x" * 1000,
]


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
    played = reel.shoot(task_list, reel.life())
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
        own = reel.boxes(picture.svg)
        corners = {(round(x, 1), round(y, 1)) for x, y, *_ in own.values()}
        assert {(float(x), float(y)) for x, y in moved} == corners
        assert [box[2:] for box in reel.boxes(svg).values()] == [box[2:] for box in own.values()]
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
    return reel.shoot(view, [k.at(t) for t in at[:201]], limit=40, **options)


@pytest.mark.parametrize("view", [process_tree, task_list])
def test_two_hundred_steps_of_thirty_boxes_are_a_megabyte_at_most(view):
    played = busy(view)
    assert len(played) == 201
    assert max(len(frame.picture.nodes) for frame in played.frames) >= 29
    assert len(played.html().encode()) <= 1_000_000


def test_the_same_film_is_the_same_bytes_whatever_the_seed_of_hashes():
    program = (
        "import hashlib; from tests.view import reel\n"
        "from kernelsim.view import process_tree, task_list\n"
        "html = ''.join(reel.shoot(v, reel.life()).html() for v in (process_tree, task_list))\n"
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
    here = "".join(reel.shoot(v, reel.life()).html() for v in (process_tree, task_list))
    assert found == {hashlib.sha256(here.encode()).hexdigest()}


def test_the_figure_is_a_picture_with_its_data_and_one_can_read_them():
    played = reel.shoot(process_tree, reel.life())
    html = played.html()
    assert html.startswith('<figure class="kernelsim-figure" data-kernelsim="player"><img alt="')
    stored = re.search(
        r'<script type="application/json" class="kernelsim-data">(.*)</script>', html
    )
    assert "<" not in stored.group(1)
    assert json.loads(stored.group(1)) == played.data()
    assert "process_tree, step 8 of 8. at " in html


def test_the_still_frame_is_the_last_one_or_the_one_chosen():
    frames = reel.shoot(process_tree, reel.life()).frames
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
    pictures = [sample.ring("abcdefgh"[: 2 + number]) for number in range(5)]
    played = Film("long", [Frame(pictures[n % 5], f"step {n}") for n in range(1000)])
    assert len(played.data()["frames"]) == 1000
    lines = played.text.split("\n")
    assert lines[0] == "long, 999 steps:"
    assert "… 959 more steps …" in lines
    assert len(lines) < 80
    assert len(played.html()) < 200_000


def test_without_a_layout_engine_a_film_is_its_words():
    played = Film("t", reel.shoot(process_tree, reel.life()).frames, engine="none")
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
