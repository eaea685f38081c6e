"""The inspector: what it shows, where it goes, what it says; nothing that a reader does raises."""

import json
import time

import pytest

import kernelsim as ks
from kernelsim.include.linux.poison import LIST_POISON1
from kernelsim.widget import Inspector, inspect
from tests.widget import scene


def row(inspector, path):
    return next(row for row in inspector.seen.rows if row.path == path)


def wired(inspector, path):
    return next(row for row in inspector.shown["rows"] if row["path"] == path)


def test_it_begins_with_the_first_task_after_init_or_with_what_is_asked_for():
    k, bash = scene.booted()
    assert repr(Inspector(k)) == "Inspector of struct task_struct, task 3 (bash)"
    assert Inspector(k, bash.cred).seen.title == "struct cred, a cred"
    assert Inspector(k, bash.address_).seen.words == "task 3 (bash)"
    assert Inspector(k, 1).seen.words == "task 1 (init)"
    assert inspect(k, "init_task").seen.words == "task 0 (init_task)"
    assert Inspector(k, bash.tasks).seen.title == "struct list_head, at tasks of task 3 (bash)"
    assert Inspector(k, bash.files.fd_array).shown["type"] == "struct file * [64]"
    assert Inspector(ks.boot()).seen.words == "task 0 (init_task)"


@pytest.mark.parametrize("ref", [0, -1, "frob", 1.5, True, LIST_POISON1, 99999, 1 << 80, object()])
def test_what_cannot_be_shown_is_a_sentence(ref):
    k, _ = scene.booted()
    inspector = Inspector(k, ref)
    assert repr(inspector) == "Inspector of nothing"
    assert inspector.shown["banner"].endswith((".", "bits"))
    assert inspector.static()["text/plain"] == inspector.shown["banner"]
    inspector.heard({"do": "go", "text": "task 3"})
    assert inspector.seen.words == "task 3 (bash)"


def test_pointers_are_followed_and_the_trail_leads_back():
    k, _bash, child = scene.family()
    inspector = Inspector(k, child)
    inspector.follow("real_parent")
    inspector.follow("tasks.next")
    assert inspector.trail == [
        ["task 4 (bash)", ""],
        ["task 3 (bash)", "real_parent"],
        ["list_head at tasks of task 4 (bash)", "tasks.next"],
    ]
    inspector.back(0)
    assert inspector.seen.words == "task 4 (bash)"
    assert inspector.chosen["path"] == "real_parent"
    assert len(inspector.trail) == 1


def test_the_past_is_inspected_as_it_was():
    k, bash = scene.booted()
    before = k.now
    k.call(bash, "fork")
    past = inspect(k.at(before), bash)
    assert row(past, "children").words == "points to itself: empty, or in no list"
    assert past.shown["moment"] == f"at event {before}"
    past.follow("real_parent")
    past.look_again()
    assert (past.seen.words, past.shown["moment"]) == ("task 1 (init)", f"at event {before}")
    past.heard({"do": "go", "text": "task 4"})
    assert past.said["text"] == "There is no task 4 at this moment."


def test_the_trail_is_kept_short():
    k, bash = scene.booted()
    inspector = Inspector(k, bash)
    for _ in range(100):
        inspector.follow("group_leader")
    assert len(inspector.trail) == 40


def test_null_poison_and_wild_pointers_are_said_and_one_stays_where_one_is():
    k, bash = scene.booted()
    bash.ptraced.next = LIST_POISON1
    bash.vfork_done = 0xFFFFFFFFFFFFFF00
    inspector = Inspector(k, bash)
    for path, words in {
        "ptracer_cred": "NULL points to nothing",
        "ptraced.next": "LIST_POISON1",
        "vfork_done": "No memory stands behind",
        "pid": "pid is no pointer.",
        "nonsense": "nonsense is no pointer.",
    }.items():
        inspector.follow(path)
        assert words in inspector.said["text"]
        assert inspector.seen.words == "task 3 (bash)"


def test_the_same_sentence_twice_is_said_twice():
    k, bash = scene.booted()
    inspector = Inspector(k, bash)
    inspector.follow("pid")
    first = inspector.said
    inspector.follow("pid")
    assert inspector.said != first


def test_a_freed_object_is_shown_with_who_freed_it():
    k, _bash, child = scene.family()
    inspector = Inspector(k, child)
    before = k.now
    k.call(child, "exit", 1)  # its parent waits for it
    inspector.show(k, k.at(before))
    assert inspector.shown["freed"]
    assert "freed by free_task in task 3" in inspector.shown["banner"]
    assert row(inspector, "comm").words.startswith("poison")
    inspector.show(k.at(before))
    assert not inspector.shown["freed"]
    assert row(inspector, "comm").value == '"bash"'


def test_a_step_marks_what_changed_and_says_what_it_was():
    k, bash = scene.booted()
    inspector = Inspector(k, bash)
    before = k.now
    k.call(bash, "fork")
    inspector.show(k, k.at(before))
    assert inspector.shown["moment"] == f"at event {k.now}, changes since event {before}"
    assert wired(inspector, "children.next")["was"].endswith("(children of task 3 (bash))")
    assert wired(inspector, "children")["changed"]
    assert "was" not in wired(inspector, "pid")


def test_what_was_not_there_at_the_step_before_is_new():
    k, bash = scene.booted()
    before = k.now
    child = k.task(k.call(bash, "fork"))
    inspector = Inspector(k, child)
    inspector.show(k, k.at(before))
    assert inspector.shown["banner"] == f"New: at event {before} this memory was free."
    assert not any(r.get("was") for r in inspector.shown["rows"])


def test_as_a_pane_it_goes_to_a_task_that_is_chosen_and_stays_else():
    k, bash, child = scene.family()
    inspector = Inspector(k)
    assert inspector.title == "Inspector"
    inspector.show(k, None, child)
    inspector.follow("cred")
    inspector.show(k, None, child)
    assert inspector.seen.words == "a cred"
    inspector.show(k, None, bash)
    assert (inspector.seen.words, len(inspector.trail)) == ("task 3 (bash)", 1)
    inspector.show(k.at(k.now - 1), k.at(k.now - 2), None)
    assert inspector.seen.words == "task 3 (bash)"


def test_told_again_and_again_to_go_somewhere_a_pane_goes_once():
    k, bash, child = scene.family()
    inspector = Inspector(k)
    for _ in range(3):
        inspector.show(k, None, bash)
        inspector.go(hex(child.thread_pid.address_))
        assert [label for label, _ in inspector.trail][:2] == ["task 3 (bash)", "pid 4"]
        if len(inspector.trail) == 2:
            inspector.follow("numbers[0].ns")
    assert inspector.seen.words == "init_pid_ns"
    assert len(inspector.trail) == 3


def test_going_where_one_is_adds_no_step():
    k, bash = scene.booted()
    inspector = Inspector(k, bash)
    for text in ("task 3", hex(bash.address_), hex(bash.tasks.address_)):
        inspector.heard({"do": "go", "text": text})
    assert len(inspector.trail) == 1
    assert inspector.chosen["path"] == "tasks"


def test_in_an_explorer_it_is_a_pane():
    k, bash, _child = scene.family()
    explorer = ks.widget.explore(k, focus=bash, panes=("inspector",))
    (pane,) = explorer.panes
    assert (pane.title, pane.seen.words) == ("Inspector", "task 3 (bash)")
    explorer.timeline.step(-1)
    assert "changes since event" in pane.shown["moment"]


def test_hidden_it_does_nothing_until_it_is_seen():
    k, bash, child = scene.family()
    inspector = Inspector(k, bash)
    inspector.hidden = True
    inspector.show(k, None, child)
    assert inspector.seen.words == "task 3 (bash)"
    inspector.hidden = False
    assert inspector.seen.words == "task 4 (bash)"


def test_alone_it_looks_again_and_compares_with_the_last_look():
    k, bash = scene.booted()
    inspector = Inspector(k, bash)
    before = k.now
    k.call(bash, "fork")
    inspector.look_again()
    assert f"changes since event {before}" in inspector.shown["moment"]
    assert row(inspector, "tasks.next").was


def test_a_machine_that_does_not_record_is_inspected_without_a_past():
    k = ks.boot(record=False)
    bash = k.spawn("bash")
    inspector = Inspector(k, bash)
    k.call(bash, "fork")
    inspector.look_again()
    assert inspector.shown["moment"] == ""
    assert row(inspector, "children").words.startswith("→ sibling of task 4")


def test_container_of_is_a_subtraction_and_a_wrong_choice_shows_nonsense():
    k, bash, child = scene.family()
    inspector = Inspector(k, bash)
    inspector.follow("children.next")
    offered = inspector.shown["contain"]
    assert (offered["type"], offered["member"]) == ("task_struct", "children")  # as one would
    inspector.heard({"do": "subtract", "type": "task_struct", "member": "children"})
    assert inspector.contained["right"] is False
    inspector.contain()
    assert "what is shown is what they would mean" in inspector.shown["banner"]
    inspector.back(1)
    inspector.heard({"do": "subtract", "type": "task_struct", "member": "sibling"})
    assert inspector.contained["right"] is True
    assert inspector.contained["result"] == f"{child.address_:#018x}"
    inspector.heard({"do": "contain"})
    assert (inspector.seen.words, inspector.trail[-1][1]) == ("task 4 (bash)", "container_of")
    assert inspector.contained == {}


def test_a_type_that_no_struct_embeds_is_offered_no_container():
    k, bash = scene.booted()
    assert Inspector(k, bash).shown["contain"] == {}
    assert Inspector(k, bash.se).shown["contain"]["types"]["task_struct"] == ["se"]


def test_counts_come_with_their_holders():
    k, _bash, child = scene.family()
    inspector = Inspector(k, child)
    assert [c["member"] for c in inspector.shown["counts"]] == [
        "usage",
        "rcu_users",
        "stack_refcount",
    ]
    assert not any(c["odd"] for c in inspector.shown["counts"])


def test_among_many_tasks_holders_are_looked_for_when_asked():
    k, bash = scene.booted()
    for _ in range(310):
        k.call(bash, "fork")
    inspector = Inspector(k, bash.cred)
    assert inspector.shown["counted"] is False
    inspector.heard({"do": "holders"})
    assert inspector.shown["counted"] is True
    assert inspector.shown["counts"][0]["value"] == 2


def test_looking_leaves_no_event_and_changes_no_byte():
    k, bash, _child = scene.family()
    before, state = k.now, k.state_hash()
    inspector = Inspector(k, bash)
    for path in ("real_parent", "thread_pid", "tasks", "tasks.next"):
        inspector.follow(path)
        inspector.back(0)
    for path in ("files", "fdt", "fd"):
        inspector.follow(path)
    inspector.heard({"do": "go", "text": "init_pid_ns"})
    inspector.static()
    assert (k.now, k.state_hash()) == (before, state)


@pytest.mark.parametrize(
    "name", [b"<img src=x>\0", b'"];}\0', b"a\nb\0", b"\xf0\x9f\x98\x80\0", b"\0"]
)
def test_hostile_names_are_text(name):
    k, bash = scene.booted()
    k.machine.write(bash.address_ + type(bash).offsetof_("comm"), name.ljust(16, b"\0"))
    inspector = Inspector(k, bash)
    static = inspector.static()
    assert "<img src=x>" not in static["text/html"]
    assert "\n" not in inspector.seen.words
    assert "<img src=x>" not in static["image/svg+xml"]
    json.dumps(inspector.shown)


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"do": "follow"},
        {"do": "follow", "path": 3},
        {"do": "go"},
        {"do": "go", "text": None},
        {"do": "go", "text": "x" * 100_000},
        {"do": "back", "to": -5},
        {"do": "back", "to": "1"},
        {"do": "back", "to": 10**9},
        {"do": "subtract"},
        {"do": "subtract", "type": "task_struct", "member": "frob"},
        {"do": "subtract", "type": "frob", "member": "tasks"},
        {"do": "contain"},
        {"do": ["go"]},
    ],
)
def test_odd_messages_change_nothing(message):
    k, bash = scene.booted()
    inspector = Inspector(k, bash)
    inspector._hear(inspector, message, [])
    inspector._hear(inspector, "nonsense", [])
    assert inspector.seen.words == "task 3 (bash)"
    assert len(inspector.trail) == 1


def test_addresses_cross_as_text():
    k, bash = scene.booted()
    inspector = Inspector(k, bash.tasks)
    inspector.subtract("task_struct", "tasks")

    def numbers(value):
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            for one in value:
                yield from numbers(one)
        elif isinstance(value, int):
            yield value

    for trait in (inspector.shown, inspector.contained, inspector.trail, inspector.chosen):
        assert all(abs(n) < 1 << 53 for n in numbers(trait))
    assert inspector.shown["address"] == f"{bash.tasks.address_:#018x}"


def test_without_a_kernel_it_is_a_table_and_a_picture():
    k, bash = scene.booted()
    before = k.now
    k.call(bash, "fork")
    inspector = Inspector(k, bash)
    inspector.show(k, k.at(before))
    static = inspector.static()
    text = static["text/plain"].splitlines()
    size = type(bash).sizeof_
    assert text[0] == f"struct task_struct, task 3 (bash) at {bash.address_:#018x}, {size} bytes"
    assert any(line.split()[2:5] == ["pid", "pid_t", "3"] for line in text)
    assert any(line.endswith("[changed]") and " children " in line for line in text)
    assert static["image/svg+xml"].startswith("<svg")
    assert static["text/html"].startswith('<figure class="kernelsim-figure"><img alt=')
    assert "<th>offset</th>" in static["text/html"]
    assert static == inspector.static()


def test_the_static_form_is_the_same_in_every_machine():
    texts = set()
    for _ in range(2):
        k, bash = scene.booted()
        texts.add(json.dumps([Inspector(k, bash).static(), Inspector(k, bash).shown]))
    assert len(texts) == 1


def test_two_inspectors_go_their_own_ways():
    k, bash, child = scene.family()
    one, other = Inspector(k, bash), Inspector(k, child)
    one.follow("cred")
    assert (one.seen.words, other.seen.words) == ("a cred", "task 4 (bash)")


def test_a_structure_of_ten_thousand_bytes_is_quick():
    k, bash = scene.booted()
    inspector = Inspector(k, bash.stack)
    assert len(inspector.shown["bytes"]) == 2 * 16384
    assert len(inspector.shown["rows"]) < 500
    times = []
    for _ in range(5):
        start = time.perf_counter()
        inspector._draw()
        times.append(time.perf_counter() - start)
    assert min(times) < 0.05
