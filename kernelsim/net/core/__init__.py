"""Mirror of Linux's `net/core/` at v5.10.188."""
