#!/usr/bin/env bash
# An increment of ten entries by widetape and by QuickFIX C++: the same message, compared before it is timed. Ours is what
# `cargo bench` prints for "fix increment of 10 entries"; then QuickFIX's line says nanoseconds for the message from its
# values and for the same one again under another number, the best of 30 rounds.
set -euo pipefail
cd "$(dirname "$0")/.."

tests/quickfix_peer.sh
WIDETAPE_FIX_MESSAGE="$PWD/target/quickfix/increment" cargo bench --locked -- 'fix increment'
echo "QuickFIX C++ (ns, ns again): $(target/quickfix/peer encode target/quickfix/increment)"
