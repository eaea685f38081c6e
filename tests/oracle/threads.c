/* What Linux does with threads and futexes: each program prints lines, and so does the program of the
   same name in thread_programs.py, in the simulator.  Threads are made by a raw clone, without a C
   library's threads, and system calls by the instruction, for such threads share one errno. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PTHREAD                                                                                   \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |           \
     CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)
#define STACK 65536
#define NULLTIME ((void *)0)

typedef volatile int word;

static long call(long nr, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    long ret;
    __asm__ volatile("syscall" : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return ret;
}

static void say(const char *format, ...)
{
    char line[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    line[n] = '\n';
    call(SYS_write, 1, (long)line, n + 1, 0, 0, 0);
}

static const char *name(long result)
{
    static char texts[8][24];
    static int turn;
    char *text = texts[turn++ % 8];
    switch (-result) {
    case EAGAIN: return "EAGAIN";
    case ECHILD: return "ECHILD";
    case EFAULT: return "EFAULT";
    case EINTR: return "EINTR";
    case EINVAL: return "EINVAL";
    case ENOSYS: return "ENOSYS";
    case ESRCH: return "ESRCH";
    case ETIMEDOUT: return "ETIMEDOUT";
    }
    snprintf(text, 24, "%ld", result);
    return text;
}

static long futex(word *at, int op, unsigned value, const void *timeout, word *at2, unsigned value3)
{
    return call(SYS_futex, (long)at, op, value, (long)timeout, (long)at2, value3);
}

static long gettid_(void) { return call(SYS_gettid, 0, 0, 0, 0, 0, 0); }
static long getpid_(void) { return call(SYS_getpid, 0, 0, 0, 0, 0, 0); }
static long getppid_(void) { return call(SYS_getppid, 0, 0, 0, 0, 0, 0); }
static long wait4_(int pid, int *status, int options)
{
    return call(SYS_wait4, pid, (long)status, options, 0, 0, 0);
}
static long fork_(void) { return call(SYS_fork, 0, 0, 0, 0, 0, 0); }

static void reap(int pid, int options)
{
    int status = 0;
    long found = wait4_(pid, &status, options);
    if (found > 0)
        say("reaped: %x", status);
    else
        say("reaped: %s", name(found));
}

static int start(int (*function)(void *), long argument, word *tid)
{
    char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return clone(function, stack + STACK, PTHREAD, (void *)argument, tid, NULL, tid);
}

static void join(word *tid)
{
    int value;
    while ((value = *tid) != 0)
        futex(tid, FUTEX_WAIT, value, NULL, NULL, 0);
}

/* Let everybody else go on until they sleep. */
static void rest(void)
{
    struct timespec t = {0, 50000000};
    call(SYS_nanosleep, (long)&t, 0, 0, 0, 0, 0);
}

static struct timespec *in(long milliseconds)
{
    static struct timespec t;
    t.tv_sec = milliseconds / 1000;
    t.tv_nsec = milliseconds % 1000 * 1000000;
    return &t;
}

/* --- futexes ------------------------------------------------------------------------------ */

static word one, other, lock, tids[8];
static long results[8];

static void errnos(void)
{
    static const int ops[] = {FUTEX_WAIT, FUTEX_WAKE, FUTEX_WAIT | 128, FUTEX_WAKE | 128};
    static const long places[] = {0, 1, 2, 3, 4, 6, 1L << 60};
    for (int i = 0; i < 7; i++)
        for (int j = 0; j < 4; j++)
            say("%d %s", j, name(futex((word *)places[i], ops[j], 0, NULL, NULL, 0)));
    one = 5;
    say("%s", name(futex(&one, FUTEX_WAIT, 4, NULL, NULL, 0)));
    say("%s", name(futex(&one, FUTEX_WAIT_BITSET, 5, NULL, NULL, 0)));
    say("%s", name(futex(&one, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0)));
    say("%s", name(futex(&one, FUTEX_WAKE, 1, NULL, NULL, 0)));
    say("%s", name(futex(&one, FUTEX_WAKE, -1, NULL, NULL, 0)));
    say("%s", name(futex(&one, FUTEX_FD, 1, NULL, NULL, 0)));
    say("%s", name(futex(&one, 77, 1, NULL, NULL, 0)));
    say("%s", name(futex(&one, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0)));
    static struct timespec bad[] = {{-1, 0}, {0, -1}, {0, 1000000000}};
    for (int i = 0; i < 3; i++)
        say("%s", name(futex(&one, FUTEX_WAIT, 5, &bad[i], NULL, 0)));
    say("%s", name(futex(&one, FUTEX_WAIT, 5, (void *)8, NULL, 0)));
    say("%s", name(futex((word *)1, FUTEX_WAIT, 5, &bad[0], NULL, 0)));
    for (int cmp = 0; cmp < 2; cmp++) {
        int op = cmp ? FUTEX_CMP_REQUEUE : FUTEX_REQUEUE;
        say("%s", name(futex(&one, op, -1, (void *)1, &other, 5)));
        say("%s", name(futex(&one, op, 1, (void *)-1L, &other, 5)));
        say("%s", name(futex(&one, op, 1, (void *)1, (word *)3, 5)));
        say("%s", name(futex(&one, op, 1, (void *)1, &other, 4)));
        say("%s", name(futex(&one, op, 1, (void *)1, &other, 5)));
    }
    say("%s", name(futex(&one, FUTEX_WAKE_OP, 1, (void *)1, (word *)4, 0)));
    say("%s", name(futex(&one, FUTEX_WAKE_OP | 128, 1, (void *)1, (word *)4, 0)));
    say("%s", name(call(SYS_set_robust_list, (long)&one, 23, 0, 0, 0, 0)));
}

static int waiter(void *argument)
{
    long i = (long)argument;
    results[i] = futex(&one, FUTEX_WAIT, 0, NULL, NULL, 0);
    return 0;
}

static void some(int count, int (*function)(void *))
{
    for (int i = 0; i < count; i++) {
        results[i] = 99;
        start(function, i, &tids[i]);
        rest();
    }
}

static void ended(int count)
{
    rest();
    for (int i = 0; i < count; i++)
        say("waiter %d: %s", i, results[i] == 99 ? "waits" : name(results[i]));
}

static void wake_counts(void)
{
    some(5, waiter);
    say("woken %s", name(futex(&one, FUTEX_WAKE, 1, NULL, NULL, 0)));
    ended(5);
    say("woken %s", name(futex(&one, FUTEX_WAKE, 0, NULL, NULL, 0)));
    ended(5);
    say("woken %s", name(futex(&one, FUTEX_WAKE, 2, NULL, NULL, 0)));
    ended(5);
    say("woken %s", name(futex(&one, FUTEX_WAKE | 128, 9, NULL, NULL, 0)));
    say("woken %s", name(futex(&other, FUTEX_WAKE, 9, NULL, NULL, 0)));
    say("woken %s", name(futex(&one, FUTEX_WAKE, 9, NULL, NULL, 0)));
    say("woken %s", name(futex(&one, FUTEX_WAKE, 9, NULL, NULL, 0)));
    ended(5);
}

static int bit_waiter(void *argument)
{
    static const unsigned bits[] = {1, 2, 3, 4, 0xFFFFFFFF};
    long i = (long)argument;
    results[i] = futex(&one, FUTEX_WAIT_BITSET, 0, NULL, NULL, bits[i]);
    return 0;
}

static void bitsets(void)
{
    static const unsigned bits[] = {8, 2, 0x80000000, 5, 1};
    some(5, bit_waiter);
    for (int i = 0; i < 5; i++) {
        say("bits %u: %s", bits[i], name(futex(&one, FUTEX_WAKE_BITSET, 9, NULL, NULL, bits[i])));
        ended(5);
    }
}

static void requeue(void)
{
    some(6, waiter);
    say("%s", name(futex(&one, FUTEX_CMP_REQUEUE, 1, (void *)2, &other, 7)));
    say("%s", name(futex(&one, FUTEX_CMP_REQUEUE, 1, (void *)2, &other, 0)));
    ended(6);
    say("%s", name(futex(&other, FUTEX_WAKE, 1, NULL, NULL, 0)));
    ended(6);
    say("%s", name(futex(&one, FUTEX_REQUEUE, 0, (void *)1, &other, 0)));
    say("%s", name(futex(&one, FUTEX_WAKE, 9, NULL, NULL, 0)));
    say("%s", name(futex(&other, FUTEX_REQUEUE, 1, (void *)9, &other, 0)));
    say("%s", name(futex(&other, FUTEX_WAKE, 9, NULL, NULL, 0)));
    ended(6);
}

static int other_waiter(void *argument)
{
    long i = (long)argument;
    results[i] = futex(&other, FUTEX_WAIT, other, NULL, NULL, 0);
    return 0;
}

static void wake_op(void)
{
    static const struct { int op, arg, cmp, cmparg; } what[] = {
        {0, 7, 0, 0}, {1, -3, 1, 7}, {2, 0x10, 2, 5}, {3, 4, 3, 20}, {4, 0x7FF, 4, 20},
        {8 | 2, 31, 5, 0}, {1, 1, 4, 0}, {5, 1, 0, 0}, {0, 0, 6, 0},
    };
    some(2, waiter);
    for (int i = 0; i < 9; i++) {
        int op = FUTEX_OP(what[i].op, what[i].arg, what[i].cmp, what[i].cmparg);
        say("%s", name(futex(&lock, FUTEX_WAKE_OP, 1, (void *)1, &other, op)));
        say("= %d", other);
    }
    tids[2] = 0;
    results[2] = 99;
    start(other_waiter, 2, &tids[2]);
    rest();
    say("%s", name(futex(&one, FUTEX_WAKE_OP, 1, (void *)1, &other, FUTEX_OP(0, 1, 0, 3))));
    ended(3);
    say("%s", name(futex(&one, FUTEX_WAKE_OP, 1, (void *)1, &other, FUTEX_OP(0, 2, 0, 1))));
    ended(3);
}

static void timeouts(void)
{
    static struct timespec zero = {0, 0}, past = {1, 0}, real;
    say("%s", name(futex(&one, FUTEX_WAIT, 0, in(10), NULL, 0)));
    say("%s", name(futex(&one, FUTEX_WAIT, 0, &zero, NULL, 0)));
    say("%s", name(futex(&one, FUTEX_WAIT, 1, in(10), NULL, 0)));
    say("%s", name(futex(&one, FUTEX_WAIT_BITSET, 0, &zero, NULL, 1)));
    say("%s", name(futex(&one, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 1)));
    some(1, waiter);
    say("%s", name(futex(&one, FUTEX_WAIT, 0, in(10), NULL, 0)));
    say("%s", name(futex(&one, FUTEX_WAKE, 9, NULL, NULL, 0)));
    ended(1);
    (void)real;
}

/* --- joining and locking -------------------------------------------------------------------- */

static int speaker(void *argument)
{
    say("thread %ld: its number is known: %d", (long)argument, tids[(long)argument] == gettid_());
    return 0;
}

static void joined(void)
{
    for (int i = 0; i < 3; i++) {
        int number = start(speaker, i, &tids[i]);
        join(&tids[i]);
        say("joined %d, another one: %d", i, number != getpid_());
    }
}

static int sleeper(void *argument)
{
    rest();
    return 0;
}

static void private_joiners_are_not_woken(void)
{
    start(sleeper, 0, &tids[0]);
    say("%s", name(futex(&tids[0], FUTEX_WAIT | 128, tids[0], in(200), NULL, 0)));
    say("%d", tids[0]);
    start(sleeper, 0, &tids[0]);
    say("%s", name(futex(&tids[0], FUTEX_WAIT, tids[0], in(2000), NULL, 0)));
    say("%d", tids[0]);
}

static int mover(void *argument)
{
    say("%d", call(SYS_set_tid_address, (long)&other, 0, 0, 0, 0, 0) == gettid_());
    other = 17;
    return 0;
}

static void set_tid_address_moves_the_word(void)
{
    int number = start(mover, 0, &tids[0]);
    rest();
    say("%d %d", tids[0] == number, other);
    other = 17;
    say("%d", call(SYS_set_tid_address, (long)&other, 0, 0, 0, 0, 0) == getpid_());
    int status, pid = fork_();
    if (!pid) {
        call(SYS_set_tid_address, (long)&other, 0, 0, 0, 0, 0);
        _exit(0);
    }
    wait4_(pid, &status, 0);
    say("%d", other);
}

static int only_one_is_woken_waiter(void *argument)
{
    long i = (long)argument;
    results[i] = futex(&tids[7], FUTEX_WAIT, tids[7], NULL, NULL, 0);
    return 0;
}

static int long_sleeper(void *argument)
{
    while (!one)
        rest();
    return 0;
}

static void one_joiner_is_woken(void)
{
    start(long_sleeper, 0, &tids[7]);
    some(2, only_one_is_woken_waiter);
    one = 1;
    for (int i = 0; i < 10; i++)
        rest();
    ended(2);
    say("%s", name(futex(&tids[7], FUTEX_WAKE, 9, NULL, NULL, 0)));
    ended(2);
}

static int counter;

static void take(word *mutex)
{
    int c = __sync_val_compare_and_swap(mutex, 0, 1);
    if (c == 0)
        return;
    if (c != 2)
        c = __sync_lock_test_and_set(mutex, 2);
    while (c != 0) {
        futex(mutex, FUTEX_WAIT | 128, 2, NULL, NULL, 0);
        c = __sync_lock_test_and_set(mutex, 2);
    }
}

static void give_back(word *mutex)
{
    if (__sync_fetch_and_sub(mutex, 1) != 1) {
        *mutex = 0;
        futex(mutex, FUTEX_WAKE | 128, 1, NULL, NULL, 0);
    }
}

static int counting(void *argument)
{
    for (int i = 0; i < 50; i++) {
        take(&lock);
        int was = counter;
        call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
        counter = was + 1;
        give_back(&lock);
    }
    return 0;
}

static void mutex(void)
{
    for (int i = 0; i < 2; i++)
        start(counting, i, &tids[i]);
    for (int i = 0; i < 2; i++)
        join(&tids[i]);
    say("counted %d, lock %d", counter, lock);
}

static struct node { struct robust_list list; word at; } held;

static int dying(void *argument)
{
    static struct robust_list_head head;
    long kind = (long)argument;
    held.list.next = &head.list;
    held.at = gettid_() | (kind ? FUTEX_WAITERS : 0);
    head.list.next = &held.list;
    head.futex_offset = (char *)&held.at - (char *)&held.list;
    head.list_op_pending = NULL;
    call(SYS_set_robust_list, (long)&head, sizeof head, 0, 0, 0, 0);
    rest();
    rest();
    return 0;
}

static int held_waiter(void *argument)
{
    results[0] = futex(&held.at, FUTEX_WAIT, held.at, in(500), NULL, 0);
    return 0;
}

static void robust(void)
{
    for (long kind = 0; kind < 2; kind++) {
        start(dying, kind, &tids[0]);
        for (int i = 0; i < 1; i++)
            call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
        while (!held.at)
            call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
        start(held_waiter, 0, &tids[1]);
        join(&tids[0]);
        say("%x", held.at);
        join(&tids[1]);
        say("%s", name(results[0]));
        held.at = 0;
    }
}

/* --- signals ------------------------------------------------------------------------------------ */

static word handled;
static void handler(int sig) { handled++; }

/* The flags, and the function that returns from a handler: a raw sigaction would need both. */
static void on(int sig, int flags)
{
    struct sigaction act = {.sa_handler = handler, .sa_flags = flags};
    sigaction(sig, &act, NULL);
}

static int timed_waiter(void *argument)
{
    struct timespec t = {0, 400000000};
    results[(long)argument] = futex(&one, FUTEX_WAIT, 0, &t, NULL, 0);
    return 0;
}

static void send(int number, int sig)
{
    rest();
    call(SYS_tgkill, getpid_(), number, sig, 0, 0, 0);
    rest();
}

static void signals(void)
{
    for (int restart = 0; restart < 2; restart++) {
        on(SIGUSR1, restart ? SA_RESTART : 0);
        results[0] = results[1] = 99;
        send(start(waiter, 0, &tids[0]), SIGUSR1);
        ended(1);
        say("%s", name(futex(&one, FUTEX_WAKE, 1, NULL, NULL, 0)));
        join(&tids[0]);
        ended(1);
        send(start(timed_waiter, 1, &tids[1]), SIGUSR1);
        ended(2);
        join(&tids[1]);
        ended(2);
        say("handled %d", handled);
    }
    signal(SIGUSR1, SIG_IGN);
    results[1] = 99;
    send(start(timed_waiter, 1, &tids[1]), SIGUSR1);
    ended(2);
    say("%s", name(futex(&one, FUTEX_WAKE, 1, NULL, NULL, 0)));
    join(&tids[1]);
    ended(2);
}

static void a_stop_does_not_end_the_wait(void)
{
    int status, pid = fork_();
    if (!pid) {
        struct timespec t = {0, 400000000};
        say("%s", name(futex(&one, FUTEX_WAIT, 0, &t, NULL, 0)));
        _exit(0);
    }
    rest();
    call(SYS_kill, pid, SIGSTOP, 0, 0, 0, 0);
    reap(pid, WUNTRACED);
    call(SYS_kill, pid, SIGCONT, 0, 0, 0, 0);
    reap(pid, 0);
}

/* --- families ----------------------------------------------------------------------------------- */

static word go;
static int child;

static int parent_thread(void *argument)
{
    long me = gettid_(), process = getpid_();
    int status;
    if (!(child = fork_())) {
        say("child: its parent is the process: %d, the thread: %d", getppid_() == process,
            getppid_() == me);
        while (getppid_() == process && !go)
            rest();
        _exit(3);
    }
    rest();
    say("thread, only mine:");
    reap(-1, __WNOTHREAD | WNOHANG);
    while (!one)
        rest();
    return 0;
}

static void a_thread_s_child_is_everybody_s(void)
{
    int status = 0;
    start(parent_thread, 0, &tids[0]);
    rest();
    rest();
    rest();
    say("leader, only mine:");
    reap(-1, __WNOTHREAD | WNOHANG);
    reap(-1, WNOHANG);
    one = 1;
    join(&tids[0]);
    rest();
    say("the thread is gone, only mine:");
    reap(-1, __WNOTHREAD | WNOHANG);
    call(SYS_kill, child, SIGKILL, 0, 0, 0, 0);
    reap(-1, __WNOTHREAD);
}

static int heir(void *argument)
{
    int status;
    rest();
    rest();
    say("heir, only mine:");
    reap(-1, __WNOTHREAD | WNOHANG);
    call(SYS_kill, child, SIGKILL, 0, 0, 0, 0);
    reap(-1, __WNOTHREAD);
    call(SYS_exit_group, 5, 0, 0, 0, 0, 0);
    return 0;
}

static void a_dead_leader_s_children_go_to_a_thread(void)
{
    int status, pid = fork_();
    if (!pid) {
        long process = getpid_();
        child = fork_();
        if (!child) {
            while (getppid_() == process)
                rest();
            say("never seen");
            _exit(0);
        }
        start(heir, 0, &tids[0]);
        call(SYS_exit, 4, 0, 0, 0, 0, 0);
    }
    rest();
    reap(pid, WNOHANG);
    reap(pid, 0);
}

/* /proc/self/exe is not there once the leader is dead. */
static char *self;

static int execing(void *argument)
{
    rest();
    rest();
    static char told[32];
    snprintf(told, sizeof told, "%ld", gettid_());
    char *argv[] = {"threads", "image", told, NULL}, *envp[] = {NULL};
    call(SYS_execve, (long)self, (long)argv, (long)envp, 0, 0, 0);
    return 0;
}

/* What the new program finds: it has the process's number, whichever thread has begun it. */
static void image(const char *told)
{
    say("new program: it is the leader: %d, and was so: %d", gettid_() == getpid_(),
        atol(told) == getpid_());
    say("its children:");
    reap(-1, WNOHANG);
    _exit(9);
}

static void a_thread_that_execs_becomes_the_process(void)
{
    for (int leader_dead = 0; leader_dead < 2; leader_dead++) {
        int pid = fork_();
        if (!pid) {
            one = 0;
            start(execing, 0, &tids[0]);
            start(waiter, 1, &tids[1]);
            start(waiter, 2, &tids[2]);
            if (leader_dead)
                call(SYS_exit, 4, 0, 0, 0, 0, 0);
            futex(&one, FUTEX_WAIT, 0, NULL, NULL, 0);
            say("never seen");
        }
        rest();
        reap(pid, WNOHANG);
        reap(pid, 0);
    }
}

static int late(void *argument)
{
    while (!one)
        rest();
    say("the last thread ends");
    call(SYS_exit, 6, 0, 0, 0, 0, 0);
    return 0;
}

static int teller(void *argument)
{
    for (int i = 0; i < 6; i++)
        rest();
    one = 1;
    return 0;
}

static void a_dead_leader_waits_for_its_threads(void)
{
    int status, pid = fork_();
    if (!pid) {
        start(late, 0, &tids[0]);
        start(teller, 0, &tids[1]);
        call(SYS_exit, 4, 0, 0, 0, 0, 0);
    }
    rest();
    rest();
    reap(pid, WNOHANG);
    say("signal 0: %s", name(call(SYS_kill, pid, 0, 0, 0, 0, 0)));
    reap(pid, 0);
    say("signal 0: %s", name(call(SYS_kill, pid, 0, 0, 0, 0, 0)));
}

static int ender(void *argument)
{
    rest();
    say("ender");
    call(SYS_exit_group, 7, 0, 0, 0, 0, 0);
    return 0;
}

static void exit_group_ends_the_sleepers(void)
{
    int status, pid = fork_();
    if (!pid) {
        some(3, waiter);
        start(ender, 0, &tids[3]);
        futex(&one, FUTEX_WAIT, 0, NULL, NULL, 0);
        say("never seen");
        _exit(0);
    }
    reap(pid, 0);
}

static void a_signal_kills_all_that_wait(void)
{
    int status, pid = fork_();
    if (!pid) {
        some(3, waiter);
        futex(&one, FUTEX_WAIT, 0, NULL, NULL, 0);
        say("never seen");
        _exit(0);
    }
    for (int i = 0; i < 5; i++)
        rest();
    call(SYS_kill, pid, SIGTERM, 0, 0, 0, 0);
    reap(pid, 0);
}

static const struct { const char *name; void (*run)(void); } programs[] = {
#define P(name) {#name, name}
    P(errnos), P(wake_counts), P(bitsets), P(requeue), P(wake_op), P(timeouts), P(joined),
    P(private_joiners_are_not_woken), P(set_tid_address_moves_the_word), P(one_joiner_is_woken),
    P(mutex), P(robust), P(signals), P(a_stop_does_not_end_the_wait),
    P(a_thread_s_child_is_everybody_s), P(a_dead_leader_s_children_go_to_a_thread),
    P(a_dead_leader_waits_for_its_threads), P(exit_group_ends_the_sleepers),
    P(a_signal_kills_all_that_wait), P(a_thread_that_execs_becomes_the_process),
};

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 2 && !strcmp(argv[1], "image"))
        image(argv[2]);
    for (unsigned i = 0; argc > 1 && i < sizeof programs / sizeof *programs; i++)
        if (!strcmp(argv[1], programs[i].name)) {
            programs[i].run();
            _exit(0);
        }
    return 2;
}
