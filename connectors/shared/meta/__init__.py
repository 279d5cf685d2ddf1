"""What Meta's platforms share: the handshake, splitting of entries, messaging items, Graph errors and sending.

``sender`` is the I/O half and is imported only by a platform's own ``sender`` module; all other modules are pure.
"""
