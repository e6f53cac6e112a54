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
    kj_say nostate
    kj_why "$kj_error"
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

kj_receive() { # bytes, file: the payload, taken to its end even when the file can't hold it
  kj_exact "$1" | {
    LC_ALL=C cat >"$2"
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
  kj_done "$1"
  kj_say outcome "$@"
  case $1 in done | already) ;; *) KJ_STOP=yes ;; esac
}

kj_bad() { # status, reason
  kj_outcome "$1" -
  printf '%s' "$2"
}

kj_ready() { # bytes of payload that follow: whether the action may go on
  kj_status='done'
  if [ -n "$KJ_STOP" ]; then
    kj_exact "$1" >/dev/null
    return 1
  fi
  kj_held && return 0
  kj_exact "$1" >/dev/null
  kj_bad failed 'the lock was taken away from this run'
  return 1
}

kj_try() { # command: on failure kj_reason says why
  kj_said=$(LC_ALL=C "$@" 2>&1) && return 0
  kj_status=failed kj_reason="$KJ_P: $(kj_why "$kj_said")"
  return 1
}

kj_fault() { # status, reason
  kj_status=$1 kj_reason=$2
  return 1
}

# ---- one file

kj_look_at() { # path: kj_now is its digest, or - for none
  if [ -h "$1" ]; then
    kj_fault failed "$KJ_P is a symbolic link to $(readlink "$1"); kjpstate does not write through it"
  elif [ ! -e "$1" ]; then
    kj_now=-
  elif [ -d "$1" ]; then
    kj_fault failed "$KJ_P is a folder, not a file"
  elif [ ! -f "$1" ]; then
    kj_fault failed "$KJ_P is not a regular file"
  else
    kj_now=$(kj_sha "$1" 2>/dev/null) || kj_fault failed "$KJ_P: permission denied"
  fi
}

kj_write() { # path, digest before or -, digest after or -, bytes, mode of a new file, backup
  KJ_P=$1
  kj_ready "$4" || return 0
  kj_taken=''
  if kj_put "$@"; then kj_outcome "$kj_status" -; else kj_bad "$kj_status" "$kj_reason"; fi
  [ -n "$kj_taken" ] || kj_exact "$4" >/dev/null
}

kj_put() {
  kj_look_at "$1" || return
  kj_status=already
  [ "$kj_now" != "$3" ] || return 0
  [ "$kj_now" = "$2" ] || kj_fault moved "$KJ_P is not as the plan saw it any more" || return
  kj_dir=${1%/*}/
  [ -d "$kj_dir" ] || kj_fault failed "$KJ_P: its folder does not exist" || return
  [ "$2" = - ] || [ -n "$6" ] || kj_fault failed "$KJ_P: no name to keep the original by" || return
  kj_intent write "$1" "$2" "$3" "$6" || return
  rm -f "$kj_dir.${1##*/}".kjpstate-*
  [ "$2" = - ] || kj_keep_file "$1" "$6" || return
  if [ "$3" = - ]; then
    kj_try rm "$1" || return
  else
    kj_temp=$kj_dir.${1##*/}.kjpstate-new.$KJ_RUN
    if ! kj_replace "$@"; then
      rm -f "$kj_temp"
      return 1
    fi
  fi
  if ! kj_try sync "$kj_dir" || ! kj_look_at "$1"; then
    kj_status=unknown
    return 1
  fi
  [ "$kj_now" = "$3" ] || kj_fault unknown "$KJ_P does not hold what was written; somebody else is writing it" || return
  kj_status='done'
}

kj_replace() {
  kj_try kj_exclusive "$kj_temp" || return
  kj_taken=yes
  kj_try kj_receive "$4" "$kj_temp" || return
  [ "$(kj_sha "$kj_temp")" = "$3" ] || kj_fault failed "$KJ_P: what arrived is not what was sent" || return
  if [ "$2" = - ]; then kj_try chmod "$5" "$kj_temp"; else kj_carry "$1" "$kj_temp"; fi || return
  kj_try sync "$kj_temp" && kj_look_at "$1" || return
  [ "$kj_now" = "$2" ] || kj_fault moved "$KJ_P is not as the plan saw it any more" || return
  kj_try mv -f "$kj_temp" "$1"
}

kj_exclusive() {
  (set -C && : >"$1")
}

kj_carry() { # from, to: mode, owner and, where cp can, extended attributes; never the times
  cp --attributes-only --preserve=mode,ownership,xattr "$1" "$2" 2>/dev/null
  # shellcheck disable=SC2046 # two words of digits
  set -- "$2" $(stat -c '%a %u:%g' "$1")
  [ "$(stat -c %u:%g "$1")" = "$3" ] || kj_try chown "$3" "$1" || return
  kj_try chmod "$2" "$1"
}

kj_keep_file() { # path, backup: a copy that never goes over anything
  [ ! -e "$2" ] || return 0
  kj_look_at "$1" && kj_try mkdir -p "${2%/*}/" || return
  kj_digest=$kj_now
  kj_copy=${2%/*}/.${1##*/}.kjpstate-keep.$KJ_RUN
  rm -f "$kj_copy"
  if kj_try cp -a "$1" "$kj_copy" && kj_same "$kj_copy" && kj_try sync "$kj_copy" && kj_publish "$kj_copy" "$2"; then
    kj_kept_as "$1" "$2" "$kj_digest" file
  else
    rm -f "$kj_copy"
    return 1
  fi
}

kj_same() {
  [ "$(kj_sha "$1")" = "$kj_digest" ] || kj_fault moved "$KJ_P moved while it was backed up"
}

kj_publish() { # copy, final name: fails when that exists; a rename where there are no hard links
  if ln "$1" "$2" 2>/dev/null; then
    kj_try rm -f "$1" && return
    rm -f "$2"
    return 1
  elif [ -e "$2" ]; then
    kj_fault failed "$2 already exists"
  else
    kj_try mv "$1" "$2"
  fi
}

kj_kept_as() { # path, backup, digest, type: a copy that the ledger can't name goes again; its original stands
  if ! kj_try kj_ledger "$KJ_STATE/backups" "$KJ_RUN$KJ_TAB$1$KJ_TAB$2$KJ_TAB$3$KJ_TAB$4"; then
    rm -rf "$2"
    return 1
  fi
  kj_try sync "$KJ_STATE/backups" && kj_try sync "${2%/*}/"
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
    kj_bad failed "$KJ_P is there and is not a folder"
  else
    kj_intent make "$1" - - '' && kj_try kj_parents "${1%/*}/" && kj_try kj_made "$1" "$2"
    kj_settled $?
  fi
}

# kj_made PATH MODE: in one call; busybox's `mkdir -m` needs two, and a kill between them leaves another mode.
kj_made() {
  (umask "$(printf '%o' $((0777 & ~0$2)))" && mkdir "$1")
}

kj_parents() {
  (umask 022 && mkdir -p "$1")
}

kj_run() { # what for, seconds, folder or nothing, allowed exit codes, whether to tell what it prints, argv
  kj_ready 0 || return 0
  kj_time_limit
  kj_for=$1 kj_seconds=$2 kj_folder=$3 kj_fine=" $4 " kj_shown=$5 kj_output=$KJ_STATE/.output.$KJ_RUN
  shift 5
  if [ -n "$kj_folder" ] && ! (cd "$kj_folder") 2>/dev/null; then
    kj_bad failed "there is no folder $kj_folder"
    return 0
  fi
  if ! (cd "${kj_folder:-.}" && command -v "$1") >/dev/null 2>&1; then
    kj_bad failed "$1: no such command"
    return 0
  fi
  if ! kj_intent run "$kj_for" - - ''; then
    kj_bad "$kj_status" "$kj_reason"
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
        kj_bad failed "still running after $kj_seconds s, stopped"
      elif [ "$kj_code" -gt 128 ] && [ "$kj_code" -le 192 ]; then
        kj_bad unknown 'was killed by a signal'
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
  kj_try kj_receive "$4" "$kj_temp" || return
  [ "$(kj_sha "$kj_temp")" = "$3" ] || kj_fault failed "$KJ_P: what arrived is not what was sent" || return
  kj_try sync "$kj_temp" && kj_try mv -f "$kj_temp" "$KJ_BASE/$1/$2" && kj_try sync "$KJ_BASE/$1"
}

kj_settled() { # whether it went well: kj_status, or why not
  if [ "$1" = 0 ]; then kj_outcome "$kj_status" -; else kj_bad "$kj_status" "$kj_reason"; fi
}

kj_backup() { # path, backup, shared or nothing; already: there was nothing
  KJ_P=$1
  kj_ready 0 || return 0
  if [ ! -e "$1" ]; then
    kj_outcome already -
  elif [ -d "$1" ]; then
    kj_intent backup "$1" - - "$2" && kj_keep_tree "$1" "$2" "$3"
    kj_settled $?
  else
    kj_intent backup "$1" - - "$2" && kj_keep_file "$1" "$2"
    kj_settled $?
  fi
}

kj_keep_tree() { # folder, backup, shared: hard links where they can be
  [ ! -e "$2" ] || return 0
  kj_try mkdir -p "${2%/*}/" || return
  kj_copy=${2%/*}/${1##*/}.kjpstate-keep.$KJ_RUN
  rm -rf "$kj_copy"
  if [ -n "$3" ] && ! kj_share_tree "$1" "$kj_copy" 2>/dev/null; then rm -rf "$kj_copy"; fi
  if { [ -d "$kj_copy" ] || kj_try cp -a "$1" "$kj_copy"; } && kj_try kj_durable "$kj_copy" && kj_try mv "$kj_copy" "$2"; then
    kj_kept_as "$1" "$2" "$(kj_listing "$2")" directory
  else
    rm -rf "$kj_copy"
    return 1
  fi
}

kj_durable() { # folder: all of it on the disk, before what it is a copy of is touched
  find "$1" \( -type f -o -type d \) -exec sync {} +
}

kj_share_tree() { # folder, copy: npm ci removes its folders, but writes into a .package-lock.json that stands
  cp -al "$1" "$2" || return
  for kj_own in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    case $kj_own in "$1"/.*) ;; *) [ -f "$kj_own" ] || continue ;; esac
    [ -e "$kj_own" ] || [ -h "$kj_own" ] || continue
    rm -rf "${2:?}/${kj_own##*/}" && cp -a "$kj_own" "$2/${kj_own##*/}" || return
  done
}

kj_listing() { # folder: one digest for all its regular files, formats.tree.listing_digest
  kj_sum=$(cd "$1" && kj_list sum . -type f | LC_ALL=C sort | sha256sum)
  printf '%s' "${kj_sum%% *}"
}

# ---- put back

kj_restore() { # path, backup or nothing: there was nothing; what must stand there, - for nothing, or nothing: anything
  KJ_P=$1
  kj_ready 0 || return 0
  kj_status='done'
  if [ -h "$1" ]; then
    kj_fault failed "$KJ_P is a symbolic link; kjpstate does not replace it"
  elif [ -n "$2" ] && [ ! -e "$2" ]; then
    kj_fault failed "$KJ_P: its original $2 is gone"
  elif [ -d "${2:-$1}" ]; then
    kj_tree_back "$1" "$2" "$3" 0
  elif [ -d "$1" ]; then
    kj_fault failed "$KJ_P is a folder now"
  else
    kj_file_back "$@"
  fi
  kj_settled $?
}

kj_file_back() {
  kj_look_at "$1" || return
  kj_then=-
  [ -z "$2" ] || kj_then=$(kj_sha "$2") || kj_fault failed "$2: permission denied" || return
  if [ "$kj_now" = "$kj_then" ] && { [ -z "$2" ] || [ "$(stat -c '%a %u:%g' "$1")" = "$(stat -c '%a %u:%g' "$2")" ]; }; then
    kj_status=already
    return 0
  fi
  [ -z "$3" ] || [ "$kj_now" = "$3" ] || kj_fault moved "$KJ_P was changed by somebody else meanwhile; that stands" || return
  kj_intent restore "$1" "$kj_now" "$kj_then" "$2" || return
  kj_fresh=${1%/*}/.${1##*/}.kjpstate-new.$KJ_RUN
  rm -f "$kj_fresh"
  if [ -z "$2" ]; then
    kj_try rm -f "$1" || return
  elif ! kj_try cp -a "$2" "$kj_fresh" || ! kj_try sync "$kj_fresh" || ! kj_try mv -f "$kj_fresh" "$1"; then
    rm -f "$kj_fresh"
    return 1
  fi
  kj_try sync "${1%/*}/" && kj_look_at "$1" || return
  [ "$kj_now" = "$kj_then" ] || kj_fault failed "$KJ_P does not hold what was put back; somebody else is writing it"
}

kj_restore_tree() { # as kj_tree_back
  KJ_P=$1
  kj_ready 0 || return 0
  kj_status='done'
  if [ -h "$1" ]; then kj_fault failed "$KJ_P is a symbolic link; kjpstate does not replace it"; else kj_tree_back "$@"; fi
  kj_settled $?
}

kj_tree_back() { # folder, backup or nothing, digest of the listing of what must stand there (- for nothing) or nothing, how many names it has (0: all there are), those, then names that we took away
  KJ_DIR=$1 KJ_NEW=$1.kjpstate-new.$KJ_RUN KJ_OURS=$KJ_NL KJ_GONE=$KJ_NL kj_from=$2 kj_listed=$3 kj_left=$4
  shift 4
  if [ -n "$kj_listed" ] && [ "$(kj_listing_of "$KJ_DIR" "$kj_left" "$@")" != "$kj_listed" ]; then
    kj_fault moved "$KJ_P was changed by somebody else meanwhile; that stands" || return
  fi
  for kj_name; do
    kj_fold "$kj_name" "$KJ_NL" "$KJ_CR"
    if [ "$kj_left" -gt 0 ]; then KJ_OURS=$KJ_OURS$kj_word$KJ_NL; else KJ_GONE=$KJ_GONE$kj_word$KJ_NL; fi
    kj_left=$((kj_left - 1))
  done
  if [ -z "$kj_from" ]; then
    kj_tree_away
    return
  fi
  kj_sweep_trees "$KJ_DIR"
  kj_intent lay "$KJ_DIR" - - '' && kj_try cp -a "$kj_from" "$KJ_NEW" || return
  if [ "$KJ_OURS" != "$KJ_NL" ] && [ -d "$KJ_DIR" ]; then
    kj_old=$KJ_DIR KJ_DIR=$KJ_NEW
    kj_catch_up "$kj_old"
    KJ_DIR=$kj_old
  fi
  if ! kj_try kj_durable "$KJ_NEW"; then
    rm -rf "$KJ_NEW"
    return 1
  fi
  kj_b=$KJ_DIR.kjpstate-old.$KJ_RUN
  kj_swap "$kj_b" '' || return
  rm -rf "$kj_b"
}

kj_listing_of() { # folder, how many names, names and more: as kj_listing, of these only; 0 of all, - for no folder
  if [ "$2" = 0 ]; then
    if [ -d "$1" ]; then kj_listing "$1"; else printf '%s' -; fi
    return
  fi
  cd "$1" 2>/dev/null || return 0
  kj_few=$2 kj_all=$(($# - 2))
  shift 2
  kj_each=$kj_few
  while [ "$kj_each" -gt 0 ]; do
    kj_name=$1
    shift
    set -- "$@" "./$kj_name"
    kj_each=$((kj_each - 1))
  done
  shift $((kj_all - kj_few))
  kj_sum=$(kj_sums "$@" 2>/dev/null | LC_ALL=C sort | sha256sum)
  printf '%s' "${kj_sum%% *}"
}

kj_sums() { # files: as kj_list sum
  case $* in
    *\\* | *"$KJ_NL"* | *"$KJ_CR"*) sh -c "$KJ_LINES" sh sum "$KJ_NL" "$KJ_CR" "$@" ;;
    *) sha256sum "$@" ;;
  esac
}

kj_tree_away() { # what was not there before: gone, but for what others put into it meanwhile
  if [ ! -e "$KJ_DIR" ]; then
    kj_status=already
    return 0
  fi
  kj_intent remove "$KJ_DIR" - - '' || return
  if [ "$KJ_OURS" = "$KJ_NL" ] || [ -z "$(cd "$KJ_DIR" && kj_list name . ! -type d | kj_not_ours)" ]; then
    kj_try mv "$KJ_DIR" "$KJ_DIR.kjpstate-old.$KJ_RUN" && { kj_try rm -rf "$KJ_DIR.kjpstate-old.$KJ_RUN" || kj_left_over; }
  else
    KJ_NEW=$KJ_DIR KJ_GONE=$KJ_OURS KJ_OURS=$KJ_NL
    kj_drop
  fi && kj_try sync "${KJ_DIR%/*}/"
}

kj_left_over() { # the folder is away; what it is called now can't be removed
  kj_reason="$KJ_P is taken away, but $KJ_DIR.kjpstate-old.$KJ_RUN can't be removed: ${kj_reason#"$KJ_P: "}"
  return 1
}

kj_not_ours() {
  while IFS= read -r kj_line; do
    kj_unfold "$kj_line"
    case $KJ_OURS in *"$KJ_NL$kj_word$KJ_NL"*) ;; *) printf x ;; esac
  done
}
