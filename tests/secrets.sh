#!/usr/bin/env bash
# Searches all that the tests and their servers said for each secret that the tests remember (tests/Secrets.cs), and for
# whatever has the shape of a token. Says where one stands, and never which. The last line is "N passed, N failed".
#
#   tests/secrets.sh REMEMBERED OUTPUT [KIND:LEAST...]    a folder each; how many of a kind are remembered at least
set -uo pipefail
export LC_ALL=C
remembered=$1 output=$2 passed=0 failed=0
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT

check() {
    if [ "$1" -eq 0 ]; then echo "ok   $2" && passed=$((passed + 1)); else echo "FAIL $2" && failed=$((failed + 1)); fi
}

# A token: as it is, and in base64, where each of the three ways to stand in it has its own beginning.
shapes='sq[ark]_[A-Za-z0-9_-]{43}|(c3F[hry]X|Nx[Yac][Vl1][89]|zc[WX][FJt]f)[A-Za-z0-9+/]{57}'

# The places, FILE:LINE, of what is not to be in a folder's files. Tokens that tests make up repeat one character.
search() {
    {
        grep -arnoE "$shapes" "$1" | grep -avE 'sq[ark]_(.)\1{30}'
        grep -arnFf "$work/forms" "$1"
    } | cut -d: -f1,2 | sort -u
}

cat "$remembered"/* >"$work/all" 2>/dev/null
grep -avE '^(access|refresh|key) ' "$work/all" | cut -d' ' -f2- | sort -u >"$work/forms"
for least in "${@:3}"; do
    count=$(grep -c "^${least%:*} " "$work/all")
    check $((count < ${least#*:})) "$count secrets are remembered of the kind ${least%:*}, at least ${least#*:}"
done

# The control: of each kind one, as it is, in an address and in base64, on a line of its own.
mkdir "$work/planted"
for kind in $(cut -d' ' -f1 "$work/all" | grep -v '^form$' | sort -u); do
    secret=$(grep -m1 "^$kind " "$work/all" | cut -d' ' -f2-)
    printf 'a log, "%s", that goes on\n' "$secret" "/?x=${secret// /%20}"
    for before in '' a ab; do printf 'Basic %s\n' "$(printf '%s:x' "$before$secret" | base64 -w0)"; done
done >"$work/planted/log"
planted=$(wc -l <"$work/planted/log") found=$(search "$work/planted" | wc -l)
check $((found != planted || planted == 0)) "$found of $planted planted secrets are found"

search "$output" >"$work/places"
check "$(wc -l <"$work/places")" "$(wc -l <"$work/forms") forms of secrets, and tokens of any kind, stand nowhere in \
$(find "$output" -type f | wc -l) files of $(du -sh "$output" | cut -f1)"
sed 's/^/     /' "$work/places" | head -50
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
