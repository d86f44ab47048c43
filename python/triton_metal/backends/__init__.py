"""What is particular to one device: `triton_metal.backends.metal`."""
