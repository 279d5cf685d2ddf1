"""How Faust is driven: batches, lanes, acknowledgement, state store, fencing, failpoints.

A stage is a small function from (state, records of one conversation) to (new state, outputs); everything else is here.
"""
