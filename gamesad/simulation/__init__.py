"""A simulated machine for hosts without sensors and for tests; always labelled as such."""
