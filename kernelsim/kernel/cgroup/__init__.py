"""Mirror of Linux's `kernel/cgroup/` at v5.10.188."""
