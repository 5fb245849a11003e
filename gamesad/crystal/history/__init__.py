"""Minimum, mean and maximum of every sensor at three rates, in the segment and on disk."""
