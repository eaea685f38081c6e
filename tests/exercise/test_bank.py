"""Questions by name."""

import pytest

from kernelsim.exercise import Question, bank, process_list


def test_a_chapters_questions_have_names_and_come_back_by_them():
    assert "04" in bank.chapters()
    assert bank.names("04")[0] == "04-where-a-member-is"
    assert len(bank.names("04")) == len(process_list.__all__)
    asked = process_list.where_fork_puts_the_child()
    again = bank.question("04-where-fork-puts-the-child")
    assert again is not asked
    assert (asked.name, again.key) == ("04-where-fork-puts-the-child", asked.key)


def test_names_are_in_the_order_of_the_chapters_and_none_is_given_twice():
    names = bank.names()
    assert [name[:2] for name in names] == sorted(name[:2] for name in names)
    with pytest.raises(ValueError, match="two questions named 04-where-a-member-is"):

        @bank.asked_in("04")
        def where_a_member_is():
            return Question("?", ["a", "b"], lambda: 0)


def test_a_name_that_there_is_not_is_a_clear_error():
    with pytest.raises(LookupError, match=r"no question '99-nothing'; there are [0-9]{2}-"):
        bank.question("99-nothing")


def test_every_named_question_has_an_answer_and_feedback_for_a_wrong_one():
    for name in bank.names():
        question = bank.question(name)
        assert question.did
        for option in getattr(question, "options", ()):
            assert option.feedback, f"{name}: {option.text}"
