"""Mirror of Linux's `fs/` at v5.10.188."""
