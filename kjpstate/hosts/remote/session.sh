# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154 # lib.sh, look.sh and trees.sh share these variables
# The one session that holds a host's lock: takes it, settles what a cut session left, then does the actions
# that come as messages on standard input, until `end` or until the link is gone. hosts/ssh.py is its only
# caller, hosts/local.py does the very same in Python.
#
# A message is a line with its length, then so many bytes of calls of the functions below (every value quoted
# by the sender), each write followed by its payload. Nothing is ever read beyond that.

kj_release() {
  rm -rf "${KJ_STATE:?}/.output.$KJ_RUN"
  if [ -z "$KJ_FOLLOWS" ] && kj_held; then rm -f "$KJ_LOCK"; fi
}

kj_begin() { # run, document, suffix, who, when, why, follow: another session of ours has the lock
  KJ_RUN=$1 KJ_SUFFIX=$3 KJ_STATE=$KJ_BASE/$2 KJ_FOLLOWS=$7 KJ_COUNT=0 KJ_PENDING='' KJ_WRITING='' KJ_TORN=''
  KJ_HEAD="run$KJ_TAB$1$KJ_TAB$5$KJ_TAB$(kj_quoted "$4")$KJ_TAB$(kj_quoted "$6")"
  KJ_AS='' kj_in=''
  umask 077
  KJ_OWNER="run $1${KJ_NL}who $4${KJ_NL}when $5${KJ_NL}why $6$KJ_NL$(kj_myself)"
  kj_place
  if [ -z "$KJ_FOLLOWS" ]; then
    kj_take
    kj_step_of "$1" $$
  else
    kj_follow
  fi
  trap kj_release EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 141' PIPE
  trap 'exit 143' TERM
  kj_error=$(mkdir -p "$KJ_STATE" 2>&1) || {
    kj_tell nostate hosts.system "$(kj_why "$kj_error")"
    exit 73
  }
  kj_settle
  KJ_WHOLE=''
  [ "$(printf ab | dd bs=2 count=1 iflag=fullblock 2>/dev/null)" = ab ] && KJ_WHOLE=yes
  kj_say held
  printf '%s' "$KJ_BASE"
}

# ---- messages

kj_exact() { # bytes: exactly so many of standard input
  if [ -z "$KJ_WHOLE" ]; then
    dd bs=1 "count=$1" 2>/dev/null
    return
  fi
  [ "$1" -lt 65536 ] || dd bs=65536 count=$(($1 / 65536)) iflag=fullblock 2>/dev/null
  [ $(($1 % 65536)) -eq 0 ] || dd bs=$(($1 % 65536)) count=1 iflag=fullblock 2>/dev/null
}

kj_receive() { # bytes, file, who writes it: the payload, taken to its end even when the file can't hold it
  kj_exact "$1" | {
    kj_as "$3" kj_fill "$2"
    kj_code=$?
    cat >/dev/null
    exit "$kj_code"
  }
}

kj_loop() {
  while IFS= read -r kj_length; do
    case $kj_length in
      end) kj_ended && break ;;
      '' | *[!0-9]*) break ;;
    esac
    kj_text=$(kj_exact "$kj_length")
    case $kj_text in *"#$KJ_N") ;; *) exit 74 ;; esac
    KJ_STOP=''
    eval "$kj_text"
    kj_say over
  done
}

# ---- outcomes: once one is not well, the rest of the message is only taken off the line

kj_outcome() { # done or already or failed or moved or unknown, exit code or -
  kj_leave
  kj_done "$1"
  kj_say outcome "$@"
  case $1 in done | already) ;; *) KJ_STOP=yes ;; esac
}

kj_bad() { # status, code, values
  kj_outcome "$1" -
  shift
  kj_code "$@"
  printf '%s' "$kj_coded"
}

kj_bad_as_said() { # kj_status and kj_coded
  kj_outcome "$kj_status" -
  printf '%s' "$kj_coded"
}

kj_ready() { # bytes of payload that follow: whether the action may go on
  kj_status='done'
  if [ -n "$KJ_STOP" ]; then
    kj_exact "$1" >/dev/null
    return 1
  fi
  kj_held && return 0
  kj_exact "$1" >/dev/null
  kj_bad failed lock.taken-away
  return 1
}

kj_try() { # command: on failure kj_coded says why
  kj_said=$(LC_ALL=C "$@" 2>&1) && return 0
  case $kj_said in
    'kj: '*) kj_fault failed hosts.file-and-folder "$KJ_P" "${kj_said#kj: }" ;;
    *) kj_fault failed hosts.failed "$KJ_P" "$(kj_why "$kj_said")" ;;
  esac
}

kj_fault() { # status, code, values
  kj_status=$1
  shift
  kj_code "$@"
  return 1
}

# ---- one file

kj_look_at() { # name: kj_now is its digest, or - for none
  kj_now=$(kj_own kj_seen "$1")
  case $kj_now in
    -) ;;
    'link '*) kj_fault failed hosts.link-not-written "$KJ_P" "${kj_now#link }" ;;
    folder) kj_fault failed hosts.folder-not-file "$KJ_P" ;;
    odd) kj_fault failed hosts.no-regular-file-at "$KJ_P" ;;
    '' | *[!0-9a-f]*)
      [ -z "$KJ_AS" ] || kj_refuse not-theirs "$kj_owner" || return
      kj_fault failed hosts.failed "$KJ_P" "permission denied"
      ;;
  esac
}

kj_write() { # path, digest before or -, digest after or -, bytes, mode of a new file, backup
  KJ_P=$1
  kj_ready "$4" || return 0
  kj_taken=''
  if kj_put "$@"; then kj_outcome "$kj_status" -; else kj_bad_as_said; fi
  [ -n "$kj_taken" ] || kj_exact "$4" >/dev/null
}

kj_put() {
  kj_now=-
  if [ -d "${1%/*}/" ]; then kj_enter "$1" && kj_look_at "$KJ_NAME" || return; fi
  kj_status=already
  [ "$kj_now" != "$3" ] || return 0
  [ "$kj_now" = "$2" ] || kj_fault moved hosts.not-as-planned "$KJ_P" || return
  [ -n "$kj_in" ] || kj_fault failed hosts.no-folder-for "$KJ_P" || return
  [ "$2" = - ] || [ -n "$6" ] || kj_fault failed hosts.no-name-for-original "$KJ_P" || return
  kj_intent write "$1" "$2" "$3" "$6" || return
  kj_own kj_sweep "$KJ_NAME"
  [ "$2" = - ] || kj_keep_file "$1" "$6" || return
  if [ "$3" = - ]; then
    kj_try kj_own rm "$KJ_NAME" || return
  else
    kj_temp=./.${KJ_NAME#./}.kjpstate-new.$KJ_RUN
    if ! kj_replace "$@"; then
      kj_own rm -f "$kj_temp"
      return 1
    fi
  fi
  if ! kj_try kj_own sync ./ || ! kj_look_at "$KJ_NAME"; then
    kj_status=unknown
    return 1
  fi
  [ "$kj_now" = "$3" ] || kj_fault unknown hosts.not-what-was-written "$KJ_P" || return
  kj_status='done'
}

kj_replace() {
  kj_try kj_own kj_exclusive "$kj_temp" || return
  kj_taken=yes
  kj_try kj_receive "$4" "$kj_temp" "$KJ_AS" || return
  [ "$(kj_own kj_sha "$kj_temp")" = "$3" ] || kj_fault failed hosts.not-what-was-sent "$KJ_P" || return
  if [ "$2" = - ]; then kj_try kj_own chmod "$5" "$kj_temp"; else kj_try kj_own kj_carry "$KJ_NAME" "$kj_temp"; fi || return
  kj_try kj_own sync "$kj_temp" && kj_look_at "$KJ_NAME" || return
  [ "$kj_now" = "$2" ] || kj_fault moved hosts.not-as-planned "$KJ_P" || return
  kj_try kj_own mv -f "$kj_temp" "$KJ_NAME"
}

kj_kept_at() { # path, backup: where that is from here, kj_to, and who acts there, kj_by; others never act in our own folder
  if [ "${2%/*}" = "${1%/*}" ]; then kj_to=./${2##*/} kj_by=$KJ_AS; else kj_to=$2 kj_by=''; fi
}

kj_keep_file() { # path, backup: a copy of it that never goes over anything
  kj_kept_at "$1" "$2"
  if [ -f "$kj_to" ] && [ ! -h "$kj_to" ]; then return 0; fi
  kj_look_at "$KJ_NAME" && kj_try kj_as "$kj_by" mkdir -p "${kj_to%/*}/" || return
  kj_digest=$kj_now
  kj_copy=${kj_to%/*}/.${KJ_NAME#./}.kjpstate-keep.$KJ_RUN
  kj_as "$kj_by" rm -f "$kj_copy"
  if kj_copied "$KJ_NAME" "$KJ_AS" "$kj_copy" "$kj_by" && kj_same "$kj_copy" &&
    kj_try kj_as "$kj_by" sync "$kj_copy" && kj_try kj_as "$kj_by" kj_publish "$kj_copy" "$kj_to"; then
    kj_kept_as "$1" "$2" "$kj_digest" file
  else
    kj_as "$kj_by" rm -f "$kj_copy"
    return 1
  fi
}

kj_copied() { # file, who reads it, copy, who writes that: between two of them only bytes and mode go over
  if [ "$2" = "$4" ]; then
    kj_try kj_as "$2" cp -a "$1" "$3"
  else
    kj_mode=$(kj_as "$2" stat -c %a "$1")
    kj_try kj_as "$4" kj_exclusive "$3" && kj_try kj_passed "$@" && kj_try kj_as "$4" chmod "$kj_mode" "$3"
  fi
}

kj_passed() { # as kj_copied
  kj_as "$2" cat "$1" </dev/null | kj_as "$4" kj_fill "$3"
}

kj_same() {
  [ "$(kj_as "$kj_by" kj_sha "$1")" = "$kj_digest" ] || kj_fault moved hosts.moved-while-kept "$KJ_P"
}

kj_kept_as() { # path, backup, digest, type: a copy that the ledger can't name goes again; its original stands
  if ! kj_try kj_ledger "$KJ_STATE/backups" "$KJ_RUN$KJ_TAB$1$KJ_TAB$2$KJ_TAB$3$KJ_TAB$4"; then
    if [ "$4" = file ]; then kj_as "$kj_by" rm -f "$kj_to"; else kj_tree_gone "$kj_to" "$kj_by"; fi
    return 1
  fi
  kj_try sync "$KJ_STATE/backups" && kj_try kj_as "$kj_by" sync "${kj_to%/*}/"
}

kj_note() { # path, backup, digest, type: a line of the ledger
  kj_try kj_ledger "$KJ_STATE/backups" "$KJ_RUN$KJ_TAB$1$KJ_TAB$2$KJ_TAB$3$KJ_TAB$4" && kj_try sync "$KJ_STATE/backups"
}

# ---- the other actions

kj_make() { # path, mode
  KJ_P=$1
  kj_ready 0 || return 0
  if [ -d "$1" ]; then
    kj_outcome already -
  elif [ -e "$1" ] || [ -h "$1" ]; then
    kj_bad failed hosts.not-a-folder "$KJ_P"
  else
    kj_intent make "$1" - - '' && kj_make_in "$1" "$2"
    kj_settled $?
  fi
}

kj_make_in() { # path, mode: from the deepest folder above it that is there
  kj_up=$1
  until [ -d "${kj_up%/*}/" ]; do kj_up=${kj_up%/*}; done
  kj_enter "$kj_up" || return
  kj_below=$KJ_NAME${1#"$kj_up"}
  kj_try kj_own kj_parents "${kj_below%/*}/" && kj_try kj_own kj_made "$kj_below" "$2"
}

kj_run() { # what for, seconds, folder or nothing, allowed exit codes, whether to tell what it prints, argv
  kj_ready 0 || return 0
  kj_time_limit
  kj_for=$1 kj_seconds=$2 kj_folder=$3 kj_fine=" $4 " kj_shown=$5 kj_output=$KJ_STATE/.output.$KJ_RUN
  shift 5
  if [ -n "$kj_folder" ] && ! (cd "$kj_folder") 2>/dev/null; then
    kj_bad failed hosts.no-such-folder "$kj_folder"
    return 0
  fi
  if ! (cd "${kj_folder:-.}" && command -v "$1") >/dev/null 2>&1; then
    kj_bad failed hosts.no-command "$1"
    return 0
  fi
  if ! kj_intent run "$kj_for" - - ''; then
    kj_bad_as_said
    return 0
  fi
  : >"$kj_output"
  if [ -n "$kj_shown" ]; then
    kj_hear "$kj_output" </dev/null 2>/dev/null 4>&- &
    kj_hearer=$!
  fi
  (kj_step_begins && umask "$KJ_UMASK" && kj_placed "$kj_seconds" "$kj_folder" "$@") </dev/null >"$kj_output" 2>&1 4>&-
  kj_code=$?
  rm -f "$KJ_STEP"
  if [ -n "$kj_shown" ]; then
    kill "$kj_hearer" 2>/dev/null
    wait "$kj_hearer" 2>/dev/null
  fi
  case $kj_fine in
    *" $kj_code "*) kj_outcome 'done' "$kj_code" ;;
    *)
      if [ "$kj_code" = "$KJ_TIMED" ]; then
        kj_bad failed hosts.still-running "$kj_seconds"
      elif [ "$kj_code" -gt 128 ] && [ "$kj_code" -le 192 ]; then
        kj_bad unknown hosts.killed
      else
        kj_outcome failed "$kj_code"
      fi
      ;;
  esac
  kj_say output
  tail -c 65536 "$kj_output"
}

kj_hear() { # file: tells what is new in it each second, and at last when it is told to end
  kj_last='' kj_told=0
  trap 'kj_last=yes' TERM
  while kill -0 $$ 2>/dev/null; do
    kj_ending=$kj_last
    kj_size=$(stat -c %s "$1") || return 0
    if [ "$kj_size" -gt "$kj_told" ]; then
      [ $((kj_size - kj_told)) -le 65536 ] || kj_told=$((kj_size - 65536))
      kj_say heard $((kj_size - kj_told))
      tail -c "+$((kj_told + 1))" "$1" | head -c $((kj_size - kj_told))
      kj_told=$kj_size
    fi
    [ -z "$kj_ending" ] || return 0
    if [ -z "$kj_last" ]; then
      sleep 1 >/dev/null &
      wait $!
    fi
  done
}

kj_stamp() { # document, name, digest or - for removal, bytes
  KJ_P=$2
  kj_ready "$4" || return 0
  if ! kj_intent stamp "$2" - "$3" ''; then
    kj_exact "$4" >/dev/null
    false
  elif [ "$3" = - ]; then
    kj_try rm -f "$KJ_BASE/$1/$2"
  elif kj_try mkdir -p "$KJ_BASE/$1"; then
    kj_stamp_new "$@"
  else
    kj_exact "$4" >/dev/null
    false
  fi
  kj_settled $?
}

kj_stamp_new() {
  kj_temp=$KJ_BASE/$1/.$2.kjpstate-new
  rm -f "$kj_temp"
  kj_try kj_receive "$4" "$kj_temp" '' || return
  [ "$(kj_sha "$kj_temp")" = "$3" ] || kj_fault failed hosts.not-what-was-sent "$KJ_P" || return
  kj_try sync "$kj_temp" && kj_try mv -f "$kj_temp" "$KJ_BASE/$1/$2" && kj_try sync "$KJ_BASE/$1"
}

kj_settled() { # whether it went well: kj_status, or why not
  if [ "$1" = 0 ]; then kj_outcome "$kj_status" -; else kj_bad_as_said; fi
}

kj_backup() { # path, backup, shared or nothing; already: there was nothing
  KJ_P=$1
  kj_ready 0 || return 0
  if [ ! -e "$1" ]; then
    kj_outcome already -
  elif ! kj_enter "$1"; then
    kj_bad_as_said
  else
    kj_keeps=kj_keep_file
    [ ! -d "$KJ_NAME" ] || kj_keeps=kj_keep_tree
    kj_intent backup "$1" - - "$2" && "$kj_keeps" "$1" "$2" "$3"
    kj_settled $?
  fi
}

kj_keep_tree() { # folder, backup, shared: hard links where they can be
  kj_kept_at "$1" "$2"
  if [ -d "$kj_to" ] && [ ! -h "$kj_to" ]; then return 0; fi
  KJ_DIR=$KJ_NAME KJ_NEW='' KJ_OURS='' KJ_GONE=''
  kj_inside "$KJ_DIR" && kj_try kj_as "$kj_by" mkdir -p "${kj_to%/*}/" || return
  kj_copy=${kj_to%/*}/${KJ_NAME#./}.kjpstate-keep.$KJ_RUN
  kj_tree_gone "$kj_copy" "$kj_by"
  if kj_tree_copied "$KJ_DIR" "$KJ_AS" "$kj_copy" "$kj_by" "$3" && kj_try kj_reader kj_durable "$kj_copy" &&
    kj_try kj_as "$kj_by" mv "$kj_copy" "$kj_to"; then
    kj_kept_as "$1" "$2" "$(kj_reader kj_listing "$kj_to")" directory
  else
    kj_tree_gone "$kj_copy" "$kj_by"
    return 1
  fi
}

kj_reader() { # command on a backup: by who acts in it
  case $kj_to in
    /*) "$@" ;;
    *) kj_inner "$@" ;;
  esac
}
