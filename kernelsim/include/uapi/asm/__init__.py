"""Mirror of Linux's `include/uapi/asm/` at v5.10.188: what user programs see of the kernel."""
