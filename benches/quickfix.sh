#!/usr/bin/env bash
# An increment of ten entries by widetape and by QuickFIX C++, in turns, N times (5 unless said): the same message, compared
# before it is timed. Ours is what `cargo bench` prints for "fix increment of 10 entries"; QuickFIX's line says nanoseconds
# for the message from its values and for the same one again under another number, the best of 30 rounds. All are thread
# CPU time.
set -euo pipefail
cd "$(dirname "$0")/.."

tests/quickfix_peer.sh
for ((turn = 0; turn < ${1:-5}; turn++)); do
    WIDETAPE_FIX_MESSAGE="$PWD/target/quickfix/increment" cargo bench --locked -- 'fix increment'
    echo "QuickFIX C++ (ns, ns again): $(target/quickfix/peer encode target/quickfix/increment)"
done
