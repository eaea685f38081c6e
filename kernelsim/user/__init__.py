"""The user side: the libc that programs call, and programs.

Imports nothing of the kernel but its user-space headers, `include/uapi`.
"""
