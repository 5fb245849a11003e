"""What to do about it: pure functions of data, the envelope last."""
