"""Mirror of Linux's `arch/x86/entry/` at v5.10.188."""
