"""Drills: the same question for the same seed anywhere, each with one right answer, computed."""

import functools
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kernelsim import exercise
from kernelsim.exercise import drill
from kernelsim.view import Picture

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(int(os.environ.get("KERNELSIM_SEEDS", "20")))  # more of them by hand: 200
LEVELS = (1, 2, 3)
each_topic = pytest.mark.parametrize(
    ("topic", "level"), [(topic, level) for topic in exercise.topics() for level in LEVELS]
)


@functools.cache
def asked(topic, level):
    return [exercise.ask(topic, seed, level) for seed in SEEDS]


# Those with options, and those with none.
def choices(topic, level):
    return [q for q in asked(topic, level) if q.kind == "choice"]


@each_topic
def test_every_question_has_one_right_option_and_feedback_for_each(topic, level):
    for q in choices(topic, level):
        texts = [option.text for option in q.options]
        assert 2 <= len(texts) <= 4
        assert all(texts)
        assert len(set(texts)) == len(texts)
        assert all(option.feedback for option in q.options)
        verdicts = [q.check(i) for i in range(len(texts))]
        assert sum(map(bool, verdicts)) == 1
        assert verdicts[q.right].feedback.startswith("Yes")
        wrong = [v.feedback for v in verdicts if not v]
        assert not any(feedback.startswith("Yes") for feedback in wrong)


@each_topic
def test_questions_without_options_know_the_right_answer_and_usual_wrong_ones(topic, level):
    for q in asked(topic, level):
        if q.kind == "choice":
            continue
        assert q.check(q.right)
        assert q.check(q.right).feedback.startswith("Yes")
        wrong = [answer for answer in q._near if answer != q.right]
        assert len(wrong) >= 2
        assert not any(q._near[answer].startswith("Yes") for answer in wrong)


@each_topic
def test_questions_vary_and_so_does_the_place_of_the_right_option(topic, level):
    found = asked(topic, level)
    assert len({str(q) for q in found}) >= len(SEEDS) * 0.8
    assert len({q.did for q in found}) > 1
    places = [q.right for q in choices(topic, level)]
    if places:
        assert len(set(places)) >= 3
        assert max(map(places.count, places)) <= len(places) * 0.6


@each_topic
def test_most_questions_have_four_options(topic, level):
    sizes = [len(q.options) for q in choices(topic, level)]
    assert sum(size == 4 for size in sizes) >= len(sizes) // 2


@each_topic
def test_what_is_shown_afterwards_is_a_picture(topic, level):
    shown = asked(topic, level)[3].shows()
    assert shown is None or isinstance(shown, Picture)
    if shown is not None:
        assert "<svg" in shown.svg


def test_hard_questions_are_longer_than_easy_ones_or_have_no_options():
    for topic in exercise.topics():
        easy, hard = (sum(len(q.prompt) for q in asked(topic, level)) for level in (1, 3))
        assert hard > easy or not choices(topic, 3) or topic == "the status word", topic


ALL = """
import hashlib
from kernelsim import exercise
text = "".join(str(exercise.ask(t, s, n)) for t in exercise.topics() for n in (1, 2, 3) for s in range(2))
print(hashlib.sha256(text.encode()).hexdigest())
"""


def test_another_process_with_another_hash_seed_asks_the_same():
    text = "".join(
        str(exercise.ask(t, s, n)) for t in exercise.topics() for n in (1, 2, 3) for s in range(2)
    )
    done = subprocess.run(
        [sys.executable, "-c", ALL],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == hashlib.sha256(text.encode()).hexdigest()


# Python promises the sequence of random() for a seed, not that of choice() and shuffle().
def test_the_dice_fall_as_they_always_did():
    dice = drill.Dice("container_of:1")
    assert [dice.below(6) for _ in range(10)] == [2, 0, 2, 3, 0, 2, 1, 2, 0, 5]
    assert dice.shuffled("abcde") == ["a", "d", "e", "b", "c"]


def test_dice_are_fair_enough_and_stay_in_range():
    dice = drill.Dice("x")
    rolls = [dice.below(6) for _ in range(6000)]
    assert all(800 < rolls.count(n) < 1200 for n in range(6))
    assert sorted(dice.shuffled(range(9))) == list(range(9))


def test_an_unknown_topic_and_a_seed_that_is_none_are_clear_errors():
    with pytest.raises(LookupError, match="no drills about 'lists'; there are between the stores"):
        exercise.ask("lists", 1)
    for seed in ("1", 1.5, True, None):
        with pytest.raises(TypeError, match="a seed is a whole number"):
            exercise.ask("bytes", seed)
    for level in ("1", 1.5, True, None):
        with pytest.raises(TypeError, match="a level is a whole number"):
            exercise.ask("bytes", 1, level)
    for level in (0, 4, -1):
        with pytest.raises(ValueError, match="they are 1, 2 and 3"):
            exercise.ask("bytes", 1, level)
    with pytest.raises(LookupError, match="no drills about 7"):
        exercise.ask(7)


def test_a_topic_may_be_written_with_hyphens():
    assert exercise.ask("the-next-pid", 4).prompt == exercise.ask("the next pid", 4).prompt
    assert exercise.questions("The-Next-PID").topics == ("the next pid",)


def test_all_questions_of_some_topics_come_in_turn_at_one_level():
    of = exercise.questions("bytes", "container_of", level=3)
    assert [of(n).prompt for n in (1, 2, 3)] == [
        exercise.ask(*which, level=3).prompt
        for which in (("bytes", 1), ("container_of", 1), ("bytes", 2))
    ]


# --- outside oracles: what C would say, in Python's own lists and arithmetic --------------------


def test_container_of_is_the_address_less_the_offset_given_in_the_question():
    for seed in SEEDS:
        q = exercise.ask("container_of", seed, level=2)
        lines = q.prompt.splitlines()
        table = [line.strip(" `").split() for line in lines[2:-1]]
        pointer = int(lines[0].partition(" is ")[2].partition(",")[0], 16)
        member = lines[0].partition("`")[2].partition("`")[0]
        offset = next(int(row[-1], 16) for row in table if row[0] == member)
        assert q.options[q.right].text == f"{pointer - offset:#x}"


# Play calls such as "list_add(&C.link, &head)" on a Python list.
def played(order, calls):
    for call in calls:
        function, _, rest = call.strip(" `").partition("(")
        name = rest[1]
        if function not in {"list_add", "list_add_tail"}:
            order.remove(name)
        if function in {"list_add", "list_move"}:
            order.insert(0, name)
        elif function in {"list_add_tail", "list_move_tail"}:
            order.append(name)
    return " ".join(order)


def test_forwards_and_backwards_agree_with_pythons_lists():
    for seed in SEEDS:
        q = exercise.ask("what will the list be", seed)
        first, *calls = q.prompt.splitlines()
        order = first.partition(" is ")[2].partition(".")[0].split()
        assert q.options[q.right].text == played(order, calls)
        q = exercise.ask("which calls led here", seed)
        before, _, after = q.prompt.partition(", and now is ")
        order = before.removeprefix("The list was ").split()
        end = after.partition(".")[0]
        ends = [played(list(order), option.text.split("; ")) for option in q.options]
        assert [i for i, led in enumerate(ends) if led == end] == [q.right]


def test_the_bytes_of_a_link_are_little_endian():
    for seed in SEEDS:
        q = exercise.ask("bytes", seed)
        lines = q.prompt.splitlines()
        data = bytes.fromhex(lines[1].strip(" `").replace(" ", ""))
        table = dict(line.strip(" `").split() for line in lines[3:-1])
        word = data[:8] if "`next`" in lines[-1] else data[8:]
        address = f"{int.from_bytes(word, 'little'):#x}"
        assert table[q.options[q.right].text] == address


def test_the_processes_are_those_that_a_model_of_fork_and_exit_leaves():
    for seed in SEEDS:
        q = exercise.ask("who is on the process list", seed)
        first, *steps = q.prompt.splitlines()[:-1]
        shells = first.partition("shell")[2].partition(".")[0].lstrip("s ").split(", ")
        alive = [1, 2, *map(int, shells)]
        highest = alive[-1]
        for step in steps:
            if "fork" in step:
                highest += 1
                alive.append(highest)
            else:
                alive.remove(int(step.split()[1]))
        assert q.options[q.right].text == " ".join(map(str, alive))
