"""What can go wrong with the segment; each message is one line that says what, where and what to do."""

from __future__ import annotations


class CrystalError(Exception):
    """The base of them all."""


class NotThere(CrystalError):
    """No segment, or nothing in it yet: gamesad does not run, or has just started."""


class NotTrusted(CrystalError):
    """What lies at the path belongs to a stranger, can be written by one, or is not a file."""


class InUse(CrystalError):
    """Another gamesad that lives publishes at the path."""


class WrongAbi(CrystalError):
    """A segment of another version of the layout."""


class Damaged(CrystalError):
    """The bytes cannot be what gamesad wrote."""


class Torn(CrystalError):
    """The writer was faster in every one of a bounded number of tries."""


class CrystalFull(CrystalError):
    """No room in /dev/shm; everything is as it was."""
