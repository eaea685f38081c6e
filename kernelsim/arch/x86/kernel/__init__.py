"""Mirror of Linux's `arch/x86/kernel/` at v5.10.188."""
