"""The platforms as HTTP servers on loopback, with their documented limits, tokens, signatures and error bodies.

Imports nothing of the product, so that a misreading of a platform's rules cannot hide on both sides.
"""
