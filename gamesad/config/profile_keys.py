"""What a profile's file may say, one row for each key."""

from __future__ import annotations

from collections.abc import Mapping

from gamesad.config.keys import Key, Kind

PROFILE_KEYS: Mapping[str, Key] = {
    key.name: key
    for key in (
        Key("description", Kind.TEXT, "", "One sentence for people who choose."),
        Key("inherits", Kind.TEXT, "", "The profile whose values hold where this one has none."),
        Key("rank", Kind.INTEGER, 50, "From most restrictive (0) up; the lowest held wins.", low=0, high=1000),
        Key(
            "power_profile",
            Kind.TEXT,
            "balanced",
            "The desktop power profile this one stands for.",
            choices=("power-saver", "balanced", "performance"),
        ),
        Key("governor", Kind.LIST, (), "Frequency governors, best first; the first that the machine offers is used."),
        Key("epp", Kind.LIST, (), "Energy performance preferences, best first."),
        Key("epb", Kind.INTEGER, None, "Energy performance bias, 0 (fast) to 15.", low=0, high=15, optional=True),
        Key("boost", Kind.BOOLEAN, None, "Whether processors may exceed their base frequency.", optional=True),
        Key(
            "frequency_minimum",
            Kind.NUMBER,
            None,
            "Lowest frequency, as a part of the machine's range.",
            low=0.0,
            high=1.0,
            optional=True,
        ),
        Key(
            "frequency_maximum",
            Kind.NUMBER,
            None,
            "Highest frequency, as a part of the machine's range.",
            low=0.1,
            high=1.0,
            optional=True,
        ),
        Key(
            "power_limit",
            Kind.NUMBER,
            None,
            "Sustained power limit, as a part of the one found at start.",
            low=0.1,
            high=1.0,
            optional=True,
        ),
        Key(
            "gpu_frequency_maximum",
            Kind.NUMBER,
            None,
            "Highest frequency of graphics, as a part of the one found at start.",
            low=0.25,
            high=1.0,
            optional=True,
        ),
        Key(
            "gpu_power_limit",
            Kind.NUMBER,
            None,
            "Power limit of graphics cards, as a part of the one found at start.",
            low=0.25,
            high=1.0,
            optional=True,
        ),
        Key("platform_profile", Kind.LIST, (), "Firmware profiles, best first."),
        Key(
            "temperature_limit_c",
            Kind.NUMBER,
            None,
            "Hold processors at or below this temperature.",
            low=40.0,
            high=110.0,
            optional=True,
        ),
    )
}
