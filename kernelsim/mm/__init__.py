"""Mirror of Linux's `mm/` at v5.10.188."""
