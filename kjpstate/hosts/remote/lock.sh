# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154 # the other scripts share these variables
# The locks of a host. Each user has one, in a folder where nobody else may write: a file that comes into being
# whole, by a hard link, and says who holds it. Beside it stands `kjpstate.step.RUN-PID` while a command of that
# owner runs: whoever finds the owner dead also waits for that command and its children. Who has taken his own
# looks at everybody else's. hosts/lock.py, owners.py and places.py do the very same in Python.

KJ_BELOW=.local/state/kjpstate/_lock KJ_CONTROL=$(printf '\001') KJ_READER=''

# ---- where locks stand

kj_passwd() { # number or nothing: the users that the system knows, a line each
  # shellcheck disable=SC2086 # one word or none
  getent passwd $1 2>/dev/null || cat /etc/passwd 2>/dev/null
}

kj_home_of() { # number: that user's home, whatever HOME says
  kj_passwd "$1" | while IFS=: read -r kj_name kj_x kj_number kj_x kj_x kj_home kj_x; do
    if [ "$kj_number" = "$1" ]; then
      printf '%s' "$kj_home"
      break
    fi
  done
}

kj_folder_of() { # number: where that user's lock stands
  if [ "$1" = 0 ]; then
    if [ -d /run ]; then printf /run/kjpstate; else printf /var/lib/kjpstate/_lock; fi
    return
  fi
  kj_home=$(kj_home_of "$1")
  case $kj_home in
    /*) if [ -w "$kj_home" ] || [ -d "$kj_home/${KJ_BELOW%/*}" ] || [ "$1" != "$KJ_UID" ]; then
      printf '%s' "$kj_home/$KJ_BELOW"
      return
    fi ;;
  esac
  printf '%s' "$KJ_BASE/_lock"
}

kj_place() { # KJ_LOCK, once; KJ_NOTES: where this user notes its steps; KJ_ALONE: a folder that was given
  [ -z "$KJ_LOCK" ] || return 0
  KJ_ALONE=$KJ_LOCKS KJ_NUMBER=$KJ_UID
  if [ -z "$KJ_LOCKS" ]; then
    [ -z "$KJ_HAND" ] || KJ_NUMBER=0
    KJ_LOCKS=$(kj_folder_of "$KJ_NUMBER")
  fi
  KJ_LOCK=$KJ_LOCKS/kjpstate KJ_NOTES=$KJ_LOCKS
  [ "$KJ_NUMBER" = "$KJ_UID" ] || KJ_NOTES=$(kj_folder_of "$KJ_UID")
  KJ_WHOSE="0 $KJ_NUMBER"
  [ -z "$KJ_ALONE" ] || KJ_WHOSE="0 $KJ_UID"
}

kj_unsafe() { # folder, number: whether it is not one in which only that user may write; kj_coded says why
  kj_wrong=''
  if [ -h "$1" ] || { [ -e "$1" ] && [ ! -d "$1" ]; }; then
    kj_wrong=lock.place-is-no-folder
  elif kj_line=$(stat -c '%u %f' "$1" 2>/dev/null); then
    if [ "${kj_line% *}" != "$2" ]; then
      kj_wrong=lock.foreign
    elif [ $((0x${kj_line#* } & 022)) != 0 ]; then
      kj_wrong=lock.place-is-open
    fi
  fi
  kj_wrong_at "$1"
}

kj_wrong_at() { # path: whether anything is wrong; kj_coded says what
  case $kj_wrong in
    '') return 1 ;;
    lock.foreign) kj_code "$kj_wrong" "$1" "${kj_line% *}" ;;
    *) kj_code "$kj_wrong" "$1" ;;
  esac
}

kj_place_is_safe() { # says that it is not
  [ -z "$KJ_ALONE" ] && kj_unsafe "$KJ_LOCKS" "$KJ_NUMBER" || return 0
  kj_say unsafe
  printf '%s' "$kj_coded"
  return 1
}

kj_make_place() { # folder: others can read what stands in it, and not write
  if [ "$KJ_UID" = 0 ] || [ -n "$KJ_ALONE" ]; then kj_mask=022; else kj_mask=066; fi
  [ -d "$1" ] || (umask "$kj_mask" && mkdir -p "$1") 2>/dev/null
}

# ---- what stands in one: a word of it becomes part of a path or a number only after its form was checked

kj_read() { # path, numbers: kj_text is that of a small regular file of one of these users; 1: none, 2: kj_coded says why not
  kj_text='' kj_wrong=''
  if [ -h "$1" ]; then
    kj_wrong=lock.is-a-link
  elif [ -d "$1" ]; then
    kj_wrong=lock.is-a-folder
  elif [ ! -e "$1" ]; then
    return 1
  elif [ ! -f "$1" ]; then
    kj_wrong=lock.is-no-regular-file
  else
    kj_line=$(stat -c '%u %s' "$1" 2>/dev/null) || return 1
    case " $2 " in
      *" ${kj_line% *} "*)
        case ${kj_line#* } in
          0) kj_wrong=lock.is-empty ;;
          ????? | ??????*) kj_wrong=lock.is-too-large ;;
          *) if [ "${kj_line#* }" -gt 4096 ]; then kj_wrong=lock.is-too-large; fi ;;
        esac
        ;;
      *) kj_wrong=lock.foreign ;;
    esac
    if [ -z "$kj_wrong" ]; then
      kj_text=$(kj_head "$1")
      # Its owner may have let it go since the look at it, and another one may have come.
      [ -n "$kj_text" ] || { [ -e "$1" ] || return 1; kj_text=$(kj_head "$1"); }
    fi
  fi
  ! kj_wrong_at "$1" || return 2
}

kj_head() { # path: its first 4 KiB, what is no text as one sign
  # shellcheck disable=SC2086 # words of our own
  $KJ_READER head -c 4096 "$1" 2>/dev/null | tr '\000-\011\013-\037\177' '\001'
}

kj_process() { # pid, start, boot: whether each has its form
  case $1 in '' | 0* | *[!0123456789]* | ??????????*) return 1 ;; esac
  case $2 in -) ;; '' | *[!0123456789]* | ?????????????????????*) return 1 ;; esac
  case $3 in '' | *[!0123456789abcdefghijklmnopqrstuvwxyz-]*) return 1 ;; esac
  [ "${#3}" -le 64 ]
}

kj_owner() { # text: the words of a lock; 1: it has not the whole form of one
  case $1 in *"$KJ_CONTROL"*) return 1 ;; esac
  kj_ifs=$IFS IFS=$KJ_NL
  set -f
  # shellcheck disable=SC2086 # a line each
  set -- "$1" $1
  set +f
  IFS=$kj_ifs
  case $# in 8 | 9) ;; *) return 1 ;; esac
  kj_run=${2#run } kj_pid=${6#pid } kj_start=${7#start } kj_boot=${8#boot } kj_login=''
  [ -z "${9-}" ] || kj_login=${9#login }
  kj_form="run $kj_run${KJ_NL}who ${3#who }${KJ_NL}when ${4#when }${KJ_NL}why ${5#why }"
  kj_form=$kj_form${KJ_NL}"pid $kj_pid${KJ_NL}start $kj_start${KJ_NL}boot $kj_boot${9:+${KJ_NL}login $kj_login}"
  [ "$1" = "$kj_form" ] && [ -n "${3#who }" ] && [ -n "${4#when }" ] && [ -n "${5#why }" ] || return 1
  case $kj_run in *[!0123456789abcdef]*) return 1 ;; ??????) ;; *) return 1 ;; esac
  if [ -n "${9-}" ]; then kj_process "$kj_login" - - || return 1; fi
  kj_process "$kj_pid" "$kj_start" "$kj_boot"
}

kj_read_owner() { # path, numbers: as kj_read, and 2 when it is no lock
  kj_read "$@" || return
  kj_owner "$kj_text" && return 0
  kj_code lock.no-lock "$1"
  return 2
}

# ---- whether its owner lives

kj_start_of() { # process: when it started; nothing for one that is gone or only waits to be buried
  kj_line=''
  read -r kj_line 2>/dev/null <"/proc/$1/stat" || return 1
  # shellcheck disable=SC2086 # numbers, a word each
  set -- ${kj_line##*) }
  case $1 in Z | X) return 1 ;; esac
  printf '%s' "${20}"
}

kj_alive() { # pid, start, boot: same boot, same process, same start
  [ "$3" = "$(kj_boot_id)" ] || return 1
  if kj_since=$(kj_start_of "$1"); then
    [ "$kj_since" = "$2" ]
    return
  fi
  [ ! -e "/proc/$1/stat" ] || return 1
  case $2$(LC_ALL=C kill -0 "$1" 2>&1) in
    *ermitted* | -) return 0 ;; # of another user, and /proc hides it; or there is no /proc
  esac
  return 1
}

kj_boot_id() {
  read -r kj_id 2>/dev/null </proc/sys/kernel/random/boot_id || kj_id=-
  printf '%s' "$kj_id"
}

kj_lives() { # folder, numbers: kj_life of the owner that was read; whether it is not dead
  kj_life=dead
  case $2 in 0 | '0 0') ;; *) kj_login='' ;; esac # with `become` root holds it, and that login's commands run, too
  if kj_alive "$kj_pid" "$kj_start" "$kj_boot"; then
    kj_life=alive
  elif kj_step_lives "$1/kjpstate.step.$kj_run-$kj_pid" "$2"; then
    kj_life=step
  elif [ -n "$kj_login" ] && [ -z "$KJ_ALONE" ] &&
    kj_step_lives "$(kj_folder_of "$kj_login")/kjpstate.step.$kj_run-$kj_pid" "$kj_login"; then
    kj_life=step
  fi
  [ "$kj_life" != dead ]
}

kj_step_lives() { # note, numbers: whether the command still runs, or a child of it
  kj_read "$@" || return 1
  case $kj_text in *"$KJ_CONTROL"*) return 1 ;; esac
  kj_ifs=$IFS IFS=$KJ_NL
  set -f
  # shellcheck disable=SC2086 # a line each
  set -- $kj_text
  set +f
  IFS=$kj_ifs
  [ $# = 3 ] && [ "$kj_text" = "pid ${1#pid }${KJ_NL}start ${2#start }${KJ_NL}boot ${3#boot }" ] || return 1
  kj_group=${1#pid }
  set -- "$kj_group" "${2#start }" "${3#boot }"
  kj_process "$@" || return 1
  kj_alive "$@" && return 0
  [ "$3" = "$(kj_boot_id)" ] || return 1
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

kj_other() { # whether a lock of somebody else lives: the first of them, in kj_text, kj_their, kj_whose
  [ -z "$KJ_ALONE" ] || return 1
  kj_found=''
  for kj_at in /run/lock /var/lock "$KJ_BASE"; do
    kj_their=-1 kj_whose=''
    if kj_other_at "$kj_at" "0 $KJ_UID"; then kj_found=yes && break; fi
  done
  if [ -z "$kj_found" ] && [ "$KJ_NUMBER" != 0 ]; then
    kj_their=0 kj_whose=root kj_at=$(kj_folder_of 0)
    if kj_other_at "$kj_at" 0; then kj_found=yes; fi
  fi
  if [ -z "$kj_found" ]; then
    while IFS=: read -r kj_name kj_x kj_their kj_x kj_x kj_at kj_x; do
      case $kj_their in "$KJ_NUMBER" | 0 | '' | *[!0123456789]*) continue ;; esac
      case $kj_at in /*) kj_at=$kj_at/$KJ_BELOW ;; *) continue ;; esac
      kj_whose=$kj_name
      if kj_other_at "$kj_at" "$kj_their"; then kj_found=yes && break; fi
    done <<PASSWD
$(kj_passwd '')
PASSWD
  fi
  [ -n "$kj_found" ]
}

kj_other_at() { # folder, numbers: whether a lock lives there; what can't be read, or is no lock, holds nobody up
  [ -f "$1/kjpstate" ] || return 1
  [ "$kj_their" = -1 ] || ! kj_unsafe "$1" "$2" || return 1
  kj_time_limit
  [ "$KJ_WITHIN" = none ] || KJ_READER="$KJ_WITHIN 5" # a pipe may take the file's place meanwhile
  kj_read_owner "$1/kjpstate" "$2" && kj_theirs=$kj_text && kj_lives "$1" "$2" || kj_life=dead
  KJ_READER=''
  [ "$kj_life" != dead ] || return 1
  if [ -n "$kj_whose" ]; then kj_code lock.whose "$kj_whose" "$1/kjpstate"; else kj_code lock.whose-earlier "$1/kjpstate"; fi
  kj_text=$kj_theirs kj_whose=$kj_coded
}

# ---- taken, broken, left

kj_step_begins() { # in the process that is about to become the command
  [ -n "$KJ_STEP" ] || return 0
  kj_line=''
  read -r kj_line 2>/dev/null </proc/self/stat || return 0
  kj_me=${kj_line%% *}
  # shellcheck disable=SC2086 # numbers, a word each
  set -- ${kj_line##*) }
  rm -f "$KJ_STEP.new"
  (umask 022 && set -C && printf 'pid %s\nstart %s\nboot %s\n' "$kj_me" "${20}" "$(kj_boot_id)" >"$KJ_STEP.new") 2>/dev/null &&
    mv -f "$KJ_STEP.new" "$KJ_STEP" 2>/dev/null
  return 0
}

kj_step_of() { # run, process: the note of the commands of whom; KJ_STEP stays empty where none can stand
  KJ_STEP=''
  if kj_make_place "$KJ_NOTES" && { [ -n "$KJ_ALONE" ] || ! kj_unsafe "$KJ_NOTES" "$KJ_UID"; }; then
    KJ_STEP=$KJ_NOTES/kjpstate.step.$1-$2
  fi
}

kj_follow() { # another session of ours holds the lock: its commands and ours are noted by its name
  KJ_STEP=''
  if kj_read_owner "$KJ_LOCK" "$KJ_WHOSE"; then kj_step_of "$kj_run" "$kj_pid"; fi
}

kj_myself() { # what stands in a lock of this process, after `why`
  kj_since=$(kj_start_of $$) || kj_since=-
  printf 'pid %s\nstart %s\nboot %s' $$ "$kj_since" "$(kj_boot_id)"
  if [ "$KJ_UID" = 0 ] && [ -n "$KJ_HAND" ] && kj_process "${SUDO_UID-}" - -; then printf '\nlogin %s' "$SUDO_UID"; fi
}

kj_link() { # file, content: creates it at once, or fails when it exists; whole also after a power cut
  kj_temp=${1%/*}/.kjpstate.$$.link
  rm -f "$kj_temp"
  if ! (umask 022 && set -C && printf '%s\n' "$2" >"$kj_temp" && sync "$kj_temp") 2>/dev/null; then
    rm -f "$kj_temp"
    return 2
  fi
  if [ ! -d "$1" ] && ln "$kj_temp" "$1" 2>/dev/null; then kj_code=0; else kj_code=1; fi
  rm -f "$kj_temp"
  return "$kj_code"
}

kj_break() { # a dead owner's lines, RUN-PID: removes its lock, if we win the right to break that very owner
  kj_broke='' kj_first=$KJ_LOCKS/kjpstate.break.$2 kj_right=$KJ_LOCKS/kjpstate.break.$2 kj_deep=0
  while ! kj_link "$kj_right" "$KJ_OWNER"; do
    kj_deep=$((kj_deep + 1))
    [ "$kj_deep" -lt 8 ] || return 0
    kj_read_owner "$kj_right" "$KJ_WHOSE"
    case $? in
      0)
        kj_alive "$kj_pid" "$kj_start" "$kj_boot" && return 1
        kj_right=$kj_right.$kj_run-$kj_pid
        ;;
      1) return 0 ;;
      *) kj_right=$kj_right.damaged ;;
    esac
  done
  if [ "$(cat "$KJ_LOCK" 2>/dev/null)" = "$1" ]; then
    if rm -f "$KJ_LOCK" 2>/dev/null; then kj_broke=yes; else kj_broke=no; fi
  fi
  rm -f "$kj_first" "$kj_first".* 2>/dev/null
  return 0
}

kj_no_lock() { # a dead owner's lines, or nothing
  if [ -n "$1" ]; then kj_tell nolock lock.left "$KJ_LOCK"; else kj_tell nolock hosts.system "$KJ_LOCK"; fi
}

kj_damaged() {
  kj_say damaged
  printf '%s' "$kj_coded"
}

kj_busy() { # an owner's lines, whose and where, or nothing
  kj_say busy "$kj_life"
  printf '%s' "$1"
  if [ -n "$2" ]; then
    kj_say whose
    printf '%s' "$2"
  fi
}

kj_take() { # this user's lock, then a look at all others
  kj_place_is_safe || exit 73
  kj_make_place "$KJ_LOCKS"
  kj_tries=0
  while ! kj_link "$KJ_LOCK" "$KJ_OWNER"; do
    kj_tries=$((kj_tries + 1))
    kj_read_owner "$KJ_LOCK" "$KJ_WHOSE"
    kj_code=$? kj_found=$kj_text
    if [ "$kj_code" = 2 ]; then
      kj_damaged
      exit 73
    elif [ "$kj_tries" -gt 20 ]; then # no disk to write to, or a dead lock that is not ours to remove
      kj_no_lock "$kj_found"
      exit 73
    fi
    [ "$kj_code" = 0 ] || continue
    kj_gone=$kj_run-$kj_pid
    if kj_lives "$KJ_LOCKS" "$KJ_WHOSE" || ! kj_break "$kj_found" "$kj_gone"; then
      [ "$kj_life" != dead ] || kj_life=alive
      kj_busy "$kj_found" ''
      exit 75
    fi
  done
  kj_sweep_locks
  kj_alone
}

kj_alone() { # two who have both taken their own see each other; the later one gives way, the earlier one waits for that
  kj_left=50
  while kj_other; do
    if [ "$kj_their" -lt "$KJ_NUMBER" ] || [ "$kj_left" -le 0 ]; then
      rm -f "$KJ_LOCK"
      kj_busy "$kj_text" "$kj_whose"
      exit 75
    fi
    if sleep 0.2 2>/dev/null; then kj_left=$((kj_left - 2)); else sleep 1 && kj_left=$((kj_left - 10)); fi
  done
}

kj_sweep_locks() { # what dead contenders left; the lock is ours
  (cd "$KJ_LOCKS" && for kj_left in .kjpstate.*.link kjpstate.step.* kjpstate.break.*; do
    case $kj_left in
      *[!0123456789abcdefghijklmnopqrstuvwxyz.-]*) continue ;;
      *.link)
        kj_by=${kj_left#.kjpstate.}
        [ ! -d "/proc/${kj_by%%.*}" ] || continue
        ;;
    esac
    printf '%s\n' "$kj_left"
  done | xargs rm -f) 2>/dev/null
}

kj_held() {
  [ -z "$KJ_FOLLOWS" ] || return 0
  [ -f "$KJ_LOCK" ] && [ ! -h "$KJ_LOCK" ] && [ "$(cat "$KJ_LOCK" 2>/dev/null)" = "$KJ_OWNER" ]
}

# ---- shown

kj_holder() { # who holds this host, and how that one lives
  kj_place
  kj_place_is_safe || return 0
  kj_read_owner "$KJ_LOCK" "$KJ_WHOSE"
  case $? in
    2) kj_damaged ;;
    1) kj_held_by '' ;;
    *)
      kj_found=$kj_text
      kj_lives "$KJ_LOCKS" "$KJ_WHOSE"
      kj_held_by "$kj_found"
      ;;
  esac
}

kj_held_by() { # the lines of our lock, or nothing; kj_life: a dead one is told when no other lives
  kj_mine=$1 kj_my_life=$kj_life
  if { [ -z "$1" ] || [ "$kj_life" = dead ]; } && kj_other; then
    kj_say holder "$kj_life"
    printf '%s' "$kj_text"
    kj_say whose
    printf '%s' "$kj_whose"
  elif [ -n "$1" ]; then
    kj_say holder "$kj_my_life"
    printf '%s' "$1"
  else
    kj_say free
  fi
}

kj_unlock() { # the owner's lines as they were shown, nothing for a damaged lock; whether even a live one
  kj_place
  kj_place_is_safe || return 0
  KJ_OWNER="run 000000${KJ_NL}who -${KJ_NL}when -${KJ_NL}why unlock$KJ_NL$(kj_myself)"
  kj_read_owner "$KJ_LOCK" "$KJ_WHOSE"
  case $?$1 in
    2) kj_clear "$2" ;;
    0?*)
      if [ "$kj_text" = "$1" ]; then
        kj_unlock_this "$@"
      else
        kj_say moved
      fi
      ;;
    *) kj_say moved ;;
  esac
}

kj_unlock_this() {
  kj_gone=$kj_run-$kj_pid kj_broke=''
  if kj_lives "$KJ_LOCKS" "$KJ_WHOSE" && [ -z "$2" ]; then
    kj_say lives
  elif kj_break "$1" "$kj_gone" && [ "$kj_broke" = yes ]; then
    rm -f "$KJ_LOCKS/kjpstate.step.$kj_gone"
    kj_say broken
  elif [ "$kj_broke" = no ]; then
    kj_no_lock "$1"
  else
    kj_say moved
  fi
}

kj_clear() { # whether to: takes away what is no lock, itself alone; a folder that is not empty gets another name
  if [ -z "$1" ]; then
    kj_say lives
    return
  fi
  if [ -d "$KJ_LOCK" ] && [ ! -h "$KJ_LOCK" ]; then
    rmdir "$KJ_LOCK" 2>/dev/null || mv "$KJ_LOCK" "$KJ_LOCK.damaged.$$" 2>/dev/null
  else
    rm -f "$KJ_LOCK" 2>/dev/null
  fi
  if [ -e "$KJ_LOCK" ] || [ -h "$KJ_LOCK" ]; then kj_no_lock ''; else kj_say broken; fi
}
