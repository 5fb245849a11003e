"""Every event that gamesad tells the journal, each with a MESSAGE_ID of its own and a text for the message catalog.

The ids never change once released: people filter on them (``journalctl MESSAGE_ID=…``). ``systemd/gamesad.catalog`` is
what ``catalog()`` returns (Documentation: journald's catalog, https://systemd.io/CATALOG).
"""

from __future__ import annotations

import logging
import textwrap
from enum import Enum
from typing import NamedTuple


class Entry(NamedTuple):
    """One event: 128-bit id in hexadecimal, usual level, subject line, and what it means and asks of the reader."""

    message_id: str
    level: int
    subject: str
    explanation: str


class Message(Enum):
    """The events. ``@GAMESAD_…@`` is replaced by the field of the entry that journalctl shows."""

    START = Entry(
        "73ee2231be99454ab0627f05b12a2c6e",
        logging.INFO,
        "gamesad has started",
        "The thermal and performance service reads this machine's sensors and serves the bus. With nothing chosen it "
        "changes nothing until a temperature comes near its limit. `gamesactl status` shows what it sees.",
    )
    STOP = Entry(
        "4ac6b521be5841e7802e45e791d34869",
        logging.INFO,
        "gamesad has stopped",
        "Every value that gamesad had changed was put back first; a value that somebody else had changed meanwhile was "
        "left alone and is named in an entry of its own.",
    )
    DECISION = Entry(
        "d2f10c48c6bb4b27add808f5bc7b34d4",
        logging.INFO,
        "Decision: @GAMESAD_ACTION@",
        "gamesad decided something new; the entry's text says why, with the numbers. GAMESAD_SOURCE says whose wish it "
        "was: safety, forecast, rule, policy or user. `gamesactl explain` tells the present state, `gamesactl "
        "decisions` the recent past.",
    )
    ALERT = Entry(
        "9b4fbd8e1cdd4087abcbd4c92dd4a615",
        logging.WARNING,
        "@GAMESAD_SENSOR@ is at its limit",
        "This temperature is at or above the limit that gamesad keeps it under (GAMESAD_TEMPERATURE_C, "
        "GAMESAD_LIMIT_C). For a processor gamesad has already taken power away. If it comes back under ordinary "
        "load, look at dust, fans and vents, and at the thermal paste.",
    )
    ALERT_END = Entry(
        "6a16f481bbb64bf7b31a4849bcf83170",
        logging.INFO,
        "@GAMESAD_SENSOR@ is under its limit again",
        "The temperature has been under its limit for long enough. Nothing needs to be done.",
    )
    REFUSAL = Entry(
        "b3ae974a458a4782b74b29fb9aee9e0a",
        logging.WARNING,
        "The kernel refused a value for @GAMESAD_TUNABLE@",
        "gamesad wrote a value and the kernel answered with the error in GAMESAD_ERRNO: EBUSY mostly means that "
        "another setting takes precedence, EINVAL that this machine does not know the value, EACCES, EPERM and EROFS "
        "that the service may not write there, as in a container, ETIMEDOUT that the disk is slow to record what was "
        "found, which comes first. gamesad carries on with the rest and says so once.",
    )
    REFUSAL_END = Entry(
        "4bb7c6888f4742808fd86bf1d0f7d6ec",
        logging.INFO,
        "The kernel takes values for @GAMESAD_TUNABLE@ again",
        "A value that was refused before has been taken. Nothing needs to be done.",
    )
    FAILSAFE = Entry(
        "aaf5cc6fc1d34c23858e36827d784543",
        logging.ERROR,
        "Conservative settings are in force",
        "A sensor that this machine cannot be regulated safely without gives no true value, or a temperature is far "
        "above its limit, so gamesad holds the machine at its settings of least power. `gamesactl sensors` names the "
        "sensor and what is wrong with it. Full speed returns by itself with the sensor.",
    )
    FAILSAFE_END = Entry(
        "b01671afe9d5445db7e131efba866bc7",
        logging.INFO,
        "Conservative settings are over",
        "All critical sensors give true values again and temperatures are in range: gamesad regulates as before.",
    )
    RESTORE = Entry(
        "a0962713a5f4416ea200fec219b9f09d",
        logging.INFO,
        "Found values were put back",
        "gamesad put back the values that it had found before its first write, at its stop, at a pause, or at a start "
        "that follows a crash. Values that somebody else had changed meanwhile were left alone.",
    )
    FOREIGN = Entry(
        "bb72ef42c9274d9b8a756d949090b5ee",
        logging.INFO,
        "Somebody else changed @GAMESAD_TUNABLE@",
        "This setting holds a value that is neither the one gamesad wrote nor the one it found. It belongs to whoever "
        "wrote it and is left alone, also at the stop. `gamesactl reset @GAMESAD_TUNABLE@` gives it back to gamesad.",
    )
    CONFIG_ERROR = Entry(
        "c977dfc826234ec1b78720353248457c",
        logging.ERROR,
        "The configuration has errors",
        "Each entry names a file, a line, a key and what to write instead. At a start gamesad refuses to run; at a "
        "reload it keeps the configuration it has. `gamesad --check-config` lists every error without starting.",
    )
    CONFIG_RELOADED = Entry(
        "0289e2a2dd734db8b47b65c313b50ae5",
        logging.INFO,
        "The configuration was read again",
        "The new configuration is in force from the next tick on. `gamesactl config show --origin` shows each value "
        "and the file it comes from.",
    )
    PROFILE_CHANGED = Entry(
        "8230c6ce4eb94fefb74513f8ed3d8c4e",
        logging.INFO,
        "Profile: @GAMESAD_PROFILE@",
        "Another profile is in force; GAMESAD_CAUSE says who wanted it. A held profile ends with the program that "
        "holds it.",
    )
    PAUSED = Entry(
        "f9748cb90147410b9c16427d5a7f20ce",
        logging.INFO,
        "Regulation is paused",
        "Somebody asked gamesad to pause: the found values are back and nothing is written until the pause ends or "
        "somebody resumes (`gamesactl resume`). The hardware's own protection and gamesad's alerts go on.",
    )
    RESUMED = Entry(
        "13a913bb26244ec09f60eff267694e86",
        logging.INFO,
        "Regulation goes on",
        "The pause is over. Nothing needs to be done.",
    )
    OVERRIDE_REVERTED = Entry(
        "f95e1264ad604f4b96b183d42d681f70",
        logging.INFO,
        "@GAMESAD_TUNABLE@ went back by itself",
        "A value set by hand was not confirmed in time (`gamesactl confirm`) and was taken back, as announced when it "
        "was set.",
    )
    RIVAL = Entry(
        "960e24070aef445582789c0ea11d05d2",
        logging.WARNING,
        "@GAMESAD_RIVAL@ controls this machine's settings",
        "Another power manager runs or keeps changing the settings gamesad would change. Two of them would fight, so "
        "gamesad observes: it measures, explains and warns, and writes nothing. Stop and disable one of the two.",
    )
    RIVAL_END = Entry(
        "0b59c9b130704026aebb14c4e5552298",
        logging.INFO,
        "@GAMESAD_RIVAL@ is gone",
        "No other power manager is at work: gamesad regulates again.",
    )
    SENSOR_REJECTED = Entry(
        "c817e81816f047dfb6d78d2f67b74d3f",
        logging.WARNING,
        "@GAMESAD_SENSOR@ reads what cannot be true",
        "The value in GAMESAD_VALUE is outside what is possible, as of an input with no probe on it. It is shown as "
        "rejected and never acted on. To hide an input that is not connected, name it in `ignore` in the "
        "configuration's [sensors] table.",
    )
    SENSOR_LOST = Entry(
        "16fe342b0c8e428fb62ba86cb3b85735",
        logging.WARNING,
        "@GAMESAD_SENSOR@ cannot be read",
        "The sensor gave no value (GAMESAD_ERRNO says how: ENODATA not ready or disabled, ENXIO after a resume, EIO a "
        "bus fault, stale when it takes too long). gamesad tries again by itself, ever more rarely.",
    )
    SENSOR_BACK = Entry(
        "dfb1eb83c7c04f708b59693b25d3d70a",
        logging.INFO,
        "@GAMESAD_SENSOR@ is back",
        "The sensor gives true values again. Nothing needs to be done.",
    )
    COMPONENT_MISSING = Entry(
        "3efa13d45893475bb3d8e423d80f37bd",
        logging.WARNING,
        "Running without @GAMESAD_COMPONENT@",
        "An optional part is missing or could not be used; the entry's text says what does not work without it and "
        "how to get it. The rest of gamesad works.",
    )
    ANOMALY = Entry(
        "819ba58ad8a842f3ad21d2ae89379944",
        logging.WARNING,
        "@GAMESAD_LABEL@ behaves oddly",
        "What this sensor shows is not what it usually shows under such load; the entry's text says by how much. It "
        "is a sign, not a fault: look at fans, dust, pumps and what runs. The limits are kept as ever, and nothing is"
        " made faster for it. How many false ones a week are allowed is neural.false_alarms_per_week.",
    )
    ANOMALY_END = Entry(
        "ca746f040c4c4df5bc6aec3652508a8f",
        logging.INFO,
        "@GAMESAD_LABEL@ behaves as usual again",
        "What was odd is over, or has become the usual.",
    )
    MODELS_ROLLED_BACK = Entry(
        "ac3233b6f6a647c692ac8811bbc305af",
        logging.WARNING,
        "A learnt model failed and was put back",
        "The model in GAMESAD_MODEL computed what cannot be, or failed. It goes on from its last sound state in "
        "memory, or from nothing. Regulation is not touched by it: the rules and limits need no model. If this comes "
        "again and again, `gamesactl neural reset` begins anew; please report it with the entry's text.",
    )
    MODELS_SOUND = Entry(
        "21fb7075e86d4206899cd08625969ba8",
        logging.INFO,
        "The learnt models are sound again",
        "The model in GAMESAD_MODEL has worked for a while without being put back. Nothing needs to be done.",
    )
    MODELS_SET_ASIDE = Entry(
        "facb868850734a18bedc6792163f03a8",
        logging.WARNING,
        "Learnt models could not be taken up",
        "The file in GAMESAD_PATH is damaged, of another machine or of another version. It was set aside under a name"
        " of its own, and learning begins anew: forecasts are as good as before within an hour or so.",
    )
    MODELS_UNSAVED = Entry(
        "a9f47c66f0194d2f8f9475c0e764e636",
        logging.WARNING,
        "What was learnt could not be saved",
        "The file in GAMESAD_PATH could not be written. Learning goes on, and what it brings is lost at the next stop"
        " unless the file can be written by then. Look at the space and the permissions there.",
    )
    MODELS_SAVED = Entry(
        "0ec90e1652904238b89cdfa6c19e7436",
        logging.INFO,
        "What was learnt is saved again",
        "The disk takes it again. Nothing needs to be done.",
    )
    POLICY_DEMOTED = Entry(
        "eef4d45cc98d4c48a8f81dde799932a3",
        logging.WARNING,
        "The learnt policy only proposes for now",
        "What the policy did or would have done came out worse than the rules, or it saw what it does not know; the "
        "entry's text says which. The rules decide alone. `gamesactl neural shadow` shows how it goes on.",
    )
    POLICY_MODE = Entry(
        "920136d807d44f74ba998fe7ccf8f0f3",
        logging.INFO,
        "The learnt policy: @GAMESAD_MODE@",
        "How far the learnt policy may go was changed, by the configuration or by somebody: shadow (it proposes, and "
        "tries another choice now and then where that is as safe), advise (what it proposes is shown, nothing is "
        "tried) or act (it chooses where the rules leave a choice). Rules and limits come first in each.",
    )
    BUS_LOST = Entry(
        "cceab7ed7e26420c9f11623e49194135",
        logging.WARNING,
        "The system bus is gone",
        "gamesad protects the machine without a bus and tries to come back to it. Until then gamesactl and desktop "
        "applets cannot reach it, and holds have ended with their holders.",
    )
    BUS_BACK = Entry(
        "a3e5a214f13e4f3398060760bcff1725",
        logging.INFO,
        "The system bus is back",
        "gamesad serves the bus again. Nothing needs to be done.",
    )
    STATE_DAMAGED = Entry(
        "1efa71fcc67042d48d10e5a11f106242",
        logging.WARNING,
        "A file of gamesad's own was damaged",
        "The file in GAMESAD_PATH could not be understood (cut short, or written by another version). It was set "
        "aside under a name of its own and gamesad began with an empty one: a chosen profile may need choosing again.",
    )
    STATE_UNSAVED = Entry(
        "f370f703e4714aeb903d78c7c4d641e0",
        logging.WARNING,
        "A choice could not be saved",
        "What somebody chose is in force now, and will be forgotten at the next start: the file in GAMESAD_PATH could "
        "not be written. Look at the space and the permissions there, then choose again. If the entry says that the "
        "disk does not answer (much else is being written to it, or it fails), the choice is saved once it does.",
    )
    STATE_SAVED = Entry(
        "9f21f59704a544ef8cd5d29bc969a015",
        logging.INFO,
        "The choice is saved after all",
        "The disk took its time, and now holds what somebody chose. Nothing needs to be done.",
    )

    @property
    def message_id(self) -> str:
        return self.value.message_id

    @property
    def level(self) -> int:
        """The logging level it usually has."""
        return self.value.level


def catalog() -> str:
    """The message catalog, as ``journalctl --update-catalog`` reads it."""
    return _HEAD + "\n".join(_section(message.value) for message in Message)


_HEAD = """\
# The message catalog of gamesad, shown by `journalctl -x`. Held equal to gamesad/messages.py by a test; written by
#   python3 -c "from gamesad.messages import catalog; print(catalog(), end='')" > systemd/gamesad.catalog

"""


def _section(entry: Entry) -> str:
    lines = [
        f"-- {entry.message_id}",
        f"Subject: {entry.subject}",
        "Defined-By: gamesad",
        "",
        *textwrap.wrap(entry.explanation, 78, break_on_hyphens=False, break_long_words=False),
    ]
    return "\n".join(lines) + "\n"
