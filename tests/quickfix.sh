#!/usr/bin/env bash
# QuickFIX C++ against the service: as a subscriber, as the server of a feed, and while the service is killed N times
# (300 unless said). Not part of .ci/run: it needs packages of Debian and PyPI.
set -euo pipefail
cd "$(dirname "$0")/.."

tests/quickfix_peer.sh
cargo build --release --locked
python3 tests/fix_quickfix.py target/release/widetape target/quickfix/peer target/quickfix/spec "${1:-300}"
