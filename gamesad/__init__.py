"""gamesad keeps a Linux machine as fast as its cooling and power allow, and no faster."""

__version__ = "0.1.0"
