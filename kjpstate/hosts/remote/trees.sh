# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # these variables are shared with session.sh
# A whole folder switched: laid out beside, verified, then two renames. Sent with the first SyncTree of a session;
# hosts/trees.py does the very same in Python. Between kj_lay and kj_switch come kj_lay_same and kj_lay_new.

kj_lay() { # folder: begins its successor
  KJ_P=$1 KJ_DIR=$1 KJ_NEW=$1.kjpstate-new.$KJ_RUN KJ_OURS=$KJ_NL KJ_GONE=$KJ_NL KJ_LAID='' KJ_SWITCHED=''
  kj_ready 0 || return 0
  if [ -h "$1" ]; then
    kj_bad failed "$1 is a symbolic link to $(readlink "$1"); kjpstate does not switch it"
  elif [ -e "$1" ] && [ ! -d "$1" ]; then
    kj_bad failed "$1 is not a folder"
  elif [ ! -d "${1%/*}/" ]; then
    kj_bad failed "$1: the folder it should be in does not exist"
  else
    kj_sweep_trees "$1"
    if kj_intent lay "$1" - - '' && kj_try mkdir "$KJ_NEW" && kj_try chmod 755 "$KJ_NEW"; then
      KJ_LAID=yes KJ_MINE=''
      [ ! -d "$1" ] || KJ_MINE=$(stat -c %u:%g "$1")
      [ "$KJ_MINE" != "$(stat -c %u:%g "$KJ_NEW")" ] || KJ_MINE=''
      [ ! -d "$1" ] || kj_carry "$1" "$KJ_NEW" || kj_lay_fault
    else
      kj_bad failed "$kj_reason"
    fi
  fi
}

kj_lay_fault() { # what was laid out goes again
  rm -rf "$KJ_NEW"
  KJ_LAID=''
  kj_bad "$kj_status" "$kj_reason"
}

kj_lay_folder() { # file: its folder
  kj_fold "$1" "$KJ_NL" "$KJ_CR"
  KJ_OURS=$KJ_OURS$kj_word$KJ_NL
  case $1 in
    */*)
      [ -d "$KJ_NEW/${1%/*}" ] || kj_try kj_parents "$KJ_NEW/${1%/*}" || return
      ;;
  esac
}

kj_lay_same() { # names whose bytes the old folder has already: copied, so that the backup stays one
  [ -n "$KJ_LAID" ] || return 0
  for kj_name; do
    if ! kj_lay_folder "$kj_name" || ! kj_try cp -p "$KJ_DIR/$kj_name" "$KJ_NEW/$kj_name"; then
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
  elif ! kj_try kj_receive "$2" "$KJ_NEW/$1" || ! kj_try chmod "$3" "$KJ_NEW/$1"; then
    kj_lay_fault
  fi
}

kj_lay_gone() { # names that an earlier run of ours put there
  for kj_name; do
    kj_fold "$kj_name" "$KJ_NL" "$KJ_CR"
    KJ_GONE=$KJ_GONE$kj_word$KJ_NL
  done
}

kj_switch() { # digest of the listing, backup
  [ -n "$KJ_LAID" ] || return 0
  if [ "$(kj_listing "$KJ_NEW")" != "$1" ]; then
    kj_fault moved "$KJ_P: what came is not what the plan saw at its source any more" || kj_lay_fault
    return 0
  fi
  if [ -n "$KJ_MINE" ] && ! kj_try chown -R "$KJ_MINE" "$KJ_NEW"; then
    kj_lay_fault
    return 0
  fi
  if [ -d "$KJ_DIR" ]; then
    if ! kj_try kj_bring "$KJ_DIR" "$KJ_NEW" || ! kj_drop; then
      kj_lay_fault
      return 0
    fi
  fi
  if ! kj_try kj_durable "$KJ_NEW"; then
    kj_lay_fault
    return 0
  fi
  if kj_rename "$2" "$1"; then
    kj_outcome 'done' -
  elif [ -n "$KJ_SWITCHED" ]; then
    kj_bad unknown "$kj_reason"
  else
    kj_lay_fault
  fi
}

kj_bring() { # old folder, new folder: all that the new one lacks, files as hard links
  for kj_item in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    kj_name=${kj_item##*/}
    if [ ! -e "$kj_item" ] && [ ! -h "$kj_item" ]; then
      continue
    elif [ -d "$kj_item" ] && [ ! -h "$kj_item" ] && [ -d "$2/$kj_name" ]; then
      (kj_bring "$kj_item" "$2/$kj_name") || return
    elif [ -d "$2/$kj_name" ] || { [ -d "$kj_item" ] && [ ! -h "$kj_item" ] && [ -e "$2/$kj_name" ]; }; then
      kj_going "${kj_item#"$KJ_DIR"/}" && continue
      echo "kj_bring: ${kj_item#"$KJ_DIR"/} is a file where a folder must be, or a folder where a file must be" >&2
      return 1
    elif [ ! -e "$2/$kj_name" ] && [ ! -h "$2/$kj_name" ]; then
      kj_hard "$kj_item" "$2/$kj_name" || return
    fi
  done
}

kj_going() ( # name: whether it is to go, or a folder of what is to go and nothing else
  if [ -d "$KJ_DIR/$1" ] && [ ! -h "$KJ_DIR/$1" ]; then
    KJ_OURS=$KJ_GONE
    kj_inside=$(cd "$KJ_DIR" && kj_list name "./$1" ! -type d)
    [ -n "$kj_inside" ] && [ -z "$(printf '%s\n' "$kj_inside" | kj_not_ours)" ]
  else
    kj_fold "$1" "$KJ_NL" "$KJ_CR"
    case $KJ_GONE in *"$KJ_NL$kj_word$KJ_NL"*) ;; *) exit 1 ;; esac
  fi
)

kj_rename() { # backup, digest of the listing: two renames, in the journal so that a cut one can be settled
  kj_b=$1
  [ ! -e "$kj_b" ] || kj_b=$KJ_DIR.kjpstate-old.$KJ_RUN
  kj_swap "$kj_b" "$2" || return
  if [ "$kj_b" != "$1" ]; then
    rm -rf "$kj_b"
  elif [ -d "$kj_b" ] && ! kj_note "$KJ_DIR" "$kj_b" "$(kj_listing "$kj_b")" directory; then
    KJ_PENDING='' KJ_TORN=yes # the journal stays open: the next session puts it on the list
    return 1
  fi
}
