"""Judges of our requests that run in an environment of their own."""
