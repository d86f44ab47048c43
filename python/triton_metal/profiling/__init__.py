"""What kernels do: launches bound without running, what they cost, and how long they took."""
