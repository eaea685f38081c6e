"""Mirror of Linux's `kernel/futex/` at v5.10.188."""
