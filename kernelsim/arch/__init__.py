"""Mirror of Linux's `arch/` at v5.10.188."""
