"""The one table of verbs. The parser, ``--help``, the completions and the manual page all come from it."""

from __future__ import annotations

from gamesactl.verb import Argument, Option, Verb

JSON = Option("json", "one JSON document with the keys of the bus interface (monitor: one per line)")
NO_COLOR = Option("no-color", "no colour, also on a terminal; NO_COLOR and TERM=dumb do the same")
HELP = Option("help", "this text", short="h")
GLOBAL_OPTIONS = (JSON, NO_COLOR, HELP)

_PROFILE = Argument("NAME", "a profile; see gamesactl profiles", kind="profile")
_TUNABLE = Argument("TUNABLE", "a tunable; see gamesactl tunables", kind="tunable")
_SINCE = Option("since", "how far back: 10m, 24h (default 10m)", value="TIME")
_REASON = Option("reason", "why, for everybody who asks later", value="TEXT")

VERBS = (
    Verb(
        "status",
        "status",
        "how the machine is: temperatures, power, profile, last decision",
        examples=(
            ("gamesactl status", "at a glance"),
            ("gamesactl status --json | jq .Headroom", "°C left under the nearest limit"),
        ),
    ),
    Verb(
        "sensors",
        "machine",
        "everything that is read, with its limits",
        arguments=(Argument("NAME", "only sensors whose name or label contains this", kind="sensor", optional=True),),
        options=(Option("all", "also what is absent, and every column", short="a"),),
        examples=(
            ("gamesactl sensors", "values, and what was rejected"),
            ("gamesactl sensors nvme --all", "all that is known of the disks"),
        ),
    ),
    Verb(
        "tunables",
        "machine",
        "everything that can be set: value, value found at start, who wrote it last",
        arguments=(Argument("NAME", "only tunables whose name contains this", kind="tunable", optional=True),),
        options=(Option("all", "also the choices or the range, and what was refused", short="a"),),
        examples=(
            ("gamesactl tunables", "all of them"),
            ("gamesactl tunables boost --all", "boost and what it may be set to"),
        ),
    ),
    Verb(
        "profiles",
        "profiles",
        "the profiles, and which one is active",
        examples=(("gamesactl profiles", "the active one is marked with *"),),
    ),
    Verb(
        "set-profile",
        "profiles",
        "choose a profile; the choice is kept over a reboot",
        arguments=(_PROFILE,),
        text="It answers after the machine has been set. A hold may keep another profile active meanwhile.",
        examples=(("gamesactl set-profile quiet", "less noise, less speed"),),
    ),
    Verb(
        "hold",
        "hold",
        "have a profile for as long as this command runs",
        arguments=(_PROFILE,),
        options=(
            Option("for", "end by itself after this time: 30s, 10m, 1h30m", value="TIME"),
            _REASON,
        ),
        text="It stays in the foreground. The hold ends with Ctrl-C, SIGTERM, the time given, or the end of this "
        "process, whatever ends it. Should gamesad be restarted meanwhile, the profile is held again.",
        examples=(("gamesactl hold performance --for 1h --reason rendering", "an hour of performance"),),
    ),
    Verb(
        "release",
        "profiles",
        "end somebody's hold; yours, or any as root",
        arguments=(Argument("COOKIE", "the number of the hold; see gamesactl status", kind="cookie"),),
        examples=(("gamesactl release 3", "end hold number 3"),),
    ),
    Verb(
        "launch",
        "launch",
        "run a command with a profile held until it ends",
        arguments=(Argument("CMD", "the command and its arguments, after --", kind="command", rest=True),),
        options=(
            Option("profile", "which profile (default gaming)", value="NAME", short="p", kind="profile"),
            _REASON,
            Option("anyway", "run the command even where the profile cannot be held"),
        ),
        text="The command replaces gamesactl: it has the same process id, terminal, signals and exit status as if "
        "started alone. A helper holds the profile until that process has ended.",
        examples=(
            ("gamesactl launch -- glxgears", "the gaming profile while it runs"),
            ("gamesactl launch -p performance -- make -j8", "performance for one build"),
            ("gamesactl launch --anyway -- %command%", "as a Steam launch option"),
        ),
    ),
    Verb(
        "pause",
        "service",
        "put everything back as found and write nothing; alerts go on",
        options=(Option("for", "resume by itself after this time (default: when told to)", value="TIME"),),
        examples=(("gamesactl pause --for 10m", "for a measurement of your own"),),
    ),
    Verb("resume", "service", "end a pause", examples=(("gamesactl resume", "regulate again"),)),
    Verb(
        "limit",
        "limits",
        "your own limit for a sensor (°C) or a power domain (W), stricter than the machine's",
        arguments=(
            Argument("SENSOR", "a sensor, by name or label", kind="sensor", optional=True),
            Argument("VALUE", "85, 85C or 15W", optional=True),
        ),
        options=(Option("clear", "take back your limit for SENSOR, or all of yours"),),
        text="Without arguments it lists the limits in force and where they come from.",
        examples=(
            ("gamesactl limit", "what is in force"),
            ("gamesactl limit 'CPU package' 85", "keep the package at or below 85 °C"),
            ("gamesactl limit --clear", "take back all of yours"),
        ),
    ),
    Verb(
        "set",
        "tuning",
        "set one tunable; it goes back by itself unless you keep it",
        arguments=(
            _TUNABLE,
            Argument("VALUE", "a choice, or a number with or without unit: 3.6GHz, 15W", kind="value"),
        ),
        options=(
            Option("revert-after", "goes back after this time unless confirmed", value="TIME"),
            Option("keep", "stays until gamesactl reset, over restarts too; asks nothing"),
        ),
        text="On a terminal you are asked whether to keep the value; without an answer it goes back after 30 s. "
        "Elsewhere --keep is the default. Limits stay above it: a value is never let past them.",
        examples=(
            ("gamesactl set cpufreq.policy0.scaling_max_freq 3.6GHz", "try, then keep or let go back"),
            ("gamesactl set cpufreq.boost 0 --revert-after 10m", "no boost for ten minutes, or until confirmed"),
        ),
    ),
    Verb(
        "confirm",
        "tuning",
        "keep a value that would go back by itself",
        arguments=(_TUNABLE,),
        examples=(("gamesactl confirm cpufreq.boost", "keep it"),),
    ),
    Verb(
        "reset",
        "tuning",
        "take back a value that was set with gamesactl set",
        arguments=(_TUNABLE,),
        examples=(("gamesactl reset cpufreq.boost", "gamesad decides again"),),
    ),
    Verb(
        "reload",
        "service",
        "read the configuration again",
        examples=(("sudo gamesactl reload", "after a change in /etc/gamesad"),),
    ),
    Verb(
        "monitor",
        "monitor",
        "status, live",
        options=(
            Option("interval", "seconds between two looks (default 1s)", value="TIME", short="i"),
            Option("count", "end after this many looks", value="N", short="n"),
        ),
        text="On a terminal it redraws in place; elsewhere it writes a line per look, with --json a JSON document per "
        "line. It outlives restarts of gamesad and says since when what it shows is stale.",
        examples=(
            ("gamesactl monitor", "until Ctrl-C"),
            ("gamesactl monitor --json -n 60 > minute.jsonl", "a minute of status"),
        ),
    ),
    Verb(
        "explain",
        "explain",
        "why is it doing this: decision, profile, limits and what is held back, in sentences",
        options=(
            Option("sensor", "of one sensor: its file, scale, limits, age, why rejected", value="NAME", kind="sensor"),
            Option("tunable", "of one tunable: who set it, what it was, why refused", value="NAME", kind="tunable"),
        ),
        examples=(
            ("gamesactl explain", "why is my machine slow?"),
            ("gamesactl explain --sensor 'CPU package'", "where does that number come from?"),
            ("gamesactl explain --tunable cpufreq.boost", "who set that, and what was it before?"),
        ),
    ),
    Verb(
        "decisions",
        "explain",
        "the last decisions, newest first, each with its reason",
        options=(Option("count", "how many (default 20)", value="N", short="n"),),
        examples=(("gamesactl decisions -n 5", "the last five"),),
    ),
    Verb(
        "history",
        "history",
        "what sensors showed: least, mean and most over time",
        arguments=(Argument("SENSOR", "one sensor, by name or label, over time", kind="sensor", optional=True),),
        options=(
            _SINCE,
            Option("points", "at most so many rows of one sensor (default 20; 0: all)", value="N", short="n"),
            Option("all", "also sensors like another that went higher", short="a"),
        ),
        text="Without SENSOR one row for each kind of temperature, power, frequency, load and fan. Kept are 10 minutes "
        "by the second, 24 hours by 10 seconds and 30 days by 5 minutes, each with its least and its most.",
        examples=(
            ("gamesactl history", "the last ten minutes of everything"),
            ("gamesactl history 'CPU package' --since 24h", "one day of one sensor"),
        ),
    ),
    Verb(
        "export",
        "history",
        "what sensors showed, as rows for a spreadsheet or a program",
        options=(
            Option("format", "csv or json", value="csv|json", short="f", kind="format"),
            _SINCE,
            Option("sensor", "only this one; may be given more than once", value="NAME", kind="sensor"),
        ),
        text="On standard output: a row per sensor and time. Times are UTC; what is unknown is empty.",
        examples=(
            ("gamesactl export --format csv --since 24h > day.csv", "a day of everything"),
            ("gamesactl export --format json --sensor 'CPU package'", "ten minutes of one sensor"),
        ),
    ),
    Verb(
        "crystal",
        "crystal",
        "what is in the shared memory segment, and how it lies there",
        arguments=(
            Argument("stats|blocks|dump|advise|compact", "what to do", kind="crystal"),
            Argument("BLOCK", "with dump: a block's number or address", optional=True),
        ),
        options=(
            Option("command", "with advise: the program that makes the plan", value="CMD", kind="file"),
            Option("apply", "with advise: send the plan to gamesad"),
        ),
        text="stats: sizes and counts. blocks: every block. dump: one block's header and contents. advise: the plan of "
        "the built-in adviser for tiers and order, or that of a program, which gets the statistics as JSON on its "
        "standard input and writes a plan to its standard output. compact: write the segment anew without gaps.",
        examples=(
            ("gamesactl crystal blocks", "what is kept, where, and how hot it is"),
            ("gamesactl crystal advise --command ./advise.py --apply", "a plan from a program of your own"),
        ),
    ),
    Verb(
        "flight",
        "flight",
        "recordings of the minute before and after an alert, an anomaly, a failsafe or a crash",
        arguments=(
            Argument("list|show|export", "what to do", kind="flight"),
            Argument("NUMBER", "with show and export: which recording", optional=True),
        ),
        text="list: all that are kept. show: one of them in tables. export: one of them as JSON on standard output.",
        examples=(
            ("gamesactl flight list", "what happened, and when"),
            ("gamesactl flight export 12 > alert.json", "for a report"),
        ),
    ),
    Verb(
        "neural",
        "neural",
        "what gamesad has learnt on this machine: forecasts, policy, anomalies",
        arguments=(
            Argument("status|shadow|mode|checkpoint|reset|evaluate", "what to do", kind="neural"),
            Argument(
                "WORD",
                "with mode: shadow, advise or act; with reset: all (default), forecast, policy or anomaly; "
                "with evaluate: recordings",
                kind="neural-word",
                optional=True,
                many=True,
            ),
        ),
        options=(Option("plot", "with evaluate: draw the forecasts into this file", value="PNG", kind="file"),),
        text="status: how good the forecasts are, what the policy does, what is odd. shadow: what the policy would "
        "have done, and its worth against the rules. mode: what the policy may do, until the next start or reload. "
        "checkpoint: save now. reset: forget and begin anew. evaluate: score recordings (MangoHud, HWiNFO, turbostat, "
        "sensors -j, CSV, gamesad's own) with the same code; it needs no running daemon.",
        examples=(
            ("gamesactl neural status", "is it any good on this machine?"),
            ("gamesactl neural reset forecast", "after the cooler was changed"),
            ("gamesactl neural evaluate session.csv --plot session.png", "how well would it have known?"),
        ),
    ),
    Verb(
        "doctor",
        "doctor",
        "what this machine offers, what is missing and how to get it, which limits hold",
        text="It runs the gamesad executable, writes nothing and needs no running daemon. What an ordinary user may "
        "not read is said, with the reason. Exit status for scripts: 0 everything essential is here, 1 something "
        "essential is missing (FAULT), 3 the daemon cannot be reached, whatever else there is.",
        examples=(
            ("gamesactl doctor", "look at this machine"),
            (
                "gamesactl doctor --json | jq '.Findings[] | select(.Level == \"fault\")'",
                "what is essential and missing",
            ),
        ),
    ),
    Verb(
        "record",
        "record",
        "this machine's files and readings over time in one file, for those who work on gamesad",
        arguments=(
            Argument("FILE", "where to (default gamesad-recording.gz); a new file", kind="file", optional=True),
        ),
        options=(Option("for", "how long (default 60s); Ctrl-C ends it sooner", value="TIME"),),
        text="It runs the gamesad executable and needs no running daemon; as root it reads more. Serial numbers, "
        "network addresses, user and host names are left out; zcat FILE | less shows what is in it. "
        "gamesad --root FILE replays it.",
        examples=(
            ("gamesactl record", "a minute"),
            ("sudo gamesactl record laptop.gz --for 10m", "ten minutes, with what only root may read"),
        ),
    ),
    Verb(
        "config",
        "config",
        "check or show the configuration",
        arguments=(Argument("check|show", "check lists every fault; show prints what is in effect", kind="config"),),
        options=(
            Option("config", "this file instead of /etc/gamesad/gamesad.toml", value="FILE", kind="file"),
            Option("origin", "with show: which file and line each value comes from"),
        ),
        text="It runs the gamesad executable and needs no running daemon.",
        examples=(
            ("gamesactl config check --config ./gamesad.toml", "before installing it"),
            ("gamesactl config show --origin", "what is in effect, and from where"),
        ),
    ),
    Verb(
        "dashboard",
        "dashboard",
        "a page in the browser: what the machine does and why, live",
        options=(
            Option("port", "on this port of 127.0.0.1 and ::1 (default 9467; 0: any that is free)", value="N"),
            Option("bind", "on this address instead, for other machines; only with TLS", value="ADDRESS"),
            Option("name", "with --bind: a host name it is reached by; may be repeated", value="HOST"),
            Option("tls-cert", "with --bind: the certificate, PEM", value="FILE", kind="file"),
            Option(
                "tls-key", "with --bind: its key, PEM, where the certificate's file has none", value="FILE", kind="file"
            ),
            Option("read-only", "nothing can be changed from the page"),
            Option("no-open", "print the address and open no browser"),
            Option("mangohud-log", "frame times from the newest log in this folder", value="DIR", kind="file"),
        ),
        text="It prints the page's address and, in a graphical session, opens it. Who has that address can change what "
        "you may change, as long as this runs: polkit judges this process. It needs aiohttp (python3-aiohttp).",
        examples=(
            ("gamesactl dashboard", "look, and act"),
            ("gamesactl dashboard --read-only --no-open", "for a second screen of another session"),
        ),
    ),
    Verb(
        "version", "version", "the versions of gamesactl and of the daemon", examples=(("gamesactl version", "both"),)
    ),
)


def find(name: str) -> Verb | None:
    for verb in VERBS:
        if verb.name == name:
            return verb
    return None
