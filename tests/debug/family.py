"""A shell (3) with two children, one a zombie (4), one with a pipe (5), for the tests of looking at memory."""

import kernelsim as ks


def booted():
    k = ks.boot()
    bash = k.spawn("bash")
    zombie = k.task(k.call(bash, "fork"))
    k.call(bash, "pipe")
    child = k.task(k.call(bash, "fork"))
    k.call(zombie, "exit", 7)
    return k, bash, zombie, child
