"""Mirror of Linux's `kernel/trace/` at v5.10.188."""
