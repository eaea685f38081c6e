"""What a reader may have written about clone, when everything is right; and with one idea that is not."""

from kernelsim.include.uapi.linux import sched

SIGCHLD = 17
FLAGS = {
    "mm": sched.CLONE_VM,
    "fs": sched.CLONE_FS,
    "files": sched.CLONE_FILES,
    "sighand": sched.CLONE_SIGHAND | sched.CLONE_VM,
    "signal": sched.CLONE_THREAD | sched.CLONE_SIGHAND | sched.CLONE_VM,
}


def flags_for(shared):
    flags = 0 if "signal" in shared else SIGCHLD
    for name in shared:
        flags |= FLAGS[name]
    return flags


def ids_of(steps):
    found = [(3, 3)]
    for tid, (who, thread) in enumerate(steps, 4):
        found.append((found[who][0] if thread else tid, tid))
    return found


def wrong(case, words):
    def mark(function):
        function.case, function.words = case, words
        return function

    return mark


class wrong_flags_for:
    @wrong("nothing is shared, as by fork", "returns None")
    def stub(shared):
        pass

    @wrong("nothing is shared, as by fork", "its exit signal is 0")
    def without_a_signal(shared):
        return flags_for(shared) & ~0xFF

    @wrong("the handlers, and what they need", "CLONE_SIGHAND, and that needs CLONE_VM")
    def one_flag_each(shared):
        needed = {"sighand": sched.CLONE_SIGHAND, "signal": sched.CLONE_THREAD}
        return SIGCHLD | sum((FLAGS | needed)[name] for name in shared)

    @wrong("nothing is shared, as by fork", "mm is shared too")
    def always_the_memory(shared):
        return flags_for(shared) | sched.CLONE_VM

    @wrong("descriptors and working directory", "fs is not shared")
    def files_only(shared):
        return flags_for(set(shared) - {"fs"})


class wrong_ids_of:
    @wrong("nobody calls clone", "returns None")
    def stub(steps):
        pass

    @wrong("a thread", "getpid names no thread")
    def each_its_own(steps):
        return [(n, n) for n in range(3, 4 + len(steps))]

    @wrong("nobody calls clone", "The first of them is bash itself")
    def without_bash(steps):
        return ids_of(steps)[1:]
