"""Doing it: ordered writes with read-back, and the values found before the first of them."""
