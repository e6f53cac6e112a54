# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # session.sh and journal.sh share these variables
# Where an act is done, and by whom. A path is walked once; then the session stands in the folder, which is the one
# that was walked to, and uses single names. Where another than root and the login may change names there, its
# owner does what is to be done: so whatever they put in the place of a name, it is done with their rights only.

kj_enter() { # path: stand in its folder; KJ_NAME is its name there, KJ_AS who acts
  kj_in='' KJ_AS='' KJ_NAME=./${1##*/}
  kj_where "${1%/*}/" || return
  cd -P "$kj_spot" 2>/dev/null || kj_fault failed hosts.no-folder-for "$KJ_P" || return
  kj_in=yes
  [ "$(env pwd -P)" = "$kj_spot" ] || kj_refuse moved || return
  kj_actor "$KJ_NAME"
}

kj_leave() {
  KJ_AS=''
  [ -z "$kj_in" ] || cd "$KJ_HOME" 2>/dev/null || cd /
  kj_in=''
}

kj_refuse() { # variant of the rule, values
  kj_code_of=unsafe-folder.$1
  shift
  kj_fault failed "$kj_code_of" "$KJ_P" "$@"
}

kj_where() { # folder: kj_spot is where it is, links followed that nobody else may change
  kj_walk kj_safe_link "$1"
}

kj_safe_link() { # folder, name: a link there
  kj_strange "$1/." "$1/$2" || return 0
  kj_refuse link "$1/$2" "${kj_owner:-?}"
}

kj_strange() { # folder, path in it: whether another than root and the login may put something else there; kj_owner is the folder's
  # shellcheck disable=SC2046 # words of digits
  set -- "$1" $(stat -c '%u %g %a' "$1" 2>/dev/null) "$(stat -c %u "$2" 2>/dev/null)"
  kj_owner=$2
  if [ $# -lt 5 ] || ! kj_trusted "$2"; then return 0; fi
  if [ $((0$4 & 01000)) != 0 ]; then
    ! kj_trusted "${5:-0}"
  elif [ $((0$4 & 02)) != 0 ]; then
    return 0
  else
    [ $((0$4 & 020)) != 0 ] && ! kj_private "$3" "$1"
  fi
}

kj_private() { # group, folder: nobody but root and the login is in it, and no list lets others in
  case $(ls -ld "$2") in ??????????+*) return 1 ;; esac
  kj_group=$({ getent group "$1" || grep "^[^:]*:[^:]*:$1:" /etc/group; } 2>/dev/null)
  [ -n "$kj_group" ] || return 1
  kj_first=$({ getent passwd || cat /etc/passwd; } 2>/dev/null | while IFS=: read -r kj_user _ _ kj_gid _; do
    [ "$kj_gid" != "$1" ] || printf '%s ' "$kj_user"
  done)
  for kj_user in $(printf %s "${kj_group##*:}" | tr , ' ') $kj_first; do
    kj_trusted "$(id -u "$kj_user" 2>/dev/null)" || return 1
  done
}

kj_closed() { # whether a folder above lets nobody in but root and the login
  kj_up=$kj_spot
  set --
  while [ -n "$kj_up" ]; do
    set -- "$@" "$kj_up"
    kj_up=${kj_up%/*}
  done
  stat -c '%u %a' "$@" 2>/dev/null | while read -r kj_user kj_mode; do
    if kj_trusted "$kj_user" && [ $((0$kj_mode & 011)) = 0 ]; then exit 9; fi
  done
  [ $? = 9 ]
}

kj_actor() { # name here: KJ_AS is who may act on it: the session, or the folder's owner
  KJ_AS=''
  if ! kj_strange ./. "$1" || kj_closed; then return 0; fi
  if [ "$KJ_UID" != 0 ] || [ "${kj_owner:-0}" = 0 ]; then
    kj_refuse others "$KJ_UID" "$kj_spot" || return
  fi
  kj_ways "$kj_owner" || kj_refuse no-way "$kj_owner" "$kj_spot"
}

kj_inside() { # names here: KJ_INNER is who acts in those of them that are folders
  KJ_INNER=$KJ_AS kj_whose=''
  [ -z "$KJ_AS" ] || return 0
  for kj_one; do
    if [ -h "$kj_one" ] || [ ! -d "$kj_one" ] || ! kj_strange "$kj_one/." ./.; then continue; fi
    ! kj_closed || return 0
    if [ "$KJ_UID" != 0 ] || [ "${kj_owner:-0}" = 0 ] || [ "${kj_whose:=$kj_owner}" != "$kj_owner" ]; then
      kj_refuse others-inside "$KJ_UID" || return
    fi
  done
  [ -n "$kj_whose" ] || return 0
  kj_ways "$kj_whose" && KJ_INNER=$KJ_AS
  KJ_AS=''
  [ -n "$KJ_INNER" ] || kj_refuse no-way-inside "$kj_whose"
}

kj_inner() { # command: in KJ_DIR and KJ_NEW, by who acts there, with the names
  if [ -z "$KJ_INNER" ]; then
    "$@"
  else
    printf '%s//%s' "$KJ_OURS" "$KJ_GONE" | KJ_HANDS=$KJ_HANDS KJ_DIR=$KJ_DIR KJ_NEW=$KJ_NEW kj_as "$KJ_INNER" kj_names "$@"
  fi
}

kj_private_folder() { # name here, who makes it: an empty folder, of who acts in it
  kj_try kj_as "$2" kj_made "$1" 700 || return
  [ "$2" = "$KJ_INNER" ] || kj_try chown "$(kj_as "$KJ_INNER" id -u):$(kj_as "$KJ_INNER" id -g)" "$1"
}

kj_tree_gone() { # name here, who acts there: with all below it; only GNU's rm may walk where others change names
  if [ "$2" != "$KJ_INNER" ]; then
    [ ! -d "$1" ] || [ -h "$1" ] || kj_as "$KJ_INNER" kj_empty "$1" </dev/null
    case $(rm --version 2>&1) in *coreutils*) ;; *)
      [ ! -e "$1" ] || kj_as "$2" rmdir "$1"
      return
      ;;
    esac
  fi
  kj_as "$2" rm -rf "$1"
}

kj_trees_gone() { # name here: unfinished copies beside it; the lock says that nobody is writing them
  for kj_one in "$1".kjpstate-*; do
    if [ -e "$kj_one" ] || [ -h "$kj_one" ]; then kj_tree_gone "$kj_one" "$KJ_AS"; fi
  done
}

kj_tree_copied() { # folder, who acts beside it, copy, who acts beside that, shared or nothing
  if [ "$2$4" = "$KJ_INNER$KJ_INNER" ]; then
    kj_try kj_inner kj_tree_copy "$1" "$3" "$5"
  elif [ "${1#/}${3#/}" = "$1$3" ]; then
    kj_private_folder "$3" "$4" && kj_try kj_inner kj_tree_copy "$1" "$3" "$5"
  elif [ "${3#/}" = "$3" ]; then
    kj_private_folder "$3" "$4" && kj_try kj_tree_passed "$1" "$4" "$3" "$KJ_INNER"
  else
    kj_try kj_made "$3" 700 && kj_try kj_tree_passed "$1" "$KJ_INNER" "$3" ''
  fi
}

kj_tree_passed() { # folder, who reads it, other, who fills that
  kj_as "$2" tar -cf - -C "$1" . </dev/null | kj_as "$4" tar -xpf - -C "$3"
}

kj_ways() { # user: KJ_AS, words by which a command becomes theirs
  kj_row=$({ getent passwd "$1" || grep "^[^:]*:[^:]*:$1:" /etc/passwd; } 2>/dev/null)
  kj_user=${kj_row%%:*} kj_gid=${kj_row#*:*:*:}
  kj_gid=${kj_gid%%:*}
  case $kj_user in '' | -* | *[!A-Za-z0-9._-]*)
    KJ_AS="setpriv --reuid=$1 --regid=$1 --clear-groups"
    kj_own true 2>/dev/null
    return
    ;;
  esac
  for KJ_AS in "setpriv --reuid=$1 --regid=$kj_gid --init-groups" "runuser -u $kj_user --" "su $kj_user"; do
    ! kj_own true >/dev/null 2>&1 || return 0
  done
  return 1
}

kj_own() { # command: in the folder where we stand, by who acts there
  kj_as "$KJ_AS" "$@" </dev/null
}

kj_as() { # who, command
  kj_who=$1
  shift
  case $kj_who in
    '') "$@" ;;
    'su '*)
      kj_words=''
      for kj_word; do
        kj_words="$kj_words '$(printf '%sx' "$kj_word" | sed "s/'/'\\\\''/g")"
        kj_words="${kj_words%x}'"
      done
      su -s /bin/sh "${kj_who#su }" -c "export LC_ALL=C KJ_HEIR=yes$KJ_NL$KJ_HANDS$KJ_NL$kj_words" 4>&-
      ;;
    *)
      # shellcheck disable=SC2086 # words of our own
      $kj_who /bin/sh -c "export LC_ALL=C KJ_HEIR=yes$KJ_NL$KJ_HANDS$KJ_NL\"\$@\"" sh "$@" 4>&-
      ;;
  esac
}
