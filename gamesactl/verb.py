"""What a verb of the command line is made of."""

from __future__ import annotations


class Argument:
    """A word that stands in a fixed place. ``kind`` is what completes it.

    ``many``: the last one, which may be more than one word. ``rest`` takes every word that is left, options too.
    """

    __slots__ = ("help", "kind", "many", "name", "optional", "rest")

    def __init__(
        self,
        name: str,
        help: str,  # noqa: A002 the word people read
        *,
        kind: str = "",
        optional: bool = False,
        many: bool = False,
        rest: bool = False,
    ) -> None:
        self.name = name
        self.help = help
        self.kind = kind
        self.optional = optional
        self.many = many
        self.rest = rest


class Option:
    """``--name``, with a value when ``value`` names one."""

    __slots__ = ("help", "kind", "name", "short", "value")

    def __init__(self, name: str, help: str, *, value: str = "", short: str = "", kind: str = "") -> None:  # noqa: A002 as above
        self.name = name
        self.help = help
        self.value = value
        self.short = short
        self.kind = kind


class Verb:
    """``module`` under gamesactl.commands holds the function that does it: the name with ``-`` as ``_``."""

    __slots__ = ("arguments", "examples", "module", "name", "options", "summary", "text")

    def __init__(
        self,
        name: str,
        module: str,
        summary: str,
        *,
        arguments: tuple[Argument, ...] = (),
        options: tuple[Option, ...] = (),
        text: str = "",
        examples: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.name = name
        self.module = module
        self.summary = summary
        self.arguments = arguments
        self.options = options
        self.text = text
        self.examples = examples
