"""Mirror of Linux's `kernel/` at v5.10.188."""
