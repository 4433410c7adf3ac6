"""Rules about what the kernel lets a container do."""
