#!/bin/sh
# How many lines of a log hold each of some texts, since a mark. Arguments: the path (a leading ~pm2 is PM2's
# home, a leading ~ the user's), the mark as offset, inode and checksum (- - - for none: nothing is counted),
# then the texts. Prints `missing`, `unreadable`, or `mark OFFSET INODE SUM`, and before it `rotated whole` or
# `rotated lost` where the log was, and a line `seen N N ...` for each stretch (kjpstate/formats/counts.py).
# Only whole lines count; the rest of the last one is left for the next look. Read-only.

kjpstate_count_inode() { # path
  # shellcheck disable=SC2012 # one path, and of it the number only
  ls -di -- "$1" 2>/dev/null | sed 's/^ *\([0-9]*\) .*/\1/;1q'
}

kjpstate_count_size() { wc -c <"$1" | tr -d ' '; }

kjpstate_count_bytes() { # path, from, to
  tail -c "+$(($2 + 1))" <"$1" | head -c "$(($3 - $2))"
}

kjpstate_count_sum() { # path, offset: of the last bytes before it; tells whether a file is still the same
  kjpstate_sum=$(kjpstate_count_bytes "$1" "$(($2 > 256 ? $2 - 256 : 0))" "$2" | cksum)
  printf '%s\n' "${kjpstate_sum%% *}"
}

kjpstate_count_end() { # path, from, size: after the last whole line; a line without an end is cut at 64 KiB
  if [ "$3" -le "$2" ] || [ "$(kjpstate_count_bytes "$1" "$(($3 - 1))" "$3" | wc -l)" -eq 1 ]; then
    printf '%s\n' "$3"
    return 0
  fi
  kjpstate_rest=$(kjpstate_count_bytes "$1" "$2" "$3" | tail -n 1 | wc -c)
  if [ "$kjpstate_rest" -gt 65536 ]; then kjpstate_rest=0; fi
  printf '%s\n' "$(($3 - kjpstate_rest))"
}

kjpstate_count_stretch() { # path, from, to, texts
  kjpstate_file=$1 kjpstate_from=$2 kjpstate_to=$3
  shift 3
  printf 'seen'
  for kjpstate_text; do
    printf ' %s' "$(kjpstate_count_bytes "$kjpstate_file" "$kjpstate_from" "$kjpstate_to" |
      LC_ALL=C grep -F -c -e "$kjpstate_text")"
  done
  echo
}

kjpstate_count_old() { # path, offset, inode, sum: where the log of the mark is now, renamed or copied away
  kjpstate_stem=${1%.log}
  for kjpstate_each in "$1"?* "$kjpstate_stem"?*; do
    if [ "$kjpstate_each" = "$1" ] || [ ! -f "$kjpstate_each" ] || [ ! -r "$kjpstate_each" ]; then continue; fi
    [ "$(kjpstate_count_size "$kjpstate_each")" -ge "$2" ] || continue
    [ "$(kjpstate_count_sum "$kjpstate_each" "$2")" = "$4" ] || continue
    printf '%s\n' "$kjpstate_each"
    [ "$(kjpstate_count_inode "$kjpstate_each")" = "$3" ] && return 0
  done | sed -n '$p'
}

kjpstate_count_rotated() { # path, offset, inode, sum, texts: what was written before it was put away
  kjpstate_gone=$(kjpstate_count_old "$1" "$2" "$3" "$4")
  if [ -z "$kjpstate_gone" ] || [ "$2" -eq 0 ]; then
    echo 'rotated lost'
    return 0
  fi
  echo 'rotated whole'
  kjpstate_since=$2
  shift 4
  kjpstate_count_stretch "$kjpstate_gone" "$kjpstate_since" "$(kjpstate_count_size "$kjpstate_gone")" "$@"
}

kjpstate_count_probe() {
  # shellcheck disable=SC2088 # the words ~pm2 and ~ are ours here, not the shell's
  case $1 in
    '~pm2/'*) kjpstate_path=${PM2_HOME:-${HOME:-/root}/.pm2}/${1#'~pm2/'} ;;
    '~/'*) kjpstate_path=${HOME:-/root}/${1#'~/'} ;;
    *) kjpstate_path=$1 ;;
  esac
  kjpstate_offset=$2 kjpstate_inode=$3 kjpstate_mark=$4
  shift 4
  if [ ! -e "$kjpstate_path" ]; then
    case $kjpstate_offset in
      - | 0) ;;
      *) kjpstate_count_rotated "$kjpstate_path" "$kjpstate_offset" "$kjpstate_inode" "$kjpstate_mark" "$@" ;;
    esac
    echo missing
    return 0
  fi
  if [ ! -f "$kjpstate_path" ] || [ ! -r "$kjpstate_path" ]; then
    echo unreadable
    return 0
  fi
  kjpstate_now=$(kjpstate_count_inode "$kjpstate_path")
  kjpstate_size=$(kjpstate_count_size "$kjpstate_path")
  kjpstate_start=$kjpstate_offset
  if [ "$kjpstate_offset" = - ]; then
    kjpstate_start=$kjpstate_size
  elif [ "$kjpstate_offset" -gt 0 ]; then
    if [ "$kjpstate_now" != "$kjpstate_inode" ] || [ "$kjpstate_size" -lt "$kjpstate_offset" ] ||
      [ "$(kjpstate_count_sum "$kjpstate_path" "$kjpstate_offset")" != "$kjpstate_mark" ]; then
      kjpstate_count_rotated "$kjpstate_path" "$kjpstate_offset" "$kjpstate_inode" "$kjpstate_mark" "$@"
      kjpstate_start=0
    fi
  fi
  kjpstate_end=$(kjpstate_count_end "$kjpstate_path" "$kjpstate_start" "$kjpstate_size")
  if [ "$kjpstate_offset" != - ]; then
    kjpstate_count_stretch "$kjpstate_path" "$kjpstate_start" "$kjpstate_end" "$@"
  fi
  printf 'mark %s %s %s\n' "$kjpstate_end" "$kjpstate_now" "$(kjpstate_count_sum "$kjpstate_path" "$kjpstate_end")"
}

kjpstate_count_probe "$@"
