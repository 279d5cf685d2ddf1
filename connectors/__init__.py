"""The platforms: HTTP in and out. No Kafka, no state.

One folder per platform; ``registry`` discovers them, so adding a platform edits no list.
"""
