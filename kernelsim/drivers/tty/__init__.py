"""Mirror of Linux's `drivers/tty/` at v5.10.188."""
