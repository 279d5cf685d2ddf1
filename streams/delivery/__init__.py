"""Delivery, pure: attempts, the journal of sending, status order. No I/O, no clock."""
