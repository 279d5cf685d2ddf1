"""The command line ``iris``."""
