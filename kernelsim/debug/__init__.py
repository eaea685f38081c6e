"""What the field's tools expect: ftrace's and strace's text, drgn's program, the changes between two times."""
