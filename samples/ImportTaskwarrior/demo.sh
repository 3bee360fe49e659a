#!/usr/bin/env bash
# Imports a backlog of Taskwarrior's into Squall while a second account watches; kills the import once and the watcher
# twice on the way (kill -9); runs them again; and shows that nothing was lost, doubled or put out of order.
#
#   samples/ImportTaskwarrior/demo.sh DATA_DIR
#
# DATA_DIR holds backlog.data, which is imported, and pending.data and completed.data, which it is compared with. A
# server is started on a free port, unless SQUALL_ENDPOINT names one that runs.
set -euo pipefail
data=$(cd "${1:?usage: demo.sh DATA_DIR}" && pwd)
cd "$(dirname "$0")/../.."
import=samples/ImportTaskwarrior/bin/Release/net10.0/ImportTaskwarrior
files=$(mktemp -d)
record=$files/import.record log=$files/watch.log
server='' watcher='' importer=''

finish() {
    for process in $watcher $importer; do kill -9 "$process" 2>/dev/null || true; done
    # The server stops as it should: on SIGTERM, which `dotnet run` leaves to what it runs.
    if [ -n "$server" ]; then
        pkill -TERM -P "$server" || true
        wait "$server" || true
    fi
    rm -rf "$files"
}
trap finish EXIT

fail() {
    echo "FAILED: $1" >&2
    exit 1
}

# Says what is run, also where its output goes elsewhere.
exec 3>&1
say() { echo "\$ $*" | sed "s|$files|TEMP|g; s|$import|ImportTaskwarrior|; s|$data|DATA_DIR|g; s| *$||" >&3; }

run() {
    say "$@"
    "$@"
}

lines() { if [ -f "$1" ]; then wc -l <"$1"; else echo 0; fi; }

# Waits until a file has so many lines: until_lines FILE COUNT. The server, which is built first, takes the longest.
until_lines() {
    for _ in $(seq 6000); do
        [ "$(lines "$1")" -lt "$2" ] || return 0
        sleep 0.05
    done
    fail "$1 has $(lines "$1") lines after five minutes, not $2"
}

as() { user=$1 SQUALL_PASSWORD=$2; export SQUALL_PASSWORD; }
secret() { head -c 24 /dev/urandom | base64; }
alice=alice-$RANDOM$RANDOM bob=bob-$RANDOM$RANDOM alice_secret=$(secret) bob_secret=$(secret)

watch() {
    as "$bob" "$bob_secret"
    say "$import" watch --log "$log" --user "$user" "$@" "&"
    "$import" watch --log "$log" --user "$user" "$@" >>"$files/watch.out" &
    watcher=$!
    disown
}

kill_watcher() {
    kill -9 "$watcher"
    echo "- the watcher is killed: its log has $(lines "$log") lines, the import's record $(lines "$record")"
}

start_import() {
    as "$alice" "$alice_secret"
    say "$import" import "$data/backlog.data" --record "$record" --share-with "$bob" --user "$user" "$@" "&"
    "$import" import "$data/backlog.data" --record "$record" --share-with "$bob" --user "$user" "$@" &
    importer=$!
}

run dotnet build samples/ImportTaskwarrior --configuration Release --verbosity quiet -consoleLoggerParameters:NoSummary
if [ -z "${SQUALL_ENDPOINT:-}" ]; then
    start=(dotnet run --project src/Server -- --http 127.0.0.1:0 --https off --data "$files/squall-data")
    say "${start[@]}" "&"
    "${start[@]}" >"$files/server.out" &
    server=$!
    until_lines "$files/server.out" 1
    SQUALL_ENDPOINT=$(sed -n 's/^Listening on //p;q' "$files/server.out")
fi
export SQUALL_ENDPOINT
echo "- the server: $SQUALL_ENDPOINT"

states=$(lines "$data/backlog.data")
watch --register
until_lines "$log" 1
start_import --register
until_lines "$log" $((states / 4))
kill_watcher
watch
until_lines "$log" $((states / 2))
if kill -9 $importer 2>/dev/null; then
    echo "- the import is killed: its record has $(lines "$record") lines"
fi
{ wait $importer; } 2>/dev/null || true
start_import
until_lines "$log" $((states * 3 / 4))
kill_watcher
wait $importer
watch
start_import
wait $importer

as "$bob" "$bob_secret"
echo "- what the server has told $bob, by ListNotifications:"
run "$import" history --user "$user" >"$files/history"
echo "  $(lines "$files/history") changes"
until_lines "$log" $(($(lines "$files/history") + 1))
kill -9 "$watcher"
echo "- the watcher's log, but for its first line, and that history are the same to the byte:"
tail -n +2 "$log" >"$files/told"
run diff "$files/told" "$files/history" && echo "  no difference"
echo "- the watcher's log and the import's own record:"
run "$import" compare "$log" --record "$record"

as "$alice" "$alice_secret"
echo "- Squall and Taskwarrior's own files:"
run "$import" verify "$data/pending.data" "$data/completed.data" --user "$user"
echo "- controls, each of which must fail: a title that differs, a change told twice, a change not told"
sed '1s/description:"/&not /' "$data/pending.data" >"$files/pending.data"
run "$import" verify "$files/pending.data" "$data/completed.data" --user "$user" && fail "a difference was not found"
sed 5p "$log" >"$files/twice.log"
run "$import" compare "$files/twice.log" --record "$record" && fail "a change told twice was not found"
sed 5d "$log" >"$files/missing.log"
run "$import" compare "$files/missing.log" --record "$record" && fail "a missing change was not found"
echo PASSED
