# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # these variables are shared with session.sh
# A whole folder switched: laid out beside, verified, then two renames. Sent with the first SyncTree of a session;
# hosts/trees.py does the very same in Python. Between kj_lay and kj_switch come kj_lay_same and kj_lay_new.

kj_lay() { # folder: begins its successor
  KJ_P=$1 KJ_DIR=$1 KJ_NEW=$1.kjpstate-new.$KJ_RUN KJ_OURS=$KJ_NL KJ_GONE=$KJ_NL KJ_LAID=''
  kj_ready 0 || return 0
  if [ -h "$1" ]; then
    kj_bad failed "$1 is a symbolic link to $(readlink "$1"); kjpstate does not switch it"
  elif [ -e "$1" ] && [ ! -d "$1" ]; then
    kj_bad failed "$1 is not a folder"
  elif [ ! -d "${1%/*}/" ]; then
    kj_bad failed "$1: the folder it should be in does not exist"
  else
    kj_sweep_trees "$1"
    if kj_try mkdir "$KJ_NEW" && kj_try chmod 755 "$KJ_NEW"; then
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
  KJ_OURS=$KJ_OURS$1$KJ_NL
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
  for kj_name; do KJ_GONE=$KJ_GONE$kj_name$KJ_NL; done
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
  find "$KJ_NEW" -exec sync {} + 2>/dev/null
  if kj_rename "$2"; then kj_outcome 'done' -; else kj_lay_fault; fi
}

kj_bring() { # old folder, new folder: all that the new one lacks, files as hard links
  for kj_item in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    kj_name=${kj_item##*/}
    if [ ! -e "$kj_item" ] && [ ! -h "$kj_item" ]; then
      continue
    elif [ -d "$kj_item" ] && [ ! -h "$kj_item" ] && [ -d "$2/$kj_name" ]; then
      (kj_bring "$kj_item" "$2/$kj_name") || return
    elif [ ! -e "$2/$kj_name" ] && [ ! -h "$2/$kj_name" ]; then
      kj_hard "$kj_item" "$2/$kj_name" || return
    fi
  done
}

kj_hard() { # from, to: by hard links, else copied
  cp -al "$1" "$2" 2>/dev/null || {
    rm -rf "$2"
    cp -a "$1" "$2"
  }
}

kj_drop() { # what is to go, and the folders that are empty then
  kj_ifs=$IFS IFS=$KJ_NL
  set -f
  # shellcheck disable=SC2086 # a name a line
  set -- $KJ_GONE
  set +f
  IFS=$kj_ifs
  for kj_name; do
    case $KJ_OURS in *"$KJ_NL$kj_name$KJ_NL"*) continue ;; esac
    kj_try rm -f "$KJ_NEW/$kj_name" || return
    while [ "${kj_name%/*}" != "$kj_name" ]; do
      kj_name=${kj_name%/*}
      rmdir "$KJ_NEW/$kj_name" 2>/dev/null || break
    done
  done
}

kj_rename() { # backup: the two renames, noted so that a cut one can be settled
  kj_b=$1
  [ ! -e "$kj_b" ] || kj_b=$KJ_DIR.kjpstate-old.$KJ_RUN
  kj_try kj_append "$KJ_STATE/switch.new" "$KJ_DIR$KJ_NL$KJ_NEW$KJ_NL$kj_b" || return
  kj_try sync "$KJ_STATE/switch.new" && kj_try mv -f "$KJ_STATE/switch.new" "$KJ_STATE/switch" || return
  if [ -d "$KJ_DIR" ]; then
    kj_try mkdir -p "${kj_b%/*}/" && kj_try mv "$KJ_DIR" "$kj_b" || return
  fi
  if ! kj_try mv "$KJ_NEW" "$KJ_DIR"; then
    [ -d "$kj_b" ] && mv "$kj_b" "$KJ_DIR"
    rm -f "$KJ_STATE/switch"
    return 1
  fi
  sync "${KJ_DIR%/*}/"
  [ ! -d "$kj_b" ] || kj_catch_up "$kj_b"
  if [ "$kj_b" != "$1" ]; then
    rm -rf "$kj_b"
  elif [ -d "$kj_b" ]; then
    kj_note "$KJ_DIR" "$kj_b" "$(kj_listing "$kj_b")" directory || return
  fi
  rm -f "$KJ_STATE/switch"
}

kj_catch_up() { # old folder: what its owner wrote there between the linking and the switch
  (cd "$1" && find . ! -type d) | while IFS= read -r kj_name; do
    kj_name=${kj_name#./}
    case $KJ_OURS$KJ_GONE in *"$KJ_NL$kj_name$KJ_NL"*) continue ;; esac
    if [ ! -e "$KJ_DIR/$kj_name" ] && [ ! -h "$KJ_DIR/$kj_name" ]; then
      case $kj_name in */*) kj_parents "$KJ_DIR/${kj_name%/*}" ;; esac
      kj_hard "$1/$kj_name" "$KJ_DIR/$kj_name"
    elif [ -f "$1/$kj_name" ] && kj_newer "$1/$kj_name" "$KJ_DIR/$kj_name"; then
      kj_hard "$1/$kj_name" "$KJ_NEW.link" && mv -f "$KJ_NEW.link" "$KJ_DIR/$kj_name"
    fi
  done
}

kj_newer() { # file, other: not the same one, and written later
  # shellcheck disable=SC3013 # dash, busybox sh and bash all have -ef and -nt
  [ ! "$1" -ef "$2" ] && [ "$1" -nt "$2" ]
}
