"""What Linux 5.10 no longer has: models of what it replaced, to be measured beside it."""
