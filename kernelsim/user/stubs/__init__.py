"""The stubs of the C library, a file for each family of calls; `kernelsim.user.libc` joins them."""
