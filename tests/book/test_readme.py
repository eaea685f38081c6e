"""The picture in the README is drawn from memory too, and is what a kernel draws today."""

from pathlib import Path

import kernelsim as ks
from kernelsim import view

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "process-tree.svg"


# Without a record there is no event number in the picture that every change would move.
def booted():
    k = ks.boot(record=False)
    bash, sshd = k.spawn("bash"), k.spawn("sshd")
    k.call(sshd, "fork")
    return k, bash


def picture():
    before, _ = booted()
    k, bash = booted()
    k.call(bash, "fork")
    k.call(k.task(k.call(bash, "fork")), "exit", 0)
    return view.process_tree(k, since=before)


def test_the_picture_of_the_readme_is_what_a_kernel_draws():
    again = "`python tests/book/test_readme.py` draws it anew"
    assert PICTURE.read_text(encoding="utf-8").rstrip("\n") == picture().svg.rstrip("\n"), again


def test_the_readme_shows_it_with_words_that_are_true():
    readme = (PICTURE.parents[1] / "README.md").read_text(encoding="utf-8")
    assert "](docs/process-tree.svg)" in readme
    assert "New: bash (pid 6), bash (pid 7)." in picture().summary


if __name__ == "__main__":
    picture().save(PICTURE)
