"""Rules that are off until enabled: good practice that is a matter of taste."""
