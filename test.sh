#!/bin/sh
# Installs what the tests need and runs all of them: on Debian 12 with Rust, as root, or as a
# developer who may use sudo. What is there already is not installed again.
#
#   ./test.sh            every test
#   ./test.sh NAME       only tests whose name contains NAME
set -eu
cd "$(dirname "$0")"

has() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

has cargo || { echo "test.sh: Rust is missing; install it with rustup" >&2; exit 1; }

packages=
has cc || packages="$packages gcc libc6-dev"
has git || packages="$packages git"
has skopeo || packages="$packages skopeo"
has prlimit && has setpriv || packages="$packages util-linux"
PATH="$PATH:/usr/sbin"
has lighttpd || packages="$packages lighttpd"
[ -e /usr/lib/lighttpd/mod_openssl.so ] || packages="$packages lighttpd-mod-openssl"
has openssl || packages="$packages openssl"
has sshd && has ssh-keygen || packages="$packages openssh-server openssh-client"
{ has pkg-config && pkg-config --exists openssl; } || packages="$packages pkg-config libssl-dev"
has mariadbd && has mariadb-install-db || packages="$packages mariadb-server"
has python3 || packages="$packages python3"
python3 -m pip --version >/dev/null 2>&1 || packages="$packages python3-pip"
python3 -c 'import venv, ensurepip' 2>/dev/null || packages="$packages python3-venv"
if [ -n "$packages" ]; then
    has apt-get || { echo "test.sh: please install:$packages" >&2; exit 1; }
    as_root apt-get update -qq
    # shellcheck disable=SC2086 # the list is meant to be split
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        ca-certificates $packages >/dev/null
fi

scripts/tools.sh

# All servers of the tests are on this machine, whatever proxy leads elsewhere.
no_proxy="${no_proxy:-${NO_PROXY:-}}"
no_proxy="${no_proxy:+$no_proxy,}127.0.0.1,localhost"
export no_proxy NO_PROXY="$no_proxy"

out=$(mktemp)
trap 'rm -f "$out"' EXIT
status=0
{ cargo test --workspace --locked --no-fail-fast -- "$@" || echo "cargo: exit status $?"; } 2>&1 |
    tee "$out"
grep -q '^cargo: exit status' "$out" && status=1

# One closing line for the one runner there is.
awk '/^test result:/ { passed += $4; failed += $6; ignored += $8 }
     END { printf "cargo: %d passed, %d failed, %d skipped\n", passed, failed, ignored }' "$out"
exit "$status"
