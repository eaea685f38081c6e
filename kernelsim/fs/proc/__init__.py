"""Mirror of Linux's `fs/proc/` at v5.10.188."""
