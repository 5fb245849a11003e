"""Scores recordings of temperatures with the daemon's own models: the mode `gamesad --evaluate`."""
