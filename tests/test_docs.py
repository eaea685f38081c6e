"""The documents: their code runs, and their links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def name(path):
    return path.relative_to(ROOT).as_posix()


# The line number and text of each block of code marked `python`.
def blocks():
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for found in re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            line = text[: found.start()].count("\n") + 2
            yield pytest.param(found.group(1), id=f"{name(path)}:{line}")


@pytest.mark.parametrize("block", list(blocks()))
def test_the_code_in_the_documents_runs(block):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_the_readme_has_code_that_runs():
    assert sum(block.id.startswith("README.md") for block in blocks()) == 3


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_links_within_the_project_lead_somewhere(path):
    targets = re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8"))
    here = [target.partition("#")[0] for target in targets if "://" not in target]
    assert [target for target in here if target and not (path.parent / target).exists()] == []


def test_every_decision_has_a_number_of_its_own_and_says_whether_it_stands():
    pages = sorted((ROOT / "docs/adr").glob("*.md"))
    for number, page in enumerate(pages, start=1):
        lines = page.read_text(encoding="utf-8").splitlines()
        assert page.name.startswith(f"{number:04}-")
        assert lines[0].startswith(f"# {number}. ")
        assert lines[2].startswith(("*Accepted.*", "*Superseded by"))


def test_every_row_of_the_fidelity_table_is_complete():
    lines = (ROOT / "docs/fidelity.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    ours = [row for row in rows if len(row) == 4 and row[0] not in {"Linux does", "---"}]
    newer = [row for row in rows if len(row) == 3 and row[0] not in {"5.10 has", "---"}]
    assert len(ours) + len(newer) + 2 * len(
        re.findall(r"^\|---", "\n".join(lines), re.MULTILINE)
    ) == len(rows)
    assert {row[2] for row in ours} == {"cut", "still", "choice"}
    assert all(all(row) for row in ours + newer)
    assert all(re.fullmatch(r"[56]\.\d+", row[2]) for row in newer)
