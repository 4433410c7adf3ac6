"""Rules about what a container may write."""
