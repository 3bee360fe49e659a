#!/usr/bin/env bash
# Builds everything once in Release, checks the contract, runs every test, and ends with one line,
# "N passed, N failed". What the tests need and the machine lacks is installed where that is allowed,
# and named where it is not.
#
#   ./test.sh                 everything
#   ./test.sh House Server    only these parts: buf, Faults, Logins, Fuzz, Bench, or a folder tests/<name>.Tests
set -uo pipefail
cd "$(dirname "$0")" || exit 1
exec </dev/null

# In the background of a script SIGINT is ignored, which children inherit; the tests send it, and wait for what it does.
[ -n "${TESTS_TAKE_SIGINT:-}" ] || ! env --default-signal=INT true 2>/dev/null ||
    TESTS_TAKE_SIGINT=1 exec env --default-signal=INT ./test.sh "$@"

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
results=artifacts/tests
# What the tests keep for the last part: their secrets, and what the servers within them say.
export TESTS_SECRETS=$PWD/artifacts/secrets TESTS_LOGS=$PWD/$results/logs
rm -rf $results "$TESTS_SECRETS"
mkdir -p $results "$TESTS_LOGS" && mkdir -m 700 "$TESTS_SECRETS"
buf=tests/Peers/node_modules/.bin/buf
passed=0 failed=0 skipped=0 started=$SECONDS
broken=() # what failed, by name

# Adds to the sums, and says how long a part took: told NAME PASSED FAILED SKIPPED SECONDS.
told() {
    passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
    echo "== $1: $2 passed, $3 failed, $4 skipped in $5 s"
}

finish() {
    echo "== all parts in $((SECONDS - started)) s"
    # Once more, and last: of a long output a reader, or a log that was cut, has the end.
    [ ${#broken[@]} -eq 0 ] || printf 'failed: %s\n' "${broken[@]}"
    local line="$passed passed, $failed failed"
    [ "$skipped" -eq 0 ] || line="$line, $skipped skipped"
    echo "$line"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}

# Ends the run: without this, what follows would mean nothing.
give_up() {
    echo "$1" >&2
    failed=$((failed + 1)) broken+=("$1")
    finish
}

need() {
    local missing=() packages=()
    for tool in dotnet node npm git; do command -v $tool >/dev/null || missing+=("$tool"); done
    command -v curl >/dev/null || packages+=(curl)
    command -v gcc >/dev/null || packages+=(gcc libc6-dev)
    command -v script >/dev/null || packages+=(bsdutils)
    command -v chromium >/dev/null || packages+=(chromium)
    command -v h2load >/dev/null || packages+=(nghttp2-client)
    command -v protoc >/dev/null || packages+=(protobuf-compiler)
    command -v grpc_python_plugin >/dev/null || packages+=(protobuf-compiler-grpc)
    /usr/bin/python3 -c 'import grpc' 2>/dev/null || packages+=(python3-grpcio)
    /usr/bin/python3 -c 'import google.protobuf' 2>/dev/null || packages+=(python3-protobuf)
    ruby -e 'require "grpc"' 2>/dev/null || packages+=(ruby-grpc)
    if [ ${#packages[@]} -gt 0 ]; then
        if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
            echo "installing ${packages[*]}"
            apt-get update -qq &&
                DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null ||
                missing+=("${packages[@]}")
        else
            missing+=("${packages[@]}")
        fi
    fi
    [ ${#missing[@]} -eq 0 ] || give_up "missing: ${missing[*]}"
    if ! cmp -s tests/Peers/package-lock.json tests/Peers/node_modules/.installed; then
        # Not npm ci: it asks that the lock file hold buf's binaries for other systems too, which need not be to hand.
        (cd tests/Peers && npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error) ||
            give_up "missing: the npm packages of tests/Peers"
        cp tests/Peers/package-lock.json tests/Peers/node_modules/.installed
    fi
}

# Runs a command, and keeps what it says.
heard() { "$@" |& tee -a $results/output.log; }

# Each check of the contract counts as one.
contract() {
    local begun=$SECONDS good=0 bad=0
    for check in "lint" "format --diff --exit-code" "breaking protos --against protos/released.binpb"; do
        # shellcheck disable=SC2086 # a check is a command and its arguments
        if heard "$buf" $check; then good=$((good + 1)); else bad=$((bad + 1)) && broken+=("buf $check"); fi
    done
    told buf $good $bad 0 $((SECONDS - begun))
}

counter() { sed -n "s/.*<Counters [^>]*\b$1=\"\([0-9]*\)\".*/\1/p" "$2" | head -1; }

# A project that ends badly without a failed test, or that runs none, counts as one failure.
project() {
    local name=$1 begun=$SECONDS good=0 bad=0 total=0 executed=0 exit=0 trx=$results/$1.trx
    rm -f "$trx"
    # A test that hangs is named; the longest that is meant to be takes a tenth of this.
    heard dotnet test "tests/$name.Tests" -c Release --no-build --logger "trx;LogFileName=$name.trx" \
        --results-directory $results --blame-hang --blame-hang-timeout 10m --blame-hang-dump-type none || exit=$?
    if [ -f "$trx" ]; then
        good=$(counter passed "$trx") bad=$(counter failed "$trx")
        total=$(counter total "$trx") executed=$(counter executed "$trx")
        mapfile -t -O ${#broken[@]} broken < <(
            sed -n '/<UnitTestResult .*outcome="Failed"/s/.* testName="\([^"]*\)".*/\1/p' "$trx")
    fi
    [ "$total" -gt 0 ] || echo "$name.Tests ran nothing"
    if [ $((good + bad)) -eq 0 ] || { [ $exit -ne 0 ] && [ "$bad" -eq 0 ]; }; then
        bad=$((bad + 1)) broken+=("$name.Tests ended with $exit")
    fi
    told "$name.Tests" "$good" "$bad" $((total - executed)) $((SECONDS - begun))
}

# A tool that counts for itself: its last line is "N passed, N failed". tool NAME COMMAND...
tool() {
    local name=$1 begun=$SECONDS good=0 bad=0 exit=0 log=$results/$1.log
    timeout 15m "${@:2}" 2> >(tee -a $results/output.log >&2) | tee "$log" || exit=$?
    read -r good bad < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$log" | tail -1) ||
        echo "$name ran nothing"
    good=${good:-0} bad=${bad:-0}
    mapfile -t -O ${#broken[@]} broken < <(sed -n "s/^FAIL /$name: /p" "$log")
    if [ $((good + bad)) -eq 0 ] || { [ $exit -ne 0 ] && [ "$bad" -eq 0 ]; }; then
        bad=$((bad + 1)) broken+=("$name ended with $exit")
    fi
    told "$name" "$good" "$bad" 0 $((SECONDS - begun))
}

wanted() { [ ${#only[@]} -eq 0 ] || [[ " ${only[*]} " == *" $1 "* ]]; }

only=("$@")
run=(dotnet run -c Release --no-build --project)
need
echo "== tools in $SECONDS s"
begun=$SECONDS
dotnet build Grpc.sln -c Release -v quiet || give_up "the build failed"
echo "== build in $((SECONDS - begun)) s"
! wanted buf || contract
for folder in tests/*.Tests; do
    name=$(basename "$folder" .Tests)
    ! wanted "$name" || project "$name"
done
! wanted Faults || {
    tool Faults "${run[@]}" tests/Faults -- kill
    tool Snapshots "${run[@]}" tests/Faults -- snapshot
    tool Stalls "${run[@]}" tests/Faults -- stall
    tool DiskFaults "${run[@]}" tests/Faults -- disk
    tool PowerCuts "${run[@]}" tests/Faults -- power
}
! wanted Logins || {
    tool Logins "${run[@]}" tests/Faults -- logins
    tool LoginLoad "${run[@]}" tests/Faults -- loginload
}
! wanted Fuzz || { tool Fuzz "${run[@]}" tests/Fuzz -- fuzz; tool Floods "${run[@]}" tests/Fuzz -- floods; }
! wanted Bench || {
    tool Bench "${run[@]}" bench -- --smoke
    tool Growth "${run[@]}" bench -- growth --smoke
}
# What has been said so far holds no secret. All parts together have some of each kind, or the search means nothing.
[ -z "$(ls -A "$TESTS_SECRETS")" ] || {
    kinds=(password:100 access:1000 refresh:1000 key:100 id-token:100)
    [ ${#only[@]} -eq 0 ] || kinds=()
    tool Secrets tests/secrets.sh "$TESTS_SECRETS" $results "${kinds[@]}"
}
finish
