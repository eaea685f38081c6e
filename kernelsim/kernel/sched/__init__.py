"""Mirror of Linux's `kernel/sched/` at v5.10.188."""
