"""``gamesad --probe``: what this machine offers gamesad, what is missing, and how to get it."""
