"""Rules about which image is used, and whether it can change."""
