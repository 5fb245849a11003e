"""The system bus: what clients may ask, and the polkit check before every change."""
