"""The configuration as text: the reference for the documentation, and what is in force with where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import cleandoc

from gamesad.config.keys import SECTIONS, Config, Key, Kind, keys_of
from gamesad.config.profile_keys import PROFILE_KEYS


def reference() -> str:
    """Every key as Markdown, one table per section."""
    parts = []
    for section, made in SECTIONS.items():
        parts.append(f"## [{section}]\n\n{cleandoc(made.__doc__ or '')}\n\n{_table(keys_of(section))}")
    parts.append(
        "## profiles.d/NAME.toml\n\nA profile is a file of its own, named after it (a to z, 0 to 9 and -). A key that"
        ' is missing comes from the profile it inherits; `"as-found"` (or an empty list) leaves a thing as found.\n\n'
        + _table(PROFILE_KEYS)
    )
    return "\n\n".join(parts) + "\n"


def show(config: Config, *, origin: bool = False) -> str:
    """The configuration in force as TOML; with ``origin`` each line says in a comment which file it comes from."""
    lines = []
    for section in SECTIONS:
        lines.append(f"[{section}]")
        held = config.profile if section == "profiles" else getattr(config, section)
        rows = keys_of(section)
        for name in sorted(rows, key=lambda name: rows[name].kind is Kind.NUMBERS):  # sub-tables come last in TOML
            value = getattr(held, name)
            if rows[name].kind is Kind.NUMBERS:
                lines.append(f"[{section}.{name}]")
                for pattern, number in value.items():
                    key = f"{section}.{name}.{pattern}"
                    lines.append(f"{_toml(pattern)} = {number:g}" + _comment(config, key, origin=origin))
            else:
                lines.append(f"{name} = {_toml(value)}" + _comment(config, f"{section}.{name}", origin=origin))
        lines.append("")
    return "\n".join(lines)


def _comment(config: Config, key: str, *, origin: bool) -> str:
    return f"  # {config.origins.get(key, 'built-in')}" if origin else ""


def _table(rows: Mapping[str, Key]) -> str:
    lines = ["| key | holds | default | |", "|---|---|---|---|"]
    for name, row in rows.items():
        holds = row.kind.value
        if row.choices:
            holds = ", ".join(f"`{choice}`" for choice in row.choices)
        elif row.low is not None:
            holds += f", {row.low:g} to {row.high:g}"
        default = "as found" if row.optional else f"`{_toml(row.default)}`"
        lines.append(f"| `{name}` | {holds} | {default} | {row.description} |")
    return "\n".join(lines)


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return f"{value:g}" if isinstance(value, float) else str(value)
        case list() | tuple():
            return "[" + ", ".join(_toml(item) for item in value) + "]"
        case dict():
            return "{}"
    escaped = "".join(
        f"\\u{ord(letter):04X}" if ord(letter) < 32 or ord(letter) == 127 else letter
        for letter in str(value).replace("\\", "\\\\").replace('"', '\\"')
    )
    return f'"{escaped}"'
