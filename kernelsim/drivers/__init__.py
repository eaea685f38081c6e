"""Mirror of Linux's `drivers/` at v5.10.188."""
