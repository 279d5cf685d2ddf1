"""Looks after the channels beside the stages: their health, and which message templates are approved."""
