# shellcheck shell=sh
# shellcheck disable=SC2030,SC2031 # a subshell that asks by a function of ours
# What is done in a folder, by whoever may do it there: by the session itself, or by a shell of the folder's owner,
# to whom this text is sent as it stands (so it has no single quote, which would make it long). A name is ./NAME in
# the folder where we stand. Nothing here knows the session; an error is what a tool said.

KJ_NL="
"
KJ_CR=$(printf "\\r")

# ---- names in lines: \, a line end and a carriage return are written \\, \n and \r, and a line that has one begins
# with \, as with sha256sum; hosts/frames.py reads them back

kj_each() { # what stands in kj_word, what is written for it
  kj_rest=$kj_word kj_word=""
  while :; do
    case $kj_rest in *"$1"*) ;; *) break ;; esac
    kj_word=$kj_word${kj_rest%%"$1"*}$2 kj_rest=${kj_rest#*"$1"}
  done
  kj_word=$kj_word$kj_rest
}

kj_fold() { # name: kj_word is the name as a part of a line
  kj_word=$1
  case $1 in *"\\"* | *"$KJ_NL"* | *"$KJ_CR"*) ;; *) return 0 ;; esac
  kj_each "\\" "\\\\"
  kj_each "$KJ_NL" "\\n"
  kj_each "$KJ_CR" "\\r"
}

kj_unfold() { # line of kj_list name: kj_name is the name below the root, kj_word the same folded
  case $1 in \\*) kj_word=${1#?} ;; *) kj_word=$1 ;; esac
  kj_word=${kj_word#./}
  kj_unfold_word "$kj_word"
}

kj_unfold_word() { # folded: kj_name is the name
  case $1 in
    *\\*)
      kj_name=$(printf "%b." "$1")
      kj_name=${kj_name%.}
      ;;
    *) kj_name=$1 ;;
  esac
}

kj_lines() { # sum, state or name: what is told of each; the paths
  kj_told=$1
  shift
  for kj_path; do
    kj_fold "$kj_path"
    kj_mark=""
    [ "$kj_word" = "$kj_path" ] || kj_mark="\\"
    case $kj_told in
      sum) kj_sum=$(sha256sum <"$kj_path") && printf "%s%s  %s\n" "$kj_mark" "${kj_sum%% *}" "$kj_word" ;;
      state) kj_sum=$(stat -c "%s|%f|%y|%z|%i" "$kj_path") && printf "%s%s|%s\n" "$kj_mark" "$kj_sum" "$kj_word" ;;
      *) printf "%s%s\n" "$kj_mark" "$kj_word" ;;
    esac
  done
  :
}

kj_list() { # sum, state or name: what is told of each; words of find, for the first two such that end in -type f
  kj_told=$1
  shift
  [ "$kj_told" != name ] || set -- "$@" \(
  # this very text goes by environment: find would put a name for the braces in it
  set -- "$@" \( -path "*\\\\*" -o -path "*$KJ_NL*" -o -path "*$KJ_CR*" \) \
    -exec sh -c "eval \"\$KJ_HANDS\"; kj_lines \"\$@\"" sh "$kj_told" {} \; -o
  case $kj_told in # busybox keeps the names of -exec + only outside of ( )
    sum) KJ_HANDS=$KJ_HANDS LC_ALL=C find "$@" -type f -exec sha256sum {} + ;;
    state) KJ_HANDS=$KJ_HANDS LC_ALL=C TZ=UTC find "$@" -type f -exec stat -c "%s|%f|%y|%z|%i|%n" {} + ;;
    *) KJ_HANDS=$KJ_HANDS LC_ALL=C find "$@" -print \) ;;
  esac
}

kj_sums() { # files: as kj_list sum
  case $* in
    *\\* | *"$KJ_NL"* | *"$KJ_CR"*) kj_lines sum "$@" ;;
    *) sha256sum "$@" ;;
  esac
}

# ---- one thing

kj_sha() {
  kj_sum=$(sha256sum <"$1") || return 1
  printf %s "${kj_sum%% *}"
}

kj_seen() { # name: link and where to, folder, odd, denied, - for nothing, or the digest of a file
  if [ -h "$1" ]; then
    printf "link %s" "$(readlink "$1")"
  elif [ ! -e "$1" ]; then
    printf %s -
  elif [ -d "$1" ]; then
    printf folder
  elif [ ! -f "$1" ]; then
    printf odd
  else
    kj_sha "$1" 2>/dev/null || printf denied
  fi
}

kj_sweep() { # name: what a run that was cut left beside it
  rm -f "./.${1#./}".kjpstate-*
}

kj_exclusive() {
  (set -C && : >"$1")
}

kj_fill() {
  LC_ALL=C cat >"$1"
}

kj_cannot() { # from, to: whether cp knows no attributes, or its user may not carry them; of a file root can, or is told why not
  if [ -f "$1" ] && [ "$(id -u)" = 0 ] && cp --attributes-only --version >/dev/null 2>&1; then
    kj_attributes "$1" "$2"
  fi
}

kj_attributes() { # from, to
  cp --attributes-only --preserve=mode,ownership,xattr "$1" "$2"
}

kj_carry() { # from, to: mode, owner and, where cp can, extended attributes; never the times
  kj_attributes "$1" "$2" 2>/dev/null || kj_cannot "$1" "$2" || return
  # shellcheck disable=SC2046 # two words of digits
  set -- "$2" $(stat -c "%a %u:%g" "$1")
  [ "$(stat -c %u:%g "$1")" = "$3" ] || chown "$3" "$1" || [ -n "$KJ_HEIR" ] || return
  chmod "$2" "$1"
}

kj_publish() { # copy, final name: fails when that exists; a rename where there are no hard links
  if ln "$1" "$2" 2>/dev/null; then
    rm -f "$1" && return
    rm -f "$2"
    return 1
  elif [ -e "$2" ] || [ -h "$2" ]; then
    echo "$2: File exists" >&2
    return 1
  else
    mv "$1" "$2"
  fi
}

kj_made() { # path, mode: in one call; of two, as busybox has it, a kill between them leaves another mode
  (umask "$(printf %o $((0777 & ~0$2)))" && mkdir "$1")
}

kj_parents() {
  (umask 022 && mkdir -p "$1")
}

# ---- in a folder: KJ_DIR, and KJ_NEW that takes its place; KJ_OURS and KJ_GONE are names in it, folded, a line each

kj_names() { # function: with the names that come on standard input
  KJ_OURS=$(cat && echo .)
  KJ_GONE=${KJ_OURS##*//} KJ_OURS=${KJ_OURS%%//*}
  KJ_GONE=${KJ_GONE%.}
  "$@"
}

kj_empty() {
  rm -rf "${1:?}"/* "$1"/.[!.]* "$1"/..?*
}

kj_tree_copy() { # folder, new name or empty folder, shared or nothing: hard links where they can be
  if [ -d "$2" ]; then
    if [ -z "$3" ] || ! kj_share_tree "$1/." "$2" 2>/dev/null; then cp -a "$1/." "$2"; fi
  elif [ -z "$3" ] || ! kj_share_tree "$1" "$2" 2>/dev/null; then
    rm -rf "$2"
    cp -a "$1" "$2"
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
  printf %s "${kj_sum%% *}"
}

kj_listing_of() { # folder, how many names, names and more: as kj_listing, of these only; 0 of all, - for no folder
  if [ "$2" = 0 ]; then
    if [ -d "$1" ]; then kj_listing "$1"; else printf %s -; fi
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
  printf %s "${kj_sum%% *}"
}

kj_others() { # something, where others than we have put anything into the folder
  (cd "$KJ_DIR" && kj_list name . ! -type d | kj_not_ours)
}

kj_not_ours() {
  while IFS= read -r kj_line; do
    kj_unfold "$kj_line"
    case $KJ_OURS in *"$KJ_NL$kj_word$KJ_NL"*) ;; *) printf x ;; esac
  done
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
      echo "kj: ${kj_item#"$KJ_DIR"/}" >&2
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
    [ -n "$kj_inside" ] && [ -z "$(printf "%s\n" "$kj_inside" | kj_not_ours)" ]
  else
    kj_fold "$1"
    case $KJ_GONE in *"$KJ_NL$kj_word$KJ_NL"*) ;; *) exit 1 ;; esac
  fi
)

kj_catch_up() { # old folder: what its owner wrote there between the linking and the switch
  case $KJ_OURS$KJ_GONE in *[!"$KJ_NL"]*) ;; *) return 0 ;; esac # of the folder of a command nobody knows whose is what
  (cd "$1" && kj_list name . ! -type d) | while IFS= read -r kj_line; do
    kj_unfold "$kj_line"
    case $KJ_OURS$KJ_GONE in *"$KJ_NL$kj_word$KJ_NL"*) continue ;; esac
    if [ ! -e "$KJ_DIR/$kj_name" ] && [ ! -h "$KJ_DIR/$kj_name" ]; then
      case $kj_name in */*) kj_parents "$KJ_DIR/${kj_name%/*}" ;; esac
      kj_hard "$1/$kj_name" "$KJ_DIR/$kj_name" || exit 1
    elif [ -f "$1/$kj_name" ] && [ ! -h "$1/$kj_name" ] && kj_newer "$1/$kj_name" "$KJ_DIR/$kj_name"; then
      kj_late=$KJ_NEW.link
      [ -z "$KJ_HEIR" ] || kj_late=$KJ_DIR/$kj_name.kjpstate-new.link
      kj_hard "$1/$kj_name" "$kj_late" && mv -f "$kj_late" "$KJ_DIR/$kj_name" || exit 1
    fi
  done
}

kj_newer() { # file, other: not the same one, and not written earlier; busybox sh compares whole seconds
  # shellcheck disable=SC3013 # dash, busybox sh and bash all have -ef and -ot
  [ ! "$1" -ef "$2" ] && [ ! "$1" -ot "$2" ]
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
  for kj_line; do
    case $KJ_OURS in *"$KJ_NL$kj_line$KJ_NL"*) continue ;; esac
    kj_unfold_word "$kj_line"
    if [ -h "$KJ_NEW/$kj_name" ] || { [ -e "$KJ_NEW/$kj_name" ] && [ ! -d "$KJ_NEW/$kj_name" ]; }; then
      rm -f "$KJ_NEW/$kj_name" || return
    fi
    while [ "${kj_name%/*}" != "$kj_name" ]; do
      kj_name=${kj_name%/*}
      rmdir "$KJ_NEW/$kj_name" 2>/dev/null || break
    done
  done
}
