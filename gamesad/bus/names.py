"""The names of the bus contract (docs/org.gamesa.Gamesad1.xml), for both sides of the bus. Imports nothing."""

BUS_NAME = "org.gamesa.Gamesad1"
INTERFACE = "org.gamesa.Gamesad1"
OBJECT_PATH = "/org/gamesa/Gamesad1"

PROPERTIES = "org.freedesktop.DBus.Properties"
INTROSPECTABLE = "org.freedesktop.DBus.Introspectable"
PEER = "org.freedesktop.DBus.Peer"

ERROR_PREFIX = "org.gamesa.Gamesad1.Error."
ERROR_NOT_AUTHORIZED = ERROR_PREFIX + "NotAuthorized"
ERROR_UNKNOWN_PROFILE = ERROR_PREFIX + "UnknownProfile"
ERROR_UNKNOWN_TUNABLE = ERROR_PREFIX + "UnknownTunable"
ERROR_UNKNOWN_SENSOR = ERROR_PREFIX + "UnknownSensor"
ERROR_UNKNOWN_HOLD = ERROR_PREFIX + "UnknownHold"
ERROR_OUT_OF_RANGE = ERROR_PREFIX + "OutOfRange"
ERROR_BUSY = ERROR_PREFIX + "Busy"
ERROR_FAILED = ERROR_PREFIX + "Failed"

INVALID_ARGS = "org.freedesktop.DBus.Error.InvalidArgs"
UNKNOWN_METHOD = "org.freedesktop.DBus.Error.UnknownMethod"
UNKNOWN_OBJECT = "org.freedesktop.DBus.Error.UnknownObject"
UNKNOWN_INTERFACE = "org.freedesktop.DBus.Error.UnknownInterface"
UNKNOWN_PROPERTY = "org.freedesktop.DBus.Error.UnknownProperty"
PROPERTY_READ_ONLY = "org.freedesktop.DBus.Error.PropertyReadOnly"

ACTION_SET_PROFILE = "org.gamesa.Gamesad1.set-profile"
ACTION_HOLD_PROFILE = "org.gamesa.Gamesad1.hold-profile"
ACTION_SET_LIMIT = "org.gamesa.Gamesad1.set-limit"
ACTION_SET_TUNABLE = "org.gamesa.Gamesad1.set-tunable"
ACTION_PAUSE = "org.gamesa.Gamesad1.pause"
ACTION_RELOAD_CONFIG = "org.gamesa.Gamesad1.reload-config"
ACTION_MANAGE_CRYSTAL = "org.gamesa.Gamesad1.manage-crystal"
ACTION_HINT_CRYSTAL = "org.gamesa.Gamesad1.hint-crystal"
ACTION_MANAGE_MODELS = "org.gamesa.Gamesad1.manage-models"

MODELS = ("all", "forecast", "policy", "anomaly")
"""What ResetModels takes."""
POLICY_MODES = ("shadow", "advise", "act")
"""What SetPolicyMode takes."""

MAX_TEXT_LENGTH = 256
"""Characters that a profile, tunable or sensor name, a reason or an application id may have."""
MAX_HOLDS_PER_USER = 32
MAX_HOLDS = 256
MAX_DECISIONS = 1000
MAX_POINTS = 2000
MAX_HINTS = 256
"""Addresses that one CrystalHint may name."""
MAX_PLAN_LENGTH = 60_000
"""Characters of a layout plan: what a message has room for."""
MAX_MESSAGE_BYTES = 64 * 1024
"""A longer message is dropped unread and answered with InvalidArgs; nothing in the contract comes near."""
