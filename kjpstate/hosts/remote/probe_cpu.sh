#!/bin/sh
# How busy is an app? Two samples of its processes' own counters. Arguments: seconds between the samples, the
# app's name in PM2. Prints `ticks N`, then for each sample and process: a or b, the clock, the stat line
# (kjpstate/formats/proc.py). No arithmetic here: shells and awks differ. Read-only; starts no daemon.

kjpstate_cpu_parent() { # process: its parent; the name in brackets may hold blanks and brackets
  read -r kjpstate_stat 2>/dev/null <"/proc/$1/stat" || return 1
  kjpstate_rest=${kjpstate_stat##*) }
  kjpstate_rest=${kjpstate_rest#* }
  printf '%s\n' "${kjpstate_rest%% *}"
}

kjpstate_cpu_inside() { # process: not one of a container's, which /proc shows too
  kjpstate_space=$(readlink "/proc/$1/ns/pid" 2>/dev/null) || return 0
  [ "$kjpstate_space" = "$(readlink /proc/self/ns/pid)" ]
}

kjpstate_cpu_title() {
  kjpstate_line=''
  read -r kjpstate_line 2>/dev/null <"/proc/$1/cmdline" || [ -n "$kjpstate_line" ]
}

kjpstate_cpu_is() { # process, name: PM2 hands an app its name, in cluster mode inside `pm2_env`
  tr '\0' '\n' 2>/dev/null <"/proc/$1/environ" | while read -r kjpstate_item; do
    case $kjpstate_item in
      "name=$2") echo yes ;;
      pm2_env=*"\"name\":\"$2\""*) echo yes ;;
    esac
  done | grep -q yes
}

kjpstate_cpu_own() { # process, its title: whether it is the PM2 daemon of this user's home, and of no other
  case $2 in "PM2 v"*": God Daemon ($kjpstate_home)"*) return 0 ;; "PM2 v"*": God Daemon"*) ;; *) return 1 ;; esac
  kjpstate_daemon='' # the kernel cuts a long title; pm2.pid is proof too
  read -r kjpstate_daemon 2>/dev/null <"$kjpstate_home/pm2.pid" || [ -n "$kjpstate_daemon" ] || return 1
  [ "$kjpstate_daemon" = "$1" ]
}

kjpstate_cpu_pids() { # name: children of this user's PM2 daemon that run under it
  kjpstate_home=${PM2_HOME:-${HOME:-/etc}/.pm2}
  for kjpstate_folder in /proc/[0-9]*; do
    kjpstate_pid=${kjpstate_folder#/proc/}
    kjpstate_of=$(kjpstate_cpu_parent "$kjpstate_pid") || continue
    [ "$kjpstate_of" -gt 1 ] || continue
    kjpstate_cpu_title "$kjpstate_of" || continue
    kjpstate_cpu_own "$kjpstate_of" "$kjpstate_line" || continue
    kjpstate_cpu_inside "$kjpstate_pid" || continue
    kjpstate_cpu_is "$kjpstate_pid" "$1" && printf '%s\n' "$kjpstate_pid"
  done
}

kjpstate_cpu_sample() { # letter, processes
  kjpstate_letter=$1
  shift
  for kjpstate_pid; do
    read -r kjpstate_uptime _ </proc/uptime
    read -r kjpstate_stat 2>/dev/null <"/proc/$kjpstate_pid/stat" || continue
    printf '%s %s %s\n' "$kjpstate_letter" "$kjpstate_uptime" "$kjpstate_stat"
  done
}

kjpstate_cpu_probe() {
  printf 'ticks %s\n' "$(getconf CLK_TCK 2>/dev/null || echo 100)"
  kjpstate_pids=$(kjpstate_cpu_pids "$2")
  [ -n "$kjpstate_pids" ] || return 0
  # shellcheck disable=SC2086 # numbers, one word each
  kjpstate_cpu_sample a $kjpstate_pids
  sleep "$1"
  # shellcheck disable=SC2086
  kjpstate_cpu_sample b $kjpstate_pids
}

kjpstate_cpu_probe "$@"
