/* A small family, by bare system calls: what strace prints of it is in family.txt (README.md). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct timespec moment = {0, 50000000};
static const struct { void *handler; unsigned long flags; void *restorer; unsigned long mask; }
	ignore = {SIG_IGN}, count = {SIG_DFL, SA_NOCLDSTOP | SA_RESTART};

int main(void)
{
	int ends[2], status, child;
	char text[10];

	syscall(SYS_umask, 077);
	syscall(SYS_umask, 022);
	syscall(SYS_pipe2, ends, 0);
	child = syscall(SYS_fork);
	if (!child) {
		syscall(SYS_read, ends[0], text, 10);
		syscall(SYS_write, 1, "a\1" "1\2x\v\f\r\t\n\"\\\177\200", 14);
		syscall(SYS_write, 1, "the quick brown fox jumps over the lazy dog\n", 44);
		syscall(SYS_close, 77);
		syscall(SYS_exit_group, 300);
	}
	syscall(SYS_nanosleep, &moment, 0);
	syscall(SYS_write, ends[1], "hi\n", 3);
	syscall(SYS_wait4, child, &status, WUNTRACED | WCONTINUED, 0);
	child = syscall(SYS_fork);
	if (!child)
		syscall(SYS_pause);
	syscall(SYS_nanosleep, &moment, 0);
	syscall(SYS_kill, child, SIGTERM);
	syscall(SYS_wait4, -1, &status, 0, 0);
	child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (!child)
		syscall(SYS_read, ends[0], text, 10);
	syscall(SYS_nanosleep, &moment, 0);
	syscall(SYS_kill, child, SIGKILL);
	syscall(SYS_wait4, child, 0, __WALL, 0);
	syscall(SYS_wait4, -1, &status, WNOHANG, 0);
	syscall(SYS_wait4, -1, 0, 0x60, 0);
	syscall(SYS_kill, 999999, SIGUSR1);
	syscall(SYS_kill, 999999, 34);
	syscall(SYS_kill, 999999, 0);
	syscall(SYS_rt_sigaction, SIGCHLD, &ignore, 0, 8);
	syscall(SYS_rt_sigaction, SIGCHLD, &count, 0, 8);
	syscall(SYS_rt_sigaction, SIGKILL, &ignore, 0, 8);
	syscall(SYS_read, 77, text, 10);
	syscall(SYS_lseek, ends[0], 5, SEEK_CUR);
	syscall(SYS_dup, ends[1]);
	syscall(SYS_dup2, ends[1], 9);
	syscall(SYS_setpgid, 0, 0);
	syscall(SYS_setsid);
	syscall(SYS_open, "/dev/null", O_RDWR, 0);
	syscall(SYS_open, "/no/such\n", O_WRONLY | O_CREAT | O_NONBLOCK, 0666);
	syscall(SYS_pipe2, ends, O_CLOEXEC | O_NONBLOCK);
	syscall(SYS_pipe2, ends, 1);
	syscall(SYS_sched_yield);
	syscall(9999, 1, 2, 3);
	syscall(SYS_getpid);
	syscall(SYS_exit_group, 5);
}
