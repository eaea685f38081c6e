"""What programs wrote, as text, and who wrote it."""

import pytest

import kernelsim as ks
from kernelsim.widget import terminal_pane
from kernelsim.widget.terminal_pane import TerminalPane
from tests.widget import scene


def said(shown):
    return [
        (who[2] if who else "", "".join(part for _, part in parts))
        for who, _, parts in shown.pieces
    ]


def test_each_piece_is_said_to_be_its_writers():
    k, bash = scene.booted()
    child = k.task(k.call(bash, "fork"))
    for task, data in ((bash, b"one "), (bash, b"two "), (child, b"three"), (bash, b"\n")):
        k.call(task, "write", 1, data)
    shown = TerminalPane(k)
    shown.catch_up()
    assert said(shown) == [
        ("task 3 (bash)", "one two "),
        ("task 4 (bash)", "three"),
        ("task 3 (bash)", "\n"),
    ]
    assert shown.heading == "14 bytes written."


def test_it_shows_what_had_been_written_at_the_moment():
    k, bash = scene.booted()
    k.call(bash, "write", 1, b"before")
    then = k.now
    k.call(bash, "write", 1, b" and after")
    shown = TerminalPane(k)
    shown.show(k.at(then))
    assert said(shown) == [("task 3 (bash)", "before")]
    shown.show(k.at(0))
    assert (said(shown), shown.heading) == ([], "Nothing has been written yet.")
    shown.show(k)
    assert said(shown) == [("task 3 (bash)", "before and after")]


def test_a_character_in_two_pieces_is_one_and_what_is_none_is_shown_as_bytes():
    k, bash = scene.booted()
    child = k.task(k.call(bash, "fork"))
    k.call(bash, "write", 1, "ä".encode()[:1])
    k.call(child, "write", 1, "ä".encode()[1:])
    k.call(bash, "write", 1, b"\xff\x00\x1b[2J\x7f\r\xe2\x82")
    shown = TerminalPane(k)
    shown.catch_up()
    assert said(shown) == [
        ("task 4 (bash)", "ä"),
        ("task 3 (bash)", "\\xff^@^[[2J^?^M\\xe2\\x82"),
    ]
    signs = [part for sign, part in shown.pieces[1][2] if sign]
    assert signs == ["\\xff", "^@", "^[", "^?", "^M", "\\xe2", "\\x82"]


@pytest.mark.parametrize("char", ["\u202e", "\u200b", "\ufeff", "\u2028", "\u0085", "\ue000"])
def test_what_cannot_be_seen_or_turns_the_line_is_named(char):
    assert terminal_pane.visible(char) == [[1, f"<U+{ord(char):04X}>"]]


def test_what_can_be_seen_is_left_alone():
    for text in ("Grüße, 漢字 🙂\n\ttab", "e\u0301", "<b>&amp;</b>"):
        assert terminal_pane.visible(text) == [[0, text]]


def test_the_line_of_errors_is_marked():
    k, bash = scene.booted()
    k.call(bash, "write", 1, b"out")
    k.call(bash, "write", 2, b"err")
    shown = TerminalPane(k)
    shown.catch_up()
    assert [line for _, line, _ in shown.pieces] == [1, 2]


def test_a_program_that_races_is_told_apart():
    run = ks.run(scene.race)
    shown = TerminalPane(run.kernel)
    shown.catch_up()
    text = "".join(part for _, _, parts in shown.pieces for _, part in parts)
    assert text.encode() == run.stdout
    assert len({who[0] for who, _, _ in shown.pieces}) == 2


def test_of_much_the_end_is_shown(monkeypatch):
    monkeypatch.setattr(terminal_pane, "KEPT", 10)
    k, bash = scene.booted()
    child = k.task(k.call(bash, "fork"))
    k.call(bash, "write", 1, b"0123456789")
    k.call(child, "write", 1, b"abcdef")
    shown = TerminalPane(k)
    shown.catch_up()
    assert [text for _, text in said(shown)] == ["6789", "abcdef"]
    assert shown.note.startswith("The beginning is left out.")


def test_without_a_record_the_text_is_there_and_nobody_is_said_to_have_written_it():
    k = ks.boot(record=False)
    k.call(k.spawn("x"), "write", 1, b"hello")
    shown = TerminalPane(k)
    shown.catch_up()
    assert said(shown) == [("", "hello")]
    assert shown.static()["text/plain"] == "5 bytes written.\nhello"
