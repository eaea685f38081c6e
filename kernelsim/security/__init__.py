"""Mirror of Linux's `security/` at v5.10.188."""
