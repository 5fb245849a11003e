"""A command line against the table of verbs: small, so that a verb starts at once, and helpful when it is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gamesactl.errors import Usage
from gamesactl.suggest import did_you_mean
from gamesactl.verb import Option, Verb
from gamesactl.verbs import GLOBAL_OPTIONS, VERBS, find


class Arguments:
    """What was asked for. ``verb`` is None when only help or the version was."""

    __slots__ = ("color", "help", "json", "options", "rest", "verb", "words")

    def __init__(self) -> None:
        self.verb: Verb | None = None
        self.words: list[str] = []
        self.rest: list[str] = []
        self.options: dict[str, list[str]] = {}
        self.json = False
        self.color = True
        self.help = False

    def word(self, place: int) -> str | None:
        """The word in this place, None where it was left out."""
        return self.words[place] if place < len(self.words) else None

    def option(self, name: str) -> str | None:
        """The value of an option, the last one where it was given twice; None where it was not given."""
        return self.every(name)[-1] if self.given(name) else None

    def every(self, name: str) -> list[str]:
        """The values of an option that may be given more than once."""
        return self.options.get(name, [])

    def given(self, name: str) -> bool:
        return name in self.options


def parse(argv: Sequence[str]) -> Arguments:
    """Raises Usage with a sentence that names what would have been right."""
    result = Arguments()
    words = iter(argv)
    for word in words:
        if word == "--":
            _positional_rest(result, list(words))
            break
        if word == "--version" and result.verb is None:
            result.verb = find("version")
        elif word.startswith("-") and len(word) > 1 and not _is_number(word):
            _option(result, word, words)
        elif result.verb is None:
            result.verb = _verb(word)
        elif _takes_rest(result.verb):
            result.rest = [word, *words]
        else:
            result.words.append(word)
    if not result.help:
        _check(result)
    return result


def _positional_rest(result: Arguments, words: list[str]) -> None:
    if result.verb is None:
        raise Usage("a verb comes before --; gamesactl --help lists them")
    if _takes_rest(result.verb):
        result.rest = words
    else:
        result.words += words


def _verb(word: str) -> Verb:
    verb = find(word)
    if verb is None:
        names = [verb.name for verb in VERBS]
        raise Usage(f"unknown verb {word!r}{did_you_mean(word, names)}; gamesactl --help lists them")
    return verb


def _option(result: Arguments, word: str, words: Iterator[str]) -> None:
    name, equals, value = word.partition("=")
    known = GLOBAL_OPTIONS + (result.verb.options if result.verb else ())
    option = _known(known, name)
    if option is None and not word.startswith("--") and len(word) > 2:  # -n5
        name, equals, value = word[:2], "=", word[2:]
        option = _known(known, name)
        option = option if option is not None and option.value else None
    if option is None:
        verb = result.verb
        where = f"gamesactl {verb.name}" if verb else "gamesactl"
        early = verb is None and any(_known(one.options, name) for one in VERBS)
        hint = " (a verb comes first)" if early else did_you_mean(name, [f"--{one.name}" for one in known])
        raise Usage(f"unknown option {word.partition('=')[0]}{hint}; see: {where} --help")
    if not option.value:
        if equals:
            raise Usage(f"{name} takes no value")
        _flag(result, option)
        return
    if not equals:
        following = next(words, None)
        if following is None:
            raise Usage(f"{name} needs a value: {name} {option.value}")
        value = following
    result.options.setdefault(option.name, []).append(value)


def _flag(result: Arguments, option: Option) -> None:
    if option.name == "json":
        result.json = True
    elif option.name == "no-color":
        result.color = False
    elif option.name == "help":
        result.help = True
    else:
        result.options[option.name] = [""]


def _known(options: Sequence[Option], name: str) -> Option | None:
    for option in options:
        if name == f"--{option.name}" or (option.short and name == f"-{option.short}"):
            return option
    return None


def _takes_rest(verb: Verb) -> bool:
    return any(argument.rest for argument in verb.arguments)


def _check(result: Arguments) -> None:
    verb = result.verb
    if verb is None:
        raise Usage("a verb is missing, for example: gamesactl status; gamesactl --help lists them")
    if _takes_rest(verb):
        if not result.rest:
            raise Usage(f"{usage(verb)}: the command is missing")
        return
    needed = [argument for argument in verb.arguments if not argument.optional]
    if len(result.words) < len(needed):
        missing = needed[len(result.words)]
        raise Usage(f"{missing.name} is missing; usage: {usage(verb)}")
    if len(result.words) > len(verb.arguments) and not (verb.arguments and verb.arguments[-1].many):
        raise Usage(f"{result.words[len(verb.arguments)]!r} is one word too many; usage: {usage(verb)}")


def _is_number(word: str) -> bool:
    """A negative number is a value, not an option."""
    return word[1:2].isdigit()


def usage(verb: Verb) -> str:
    """``gamesactl hold NAME [--for TIME] [--reason TEXT]``"""
    parts = ["gamesactl", verb.name]
    parts += [f"[{_spelled(option)}]" for option in verb.options] if _takes_rest(verb) else []
    for argument in verb.arguments:
        shape = f"-- {argument.name} ..." if argument.rest else f"{argument.name}{' ...' * argument.many}"
        parts.append(f"[{shape}]" if argument.optional else shape)
    parts += [] if _takes_rest(verb) else [f"[{_spelled(option)}]" for option in verb.options]
    return " ".join(parts)


def _spelled(option: Option) -> str:
    name = f"-{option.short}" if option.short else f"--{option.name}"
    return f"{name} {option.value}" if option.value else name
