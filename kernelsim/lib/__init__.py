"""Mirror of Linux's `lib/` at v5.10.188."""
