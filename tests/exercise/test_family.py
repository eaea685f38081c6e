"""Families: the rules that wrong options bend are, unbent, those of the kernel."""

import pytest

from kernelsim.exercise import family
from kernelsim.exercise.drill import Dice
from kernelsim.exercise.family import Belief, Step, Story

KINDS = "fork fork fork orphan leaf wait subreaper"


def story(*steps):
    return Story(10, tuple(Step(*step) for step in steps))


@pytest.mark.parametrize("block", range(4))
def test_what_is_imagined_rightly_is_what_the_kernel_leaves(block):
    for seed in range(block * 25, (block + 1) * 25):
        made = family.story(Dice(f"family:{seed}"), 4 + seed % 9, KINDS)
        assert family.family_of(made.played()) == made.imagined(), str(made)


ORPHAN = story(("fork", 10, 11), ("fork", 11, 12), ("fork", 12, 13), ("exit", 11))


@pytest.mark.parametrize(
    ("belief", "tree"),
    [
        (Belief(), "1(10(11Z) 12(13))"),
        (Belief(orphans="grandparent"), "1(10(11Z 12(13)))"),
        (Belief(orphans="nobody"), "1(10(11Z))"),
        (Belief(orphans="all"), "1(10(11Z) 12 13)"),
        (Belief(orphans="stay"), "1(10(11Z(12(13))))"),
        (Belief(zombies=False), "1(10 12(13))"),
    ],
)
def test_each_wrong_idea_leaves_its_own_tree(belief, tree):
    assert family.tree(ORPHAN.imagined(belief)) == tree


def test_a_subreaper_adopts_before_init_and_keeps_its_zombies():
    made = story(("subreaper", 10), ("fork", 10, 11), ("fork", 11, 12), ("exit", 12), ("exit", 11))
    assert family.tree(made.imagined()) == "1(10(11Z 12Z))"
    assert family.tree(made.imagined(Belief(orphans="init"))) == "1(10(11Z))"
    assert family.family_of(made.played()) == made.imagined()


def test_a_story_reads_as_its_steps():
    assert str(ORPHAN) == "10 forks 11; 11 forks 12; 12 forks 13; 11 exits"
