#!/usr/bin/env bash
# Makes target/quickfix/peer and target/quickfix/spec, which tests/quickfix.sh and benches/quickfix.sh need, from Debian's
# libquickfix-dev and g++ and from QuickFIX's own dictionaries, which are in its source archive on PyPI.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! [ -e /usr/include/quickfix/Session.h ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq libquickfix-dev g++ >/dev/null
fi
mkdir -p target/quickfix
if ! [ -e target/quickfix/spec/FIX44.xml ]; then
    pip download --quiet --no-deps --no-binary :all: --dest target/quickfix quickfix==1.15.1
    tar -xzf target/quickfix/quickfix-1.15.1.tar.gz -C target/quickfix --strip-components 1 quickfix-1.15.1/spec
    # 779 LastUpdateTime of 35=W, which other stock dictionaries require, is not in this one.
    sed -i "/msgtype='W'/a <field name='LastUpdateTime' required='N' />" target/quickfix/spec/FIX50SP2.xml
fi
# QuickFIX's headers are of C++ before 2017.
g++ -std=c++14 -O2 -Wno-deprecated -Wno-deprecated-declarations -o target/quickfix/peer tests/fix_quickfix.cpp -lquickfix -lpthread
