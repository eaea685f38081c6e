"""The recorded runs: complete, readable anywhere, and still true on this machine's kernel."""

import json

import pytest

from kernelsim import host
from kernelsim.host import transcripts
from kernelsim.user import programs


def test_every_program_has_a_recorded_run():
    book = json.loads(transcripts.PATH.read_text())
    assert sorted(book["programs"]) == sorted(programs.ALL)
    assert book["kernel"].startswith("Linux ")


def test_transcript_takes_a_program_or_its_name():
    run = host.transcript(programs.ALL["fork_returns_twice"])
    assert run == host.transcript("fork_returns_twice")
    assert run.stdout == b"child: fork returned 0, I am 3\nparent: fork returned 3, I am 2\n"
    assert run.status == 0
    assert run.kernel_release.startswith("Linux ")


def test_program_without_a_recorded_run_is_named():
    with pytest.raises(KeyError, match="no recorded run of 'frok'"):
        host.transcript("frok")


@pytest.mark.needs_namespaces
@pytest.mark.parametrize("name", programs.ALL)
def test_program_does_twice_what_was_recorded(name):
    recorded = host.transcript(name)
    for _ in range(2):
        run = host.run(programs.ALL[name])
        assert (run.stdout, run.status) == (recorded.stdout, recorded.status)


@pytest.mark.needs_namespaces
def test_record_writes_what_transcript_reads(tmp_path, monkeypatch):
    path = tmp_path / "transcripts.json"
    some = {name: programs.ALL[name] for name in ("status_words", "kill_oneself")}
    monkeypatch.setattr(transcripts, "PATH", path)
    try:
        transcripts.record(some)
        assert host.transcript("kill_oneself").status == 9
        assert host.transcript("status_words").stdout.startswith(b"exit(0) gives 0x0000")
    finally:
        transcripts._read.cache_clear()
