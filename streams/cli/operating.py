"""What goes wrong when a command meets the broker or the settings, as one message with its exit code."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from streams.broker.errors import BrokerError
from streams.cli.child import StartFailed
from streams.cli.output import CommandError
from streams.settings import SettingsError


@contextmanager
def operating() -> Iterator[None]:
    """Exit 69 without a broker, 78 with a wrong setting, 70 (or its own code) when a part of ours cannot run."""
    try:
        yield
    except BrokerError as error:
        raise CommandError(str(error), exit_code=os.EX_UNAVAILABLE) from error
    except SettingsError as error:
        raise CommandError(str(error), exit_code=os.EX_CONFIG) from error
    except StartFailed as error:
        code = error.exit_code if error.exit_code in (os.EX_CONFIG, os.EX_UNAVAILABLE) else os.EX_SOFTWARE
        raise CommandError(str(error), exit_code=code) from error
