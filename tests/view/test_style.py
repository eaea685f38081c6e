"""The colours can be read by everybody, and say nothing that a sign does not say, too."""

import itertools
import re

import pytest

from kernelsim.view import style
from kernelsim.view.tasks import KINDS, WORDS
from kernelsim.widget import scripts

# What the three kinds of colour blindness make of linear RGB (Viénot, Brettel and Mollon 1999; the
# tritanope by Brettel's plane for warm colours is near enough to compare lightness).
BLIND = {
    "protanopia": ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, -0.0), (0.00401, -0.00401, 1.0)),
    "deuteranopia": ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, -0.0), (-0.02234, 0.02234, 1.0)),
    "tritanopia": ((1.01, 0.13, -0.14), (0.0, 0.87, 0.13), (0.0, 0.82, 0.18)),
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
}
THEMES = {"light": style.LIGHT, "dark": style.DARK}
each_theme = pytest.mark.parametrize("theme", THEMES)


def linear(colour):
    values = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]


def luminance(colour, seen="none"):
    rgb = linear(colour)
    rows = [sum(a * b for a, b in zip(row, rgb, strict=True)) for row in BLIND[seen]]
    return sum(
        share * min(max(v, 0), 1) for share, v in zip((0.2126, 0.7152, 0.0722), rows, strict=True)
    )


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def lightness(colour, seen):
    y = luminance(colour, seen)
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y


@each_theme
@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        *itertools.product(("ink", "dim"), ("ground", "face", "band", "markbg")),
        *itertools.product(("blue", "orange", "green", "violet", "grey", "mark"), ("ground", "face")),
        ("violet", "band"),
        *itertools.product(("badgeink",), sorted({look.colour for look in style.NODES.values()} - {"mark"})),
        ("ground", "mark"),
        ("ground", "violet"),
    ],
)  # fmt: skip
def test_words_stand_out_from_what_they_stand_on(theme, ink, ground):
    assert contrast(THEMES[theme][ink], THEMES[theme][ground]) >= 4.5


@each_theme
@pytest.mark.parametrize(
    "line", ["line", "grey", "blue", "orange", "green", "violet", "ochre", "mark"]
)
def test_lines_stand_out_from_what_they_stand_on(theme, line):
    for ground in ("ground", "face"):
        assert contrast(THEMES[theme][line], THEMES[theme][ground]) >= 3


@each_theme
@pytest.mark.parametrize("seen", BLIND)
@pytest.mark.parametrize("kinds", [style.NODES, style.EDGES], ids=["nodes", "edges"])
def test_two_kinds_differ_in_a_sign_or_in_lightness_whatever_colours_are_seen(theme, seen, kinds):
    for (one, a), (other, b) in itertools.combinations(kinds.items(), 2):
        if a == b or a.sign != b.sign:
            continue  # one look for both, which the legend names; or a sign tells them apart
        colours = [THEMES[theme][look.colour] for look in (a, b)]
        difference = abs(lightness(colours[0], seen) - lightness(colours[1], seen))
        assert difference >= 8, (one, other, seen)


def test_a_kind_has_the_sign_that_the_table_says():
    css = style.css()
    for kind, look in style.EDGES.items():
        if look.sign != "solid":
            assert f".ks-edge.ks-{kind} path{{stroke-dasharray:{style.DASHES[look.sign]}}}" in css
    for letter, kind in KINDS.items():
        assert letter in WORDS
        sign = style.NODES[kind].sign
        same = [other for other, name in KINDS.items() if name == kind]
        assert sign[0] in same, f"{kind} is drawn with the letter of one of its states"
    assert ".ks .ks-zombie .ks-face{stroke-dasharray" in css
    assert ".ks .ks-fold .ks-face{stroke-dasharray" in css


def test_a_rare_kind_carries_its_looks_and_no_other_picture_has_any_of_it():
    assert style.inline("next") == ("", "")
    for kind, look in style.RARE.items():
        assert kind not in style.EDGES
        assert f"ks-{kind}" not in style.css()
        assert look.colour in style.LIGHT
    assert style.inline("path") == (' style="--c:var(--ks-violet)"', ' style="stroke-width:5"')


def test_a_solid_line_is_one_that_the_legend_names():
    solid = {look.colour for look in style.EDGES.values() if look.sign == "solid"}
    assert solid == {"grey", "blue"}


def test_every_colour_that_is_used_is_one_of_both_themes_and_of_the_forced_ones():
    css = style.css()
    used = set(re.findall(r"var\(--ks-([a-z]+)\)", css)) | set(
        re.findall(r"var\(--c,var\(--ks-([a-z]+)", css)
    )
    assert used <= set(style.LIGHT) == set(style.DARK)
    forced = re.search(r"@media \(forced-colors:active\)\{(.*?)\}", css, re.DOTALL)[1]
    assert used <= set(re.findall(r"--ks-([a-z]+):Canvas", forced))


def variables(block):
    return dict(re.findall(r"--w-([a-z-]+): (?:var\(--jp-[a-z0-9-]+, )?(#[0-9a-f]{6})", block))


@pytest.mark.parametrize(
    ("theme", "marker"),
    [("light", '[data-theme="light"] .ksw'), ("dark", '[data-theme="dark"] .ksw')],
)
def test_the_widgets_words_stand_out_from_their_grounds(theme, marker):
    css = scripts.style("picture")
    block = css[css.index(marker) :].split("}", 1)[0]
    found = variables(block)
    for ink, ground in [
        ("ink", "ground"), ("ink", "soft"), ("dim", "ground"), ("dim", "soft"), ("strong", "ground"), ("strong", "soft"),
        ("strong-ink", "strong"), ("warn", "ground"), ("warn", "warn-ground"), ("ink", "warn-ground"), ("dim", "warn-ground"),
        ("good", "ground"), ("good", "soft"),
    ]:  # fmt: skip
        assert contrast(found[ink], found[ground]) >= 4.5, (ink, ground)
    assert contrast(found["line"], found["ground"]) >= 3
