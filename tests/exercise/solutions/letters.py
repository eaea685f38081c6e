"""What a reader may have written in the chapter on process states, when everything is right."""


def task_state_index(state, exit_state):
    if state == 0x402:
        return 8
    return ((state | exit_state) & 0x7F).bit_length()


def task_state_to_char(state, exit_state):
    return "RSDTtXZPI"[task_state_index(state, exit_state)]
