# shellcheck shell=sh
# shellcheck disable=SC2034 # the other scripts use what is set here
# What every program we send to a host begins with: frames, digests, places, and how a command is run.
# dash, busybox sh and bash; needs cat, stat, find, head, tail, id and sha256sum, which busybox has too.
# A frame is a line end, the run's nonce and the frame's words, a line end, then its body up to the next one.

kj_setup() { # nonce, state folder or nothing, lock folder or nothing, whether root's hand holds the lock
  KJ_N=$1 KJ_NL='
' KJ_CR=$(printf '\r') KJ_UID=$(id -u) KJ_WITHIN='' KJ_UMASK=$(umask) KJ_LC=${LC_ALL-}
  LC_ALL=C # bash takes a name for letters, and a byte before / that begins one for half a sign
  exec 4>&1
  case $2 in
    ?*) KJ_BASE=$2 ;;
    *)
      KJ_BASE=/var/lib/kjpstate
      [ "$KJ_UID" = 0 ] || KJ_BASE=${XDG_STATE_HOME:-${HOME:-/nonexistent}/.local/state}/kjpstate
      ;;
  esac
  KJ_LOCKS=$3 KJ_LOCK='' KJ_HAND=${4-}
  for kj_tool in cat stat find head tail id sha256sum; do
    command -v "$kj_tool" >/dev/null 2>&1 && continue
    kj_say lacks
    printf '%s' "$kj_tool"
    exit 69
  done
}

kj_say() {
  printf '\n%s' "$KJ_N"
  printf ' %s' "$@"
  printf '\n'
}

kj_as_login() { # command: in the locale that the login has
  if [ -n "$KJ_LC" ]; then LC_ALL=$KJ_LC; else unset LC_ALL; fi
  "$@"
}

kj_why() { # what a tool said: its last part is the reason
  kj_said=${1%%"$KJ_NL"*}
  printf '%s' "${kj_said##*: }"
}

# Names in lines: \, a line end and a carriage return are written \\, \n and \r, and a line that has one begins
# with \, as with sha256sum; hosts/frames.py reads them back. For an inner shell: what is told of each name, the names.
# Within a text no function begins at the left edge: hosts/programs.py would take it for one of the script.
# shellcheck disable=SC2016 # its own variables
KJ_FOLD='kj_each() { # what stands in kj_word, what is written for it
  kj_rest=$kj_word kj_word=""
  while :; do
    case $kj_rest in *"$1"*) ;; *) break ;; esac
    kj_word=$kj_word${kj_rest%%"$1"*}$2 kj_rest=${kj_rest#*"$1"}
  done
  kj_word=$kj_word$kj_rest
}
  kj_fold() { # name, line end, carriage return: kj_word is the name as a part of a line
  kj_word=$1
  case $1 in *"\\"* | *"$2"* | *"$3"*) ;; *) return 0 ;; esac
  kj_each "\\" "\\\\"
  kj_each "$2" "\\n"
  kj_each "$3" "\\r"
}'
# shellcheck disable=SC2016
KJ_LINES=$KJ_FOLD'
kj_told=$1 kj_line_end=$2 kj_return=$3
shift 3
for kj_path; do
  kj_fold "$kj_path" "$kj_line_end" "$kj_return"
  kj_mark=""
  [ "$kj_word" = "$kj_path" ] || kj_mark="\\"
  case $kj_told in
    sum) kj_sum=$(sha256sum <"$kj_path") && printf "%s%s  %s\n" "$kj_mark" "${kj_sum%% *}" "$kj_word" ;;
    state) kj_sum=$(stat -c "%s|%f|%y|%z|%i" "$kj_path") && printf "%s%s|%s\n" "$kj_mark" "$kj_sum" "$kj_word" ;;
    *) printf "%s%s\n" "$kj_mark" "$kj_word" ;;
  esac
done
:'
eval "$KJ_FOLD"

kj_list() { # sum, state or name: what is told of each; words of find, for the first two such that end in -type f
  kj_told=$1
  shift
  [ "$kj_told" != name ] || set -- "$@" \(
  set -- "$@" \( -path '*\\*' -o -path "*$KJ_NL*" -o -path "*$KJ_CR*" \) \
    -exec sh -c "$KJ_LINES" sh "$kj_told" "$KJ_NL" "$KJ_CR" {} \; -o
  case $kj_told in # busybox keeps the names of -exec + only outside of ( )
    sum) LC_ALL=C find "$@" -type f -exec sha256sum {} + ;;
    state) LC_ALL=C TZ=UTC find "$@" -type f -exec stat -c '%s|%f|%y|%z|%i|%n' {} + ;;
    *) LC_ALL=C find "$@" -print \) ;;
  esac
}

kj_sha() {
  kj_sum=$(sha256sum <"$1") || return 1
  printf '%s' "${kj_sum%% *}"
}

kj_stat() { # format, path
  LC_ALL=C TZ=UTC stat -c "$@" 2>&1
}

kj_time_limit() { # how this host's timeout is called, and its exit code when time is up; found out once
  [ -z "$KJ_WITHIN" ] || return 0
  KJ_WITHIN=none KJ_TIMED=124
  if timeout -k 1 5 true 2>/dev/null; then KJ_WITHIN='timeout -k 5'; elif timeout 5 true 2>/dev/null; then KJ_WITHIN=timeout; fi
  [ "$KJ_WITHIN" != none ] || KJ_TIMED=none
  case $(timeout --help 2>&1) in *BusyBox*) KJ_TIMED=143 ;; esac
}

kj_within() { # seconds, command: at most that long, where timeout exists; this shell becomes it
  if [ "$KJ_WITHIN" = none ]; then
    shift
    exec "$@"
  elif [ "$KJ_TIMED" = 143 ] && command -v setsid >/dev/null 2>&1; then
    # busybox ends the command alone: what it started ends with their group
    exec setsid sh -c "trap : TERM; $KJ_WITHIN \"\$@\"; kj_code=\$?; [ \$kj_code != 143 ] || kill 0; exit \$kj_code" sh "$@"
  else
    # shellcheck disable=SC2086 # words of our own
    exec $KJ_WITHIN "$@"
  fi
}
