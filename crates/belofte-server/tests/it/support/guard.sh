#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Keeps a test's peer (database, mail server) alive exactly as long as the program that
# asked for it, however that program ends: killed, timed out or stopped at the keyboard.
#
# usage: guard.sh FOLDER SIGNAL COMMAND...
# Standard input is a pipe whose other end the asking program holds. When it closes, the
# command gets SIGNAL, is waited for, and FOLDER (its data) is removed.
# To be started in a session of its own, so that no signal of a terminal arrives here.
set -u
folder=$1
signal=$2
shift 2
"$@" </dev/null &
peer=$!
cat >/dev/null
kill -s "$signal" "$peer" 2>/dev/null
# A peer that has only just started may not know the signal yet.
tries=0
while kill -0 "$peer" 2>/dev/null; do
  tries=$((tries + 1))
  [ "$tries" -eq 200 ] && kill -s KILL "$peer"
  sleep 0.05
done
rm -rf -- "$folder"
