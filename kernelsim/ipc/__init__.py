"""Mirror of Linux's `ipc/` at v5.10.188."""
