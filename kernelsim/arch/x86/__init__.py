"""Mirror of Linux's `arch/x86/` at v5.10.188."""
