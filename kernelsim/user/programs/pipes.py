"""pipe: bytes from one process to another, end of file, blocking, and the order they give."""

from __future__ import annotations

from typing import Any

from kernelsim.user.programs import common

__all__ = [
    "big_transfer",
    "bytes_come_in_order",
    "child_speaks_first",
    "empty_read_and_write",
    "end_of_file",
    "end_of_file_after_the_last_writer",
    "forgotten_write_end",
    "full_pipe_holds_64_kib",
    "kept_until_read",
    "parent_speaks_first",
    "partial_reads",
    "ping_pong",
    "pipe_cannot_seek",
    "pipe_to_oneself",
    "records_are_not_mixed",
    "short_read",
    "sisters_talk",
    "writer_waits_for_room",
]


async def pipe_to_oneself(libc: Any) -> None:
    """A pipe needs no second process: what is written can be read."""
    r, w = await libc.pipe()
    count = await libc.write(w, b"note to self")
    await common.say(libc, f"{count} bytes: {(await libc.read(r, 100)).decode()}")


async def end_of_file(libc: Any) -> None:
    """When no write end is open any more, read returns nothing, as often as it is asked."""
    r, w = await libc.pipe()
    await libc.write(w, b"rest")
    await libc.close(w)
    for _ in range(3):
        await common.say(libc, f"{await libc.read(r, 10)}")


async def end_of_file_after_the_last_writer(libc: Any) -> None:
    """A child's ends are closed by its exit: the reader sees the end after the last child."""
    r, w = await libc.pipe()
    for letter in (b"a", b"b", b"c"):
        if await libc.fork() == 0:
            await libc.write(w, letter)
            return
    await libc.close(w)
    data = await common.read_all(libc, r)
    await common.say(libc, f"{sorted(data.decode())} from {await common.collect(libc)} children")


async def forgotten_write_end(libc: Any) -> None:
    """A reader that holds the write end itself never sees the end: it must close it first."""
    r, w = await libc.pipe()
    pid = await libc.fork()
    if pid == 0:
        await libc.close(w)
        await common.say(libc, f"child read {await common.read_all(libc, r)!r}")
        return
    await libc.write(w, b"one,")
    await libc.write(w, b"two")
    await libc.close(w)
    await libc.wait()


async def partial_reads(libc: Any) -> None:
    """A pipe is a stream: a reader may take what was written at once in small pieces."""
    r, w = await libc.pipe()
    await libc.write(w, b"abcdefgh")
    for count in (3, 1, 3, 10):
        await common.say(libc, f"read {count}: {await libc.read(r, count)}")


async def short_read(libc: Any) -> None:
    """`read` does not wait for all that was asked: it returns what is there."""
    r, w = await libc.pipe()
    await libc.write(w, b"abc")
    await libc.write(w, b"def")
    await common.say(libc, f"{await libc.read(r, 1000)}")


async def bytes_come_in_order(libc: Any) -> None:
    """First in, first out, over many writes."""
    r, w = await libc.pipe()
    if await libc.fork() == 0:
        await libc.close(r)
        for number in range(100):
            await libc.write(w, f"{number},".encode())
        return
    await libc.close(w)
    numbers = (await common.read_all(libc, r)).decode().split(",")[:-1]
    await libc.wait()
    await common.say(libc, f"{len(numbers)} in order: {numbers == [str(n) for n in range(100)]}")


async def empty_read_and_write(libc: Any) -> None:
    """Reading or writing no bytes blocks nobody and changes nothing."""
    r, w = await libc.pipe()
    await common.say(libc, f"{await libc.write(w, b'')} {await libc.read(r, 0)}")
    await libc.write(w, b"x")
    await common.say(libc, f"{await libc.read(r, 0)} {await libc.read(r, 9)}")


async def kept_until_read(libc: Any) -> None:
    """What a process wrote outlives it in the pipe."""
    r, w = await libc.pipe()
    if await libc.fork() == 0:
        await libc.write(w, b"testament")
        return
    await libc.wait()
    await common.say(libc, f"{await libc.read(r, 100)}")


async def child_speaks_first(libc: Any) -> None:
    """The parent waits in read for the child's byte: the order is certain."""
    r, w = await libc.pipe()
    if await libc.fork() == 0:
        await common.say(libc, "child first")
        await libc.write(w, b"!")
        return
    await libc.read(r, 1)
    await common.say(libc, "parent second")
    await libc.wait()


async def parent_speaks_first(libc: Any) -> None:
    """And the other way round."""
    r, w = await libc.pipe()
    if await libc.fork() == 0:
        await libc.read(r, 1)
        await common.say(libc, "child second")
        return
    await common.say(libc, "parent first")
    await libc.write(w, b"!")
    await libc.wait()


async def ping_pong(libc: Any) -> None:
    """Two processes take turns over two pipes."""
    there_r, there_w = await libc.pipe()
    back_r, back_w = await libc.pipe()
    if await libc.fork() == 0:
        for _ in range(4):
            await common.say(libc, f"pong {(await libc.read(there_r, 1)).decode()}")
            await libc.write(back_w, b"!")
        return
    for number in range(4):
        await common.say(libc, f"ping {number}")
        await libc.write(there_w, str(number).encode())
        await libc.read(back_r, 1)
    await libc.wait()


async def sisters_talk(libc: Any) -> None:
    """Two children of one parent share a pipe that it made before it forked them."""
    r, w = await libc.pipe()
    if await libc.fork() == 0:
        await libc.close(r)
        await libc.write(w, b"from the elder")
        return
    if await libc.fork() == 0:
        await libc.close(w)
        await common.say(libc, f"the younger read {await common.read_all(libc, r)!r}")
        return
    await libc.close(r)
    await libc.close(w)
    await common.say(libc, f"{await common.collect(libc)} children")


async def big_transfer(libc: Any) -> int:
    """One write of 300,000 bytes goes through a pipe of 65,536: the writer sleeps in between."""
    r, w = await libc.pipe()
    if await libc.fork() == 0:
        await libc.close(r)
        data = bytes(number % 251 for number in range(300_000))
        return 0 if await libc.write(w, data) == len(data) else 1
    await libc.close(w)
    data = await common.read_all(libc, r)
    _, status = await libc.wait()
    right = all(byte == number % 251 for number, byte in enumerate(data))
    await common.say(libc, f"{len(data)} bytes, all right: {right}, writer {status}")
    return 0


async def full_pipe_holds_64_kib(libc: Any) -> None:
    """65,536 bytes fit into a pipe that nobody reads."""
    r, w = await libc.pipe()
    await common.say(libc, f"wrote {await libc.write(w, b'x' * 65536)}")
    await libc.close(w)
    await common.say(libc, f"read {len(await common.read_all(libc, r))}")


async def writer_waits_for_room(libc: Any) -> None:
    """One byte more and the writer sleeps until somebody reads."""
    r, w = await libc.pipe()
    if await libc.fork() == 0:
        await libc.close(r)
        await libc.write(w, b"x" * 65536)
        await libc.write(w, b"y")
        await common.say(libc, "writer: done")
        return
    await libc.close(w)
    await common.say(libc, "reader: begins")
    data = await common.read_all(libc, r)
    await libc.wait()
    await common.say(libc, f"reader: {len(data)} bytes, the last is {data[-1:].decode()}")


async def records_are_not_mixed(libc: Any) -> None:
    """Writes of up to 4,096 bytes are atomic: four writers, and no record holds two letters."""
    r, w = await libc.pipe()
    for letter in "abcd":
        if await libc.fork() == 0:
            await libc.close(r)
            for _ in range(40):
                await libc.write(w, letter.encode() * 1000)
            return
    await libc.close(w)
    data = await common.read_all(libc, r)
    records = [data[start : start + 1000] for start in range(0, len(data), 1000)]
    pure = sum(len(set(record)) == 1 for record in records)
    await common.collect(libc)
    await common.say(libc, f"{len(records)} records, {pure} of one letter")


async def pipe_cannot_seek(libc: Any) -> None:
    """A pipe has no position: ESPIPE for both ends."""
    for fd in await libc.pipe():
        await common.say(libc, f"{fd}: {await common.fails(libc.lseek(fd, 0, 0))}")
