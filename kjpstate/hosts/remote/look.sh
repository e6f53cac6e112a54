# shellcheck shell=sh
# The readings, one function each: model.ReadFile is kj_file and so on. They only look. Each answer is some
# frames, then the frame `end`; hosts/frames.py reads them back.

kj_whole=''

kj_absent() { # what stat said about a path that it could not see
  if kj_gone "$1"; then
    kj_say missing
  else
    kj_unreadable hosts.system "$(kj_why "$1")"
  fi
}

kj_gone() { # what stat said: whether there is nothing
  case $1 in *': No such file or directory' | *': Not a directory') ;; *) return 1 ;; esac
}

kj_unreadable() { # code, values
  kj_tell unreadable "$@"
}

kj_link_owner() { # folder, name: a link there; kj_users are those who laid one, root and the login left out
  kj_user=$(stat -c %u "$1/$2") || return
  kj_trusted "$kj_user" || kj_users="$kj_users $kj_user"
}

kj_theirs() { # path, its owner: whether each link of another user on the way leads to what is theirs
  kj_users=''
  kj_walk kj_link_owner "$1" || return
  for kj_user in $kj_users; do [ "$kj_user" = "$2" ] || return; done
}

kj_file() { # path, most bytes: its bytes between two looks at it
  if [ -h "$1" ]; then
    kj_say link
    readlink "$1"
  fi
  if ! kj_before=$(kj_stat '%s %f %u:%g %Y.%Z.%i.%y' -L "$1"); then
    if [ -h "$1" ]; then
      kj_unreadable hosts.leads-nowhere "$(readlink "$1")"
    else
      kj_absent "$kj_before"
    fi
  elif [ -d "$1" ]; then
    kj_unreadable hosts.is-a-folder
  elif [ ! -f "$1" ]; then
    kj_unreadable hosts.is-no-regular-file
  elif [ "${kj_before%% *}" -gt "$2" ]; then
    kj_unreadable hosts.too-large $(($2 / 1048576))
  elif [ ! -r "$1" ]; then
    kj_unreadable hosts.permission-denied
  elif ! kj_user=$(stat -L -c %u "$1") || ! kj_theirs "$1" "$kj_user"; then
    kj_unreadable unsafe-folder.behind-a-link "${kj_users##* }"
  else
    kj_say file "$kj_before"
    {
      # the very file that was judged, where the kernel can tell
      case $(kj_stat '%s %f %u:%g %Y.%Z.%i.%y' -L /proc/self/fd/5) in
        "$kj_before" | *"No such file"*) head -c "$2" <&5 ;;
      esac
    } 5<"$1"
    [ "$(kj_stat '%s %f %u:%g %Y.%Z.%i.%y' -L "$1")" = "$kj_before" ] || kj_say moved
  fi
}

kj_status() { # path
  if kj_found=$(kj_stat '%s %f %u:%g %y %z %i' "$1"); then
    kj_say stat
    printf '%s' "$kj_found"
  else
    kj_absent "$kj_found"
  fi
}

kj_glob() { # most bytes, patterns
  kj_most=$1
  shift
  kj_ifs=$IFS IFS=''
  for kj_pattern; do
    # shellcheck disable=SC2086 # to be expanded, and by IFS never split
    for kj_match in $kj_pattern; do
      [ -f "$kj_match" ] || continue
      kj_say path
      printf '%s' "$kj_match"
      kj_file "$kj_match" "$kj_most"
    done
  done
  IFS=$kj_ifs
}

kj_whole_tree() { # the same, nothing of ours and no node_modules left out
  kj_whole=yes
  kj_tree "$@"
  kj_whole=''
}

kj_tree() { # root, names below it as ./name: digests and states of the regular files, names of the others
  kj_tries=3
  while :; do
    if [ ! -d "$1" ]; then
      if kj_found=$(kj_stat %f "$1"); then kj_unreadable hosts.is-no-folder; else kj_absent "$kj_found"; fi
      return 0
    fi
    kj_trouble=$(kj_tree_below "$@" 2>&1 1>&4)
    kj_tries=$((kj_tries - 1))
    [ "$kj_tries" -gt 0 ] || break
    [ "$(printf '%s\n' "$kj_trouble" | kj_lasting)" != "$kj_trouble" ] || break # a bot's own files come and go: look again
  done
  kj_trouble=$(printf '%s\n' "$kj_trouble" | kj_lasting)
  case $kj_trouble in
    '') kj_say tree ;;
    'kj: '*)
      kj_trouble=${kj_trouble%%"$KJ_NL"*}
      kj_unreadable hosts.too-large-below "${kj_trouble#kj: }" 1024
      ;;
    *) kj_unreadable hosts.tool "${kj_trouble%%"$KJ_NL"*}" ;; # the tool, the name, the reason
  esac
}

kj_lasting() { # what tools said, without what they said of things that went
  grep -Ev ': [Nn]o such file( or directory)?$'
}

kj_tree_below() ( # root, names below it; not { ( … ) 1>&4; } 2>&1: dash and busybox sh lose the inner redirection
  cd "$1" 2>/dev/null || { echo 'cd: Permission denied' >&2 && exit; }
  shift
  kj_left=$#
  while [ "$kj_left" -gt 0 ]; do
    if kj_found=$(kj_stat %f "$1"); then set -- "$@" "$1"; else kj_gone "$kj_found" || printf '%s\n' "$kj_found" >&2; fi
    shift
    kj_left=$((kj_left - 1))
  done
  [ $# -gt 0 ] || exit 0
  kj_tree_files "$@"
)

kj_tree_files() { # names
  kj_old='?*.backup.[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]T[0-9][0-9][0-9][0-9][0-9][0-9]Z-'
  kj_old="${kj_old}[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]"
  kj_ours='?*.kjpstate-?*' kj_modules=node_modules
  [ -z "$kj_whole" ] || kj_ours='' kj_old='' kj_modules=''
  kj_say folders
  kj_list name "$@" \( \( -name "$kj_ours" -o -name "$kj_old" -o -name "$kj_modules" \) -prune -o -type d \)
  set -- "$@" \( -name "$kj_ours" -o -name "$kj_old" -o -name "$kj_modules" \) -prune -o
  kj_large=$(kj_list name "$@" -type f -size +2097152 | head -n 1)
  if [ -n "$kj_large" ]; then
    kj_large=${kj_large#\\}
    printf 'kj: %s\n' "${kj_large#./}" >&2
    return
  fi
  kj_say sums
  kj_list sum "$@" -type f
  kj_say states
  kj_list state "$@" -type f
  kj_say others
  kj_list name "$@" ! -type d ! -type f
}

kj_state() { # document, name
  if [ -f "$KJ_BASE/$1/$2" ]; then
    kj_file "$KJ_BASE/$1/$2" 16777216
  elif kj_found=$(kj_stat %f "$KJ_BASE/$1/$2"); then
    kj_unreadable hosts.is-no-regular-file
  else
    kj_absent "$kj_found"
  fi
}

kj_clock() {
  if read -r kj_boot 2>/dev/null </proc/sys/kernel/random/boot_id && read -r kj_up _ 2>/dev/null </proc/uptime; then
    kj_say clock "$kj_boot" "$kj_up"
  else
    kj_unreadable hosts.no-proc
  fi
}

kj_captured() { # command: its output as it comes, its errors kept apart, its exit status
  kj_say out
  kj_errors=$({
    ("$@" 2>&1 1>&4 4>&-) </dev/null
    printf '\n%s' $?
  } | tail -c 65536)
  kj_say err
  printf '%s' "${kj_errors%"$KJ_NL"*}"
  kj_code=${kj_errors##*"$KJ_NL"}
}

kj_command() { # seconds, folder or nothing, argv: a command that only looks
  kj_seconds=$1 kj_folder=$2
  shift 2
  if [ -n "$kj_folder" ] && ! (cd "$kj_folder") 2>/dev/null; then
    kj_unreadable hosts.no-folder "$kj_folder"
  elif ! (cd "${kj_folder:-.}" && command -v "$1") >/dev/null 2>&1; then
    kj_unreadable hosts.no-command "$1"
  else
    kj_time_limit
    kj_captured kj_placed "$kj_seconds" "$kj_folder" "$@"
    if [ "$kj_code" = "$KJ_TIMED" ]; then
      kj_unreadable hosts.not-in-time "$1" "$kj_seconds"
    else
      kj_say code "$kj_code"
    fi
  fi
}

kj_placed() { # seconds, folder or nothing, argv
  kj_seconds=$1
  if [ -n "$2" ]; then cd "$2" || return; fi
  shift 2
  kj_as_login kj_within "$kj_seconds" "$@"
}

kj_probe() { # name, arguments: one of our scripts in remote/, sent along as a function
  kj_captured kj_as_login "$@"
  kj_say code "$kj_code"
}
