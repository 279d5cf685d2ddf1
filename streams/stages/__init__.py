"""The six stages: each file says in its first line what it reads and writes."""
