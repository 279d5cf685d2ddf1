"""Logging of every process of ours: one line per record on stderr, the libraries only from WARNING on."""

import logging

from streams.settings import Settings, SettingsError

LIBRARIES = ("aiohttp", "aiokafka", "asyncio", "faust", "kafka", "mode", "rocksdict")
FORMAT = "%(asctime)s %(levelname)-8s %(name)s: %(message)s"


def setup_logging(settings: Settings, handler: logging.Handler | None = None) -> None:
    """To ``handler``, which brings its own form, or to stderr; from ``IRIS_LOG_LEVEL`` on.

    Raises SettingsError when that is no level.
    """
    level = settings.log_level.upper()
    if level not in logging.getLevelNamesMapping():
        raise SettingsError(f"IRIS_LOG_LEVEL={settings.log_level!r}: write DEBUG, INFO, WARNING or ERROR")
    if handler is None:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(FORMAT))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Their debug records are built even when nobody prints them, which costs a tenth of a stage's CPU.
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
