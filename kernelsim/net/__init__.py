"""Mirror of Linux's `net/` at v5.10.188."""
