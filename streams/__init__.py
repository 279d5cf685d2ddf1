"""Everything that reads or writes a topic."""
