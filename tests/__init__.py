"""Everything that judges the product: see the folders' own docstrings and ``make test``."""
