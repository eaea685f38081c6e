"""Mirror of Linux's `kernel/time/` at v5.10.188."""
