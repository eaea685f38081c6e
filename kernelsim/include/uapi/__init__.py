"""Mirror of Linux's `include/uapi/` at v5.10.188: what user programs see of the kernel."""
