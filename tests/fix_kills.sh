#!/usr/bin/env bash
# Kills an acceptor's process 300 times at random moments, without and with messages kept: no number may
# be used twice with other bytes, and every gap must be filled.
set -euo pipefail
cd "$(dirname "$0")/.."
WIDETAPE_KILLS="${1:-300}" cargo test --test tests -- fix::kill
