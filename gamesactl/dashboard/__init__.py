"""The web page of ``gamesactl dashboard``: served to this machine only, by a process without privileges."""
