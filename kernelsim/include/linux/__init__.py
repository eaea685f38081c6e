"""Mirror of Linux's `include/linux/` at v5.10.188: struct layouts and the inline functions of the headers."""
