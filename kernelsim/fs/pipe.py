"""fs/pipe.c @ v5.10.188: pipes, a ring of up to 16 pages.

Left out: notifications (O_NOTIFICATION_PIPE), splice, F_SETPIPE_SZ, asynchronous notification, accounting per user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.fs import file as fs_file
from kernelsim.fs import file_table
from kernelsim.include.linux import fs, poll, sched, slab, uaccess
from kernelsim.include.linux import wait as wait_h
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.uapi.asm import errno, fcntl, signal
from kernelsim.include.uapi.linux import eventpoll
from kernelsim.kernel import signal as kernel_signal
from kernelsim.kernel.sched import core, wait
from kernelsim.machine import machine, memory
from kernelsim.mm import page_alloc, slub

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernelsim.machine.machine import Machine

__all__ = [
    "alloc_pipe_info",
    "create_pipe_files",
    "do_pipe2",
    "free_pipe_info",
    "init_pipe_fs",
    "pipe_poll",
    "pipe_read",
    "pipe_release",
    "pipe_write",
    "sys_pipe",
    "sys_pipe2",
]

PIPE_BUF_FLAG_PACKET = 0x08
PIPE_BUF_FLAG_CAN_MERGE = 0x10
O_NOTIFICATION_PIPE = fcntl.O_EXCL
PAGE_SIZE = memory.PAGE_SIZE
_IN = eventpoll.EPOLLIN | eventpoll.EPOLLRDNORM
_OUT = eventpoll.EPOLLOUT | eventpoll.EPOLLWRNORM


def init_pipe_fs(m: Machine) -> None:
    """Set up the operations of a pipe's file."""
    fops = m.define("pipefifo_fops", fs.file_operations)
    for member, name in (
        ("read", "pipe_read"),
        ("write", "pipe_write"),
        ("poll", "pipe_poll"),
        ("release", "pipe_release"),
    ):
        setattr(fops, member, machine.text_address(name))


def alloc_pipe_info(m: Machine) -> Any:
    """Make a pipe with room for 16 pages; struct pipe_inode_info *, NULL if there is no memory."""
    address = slub.kmalloc(m, fs.pipe_inode_info.sizeof_, slab.GFP_KERNEL)
    pipe = fs.pipe_inode_info(m, address)
    if not address:
        return pipe
    bufs = slub.kmalloc(m, fs.pipe_buffer.sizeof_ * fs.PIPE_DEF_BUFFERS, slab.GFP_KERNEL)
    if not bufs:
        slub.kfree(m, address)
        return fs.pipe_inode_info(m, 0)
    wait.init_waitqueue_head(pipe.rd_wait)
    wait.init_waitqueue_head(pipe.wr_wait)
    pipe.r_counter = pipe.w_counter = 1
    pipe.max_usage = pipe.ring_size = pipe.nr_accounted = fs.PIPE_DEF_BUFFERS
    pipe.bufs = bufs
    return pipe


def free_pipe_info(m: Machine, pipe: Any) -> None:
    """Free `pipe` (struct pipe_inode_info *) and the pages in it."""
    for i in range(pipe.ring_size):
        buf = pipe.bufs + i
        if buf.page:
            page_alloc.free_pages(m, buf.page, 0)
    slub.kfree(m, pipe.bufs.address_)
    slub.kfree(m, pipe.address_)


def pipe_release(m: Machine, file: Any) -> int:
    """The last descriptor of one end is closed: tell the other end; both gone: free the pipe."""
    pipe = fs.pipe_inode_info(m, file.private_data)
    if file.f_mode & fs.FMODE_READ:
        pipe.readers -= 1
    if file.f_mode & fs.FMODE_WRITE:
        pipe.writers -= 1
    if bool(pipe.readers) != bool(pipe.writers):
        wait.__wake_up(m, pipe.rd_wait, sched.TASK_INTERRUPTIBLE, 0, None)
        wait.__wake_up(m, pipe.wr_wait, sched.TASK_INTERRUPTIBLE, 0, None)
    files = pipe.files - 1
    pipe.files = files
    if not files:
        free_pipe_info(m, pipe)
    return 0


def _empty(pipe: Any) -> bool:
    return bool(pipe.head == pipe.tail)


def _full(pipe: Any) -> bool:
    return bool((pipe.head - pipe.tail & 0xFFFF_FFFF) >= pipe.max_usage)


def _slot(pipe: Any, i: int) -> Any:
    return pipe.bufs + (i & pipe.ring_size - 1)


async def _wait_event_exclusive(m: Machine, head: Any, ready: Callable[[], bool]) -> int:
    # wait_event_interruptible_exclusive(): 0, or -ERESTARTSYS if a signal came first.
    if ready():
        return 0
    current = m.current
    entry = wait.stack_push(m, wait_h.wait_queue_entry)
    wait.init_wait(m, entry)
    retval = 0
    while True:
        wait.prepare_to_wait_exclusive(m, head, entry, sched.TASK_INTERRUPTIBLE)
        if ready():
            break
        if sched_signal.signal_pending(current):
            retval = -errno.ERESTARTSYS
            break
        await core.schedule(m)
    wait.finish_wait(m, head, entry)
    wait.stack_pop(m, wait_h.wait_queue_entry)
    return retval


def _take(m: Machine, pipe: Any, count: int) -> bytes:
    # Up to `count` bytes from the ring; used-up pages are freed.
    data = b""
    while count and not _empty(pipe):
        buf = _slot(pipe, pipe.tail)
        chars = min(buf.len, count)
        data += m.read(buf.page + buf.offset, chars)
        count -= chars
        if buf.flags & PIPE_BUF_FLAG_PACKET:  # a packet ends the read; what does not fit is lost
            buf.len = count = 0
        else:
            buf.offset += chars
            buf.len -= chars
        if not buf.len:
            page_alloc.free_pages(m, buf.page, 0)
            buf.page = 0
            pipe.tail = pipe.tail + 1 & 0xFFFF_FFFF
    return data


async def pipe_read(m: Machine, file: Any, to: Any, count: int) -> int:
    """Read up to `count` bytes into `to` (a UserBuffer); how many, 0 at end of file, or -ERESTARTSYS."""
    if not count:
        to.data = b""
        return 0
    pipe = fs.pipe_inode_info(m, file.private_data)
    wake_next_reader = False
    while True:
        was_full = _full(pipe)
        data = _take(m, pipe, count)
        if data or not pipe.writers:
            break
        if file.f_flags & fcntl.O_NONBLOCK:
            return -errno.EAGAIN
        if await _wait_event_exclusive(
            m, pipe.rd_wait, lambda: not _empty(pipe) or not pipe.writers
        ):
            return -errno.ERESTARTSYS
        wake_next_reader = True
    if was_full:
        wait.__wake_up(m, pipe.wr_wait, sched.TASK_INTERRUPTIBLE, 1, _OUT)
    if wake_next_reader and not _empty(pipe):
        wait.__wake_up(m, pipe.rd_wait, sched.TASK_INTERRUPTIBLE, 1, _IN)
    to.data = data
    return len(data)


def _merge(m: Machine, pipe: Any, data: bytes) -> int:
    # Append the odd bytes to the last page, if they fit: how many went there.
    chars = len(data) & (PAGE_SIZE - 1)
    if not chars or _empty(pipe):
        return 0
    buf = _slot(pipe, pipe.head - 1)
    offset = buf.offset + buf.len
    if not buf.flags & PIPE_BUF_FLAG_CAN_MERGE or offset + chars > PAGE_SIZE:
        return 0
    m.write(buf.page + offset, data[:chars])
    buf.len += chars
    return chars


def _put(m: Machine, pipe: Any, data: bytes, flags: int) -> int:
    # Put one page of `data` into the next slot, with those flags: how many bytes, or -ENOMEM.
    page = page_alloc.alloc_pages(m, slab.GFP_KERNEL, 0)
    if not page:
        return -errno.ENOMEM
    head = pipe.head
    pipe.head = head + 1 & 0xFFFF_FFFF
    buf = _slot(pipe, head)
    buf.page, buf.flags = page, flags
    buf.offset, buf.len = 0, min(len(data), PAGE_SIZE)
    m.write(page, data[:PAGE_SIZE])
    return int(buf.len)


def _broken(m: Machine, done: int) -> int:
    kernel_signal.send_sig(m, signal.SIGPIPE, m.current, False)
    return done or -errno.EPIPE


async def pipe_write(m: Machine, file: Any, data: bytes) -> int:
    """Write `data`; how many bytes, or -EPIPE (and SIGPIPE) without a reader, -ENOMEM, -ERESTARTSYS."""
    if not data:
        return 0
    pipe = fs.pipe_inode_info(m, file.private_data)
    if not pipe.readers:
        return _broken(m, 0)
    was_empty, wake_next_writer = _empty(pipe), False
    packets = file.f_flags & fcntl.O_DIRECT  # is_packetized()
    flags = PIPE_BUF_FLAG_PACKET if packets else PIPE_BUF_FLAG_CAN_MERGE
    done = _merge(m, pipe, data)
    retval = done
    while done < len(data):
        if not pipe.readers:
            retval = _broken(m, done)
            break
        if not _full(pipe):
            put = _put(m, pipe, data[done:], flags)
            if put < 0:
                retval = done or put
                break
            done += put
            retval = done
            continue
        if file.f_flags & fcntl.O_NONBLOCK:
            retval = done or -errno.EAGAIN
            break
        if sched_signal.signal_pending(m.current):
            retval = done or -errno.ERESTARTSYS
            break
        if was_empty:
            wait.__wake_up(m, pipe.rd_wait, sched.TASK_INTERRUPTIBLE, 1, _IN)
        await _wait_event_exclusive(m, pipe.wr_wait, lambda: not _full(pipe) or not pipe.readers)
        was_empty, wake_next_writer = _empty(pipe), True
    if was_empty or pipe.poll_usage:
        wait.__wake_up(m, pipe.rd_wait, sched.TASK_INTERRUPTIBLE, 1, _IN)
    if wake_next_writer and not _full(pipe):
        wait.__wake_up(m, pipe.wr_wait, sched.TASK_INTERRUPTIBLE, 1, _OUT)
    return retval


def pipe_poll(m: Machine, filp: Any, pt: Any) -> int:
    """Return what can be done with this end at once (EPOLL*), and let `pt` (poll_table *) wait for more."""
    pipe = fs.pipe_inode_info(m, filp.private_data)
    pipe.poll_usage = True
    mode, mask = filp.f_mode, 0
    if mode & fs.FMODE_READ:
        poll.poll_wait(m, filp, pipe.rd_wait, pt)
    if mode & fs.FMODE_WRITE:
        poll.poll_wait(m, filp, pipe.wr_wait, pt)
    if mode & fs.FMODE_READ:
        mask |= 0 if _empty(pipe) else _IN
        mask |= 0 if pipe.writers else eventpoll.EPOLLHUP  # f_version is a FIFO's affair
    if mode & fs.FMODE_WRITE:
        mask |= 0 if _full(pipe) else _OUT
        mask |= 0 if pipe.readers else eventpoll.EPOLLERR
    return mask


def create_pipe_files(m: Machine, flags: int) -> Any:
    """Make a pipe and its two open files (struct file *), the reading one first.

    Or return -ENFILE or -ENOMEM; -ENOPKG for notifications.
    """
    pipe = alloc_pipe_info(m)  # get_pipe_inode()
    if not pipe:
        return -errno.ENFILE
    if flags & O_NOTIFICATION_PIPE:  # watch_queue_init() without CONFIG_WATCH_QUEUE
        free_pipe_info(m, pipe)
        return -errno.ENOPKG
    ends: list[Any] = []  # the writing one is allocated first
    pipe.readers = pipe.writers = 1
    pipe.files = 2
    for mode, told in (
        (_WRITE, fcntl.O_WRONLY | flags & (fcntl.O_NONBLOCK | fcntl.O_DIRECT)),
        (_READ, fcntl.O_RDONLY | flags & fcntl.O_NONBLOCK),
    ):
        file = file_table.alloc_file(m, m.symbol("pipefifo_fops"), mode, pipe.address_, told)
        if isinstance(file, int):
            if ends:
                pipe.files = 1  # put_pipe_info(); the other end frees the pipe
                file_table.fput(m, ends[0])
            else:
                free_pipe_info(m, pipe)
            return file
        ends.append(file)
    return ends[::-1]


_WRITE = fs.FMODE_WRITE | fs.FMODE_CAN_WRITE | fs.FMODE_STREAM
_READ = fs.FMODE_READ | fs.FMODE_CAN_READ | fs.FMODE_STREAM


def _do_pipe_flags(m: Machine, flags: int) -> Any:
    # __do_pipe_flags(): (descriptors, open files), or a negative errno.
    known = fcntl.O_CLOEXEC | fcntl.O_NONBLOCK | fcntl.O_DIRECT | O_NOTIFICATION_PIPE
    if flags & ~known:
        return -errno.EINVAL
    files = create_pipe_files(m, flags)
    if isinstance(files, int):
        return files
    fds: list[int] = []
    for _ in files:
        fd = fs_file.get_unused_fd_flags(m, flags)
        if fd < 0:
            _undo(m, fds, files)
            return fd
        fds.append(fd)
    return fds, files


def _undo(m: Machine, fds: list[int], files: list[Any]) -> None:
    for fd in fds:
        fs_file.put_unused_fd(m, fd)
    for file in files:
        file_table.fput(m, file)


def do_pipe2(m: Machine, fildes: Any, flags: int) -> int:
    """Make a pipe, its two descriptors into `fildes` (int __user *).

    Returns 0, -EINVAL, -EFAULT, -EMFILE, -ENFILE or -ENOMEM.
    """
    found = _do_pipe_flags(m, flags)
    if isinstance(found, int):
        return found
    fds, files = found
    if uaccess.put_user(m, tuple(fds), fildes):
        _undo(m, fds, files)
        return -errno.EFAULT
    for fd, file in zip(fds, files, strict=True):
        fs_file.fd_install(m, fd, file)
    return 0


def sys_pipe2(m: Machine, fildes: Any, flags: int) -> int:
    """pipe2(2) with O_CLOEXEC, O_NONBLOCK or O_DIRECT; -EINVAL for other flags, -EFAULT, -EMFILE, -ENFILE, -ENOMEM."""
    return do_pipe2(m, fildes, flags)


def sys_pipe(m: Machine, fildes: Any) -> int:
    """pipe(2): pipe2(2) without flags."""
    return do_pipe2(m, fildes, 0)
