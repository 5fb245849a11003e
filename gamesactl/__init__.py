"""gamesactl: the command line of gamesad, an unprivileged client of its bus interface."""
