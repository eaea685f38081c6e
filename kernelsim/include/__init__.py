"""Mirror of Linux's `include/` at v5.10.188: struct layouts and the inline functions of the headers."""
