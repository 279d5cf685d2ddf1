"""Delivery without Kafka and HTTP: the journal of sending, what follows from a failure, status order, the events.

Pure but for ``courier`` and ``gate``, which wait: time, waiting and chance come in as arguments, the platform as a
``Sender``, the log and the table as a view.
"""
