# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154 # the other scripts use what is set here, and set what is used
# What every program we send to a host begins with: frames, digests, places, and how a command is run.
# dash, busybox sh and bash; needs cat, stat, find, head, tail, id and sha256sum, which busybox has too.
# A frame is a line end, the run's nonce and the frame's words, a line end, then its body up to the next one.

kj_setup() { # nonce, state folder or nothing, lock folder or nothing, whether root's hand holds the lock
  KJ_N=$1 KJ_UID=$(id -u) KJ_WITHIN='' KJ_UMASK=$(umask) KJ_HOME=$(pwd -P) KJ_LC=${LC_ALL-}
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

kj_code() { # code, values: kj_coded says it, a line each; only the last one may have line ends; hosts/coded.py reads it back
  kj_coded=$1
  shift
  for kj_value; do kj_coded=$kj_coded$KJ_NL$kj_value; done
}

kj_tell() { # kind of frame, code, values
  kj_say "$1"
  shift
  kj_code "$@"
  printf '%s' "$kj_coded"
}

kj_as_login() { # command: in the locale that the login has
  if [ -n "$KJ_LC" ]; then LC_ALL=$KJ_LC; else unset LC_ALL; fi
  "$@"
}

kj_why() { # what a tool said: its last part is the reason
  kj_said=${1%%"$KJ_NL"*}
  printf '%s' "${kj_said##*: }"
}

kj_trusted() { # user: root or the login
  [ "$1" = 0 ] || [ "$1" = "$KJ_UID" ]
}

kj_walk() { # function, path: kj_spot is where that is; the function is told each link on the way, its folder and name, and may stop it
  kj_spot='' kj_way=${2#/} kj_links=0
  while [ -n "$kj_way" ]; do
    kj_step=${kj_way%%/*}
    case $kj_way in */*) kj_way=${kj_way#*/} ;; *) kj_way='' ;; esac
    case $kj_step in
      '' | .) continue ;;
      ..) kj_spot=${kj_spot%/*} && continue ;;
    esac
    if [ ! -h "$kj_spot/$kj_step" ]; then
      kj_spot=$kj_spot/$kj_step
      continue
    fi
    kj_links=$((kj_links + 1))
    [ "$kj_links" -le 40 ] && "$1" "$kj_spot" "$kj_step" || return
    kj_step=$(readlink "$kj_spot/$kj_step")
    case $kj_step in /*) kj_spot='' ;; esac
    kj_way=$kj_step/$kj_way
  done
  kj_spot=${kj_spot:-/}
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
