#!/usr/bin/env bash
# Builds the Ollama server that the tests talk to, once, and prints the path of the program.
# It goes into the user's cache folder; a second call only prints the path.
#
# v0.9.6 because it is the newest line that `go install` builds with a working CPU engine:
# later versions keep that engine in a program of its own.
set -euo pipefail

version=v0.9.6
folder="${XDG_CACHE_HOME:-$HOME/.cache}/xinv-nb/ollama-$version/bin"
program="$folder/ollama"
# The build uses every instruction of this processor, so it is only good for one like it.
processor="$( (grep -m1 '^flags' /proc/cpuinfo 2>/dev/null || uname -mp) | cksum)"

say() { echo "$*" >&2; }
fail() {
    say "error: $1"
    shift
    for line in "$@"; do say "  $line"; done
    exit 1
}

if [[ -x $program && "$(cat "$folder/processor" 2>/dev/null)" == "$processor" ]]; then
    echo "$program"
    exit
fi

missing=()
command -v go >/dev/null || missing+=(golang-go)
command -v gcc >/dev/null || missing+=(gcc)
command -v g++ >/dev/null || missing+=(g++)
if ((${#missing[@]})); then
    if [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null; then
        say "Installing ${missing[*]} ..."
        export DEBIAN_FRONTEND=noninteractive
        { apt-get update -q && apt-get install -qy --no-install-recommends "${missing[@]}"; } >&2 ||
            fail "apt-get could not install: ${missing[*]}"
    else
        fail "building Ollama needs Go, gcc and g++; missing here: ${missing[*]}" \
            "On Debian or Ubuntu: sudo apt-get install ${missing[*]}" \
            "Or install Ollama yourself and set XINV_OLLAMA to the program."
    fi
fi

# From 1.21 on, Go fetches by itself the newer toolchain that a module asks for.
go_version="$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null || true)"
go_version="${go_version%% *}"
if [[ ! $go_version =~ ^go([0-9]+)\.([0-9]+) ]] ||
    ((BASH_REMATCH[1] == 1 && BASH_REMATCH[2] < 21)); then
    fail "${go_version:-this Go} is too old; building Ollama needs Go 1.21 or newer." \
        "On Debian 12: take golang-go from bookworm-backports." \
        "Or install Ollama yourself and set XINV_OLLAMA to the program."
fi

say "Building Ollama $version with $go_version (two to five minutes) ..."
mkdir -p "$folder"
build="$(mktemp -d "$folder/build.XXXXXX")" # the same disk, so that mv below is one step
trap 'rm -rf "$build"' EXIT
# Without the flags the engine is built for the oldest 64-bit processors, and is slow.
GOBIN="$build" GOTOOLCHAIN=auto CGO_ENABLED=1 \
    CGO_CFLAGS="-O3 -march=native" CGO_CXXFLAGS="-O3 -march=native" \
    go install "github.com/ollama/ollama@$version" >"$build/log" 2>&1 || {
    tail -n 40 "$build/log" >&2
    fail "the build failed; its last lines are above."
}
mv -f "$build/ollama" "$program"
echo "$processor" >"$folder/processor"
echo "$program"
