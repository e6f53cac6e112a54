# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154 # the other scripts share these variables
# The lock of a host: a file that comes into being whole, by a hard link, and says who holds it. Beside it stands
# `kjpstate.step.RUN-PID` while a command of that owner runs: whoever finds the owner dead also waits for that
# command and its children. hosts/lock.py does the very same in Python.

kj_field() { # word, lines of `word value`
  kj_rest=${2#*"$KJ_NL$1 "}
  [ "$kj_rest" = "$2" ] || printf '%s' "${kj_rest%%"$KJ_NL"*}"
}

kj_start_of() { # process: when it started; nothing for one that is gone or only waits to be buried
  kj_line=''
  read -r kj_line 2>/dev/null <"/proc/$1/stat" || return 1
  # shellcheck disable=SC2086 # numbers, a word each
  set -- ${kj_line##*) }
  case $1 in Z | X) return 1 ;; esac
  printf '%s' "${20}"
}

kj_alive() { # an owner's lines: same boot, same process, same start
  kj_pid=$(kj_field pid "$KJ_NL$1")
  case $kj_pid in '' | *[!0-9]*) return 1 ;; esac
  [ "$(kj_field boot "$KJ_NL$1")" = "$(kj_boot_id)" ] && [ "$(kj_field start "$KJ_NL$1")" = "$(kj_start_of "$kj_pid")" ]
}

kj_boot_id() {
  read -r kj_boot 2>/dev/null </proc/sys/kernel/random/boot_id || kj_boot=-
  printf '%s' "$kj_boot"
}

kj_owner_name() { # an owner's lines: what its step and the right to break it are called by
  printf '%s-%s' "$(kj_field run "$KJ_NL$1")" "$(kj_field pid "$KJ_NL$1")"
}

kj_step_lives() { # an owner's lines: whether a command that it started still runs, or a child of that command
  kj_step=$(cat "$KJ_LOCKS/kjpstate.step.$(kj_owner_name "$1")" 2>/dev/null) || return 1
  kj_alive "$kj_step" && return 0
  [ "$(kj_field boot "$KJ_NL$kj_step")" = "$(kj_boot_id)" ] || return 1
  kj_group=$(kj_field pid "$KJ_NL$kj_step")
  case $kj_group in '' | *[!0-9]*) return 1 ;; esac
  # its number given to another process: then its group is gone, too
  if kj_start_of "$kj_group" >/dev/null; then return 1; fi
  for kj_one in /proc/[0-9]*/stat; do
    kj_line=''
    read -r kj_line 2>/dev/null <"$kj_one" || continue
    # shellcheck disable=SC2086 # numbers, a word each
    set -- ${kj_line##*) }
    case $1 in Z | X) continue ;; esac
    if [ "$3" = "$kj_group" ] || [ "$4" = "$kj_group" ]; then return 0; fi
  done
  return 1
}

kj_step_begins() { # in the process that is about to become the command
  kj_line=''
  read -r kj_line 2>/dev/null </proc/self/stat || return 0
  kj_me=${kj_line%% *}
  # shellcheck disable=SC2086 # numbers, a word each
  set -- ${kj_line##*) }
  umask 022
  { printf 'pid %s\nstart %s\nboot %s\n' "$kj_me" "${20}" "$(kj_boot_id)" >"$KJ_STEP.new" && mv -f "$KJ_STEP.new" "$KJ_STEP"; } 2>/dev/null
  return 0
}

kj_link() { # file, content: creates it at once, or fails when it exists; whole also after a power cut
  kj_temp=${1%/*}/.kjpstate.$$.link
  (umask 022 && printf '%s\n' "$2" >"$kj_temp" && sync "$kj_temp") 2>/dev/null || return 2
  if [ ! -d "$1" ] && ln "$kj_temp" "$1" 2>/dev/null; then kj_code=0; else kj_code=1; fi
  rm -f "$kj_temp"
  return "$kj_code"
}

kj_break() { # a dead owner's lines: removes its lock, if we win the right to break that very owner
  kj_broke=''
  kj_right=$KJ_LOCKS/kjpstate.break.$(kj_owner_name "$1")
  until kj_link "$kj_right" "$KJ_OWNER"; do
    kj_winner=$(cat "$kj_right" 2>/dev/null) || return 0
    kj_alive "$kj_winner" && return 1
    kj_right=$kj_right.$(kj_owner_name "$kj_winner")
  done
  if [ "$(cat "$KJ_LOCK" 2>/dev/null)" = "$1" ]; then
    if rm -f "$KJ_LOCK" 2>/dev/null; then kj_broke=yes; else kj_broke=no; fi
  fi
  rm -f "$KJ_LOCKS/kjpstate.break.$(kj_owner_name "$1")" "$KJ_LOCKS/kjpstate.break.$(kj_owner_name "$1")".*
}

kj_lock_place() {
  for kj_folder in /run/lock /var/lock "$KJ_BASE"; do
    [ -z "$KJ_LOCKS" ] || break
    if [ "$kj_folder" = "$KJ_BASE" ] || { [ -d "$kj_folder" ] && [ -w "$kj_folder" ] && [ -x "$kj_folder" ]; }; then
      KJ_LOCKS=$kj_folder
    fi
  done
  KJ_LOCK=$KJ_LOCKS/kjpstate
}

kj_no_lock() { # a dead owner's lines, or nothing
  kj_say nolock
  printf '%s' "$KJ_LOCK${1:+, which a dead run left, can not be removed}"
}

kj_take() {
  [ -d "$KJ_LOCKS" ] || mkdir -p "$KJ_LOCKS" 2>/dev/null
  kj_tries=0
  until kj_link "$KJ_LOCK" "$KJ_OWNER"; do
    kj_found=$(cat "$KJ_LOCK" 2>/dev/null)
    kj_tries=$((kj_tries + 1))
    if [ "$kj_tries" -gt 20 ]; then # no disk to write to, or a dead lock of another user
      kj_no_lock "$kj_found"
      exit 73
    fi
    [ -n "$kj_found" ] || continue
    if kj_alive "$kj_found" || kj_step_lives "$kj_found" || ! kj_break "$kj_found"; then
      kj_say busy "$(kj_life "$kj_found")"
      printf '%s' "$kj_found"
      exit 75
    fi
  done
  kj_sweep_locks
}

kj_life() { # an owner's lines: how it lives
  if kj_alive "$1"; then printf alive; elif kj_step_lives "$1"; then printf step; else printf dead; fi
}

kj_sweep_locks() { # what dead contenders left; the lock is ours
  for kj_left in "$KJ_LOCKS"/.kjpstate.*.link "$KJ_LOCKS"/kjpstate.step.* "$KJ_LOCKS"/kjpstate.break.*; do
    case $kj_left in
      *.link)
        kj_pid=${kj_left##*/.kjpstate.}
        [ ! -d "/proc/${kj_pid%%.*}" ] || continue
        ;;
    esac
    rm -f "$kj_left" 2>/dev/null
  done
}

kj_held() {
  [ -z "$KJ_FOLLOWS" ] || return 0
  [ "$(cat "$KJ_LOCK" 2>/dev/null)" = "$KJ_OWNER" ]
}

kj_holder() { # shows the lock, and whether its owner lives
  kj_lock_place
  if kj_found=$(cat "$KJ_LOCK" 2>/dev/null) && [ -n "$kj_found" ]; then
    kj_say holder "$(kj_life "$kj_found")"
    printf '%s' "$kj_found"
  else
    kj_say free
  fi
}

kj_unlock() { # the owner's lines as they were shown, whether even a live one: breaks that very lock
  kj_lock_place
  KJ_OWNER="run unlock${KJ_NL}pid $$${KJ_NL}start $(kj_start_of $$)${KJ_NL}boot $(kj_boot_id)"
  if [ "$(cat "$KJ_LOCK" 2>/dev/null)" != "$1" ]; then
    kj_say moved
  elif [ -z "$2" ] && [ "$(kj_life "$1")" != dead ]; then
    kj_say lives
  elif kj_break "$1" && [ "$kj_broke" = yes ]; then
    rm -f "$KJ_LOCKS/kjpstate.step.$(kj_owner_name "$1")"
    kj_say broken
  elif [ "$kj_broke" = no ]; then
    kj_no_lock "$1"
  else
    kj_say moved
  fi
}
