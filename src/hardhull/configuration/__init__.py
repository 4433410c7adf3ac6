"""The configuration file: the table of its keys, reading it, and what is made from the table."""
