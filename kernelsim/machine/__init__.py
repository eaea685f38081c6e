"""The machine below the kernel: bytes, C types and references.  It knows no Linux."""
