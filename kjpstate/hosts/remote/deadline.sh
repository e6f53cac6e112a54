# shellcheck shell=sh
# shellcheck disable=SC2034 # lib.sh shares these variables
# A look that ends itself: sent where the asker says how long it will wait. Who gave up asks for nothing more.

kj_deadline() { # seconds: then this look ends itself, and what it started in its own group
  kj_mine=''
  read -r kj_line 2>/dev/null </proc/$$/stat || kj_line=''
  # shellcheck disable=SC2086 # numbers, a word each
  set -- "$1" ${kj_line##*) }
  [ "$4" != $$ ] || kj_mine=-
  (
    trap 'kill "$kj_nap" 2>/dev/null; exit 0' TERM
    sleep "$1" &
    kj_nap=$!
    wait "$kj_nap" && kill -s TERM -- "$kj_mine$$"
  ) </dev/null >/dev/null 2>&1 4>&- &
  KJ_DOG=$!
  trap 'kill "$KJ_DOG" 2>/dev/null' EXIT
}
