# What the checks share. Each is run in the root of the repository.
set -eu
export LC_ALL=C

tmp=$(mktemp -d)
children=
trap 'stop_all' EXIT

stop_all() {
    for child in $children; do
        kill "$child" 2>/dev/null && wait "$child" 2>/dev/null || true
    done
    rm -rf "$tmp"
}

fail() {
    echo "$*"
    exit 1
}

skip() {
    echo "$*"
    exit 77
}

needs() {
    for program in "$@"; do
        command -v "$program" > /dev/null || skip "$program is not installed"
    done
}

# start LOG COMMAND...: runs it until the check ends.
start() {
    log=$1
    shift
    "$@" > "$log" 2>&1 &
    children="$children $!"
}

# await LOG COMMAND...: until it succeeds, for DEADLINE_S seconds. When it does not, the log says why.
DEADLINE_S=20
await() {
    log=$1 deadline=$(($(date +%s) + DEADLINE_S))
    shift
    until "$@" > /dev/null 2>&1; do
        [ "$(date +%s)" -lt "$deadline" ] || fail "no success within $DEADLINE_S s: $*
$(tail -n 20 "$log")"
        sleep 0.05
    done
}

# expect WHAT WANTED GOT
expect() {
    [ "$2" = "$3" ] || fail "$1: wanted $2, got $3"
}
