/* An actor on real Linux: carries out commands from a pipe with bare system calls and tells results.

   No C library, no thread-local storage: so it can be cloned with any flags, share its memory with
   other actors, be a thread, and run handlers.  tests/oracle/actors.py is the same in the simulator;
   the numbers below are in tests/oracle/commands.py.  Each actor has a stack of its own in `stacks`,
   by which a handler knows whose it is. */

#define ACTORS 8
#define STACK 65536
#define OUT 100
#define ACK 19
#define PIPE(me) (20 + 2 * (me))
#define CALLED 64

enum { CALL, WAIT4, WAITID, ACTION, MASK, PENDING, SUSPEND, SPAWN, EXEC, GET, NAME, PEEK, NAP, JOIN, POLL };
enum { NR_READ, NR_WRITE, NR_ACTION = 13, NR_MASK, NR_NAP = 35, NR_EXECVE = 59, NR_WAIT4 = 61,
       NR_PENDING = 127, NR_SUSPEND = 130, NR_PRCTL = 157, NR_FUTEX = 202, NR_EXIT_GROUP = 231, NR_WAITID = 247,
       NR_POLL = 7, NR_SETRLIMIT = 160, NR_CLONE = 56, NR_FORK, NR_VFORK, NR_CLONE3 = 435 };
enum { DEFAULT, IGNORE, TELL, REAP, QUERY };

#define CLONE_VM 0x100L
#define CLONE_PARENT_SETTID 0x100000L
#define CLONE_PIDFD 0x1000L
#define SA_RESTORER 0x04000000UL

struct command { long number, op, nr, child, a[6]; };
struct action { void *handler; unsigned long flags; void *restorer; unsigned long mask; };

static char stacks[ACTORS][STACK] __attribute__((aligned(STACK)));
static volatile int places[ACTORS][3];
static char *directory;

void *memset(void *to, int c, unsigned long n)
{
	for (char *p = to; n--; )
		*p++ = c;
	return to;
}

void *memcpy(void *to, const void *from, unsigned long n)
{
	const char *q = from;
	for (char *p = to; n--; )
		*p++ = *q++;
	return to;
}

static long sys(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	long result;
	__asm__ volatile("syscall" : "=a"(result)
		: "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		: "rcx", "r11", "memory");
	return result;
}

static char *number(char *p, long n)
{
	char digits[24];
	int i = 0;
	unsigned long u = n < 0 ? -n : n;
	if (n < 0)
		*p++ = '-';
	do
		digits[i++] = '0' + u % 10;
	while (u /= 10);
	while (i)
		*p++ = digits[--i];
	return p;
}

static void tell(long me, const char *word, const long *r, int n)
{
	char line[256], *p = number(line, me);
	for (*p++ = ' '; *word; )
		*p++ = *word++;
	for (int i = 0; i < n; i++) {
		*p++ = ' ';
		p = number(p, r[i]);
	}
	*p++ = '\n';
	sys(NR_WRITE, OUT, (long)line, p - line, 0, 0, 0);
}

static void read_all(long me, void *to, long n)
{
	long got;
	do
		got = sys(NR_READ, PIPE(me), (long)to, n, 0, 0, 0);
	while (got == -4 /* EINTR */);
	if (got != n)
		sys(NR_EXIT_GROUP, 99, 0, 0, 0, 0, 0);
}

static void acknowledge(long me, int how)
{
	char c = me | how;
	sys(NR_WRITE, ACK, (long)&c, 1, 0, 0, 0);
}

static long myself(void)
{
	return ((char *)__builtin_frame_address(0) - stacks[0]) / STACK;
}

static void handles(int sig)
{
	long r[] = { sig };
	tell(myself(), "handles", r, 1);
}

static void reaps(int sig)
{
	int status;
	long pid;
	handles(sig);
	while ((pid = sys(NR_WAIT4, -1, (long)&status, 11, 0, 0, 0)) > 0) {
		long r[] = { pid, status };
		tell(myself(), "reaps", r, 2);
	}
}

__asm__("restorer: mov $15, %eax; syscall");
extern char restorer[];

static void *const handlers[] = { 0, (void *)1, handles, reaps };

static int action(const struct command *c, long *r)
{
	struct action new = { 0, c->a[2] | SA_RESTORER, restorer, c->a[3] }, old = { 0 };
	if (c->a[1] != QUERY)
		new.handler = handlers[c->a[1]];
	r[0] = sys(NR_ACTION, c->a[0], c->a[1] == QUERY ? 0 : (long)&new, (long)&old, 8, 0, 0);
	for (int i = 0; i < 4; i++)
		if (old.handler == handlers[i])
			r[1] = i;
	r[2] = old.flags & ~SA_RESTORER;
	r[3] = old.mask;
	return 4;
}

static void obey(long me) __attribute__((noreturn));

/* The child comes back on a stack of its own and never sees the caller's frame again. */
static long spawn(long nr, const long *a, long child)
{
	register long r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4];
	register long r12 __asm__("r12") = (long)(stacks[child] + STACK - 64);
	register long r13 __asm__("r13") = child, r14 __asm__("r14") = (long)obey;
	long result;
	__asm__ volatile(
		"syscall\n\t"
		"test %%rax, %%rax\n\t"
		"jnz 1f\n\t"
		"mov %%r12, %%rsp\n\t"
		"mov %%r13, %%rdi\n\t"
		"call *%%r14\n"
		"1:"
		: "=a"(result)
		: "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r12), "r"(r13), "r"(r14)
		: "rcx", "r11", "memory");
	return result;
}

/* a: flags, exit signal, the number to have, size of clone3's struct, its stack (-1: as needed). */
static int make(const struct command *c, long *r)
{
	long flags = c->a[0], stack = (long)(stacks[c->child] + STACK - 64);
	volatile int *tids = places[c->child];
	int wanted[] = { c->a[2] };
	if (c->nr == NR_FORK || c->nr == NR_VFORK) {
		long none[5] = { 0 };
		r[0] = spawn(c->nr, none, c->child);
	} else if (c->nr == NR_CLONE) {
		long a[] = { flags | c->a[1], flags & CLONE_VM ? stack : 0, (long)&tids[0], (long)&tids[1], 0 };
		r[0] = spawn(NR_CLONE, a, c->child);
	} else {
		unsigned long size = STACK - 64;
		unsigned long args[] = {
			flags, (long)&tids[2], (long)&tids[1], (long)&tids[0], c->a[1],
			flags & CLONE_VM ? (unsigned long)stacks[c->child] : 0, flags & CLONE_VM ? size : 0, 0,
			wanted[0] ? (unsigned long)wanted : 0, wanted[0] != 0, 0,
		};
		long a[] = { (long)args, c->a[3], 0, 0, 0 };
		r[0] = spawn(NR_CLONE3, a, c->child);
	}
	if (!(flags & (CLONE_PARENT_SETTID | CLONE_PIDFD)) || r[0] < 0)
		return 1;
	if (c->nr == NR_CLONE || flags & CLONE_PARENT_SETTID)
		r[1] = tids[0]; /* clone() stores the pidfd there too */
	if (c->nr == NR_CLONE3 && flags & CLONE_PIDFD)
		r[2] = tids[2];
	return 3;
}

static long execute(long me, long missing)
{
	char path[256], *p = path;
	char *argv[] = { path, directory, 0 }, *envp[] = { 0 };
	for (const char *q = directory; *q; )
		*p++ = *q++;
	for (const char *q = "/actor"; *q; )
		*p++ = *q++;
	*p++ = missing ? 'x' : '0' + me;
	*p = 0;
	return sys(NR_EXECVE, (long)path, (long)argv, (long)envp, 0, 0, 0);
}

static int carry_out(long me, const struct command *c, long *r)
{
	const long *a = c->a;
	int status = 0, info[32] = { 0 };
	long set = a[1], old = 0, thousand[] = { 1000, 0 };
	char name[16] = "a";
	struct { int fd; short events, revents; } wanted = { 0 };
	switch (c->op) {
	case CALL:
		r[0] = sys(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		return 1;
	case WAIT4:
		r[0] = sys(NR_WAIT4, a[0], (long)&status, a[1], 0, 0, 0);
		r[1] = status;
		return 2;
	case WAITID:
		r[0] = sys(NR_WAITID, a[0], a[1], (long)info, a[2], 0, 0);
		r[1] = info[0]; /* si_signo, si_code, si_pid, si_status */
		r[2] = info[2];
		r[3] = info[4];
		r[4] = info[6];
		return 5;
	case ACTION:
		return action(c, r);
	case MASK:
		r[0] = sys(NR_MASK, a[0], (long)&set, (long)&old, 8, 0, 0);
		r[1] = old;
		return 2;
	case PENDING:
		r[0] = sys(NR_PENDING, (long)&old, 8, 0, 0, 0, 0);
		r[1] = old;
		return 2;
	case SUSPEND:
		set = a[0];
		r[0] = sys(NR_SUSPEND, (long)&set, 8, 0, 0, 0, 0);
		return 1;
	case SPAWN:
		return make(c, r);
	case EXEC:
		r[0] = execute(me, a[0]);
		return 1;
	case GET:
		r[0] = sys(NR_PRCTL, a[0], (long)name, 0, 0, 0, 0);
		r[1] = *(int *)name;
		return 2;
	case NAME:
		name[0] = 'a' + a[0];
		r[0] = sys(NR_PRCTL, 15, (long)name, 0, 0, 0, 0);
		return 1;
	case PEEK:
		r[0] = places[c->child][0];
		r[1] = places[c->child][1];
		return 2;
	case JOIN: /* wait until the kernel has cleared the word, as pthread_join() does */
		status = places[c->child][1];
		r[0] = sys(NR_FUTEX, (long)&places[c->child][1], 0, status ? status : 1, 0, 0, 0);
		return 1;
	case POLL:
		wanted.fd = a[0];
		wanted.events = 1; /* POLLIN */
		r[0] = sys(NR_POLL, (long)&wanted, 1, a[1], 0, 0, 0);
		r[1] = wanted.revents & 33; /* POLLIN, POLLNVAL */
		return 2;
	case NAP:
		r[0] = sys(NR_NAP, (long)thousand, 0, 0, 0, 0, 0);
		return 1;
	}
	return 0;
}

static void obey(long me)
{
	for (;;) {
		struct command c;
		long r[8] = { 0 };
		char word[24], go;
		int n;
		acknowledge(me, 0);
		read_all(me, &c, sizeof c);
		n = carry_out(me, &c, r);
		acknowledge(me, CALLED);
		read_all(me, &go, 1);
		*number(word, c.number) = 0;
		tell(me, word, r, n);
	}
}

/* The directory is the first argument; the last letter of the name says which actor this is. */
__attribute__((used)) static void begin(long *sp)
{
	char *name = (char *)sp[1];
	directory = (char *)sp[2];
	long limit[] = { 1, 1 };
	sys(NR_SETRLIMIT, 4, (long)limit, 0, 0, 0, 0); /* RLIMIT_CORE: no core files, and no pipe */
	while (name[1])
		name++;
	register long to __asm__("r12") = (long)(stacks[*name - '0'] + STACK - 64);
	__asm__ volatile("mov %0, %%rsp\n\tmov %1, %%rdi\n\tcall *%2"
		: : "r"(to), "r"((long)(*name - '0')), "r"(obey) : "rdi", "memory");
}

__asm__(".globl _start\n_start: mov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin");
