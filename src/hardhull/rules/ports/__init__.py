"""Rules about the ports a program listens on."""
