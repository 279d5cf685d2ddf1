"""Logging of every process of ours: one line per record on stderr, the libraries only from WARNING on."""

import logging

from streams.settings import Settings

LIBRARIES = ("aiohttp", "aiokafka", "asyncio", "faust", "kafka", "mode", "rocksdict")
FORMAT = "%(asctime)s %(levelname)-8s %(name)s: %(message)s"


def setup_logging(settings: Settings, handler: logging.Handler | None = None) -> None:
    """To ``handler``, or to stderr; from ``IRIS_LOG_LEVEL`` on."""
    if handler is None:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(FORMAT))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    # Their debug records are built even when nobody prints them, which costs a tenth of a stage's CPU.
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
