"""hardhull: verified, byte-minimal hardening of .NET containers."""

__version__ = "0.1.0"
