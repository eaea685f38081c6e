"""A picture's four faces agree: drawing, DOT, words, table."""

import base64
import re

import pytest

from kernelsim.view import Field, PictureBuilder, dot, draw, engine, layout, style
from tests.view import sample

SVG = sample.SVG


@pytest.fixture(params=range(len(sample.figures())))
def picture(request):
    return sample.figures()[request.param]


def rectangle(element):
    return tuple(float(element.get(key)) for key in ("x", "y", "width", "height"))


def test_every_node_and_edge_is_drawn_once_and_named_after_its_address(picture):
    root = sample.parse(picture.svg)
    drawn = [group.get("id") for group in root.iter(SVG + "g") if group.get("id")]
    assert sorted(drawn) == sorted(
        [f"n-{node.id}" for node in picture.nodes] + [f"e-{edge.id}" for edge in picture.edges]
    )
    for group in root.iter(SVG + "g"):
        if group.get("data-address"):
            assert int(group.get("data-address"), 16) == int("0x" + group.get("id")[2:], 0)


def test_every_edge_says_where_its_pointer_lies_and_what_it_holds(picture):
    root = sample.parse(picture.svg)
    for edge in picture.edges:
        group = root.find(f".//{SVG}g[@id='e-{edge.id}']")
        assert group.get("data-src") == f"n-{edge.src}"
        assert group.get("data-dst") == f"n-{edge.dst}"
        if edge.pointer:
            assert group.get("data-pointer") == f"{edge.pointer:#018x}"
            assert group.get("data-target") == f"{edge.target:#018x}"


def ends(group):
    """Start of an edge's path and tip of its arrow head."""
    path, head = (e.get("d") for e in group.findall(SVG + "path")[:2])
    start = re.match(r"M(\S+) ([-\d.]+)", path)
    tip = re.search(r"L(\S+) ([-\d.]+)L", head)
    return tuple(map(float, start.groups())), tuple(map(float, tip.groups()))


def test_an_edge_leaves_at_its_field_and_arrives_at_the_list_head_in_the_middle_of_a_struct():
    picture = sample.ring(["a", "b", "c"])
    root = sample.parse(picture.svg)
    boxes = {
        group.get("id"): rectangle(group.find(SVG + "rect"))
        for group in root.iter(SVG + "g")
        if group.get("data-address")
    }
    rows = {}  # of each field: the height at which its name stands
    for node in picture.nodes:
        group = root.find(f".//{SVG}g[@id='n-{node.id}']")
        for word in group.findall(SVG + "text"):
            rows[node.id, word.text] = float(word.get("y")) - 5
    for edge in picture.edges:
        start, tip = ends(root.find(f".//{SVG}g[@id='e-{edge.id}']"))
        x, _, width, _ = boxes[f"n-{edge.src}"]
        assert start[0] == pytest.approx(x if edge.kind == "prev" else x + width, abs=0.2)
        assert start[1] == pytest.approx(rows[edge.src, "." + edge.src_port[6:]], abs=0.2)
        x, y, width, height = boxes[f"n-{edge.dst}"]
        assert tip[0] == pytest.approx(x if edge.kind == "next" else x + width, abs=0.2)
        assert tip[1] == pytest.approx(rows[edge.dst, "tasks"], abs=0.2)
        assert y + 40 < tip[1] < y + height - 40


def test_headings_stand_level_though_the_pointers_pull_at_them():
    root = sample.parse(sample.ring(["a", "b", "c", "d"]).svg)
    tops = {
        rectangle(group.find(SVG + "rect"))[1]
        for group in root.iter(SVG + "g")
        if group.get("data-address")
    }
    assert max(tops) - min(tops) < 1


def test_a_ring_is_closed_below_the_row_and_touches_no_box():
    root = sample.parse(sample.ring(["a", "b", "c", "d"]).svg)
    low = max(
        y + height
        for x, y, width, height in (
            rectangle(g.find(SVG + "rect")) for g in root.iter(SVG + "g") if g.get("data-address")
        )
    )
    lanes = []
    for group in root.iter(SVG + "g"):
        path = group.find(SVG + "path")
        if "ks-edge" in group.get("class", "") and "Q" in path.get("d"):
            lanes.append(
                max(float(y) for y in re.findall(r"[ML ][-\d.]+ ([-\d.]+)", path.get("d")))
            )
    assert len(lanes) == 2
    assert all(lane > low + 20 for lane in lanes)
    assert abs(lanes[0] - lanes[1]) > 10


def test_words_name_every_node_and_every_edge(picture):
    lines = picture.text.splitlines()
    assert len(lines) == 1 + len(picture.nodes) + len(picture.edges)
    for node, line in zip(picture.nodes, lines[1:], strict=False):
        assert line.startswith(node.label)
        assert f"{node.address:#018x}" in line
    names = {node.id: node.label for node in picture.nodes}
    for edge, line in zip(picture.edges, lines[1 + len(picture.nodes) :], strict=True):
        assert re.fullmatch(
            f"{edge.name or edge.src_port} of {names[edge.src]} points to .*{names[edge.dst]}.*",
            line,
        )


def test_a_changed_field_is_marked_by_shape_and_word_and_not_by_colour_alone():
    before, after = sample.ring(["a", "b", "c"]), sample.ring(["a", "b", "c"], changed=1)
    assert 'class="ks-mark"' not in before.svg.replace(style.css(), "")
    assert after.svg.count('class="ks-mark"') == 3  # the row, the arrow, the legend
    assert "[changed, was 0x1]" in after.text
    assert "[changed]" in after.text


def test_the_table_has_a_row_for_each_node_with_its_fields_by_name():
    rows = sample.ring(["a", "b"]).table()
    assert [row["node"] for row in rows] == ["a", "b"]
    assert rows[0]["tasks.next"] == f"{sample.FIRST + sample.STEP + sample.TASKS:#018x}"
    assert rows[0]["address"] == f"{sample.FIRST:#018x}"


def test_the_bundle_carries_words_drawing_and_a_figure_with_an_image(picture):
    bundle = picture._repr_mimebundle_()
    assert list(bundle) == ["text/plain", "image/svg+xml", "text/html"]
    assert bundle["text/plain"] == picture.text
    data = re.search(r"base64,([^\"]*)", bundle["text/html"]).group(1)
    assert base64.b64decode(data).decode() == picture.svg == bundle["image/svg+xml"]
    alternative = re.search(r'alt="([^"]*)"', bundle["text/html"]).group(1)
    assert alternative == draw.attribute(picture.summary)


def test_a_drawing_is_named_for_who_cannot_see_it(picture):
    root = sample.parse(picture.svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == picture.summary == root.find(SVG + "desc").text
    assert root.find(SVG + "title").text == picture.title


def test_a_drawing_needs_nothing_from_elsewhere(picture):
    svg = picture.svg.replace('xmlns="http://www.w3.org/2000/svg"', "")
    for outside in ("http", "url(", "@import", "@font-face", "href", "<script", "<image"):
        assert outside not in svg


def test_no_text_is_smaller_than_twelve_pixels():
    sizes = [float(size) for size in re.findall(r"font(?:-size)?:([\d.]+)px", style.css())]
    assert sizes
    assert min(sizes) >= 12


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    parts = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other):
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("theme", [style.LIGHT, style.DARK], ids=["light", "dark"])
def test_text_has_contrast_enough_on_each_ground(theme):
    inks = ("ink", "dim", "blue", "orange", "green", "violet", "ochre", "grey", "mark")
    for ink in inks:
        for ground in ("ground", "face"):
            assert contrast(theme[ink], theme[ground]) >= 4.5, (ink, ground)
    for ground in ("band", "markbg"):
        assert contrast(theme["ink"], theme[ground]) >= 4.5
        assert contrast(theme["dim"], theme[ground]) >= 4.5
    for badge in ("blue", "orange", "green", "violet", "ochre", "grey", "dim"):
        assert contrast(theme["badgeink"], theme[badge]) >= 4.5, badge
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in theme.values())


def test_the_repr_is_stable_and_names_no_object():
    assert repr(sample.ring(["a", "b"])) == "Picture('The ring', 2 nodes, 4 edges)"


def test_a_picture_is_saved_by_its_suffix(tmp_path):
    picture = sample.ring(["a", "b"])
    assert picture.save(tmp_path / "p.svg").read_text() == picture.svg
    assert picture.save(str(tmp_path / "p.gv")).read_text() == picture.dot
    assert picture.save(tmp_path / "p.txt").read_text() == picture.text + "\n"
    with pytest.raises(ValueError, match=r"not '\.png'"):
        picture.save(tmp_path / "p.png")


def test_a_box_that_stands_for_many_says_how_many():
    builder = PictureBuilder("t")
    builder.fold("more", 9987, "tasks", detail="pids 14 … 10000")
    picture = builder.picture()
    assert picture.nodes[0].folded == 9987
    assert "9 987 more tasks (pids 14 … 10000)" in picture.text
    assert 'data-folded="9987"' in picture.svg


def test_a_picture_does_not_change_when_its_builder_goes_on():
    builder = PictureBuilder("t")
    builder.node("a", "a")
    picture = builder.picture()
    builder.node("b", "b")
    builder.note("later")
    assert [node.id for node in picture.nodes] == ["a"]
    assert picture.summary == "t: 1 node, 0 edges."


def test_nodes_of_a_cluster_stand_inside_its_frame():
    builder = PictureBuilder("t")
    builder.node("out", "outside")
    builder.cluster("ns", "pid namespace <1>")
    builder.node("in", "inside")
    builder.cluster()
    builder.edge("out", None, "in")
    root = sample.parse(builder.picture().svg)
    x, y, width, height = rectangle(root.find(f".//{SVG}rect[@class='ks-cluster']"))
    bx, by, bw, bh = rectangle(root.find(f".//{SVG}g[@id='n-in']/{SVG}rect"))
    assert x < bx < bx + bw < x + width
    assert y < by < by + bh < y + height
    assert "pid namespace <1>" in [e.text for e in root.iter(SVG + "text")]


def test_nodes_kept_on_one_rank_stand_level():
    builder = PictureBuilder("t", "TB")
    for name in "abc":
        builder.node(name, name)
    builder.edge("a", None, "b")
    builder.same_rank("b", "c")
    root = sample.parse(builder.picture().svg)
    tops = [rectangle(root.find(f".//{SVG}g[@id='n-{n}']/{SVG}rect"))[1] for n in "abc"]
    assert tops[1] == tops[2] > tops[0]


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda b: b.node("a", "again"), "two nodes with the id a"),
        (lambda b: b.edge("a", None, "z"), "an edge to z, which is not in the picture"),
        (lambda b: b.edge("a", "p", "a"), "the node a has no port 'p'"),
        (lambda b: b.edge("r", "q", "a"), "the node r has no port 'q'"),
        (lambda b: [b.edge("a", None, "r"), b.edge("a", None, "r")], "two edges with the id"),
        (lambda b: b.record("s", []), "a record needs a heading"),
        (lambda b: b.node("s", []), "a node needs a line of text"),
        (lambda b: b.record("s", ["s"], [Field("x", port="p")] * 2), "two fields with one port"),
        (lambda b: b.record("s", ["s"], [Field("x", port="p q")]), "cannot be a port"),
        (lambda _: PictureBuilder("t", "BT"), "rankdir is 'TB' or 'LR', not 'BT'"),
    ],
)
def test_a_view_that_builds_nonsense_is_told_at_once(call, problem):
    builder = PictureBuilder("t")
    builder.node("a", "a")
    builder.record("r", ["r"], [Field("x", port="p")])
    with pytest.raises(ValueError, match=problem):
        call(builder)


def test_frames_stand_in_frames():
    builder = PictureBuilder("t")
    builder.cluster("a", "level 0")
    builder.node("one", "1")
    builder.cluster("a.b", "level 1")
    builder.node("two", "2")
    builder.cluster("c", "beside")
    builder.node("three", "3")
    picture = builder.picture()
    left, top = draw.margins(picture._graph)
    answer = engine.layout(dot.compose(picture._graph, layout=True))
    placed = layout.read(answer, picture._graph, left, top)
    outer, inner, other = (placed.clusters[place] for place in range(3))
    assert outer.x0 < inner.x0 < inner.x1 < outer.x1
    assert outer.y0 < inner.y0 < inner.y1 < outer.y1
    assert other.x0 >= outer.x1 or other.x1 <= outer.x0
    for node, frame in (("one", outer), ("two", inner), ("three", other)):
        box = placed.boxes[node]
        assert frame.x0 < box.x0 < box.x1 < frame.x1
    assert picture.svg.count('class="ks-cluster"') == 3


def test_a_register_file_marks_what_changed():
    builder = PictureBuilder("t")
    builder.registers("r", ["registers"], {"ax": 57, "di": 1}, {"ax": 0, "di": 1})
    (node,) = builder.picture().nodes
    assert [(f.name, f.value, f.changed, f.was) for f in node.fields] == [
        ("ax", f"{57:#018x}", True, f"{0:#018x}"),
        ("di", f"{1:#018x}", False, None),
    ]


def test_memory_is_rows_of_eight_bytes_with_their_text():
    builder = PictureBuilder("t")
    builder.memory("m", ["comm"], b"bash\0<b>\xff!", 0x390, b"bash\0<b>\0!")
    (node,) = builder.picture().nodes
    assert [(f.offset, f.name, f.value, f.changed) for f in node.fields] == [
        (0x390, "62 61 73 68 00 3c 62 3e", "bash·<b>", False),
        (0x398, "ff 21", "·!", True),
    ]
    assert node.fields[1].was == "00 21"
