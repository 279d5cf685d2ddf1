"""``python -m streams.cli``: the command ``iris`` for children that the supervisor starts with its own interpreter."""

from streams.cli.main import main

main()
