"""The settings of a command: from the environment, or one message and exit code 78."""

import os
from typing import TYPE_CHECKING

from streams.cli.output import CommandError

if TYPE_CHECKING:
    from streams.settings import Settings


def load() -> "Settings":
    """All settings; raises CommandError, which names the variable. Imported late, so that `iris --help` is quick."""
    from streams.settings import SettingsError, load_settings

    try:
        return load_settings()
    except SettingsError as error:
        raise CommandError(str(error), exit_code=os.EX_CONFIG) from error
