"""Rules about the user a program runs as."""
