"""Sheets: the same bytes for the same seed, questions without their answers, a key with them."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from kernelsim import __main__ as command_line
from kernelsim import exercise

ROOT = Path(__file__).resolve().parents[2]
TOPICS = ("the next pid", "who adopts the orphan", "bytes")


def sheet(**more):
    return exercise.sheet(TOPICS, **{"level": 3, "count": 6, "seed": 7, **more})


def test_a_sheet_has_as_many_questions_as_wanted_all_different_the_topics_in_turn():
    made = exercise.sheet("container_of", count=30)
    assert len({item.prompt for item in made.items}) == 30
    assert [item.topic for item in sheet().items] == [*TOPICS, *TOPICS]
    assert exercise.sheet(count=1).topics == tuple(exercise.topics())


def test_two_seeds_share_no_question():
    one, two = ({item.prompt for item in sheet(seed=seed).items} for seed in (7, 8))
    assert not one & two


def test_the_questions_do_not_say_what_is_right_and_the_key_does():
    made = sheet()
    files = made.files()
    for item in made.items:
        assert item.answer
        if item.why:
            plain = item.why.split("`")[0][:20]
            assert plain not in files["questions.md"] + files["questions.html"]
    assert files["key.html"].count('class="answer"') == 6
    assert files["key.md"].count("**") == 12
    assert "Yes" not in files["key.md"]


def test_pictures_are_in_the_page_and_beside_the_markdown():
    files = sheet().files()
    named = re.findall(r"\]\(([\w-]+\.svg)\)", files["questions.md"] + files["key.md"])
    assert sorted(named) == sorted(name for name in files if name.endswith(".svg"))
    assert files["questions.html"].count("<svg") == 2
    assert files["key.html"].count("<svg") == 4
    for name in named:
        assert ET.fromstring(files[name]).tag.endswith("svg")  # noqa: S314 - our own


def test_a_page_stands_alone_and_no_id_comes_twice():
    for name, text in sheet().files().items():
        if name.endswith(".html"):
            assert not re.search(r'(src|href)="?(http|//)|url\(|<script', text)
            ids = re.findall(r' id="([^"]+)"', text)
            assert len(ids) == len(set(ids))
            assert "break-inside: avoid" in text
            assert "size: A4" in text


def test_the_footer_makes_the_same_sheet_again(tmp_path, capsys):
    made = sheet()
    command = made.footer.partition("python -m kernelsim ")[2]

    for folder in ("a", "b"):
        assert command_line.main([*shlex.split(command), "--output", str(tmp_path / folder)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert str(tmp_path / "a" / "key.html") in told
    for name, text in made.files().items():
        assert (tmp_path / "a" / name).read_bytes() == text.encode()
        assert (tmp_path / "b" / name).read_bytes() == text.encode()


def test_another_process_with_another_hash_seed_writes_the_same_bytes(tmp_path):
    command = [sys.executable, "-m", "kernelsim", "sheet", "--count", "4", "--level", "2"]
    subprocess.run(
        [*command, "--output", str(tmp_path)], cwd=ROOT, check=True, capture_output=True,
        env={**os.environ, "PYTHONHASHSEED": "4711"},
    )  # fmt: skip
    for name, text in exercise.sheet(count=4, level=2).files().items():
        assert (tmp_path / name).read_bytes() == text.encode()


def test_nothing_is_written_over_unless_it_is_meant(tmp_path, capsys):
    made = exercise.sheet("bytes", count=1)
    (tmp_path / "key.md").write_text("mine")
    with pytest.raises(FileExistsError, match=r"key\.md exists; nothing was written"):
        made.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["key.md"]
    arguments = ["sheet", "--topic", "bytes", "--count", "1", "--output", str(tmp_path)]
    assert command_line.main(arguments) == 1
    assert "--force writes over it" in capsys.readouterr().err
    assert (tmp_path / "key.md").read_text() == "mine"
    assert command_line.main([*arguments, "--force"]) == 0
    assert (tmp_path / "key.md").read_text() != "mine"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--topic", "nope"], "there are no drills about 'nope'; there are between the stores"),
        (["--level", "4"], "there is no level 4"),
        (["--count", "0"], "a sheet has 1 to 200 questions, not 0"),
        (["--count", "999"], "a sheet has 1 to 200 questions, not 999"),
    ],
)
def test_bad_arguments_are_clear_errors(arguments, words, tmp_path, capsys):
    assert command_line.main(["sheet", *arguments, "--output", str(tmp_path / "x")]) == 1
    assert words in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    arguments = ["--topic", "bytes", "--count", "1", "--output", str(tmp_path / "file" / "x")]
    assert command_line.main(["sheet", *arguments]) == 1
    assert capsys.readouterr().err.startswith("sheet: ")


def test_a_count_or_seed_that_is_no_number_is_a_type_error():
    with pytest.raises(TypeError, match="a count is a whole number"):
        exercise.sheet("bytes", count="3")
    with pytest.raises(TypeError, match="a seed is a whole number"):
        exercise.sheet("bytes", seed=True)


def test_code_is_code_and_text_is_text():
    files = exercise.sheet("what-is-printed-how-often", level=3, count=3).files()
    assert "```\nasync def main(libc):\n" in files["questions.md"]
    assert "<pre>async def main(libc):\n" in files["questions.html"]
    assert "&quot;" in files["questions.html"]
    assert "`" not in re.sub(r"<code>.*?</code>", "", files["questions.html"])
    listed = exercise.sheet("the-next-pid", level=2, count=3).files()["questions.html"]
    assert re.search(r"<pre>pid_max is \d+, and", listed)
