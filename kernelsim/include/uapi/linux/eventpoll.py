"""include/uapi/linux/eventpoll.h, asm-generic/poll.h @ v5.10.188: what can be waited for on a file.

On x86-64 the POLL* of programs and the EPOLL* of the kernel are the same bits.
"""

POLLIN = EPOLLIN = 0x0001
POLLPRI = EPOLLPRI = 0x0002
POLLOUT = EPOLLOUT = 0x0004
POLLERR = EPOLLERR = 0x0008
POLLHUP = EPOLLHUP = 0x0010
POLLNVAL = EPOLLNVAL = 0x0020
POLLRDNORM = EPOLLRDNORM = 0x0040
POLLRDBAND = EPOLLRDBAND = 0x0080
POLLWRNORM = EPOLLWRNORM = 0x0100
POLLWRBAND = EPOLLWRBAND = 0x0200
POLLMSG = EPOLLMSG = 0x0400
POLLRDHUP = EPOLLRDHUP = 0x2000

__all__ = [name for name in dir() if name.startswith(("POLL", "EPOLL"))]
