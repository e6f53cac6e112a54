#!/bin/sh
# The end of one file. Arguments: at most so many bytes, the path (a leading ~pm2 is PM2's home, a leading ~
# the user's). Prints `size N start M`, a line end, then the bytes from M to N; or `missing`, `unreadable`
# (kjpstate/formats/logs.py). Read-only; what is written meanwhile is left for the next look.

kjpstate_tail_probe() {
  # shellcheck disable=SC2088 # the words ~pm2 and ~ are ours here, not the shell's
  case $2 in
    '~pm2/'*) kjpstate_path=${PM2_HOME:-${HOME:-/root}/.pm2}/${2#'~pm2/'} ;;
    '~/'*) kjpstate_path=${HOME:-/root}/${2#'~/'} ;;
    *) kjpstate_path=$2 ;;
  esac
  if [ ! -e "$kjpstate_path" ]; then
    echo missing
  elif [ ! -f "$kjpstate_path" ] || [ ! -r "$kjpstate_path" ]; then
    echo unreadable
  else
    kjpstate_size=$(wc -c <"$kjpstate_path" | tr -d ' ')
    kjpstate_start=$((kjpstate_size > $1 ? kjpstate_size - $1 : 0))
    printf 'size %s start %s\n' "$kjpstate_size" "$kjpstate_start"
    tail -c +$((kjpstate_start + 1)) <"$kjpstate_path" | head -c $((kjpstate_size - kjpstate_start))
  fi
}

kjpstate_tail_probe "$@"
