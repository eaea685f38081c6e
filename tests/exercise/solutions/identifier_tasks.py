"""What a reader may have written about struct pid, when everything is right; and with one wrong idea."""

TASKS, PID_LINKS = 0x10, 0x2B8


def pid_tasks(m, pid, type):
    found = []
    node = m.read_u64(pid + TASKS + 8 * type)
    while node:
        found.append(node - (PID_LINKS + 16 * type))
        node = m.read_u64(node)
    return found


def wrong(case, words):
    def mark(function):
        function.case, function.words = case, words
        return function

    return mark


class wrong_pid_tasks:
    @wrong("one task: PID of 8", "Return a list")
    def stub(m, pid, type):
        pass

    @wrong("one task: PID of 8", "should be [0xffff")
    def nobody(m, pid, type):
        return []

    @wrong("one task: PID of 8", "in the middle of its task_struct")
    def nodes(m, pid, type):
        found, node = [], m.read_u64(pid + TASKS + 8 * type)
        while node:
            found.append(node)
            node = m.read_u64(node)
        return found

    @wrong("one task: TGID of 8", "16 bytes further")
    def one_link_for_all_types(m, pid, type):
        found, node = [], m.read_u64(pid + TASKS + 8 * type)
        while node:
            found.append(node - PID_LINKS)
            node = m.read_u64(node)
        return found

    @wrong("one task: TGID of 8", "should be")
    def always_the_first_list(m, pid, type):
        return pid_tasks(m, pid, 0) if type != 1 else []

    @wrong("three tasks: PGID of 8", "The first word of a node is `next`")
    def only_the_first(m, pid, type):
        return pid_tasks(m, pid, type)[:1]

    @wrong("three tasks: PGID of 8", "in another order")
    def oldest_first(m, pid, type):
        return pid_tasks(m, pid, type)[::-1]

    @wrong("nobody: PGID of 9", "raises")
    def an_empty_list_is_followed_too(m, pid, type):
        node, found = m.read_u64(pid + TASKS + 8 * type), []
        while True:
            found.append(node - (PID_LINKS + 16 * type))
            node = m.read_u64(node)
            if not node:
                return found
