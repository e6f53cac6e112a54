# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154 # these variables are shared with session.sh
# A whole folder switched: laid out beside, verified, then two renames. Sent with the first SyncTree of a session;
# hosts/trees.py does the very same in Python. Between kj_lay and kj_switch come kj_lay_same and kj_lay_new.

kj_lay() { # folder: begins its successor
  KJ_P=$1 KJ_OURS=$KJ_NL KJ_GONE=$KJ_NL KJ_LAID='' KJ_SWITCHED=''
  kj_ready 0 || return 0
  if [ -h "$1" ]; then
    kj_bad failed hosts.link-not-switched "$1" "$(readlink "$1")"
  elif [ -e "$1" ] && [ ! -d "$1" ]; then
    kj_bad failed hosts.no-folder-at "$1"
  elif [ ! -d "${1%/*}/" ]; then
    kj_bad failed hosts.no-parent "$1"
  elif kj_enter "$1" && kj_lay_out; then
    KJ_LAID=yes KJ_MINE=''
    if [ -d "$KJ_DIR" ] && [ -z "$KJ_INNER" ]; then KJ_MINE=$(stat -c %u:%g "$KJ_DIR"); fi
    [ "$KJ_MINE" != "$(stat -c %u:%g "$KJ_NEW")" ] || KJ_MINE=''
    [ ! -d "$KJ_DIR" ] || kj_try kj_inner kj_carry "$KJ_DIR" "$KJ_NEW" || kj_lay_fault
  else
    kj_bad_as_said
  fi
}

kj_lay_out() {
  KJ_DIR=$KJ_NAME KJ_NEW=$KJ_NAME.kjpstate-new.$KJ_RUN
  kj_inside "$KJ_DIR" "$KJ_DIR".kjpstate-* || return
  kj_trees_gone "$KJ_DIR"
  kj_intent lay "$KJ_P" - - '' && kj_private_folder "$KJ_NEW" "$KJ_AS" && kj_try kj_inner chmod 755 "$KJ_NEW"
}

kj_lay_fault() { # what was laid out goes again
  kj_tree_gone "$KJ_NEW" "$KJ_AS"
  KJ_LAID=''
  kj_bad_as_said
}

kj_lay_folder() { # file: its folder
  kj_fold "$1"
  KJ_OURS=$KJ_OURS$kj_word$KJ_NL
  case $1 in
    */*)
      [ -d "$KJ_NEW/${1%/*}" ] || kj_try kj_inner kj_parents "$KJ_NEW/${1%/*}" || return
      ;;
  esac
}

kj_lay_same() { # names whose bytes the old folder has already: copied, so that the backup stays one
  [ -n "$KJ_LAID" ] || return 0
  for kj_name; do
    if ! kj_lay_folder "$kj_name" || ! kj_try kj_inner cp -p "$KJ_DIR/$kj_name" "$KJ_NEW/$kj_name"; then
      kj_lay_fault
      return 0
    fi
  done
}

kj_lay_new() { # name, bytes, mode
  if [ -z "$KJ_LAID" ]; then
    kj_exact "$2" >/dev/null
  elif ! kj_lay_folder "$1"; then
    kj_exact "$2" >/dev/null
    kj_lay_fault
  elif ! kj_try kj_receive "$2" "$KJ_NEW/$1" "$KJ_INNER" || ! kj_try kj_inner chmod "$3" "$KJ_NEW/$1"; then
    kj_lay_fault
  fi
}

kj_lay_gone() { # names that an earlier run of ours put there
  for kj_name; do
    kj_fold "$kj_name"
    KJ_GONE=$KJ_GONE$kj_word$KJ_NL
  done
}

kj_switch() { # digest of the listing, backup
  [ -n "$KJ_LAID" ] || return 0
  if [ "$(kj_inner kj_listing "$KJ_NEW")" != "$1" ]; then
    kj_fault moved hosts.source-moved "$KJ_P" || kj_lay_fault
    return 0
  fi
  if [ -n "$KJ_MINE" ] && ! kj_try chown -R "$KJ_MINE" "$KJ_NEW"; then
    kj_lay_fault
    return 0
  fi
  if [ -d "$KJ_DIR" ]; then
    if ! kj_try kj_inner kj_bring "$KJ_DIR" "$KJ_NEW" || ! kj_try kj_inner kj_drop; then
      kj_lay_fault
      return 0
    fi
  fi
  if ! kj_try kj_inner kj_durable "$KJ_NEW"; then
    kj_lay_fault
    return 0
  fi
  if kj_rename "$2" "$1"; then
    kj_outcome 'done' -
  elif [ -n "$KJ_SWITCHED" ]; then
    kj_status=unknown
    kj_bad_as_said
  else
    kj_lay_fault
  fi
}

kj_rename() { # backup, digest of the listing: two renames, in the journal so that a cut one can be settled
  kj_b=$1
  [ ! -e "./${1##*/}" ] || kj_b=$KJ_P.kjpstate-old.$KJ_RUN
  kj_swap "$kj_b" "$2" || return
  if [ "$kj_b" != "$1" ]; then
    kj_tree_gone "$kj_to" "$kj_by"
  elif [ -d "$kj_to" ] && ! kj_note "$KJ_P" "$kj_b" "$(kj_inner kj_listing "$kj_to")" directory; then
    KJ_PENDING='' KJ_TORN=yes # the journal stays open: the next session puts it on the list
    return 1
  fi
}
