# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by the scripts in bin/: strict mode, the checkout as working directory, the cache, messages.
# shellcheck shell=bash

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck disable=SC2034  # for the scripts that source this
cache=${QATVIRT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/qatvirt}

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# step TITLE COMMAND...: run COMMAND and say how long it took.
step() {
    local title=$1 start=$SECONDS
    shift
    printf '==> %s\n' "$title"
    "$@"
    printf '    %d s\n' $((SECONDS - start))
}

# key FILE... [-- WORD...]: a short hash of the files' contents and the words, the name of a cache entry.
key() {
    local files=()
    while (($#)) && [[ $1 != -- ]]; do
        files+=("$1")
        shift
    done
    { cat "${files[@]}" && printf '%s\n' "$@"; } | sha256sum | cut -c1-16
}

# cached DIRECTORY COMMAND...: unless DIRECTORY was made before, have COMMAND make it; an interrupted attempt counts
# as not made. Two runs at a time wait for each other.
cached() {
    local directory=$1
    shift
    mkdir -p "$(dirname "$directory")"
    (
        flock 9
        [[ -e $directory/.complete ]] && exit 0
        rm -rf "$directory"
        "$@"
        touch "$directory/.complete"
    ) 9>"$directory.lock"
}
