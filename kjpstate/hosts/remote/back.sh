# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154 # these variables are shared with session.sh
# What is put back: a copy of a backup over what stands there, or away with what was not there before. Sent with the
# first Restore of a session; hosts/files.py and hosts/trees.py do the very same in Python.

kj_restore() { # path, backup or nothing: there was nothing; what must stand there, - for nothing, or nothing: anything
  KJ_P=$1
  kj_ready 0 || return 0
  kj_status='done'
  if [ -h "$1" ]; then
    kj_fault failed hosts.link-not-replaced "$KJ_P"
  elif [ -n "$2" ] && [ ! -e "$2" ]; then
    kj_fault failed hosts.original-gone "$KJ_P" "$2"
  elif [ -d "${2:-$1}" ]; then
    kj_tree_back "$1" "$2" "$3" 0
  elif [ -d "$1" ]; then
    kj_fault failed hosts.folder-now "$KJ_P"
  else
    kj_file_back "$@"
  fi
  kj_settled $?
}

kj_file_back() {
  kj_enter "$1" && kj_look_at "$KJ_NAME" || return
  kj_kept_at "$1" "${2:-$1}"
  kj_then=-
  [ -z "$2" ] || kj_then=$(kj_as "$kj_by" kj_sha "$kj_to") || kj_fault failed hosts.failed "$2" "permission denied" || return
  if [ "$kj_now" = "$kj_then" ] && { [ -z "$2" ] || [ "$(stat -c '%a %u:%g' "$KJ_NAME")" = "$(stat -c '%a %u:%g' "$kj_to")" ]; }; then
    kj_status=already
    return 0
  fi
  [ -z "$3" ] || [ "$kj_now" = "$3" ] || kj_fault moved hosts.changed-meanwhile "$KJ_P" || return
  case $kj_then in *[!0-9a-f-]*) kj_fault failed hosts.failed "$2" "permission denied" || return ;; esac
  kj_intent restore "$1" "$kj_now" "$kj_then" "$2" || return
  kj_fresh=./.${KJ_NAME#./}.kjpstate-new.$KJ_RUN
  kj_own rm -f "$kj_fresh"
  if [ -z "$2" ]; then
    kj_try kj_own rm -f "$KJ_NAME" || return
  elif ! kj_copied "$kj_to" "$kj_by" "$kj_fresh" "$KJ_AS" || ! kj_try kj_own sync "$kj_fresh" || ! kj_try kj_own mv -f "$kj_fresh" "$KJ_NAME"; then
    kj_own rm -f "$kj_fresh"
    return 1
  fi
  kj_try kj_own sync ./ && kj_look_at "$KJ_NAME" || return
  [ "$kj_now" = "$kj_then" ] || kj_fault failed hosts.not-what-was-put-back "$KJ_P"
}

kj_restore_tree() { # as kj_tree_back
  KJ_P=$1
  kj_ready 0 || return 0
  kj_status='done'
  if [ -h "$1" ]; then kj_fault failed hosts.link-not-replaced "$KJ_P"; else kj_tree_back "$@"; fi
  kj_settled $?
}

kj_tree_back() { # folder, backup or nothing, digest of the listing of what must stand there (- for nothing) or nothing, how many names it has (0: all there are), those, then names that we took away
  kj_full=$2 kj_listed=$3 kj_left=$4 KJ_OURS=$KJ_NL KJ_GONE=$KJ_NL
  kj_enter "$1" || return
  KJ_DIR=$KJ_NAME KJ_NEW=$KJ_NAME.kjpstate-new.$KJ_RUN
  kj_kept_at "$1" "${2:-$1}"
  shift 4
  kj_inside "$KJ_DIR" "$kj_to" "$KJ_DIR".kjpstate-* || return
  if [ -n "$kj_listed" ] && [ "$(kj_inner kj_listing_of "$KJ_DIR" "$kj_left" "$@")" != "$kj_listed" ]; then
    kj_fault moved hosts.changed-meanwhile "$KJ_P" || return
  fi
  for kj_name; do
    kj_fold "$kj_name"
    if [ "$kj_left" -gt 0 ]; then KJ_OURS=$KJ_OURS$kj_word$KJ_NL; else KJ_GONE=$KJ_GONE$kj_word$KJ_NL; fi
    kj_left=$((kj_left - 1))
  done
  if [ -z "$kj_full" ]; then
    kj_tree_away
    return
  fi
  kj_trees_gone "$KJ_DIR"
  kj_intent lay "$KJ_P" - - '' && kj_tree_copied "$kj_to" "$kj_by" "$KJ_NEW" "$KJ_AS" || return
  if [ "$KJ_OURS" != "$KJ_NL" ] && [ -d "$KJ_DIR" ]; then
    kj_old=$KJ_DIR KJ_DIR=$KJ_NEW
    kj_inner kj_catch_up "$kj_old"
    KJ_DIR=$kj_old
  fi
  if ! kj_try kj_inner kj_durable "$KJ_NEW"; then
    kj_tree_gone "$KJ_NEW" "$KJ_AS"
    return 1
  fi
  kj_swap "$KJ_P.kjpstate-old.$KJ_RUN" '' || return
  kj_tree_gone "$kj_to" "$kj_by"
}

kj_tree_away() { # what was not there before: gone, but for what others put into it meanwhile
  if [ ! -e "$KJ_DIR" ]; then
    kj_status=already
    return 0
  fi
  kj_intent remove "$KJ_P" - - '' || return
  if [ "$KJ_OURS" = "$KJ_NL" ] || [ -z "$(kj_inner kj_others)" ]; then
    kj_try kj_own mv "$KJ_DIR" "$KJ_DIR.kjpstate-old.$KJ_RUN" && { kj_try kj_tree_gone "$KJ_DIR.kjpstate-old.$KJ_RUN" "$KJ_AS" || kj_left_over; }
  else
    KJ_NEW=$KJ_DIR KJ_GONE=$KJ_OURS KJ_OURS=$KJ_NL
    kj_try kj_inner kj_drop
  fi && kj_try kj_own sync ./
}

kj_left_over() { # the folder is away; what it is called now can't be removed
  kj_fault failed hosts.left-over "$KJ_P" "$KJ_P.kjpstate-old.$KJ_RUN" "$(kj_why "$kj_said")"
}
