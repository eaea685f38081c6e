"""Mirror of Linux's `include/net/` at v5.10.188."""
