# Sourced by run, test and install: what they need of the machine, and how they get it.
# shellcheck shell=bash

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "${0##*/}: $*"
    exit 1
}

# Runs a command as root; fails where that cannot be had. Asks for a password only on a terminal.
as_root() {
    if [ "$EUID" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        sudo "$@"
    else
        return 1
    fi
}

# need_packages NAME...: installs the Debian packages that are missing. Where that cannot be done it says which, once,
# and succeeds: what really is missing is found out by whoever needs it.
need_packages() {
    local name missing=()
    if ! command -v apt-get >/dev/null; then
        say "no apt-get here: the needs are, by their Debian names, $*"
        return 0
    fi
    for name in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing Debian packages: ${missing[*]}"
    local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends)
    if ! as_root true; then
        say "not root, and sudo cannot be used: carrying on without ${missing[*]}"
        return 0
    fi
    as_root "${install[@]}" "${missing[@]}" >/dev/null 2>&1 && return 0
    as_root apt-get update -qq >/dev/null && as_root "${install[@]}" "${missing[@]}" >/dev/null && return 0
    say "some packages could not be installed; carrying on without them"
}

# find_python MODULES NAME...: prints the first of the interpreters that is new enough and has these modules.
find_python() {
    local candidate modules=$1
    shift
    for candidate in "$@"; do
        if "$candidate" -c "import $modules, sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

# make_venv ROOT EXTRA: a virtual environment in ROOT/.venv with the project, editable, and its EXTRA dependencies
# ("" or "[dev]"). A stamp with pyproject.toml's hash keeps the second time short. Sets $python.
make_venv() {
    local root=$1 extra=$2 venv=$1/.venv stamp key base
    python=$venv/bin/python
    stamp=$venv/.gamesad
    key="$(sha256sum <"$root/pyproject.toml")"
    if [ -f "$stamp" ] && "$python" -c '' 2>/dev/null; then
        case "$(cat "$stamp")" in
            "$key$extra" | "${key}[dev]") return 0 ;;
        esac
    fi
    need_packages python3 python3-venv python3-dev gcc pkg-config libsystemd-dev
    if ! "$python" -m pip --version >/dev/null 2>&1; then
        base=$(find_python venv,ensurepip "${PYTHON:-python3}" /usr/bin/python3 python3.13 python3.12 python3.11) ||
            fail "Python 3.11 or newer with venv is needed (apt install python3-venv)"
        say "making $venv with $("$base" --version)"
        "$base" -m venv --clear "$venv"
    fi
    say "installing the project and what it depends on into $venv"
    # compat: a path entry instead of an import hook, which every start would pay for.
    local install=("$python" -m pip install --quiet --disable-pip-version-check --config-settings editable_mode=compat)
    if ! "${install[@]}" -e "$root$extra"; then
        # Nearly always systemd-python, which needs a compiler and libsystemd-dev. gamesad runs without it.
        if ! "$python" -m pip install --quiet --disable-pip-version-check dbus-next numpy psutil pyudev ||
            ! "${install[@]}" --no-deps -e "$root"; then
            fail "the dependencies could not be installed"
        fi
        say "systemd-python could not be built (apt install gcc pkg-config libsystemd-dev python3-dev): running without it"
        [ -z "$extra" ] || fail "the tests need all dependencies"
        return 0
    fi
    printf '%s' "$key$extra" >"$stamp"
}
