"""The conversation as a pure fold of its log: state, decisions and context. No I/O, no clock."""
