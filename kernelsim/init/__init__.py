"""Mirror of Linux's `init/` at v5.10.188."""
