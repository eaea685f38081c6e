"""What a reader may have written about PID namespaces, when everything is right; and with one idea that is not."""

LEVEL, NUMBERS, NS_LEVEL = 4, 0x60, 0x48


def u32(m, address):
    return int.from_bytes(m.read(address, 4), "little")


def pid_nr_ns(m, pid, ns):
    level = u32(m, ns + NS_LEVEL)
    if level > u32(m, pid + LEVEL):
        return 0
    upid = pid + NUMBERS + 16 * level
    return u32(m, upid) if m.read_u64(upid + 8) == ns else 0


def new_numbers(last, parent, ns):
    found = {}
    while ns is not None:
        found[ns] = last[ns] + 1
        ns = parent[ns]
    return found


def wrong(case, words):
    def mark(function):
        function.case, function.words = case, words
        return function

    return mark


class wrong_pid_nr_ns:
    @wrong("at level 0, seen from there", "returns None")
    def stub(m, pid, ns):
        pass

    @wrong("a process in its own namespace", "its number at level 0")
    def always_the_first(m, pid, ns):
        return u32(m, pid + NUMBERS)

    @wrong("a container, seen from outside", "its number at level 1")
    def always_the_last(m, pid, ns):
        return u32(m, pid + NUMBERS + 16 * u32(m, pid + LEVEL))

    @wrong("nor who is in a namespace beside", "compare upid.ns with ns")
    def without_a_look_at_the_namespace(m, pid, ns):
        level = u32(m, ns + NS_LEVEL)
        return u32(m, pid + NUMBERS + 16 * level) if level <= u32(m, pid + LEVEL) else 0

    @wrong("at level 0, seen from there", "nr is at offset 0")
    def the_namespace(m, pid, ns):
        return m.read_u64(pid + NUMBERS + 8)


class wrong_new_numbers:
    @wrong("a machine without containers", "returns None")
    def stub(last, parent, ns):
        pass

    @wrong("the first in a container", "in each namespace around")
    def inside_only(last, parent, ns):
        return {ns: last[ns] + 1}

    @wrong("the first in a container", "in its own namespace, too")
    def outside_only(last, parent, ns):
        return {"0": last["0"] + 1}

    @wrong("the first in a container", "a last number of its own")
    def one_counter(last, parent, ns):
        found = {}
        while ns is not None:
            found[ns] = last["0"] + 1
            ns = parent[ns]
        return found

    @wrong("a container beside it is not touched", "gives no number")
    def everywhere(last, parent, ns):
        return {n: last[n] + 1 for n in last}
