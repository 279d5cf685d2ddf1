"""What is on the topics: envelope, ids, content, events and commands.

Imports nothing of ours and no I/O library, so that any tool can read the log with this package alone.
"""
