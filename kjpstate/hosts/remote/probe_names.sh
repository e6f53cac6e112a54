#!/bin/sh
# Do names resolve, the way the bot asks and at each server? Arguments: how many names, the names, then the
# servers as ADDRESS or ADDRESS|PORT. Prints one line an answer, its fields parted by tabs:
# path, tool, name, exit status, address (kjpstate/formats/names.py). Read-only; flushes no cache.
# Needs dash, busybox sh or bash; each question has 2 s and one try.

kjpstate_names_within() { # seconds, command: at most that long, where timeout exists
  seconds=$1
  shift
  if command -v timeout >/dev/null 2>&1; then timeout "$seconds" "$@"; else "$@"; fi
}

kjpstate_names_node() { # a non-interactive PATH often lacks node: a running PM2 daemon knows best
  command -v node 2>/dev/null && return 0
  for kjpstate_title in /proc/[0-9]*/cmdline; do
    read -r kjpstate_line 2>/dev/null <"$kjpstate_title" || [ -n "$kjpstate_line" ] || continue
    case $kjpstate_line in "PM2 v"*": God Daemon"*) ;; *) continue ;; esac
    kjpstate_found=$(readlink "${kjpstate_title%cmdline}exe" 2>/dev/null)
    [ -x "$kjpstate_found" ] && printf '%s\n' "$kjpstate_found" && return 0
  done
  for kjpstate_found in /usr/local/bin/node /usr/bin/node "${HOME:-/root}"/.nvm/versions/node/*/bin/node; do
    [ -x "$kjpstate_found" ] && printf '%s\n' "$kjpstate_found" && return 0
  done
  return 1
}

kjpstate_names_say() { # path, tool, name, exit status, output: the first word that is an address
  # shellcheck disable=SC2020 # a blank and a tab, each to a line end
  kjpstate_address=$(printf '%s\n' "$5" | tr ' \t' '\n\n' |
    sed -n -e '/^[0-9][0-9]*\.[0-9][0-9.]*$/p' -e '/^[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/p' | sed -n 1p)
  printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$kjpstate_address"
}

kjpstate_names_as_the_app() { # name: getaddrinfo through libc, then through node itself
  if command -v getent >/dev/null 2>&1; then
    kjpstate_out=$(kjpstate_names_within 5 getent ahosts "$1" 2>/dev/null)
    kjpstate_names_say app getent "$1" $? "$kjpstate_out"
  fi
  [ -n "$kjpstate_node" ] || return 0
  kjpstate_out=$(kjpstate_names_within 5 "$kjpstate_node" -e '
require("dns").lookup(process.argv[1], (error, address) => {
  if (error) process.exit(1);
  console.log(address);
});' "$1" 2>/dev/null)
  kjpstate_names_say app node "$1" $? "$kjpstate_out"
}

kjpstate_names_at() { # ADDRESS|PORT, name: one A question to this server and no other
  kjpstate_server=${1%%|*}
  kjpstate_port=${1#*|}
  [ "$kjpstate_port" = "$1" ] && kjpstate_port=53
  if command -v dig >/dev/null 2>&1; then
    kjpstate_tool=dig
    kjpstate_out=$(dig +short +time=2 +tries=1 -p "$kjpstate_port" "@$kjpstate_server" "$2" A 2>/dev/null)
  elif command -v host >/dev/null 2>&1; then
    kjpstate_tool=host
    kjpstate_out=$(host -W 2 -R 1 -t A -p "$kjpstate_port" "$2" "$kjpstate_server" 2>/dev/null)
    set -- "$1" "$2" $?
    kjpstate_out=$(printf '%s\n' "$kjpstate_out" | sed -n 's/.* has address //p')
  elif [ -n "$kjpstate_node" ]; then
    kjpstate_tool=node
    kjpstate_out=$(kjpstate_names_within 5 "$kjpstate_node" -e '
const { Resolver } = require("dns"), [server, port, name] = process.argv.slice(1);
const resolver = new Resolver({ timeout: 2000, tries: 1 });
resolver.setServers([(server.includes(":") ? "[" + server + "]" : server) + ":" + port]);
resolver.resolve4(name, (error, found) => {
  if (error) process.exit(1);
  console.log(found[0]);
});' "$kjpstate_server" "$kjpstate_port" "$2" 2>/dev/null)
  elif [ "$kjpstate_port" = 53 ] && command -v nslookup >/dev/null 2>&1; then
    kjpstate_tool=nslookup
    kjpstate_out=$(kjpstate_names_within 3 nslookup "$2" "$kjpstate_server" 2>/dev/null)
    set -- "$1" "$2" $?
    kjpstate_out=$(printf '%s\n' "$kjpstate_out" | sed '1,/^Name:/d')
  else
    printf 'server\tnone\t%s\t127\t\n' "$1"
    return 0
  fi
  set -- "$1" "$2" "${3:-$?}"
  kjpstate_names_say server "$kjpstate_tool" "$1" "$3" "$kjpstate_out"
}

kjpstate_names_probe() {
  kjpstate_node=$(kjpstate_names_node)
  kjpstate_left=$1
  shift
  kjpstate_first=${1:-}
  while [ "$kjpstate_left" -gt 0 ]; do
    kjpstate_names_as_the_app "$1"
    kjpstate_left=$((kjpstate_left - 1))
    shift
  done
  for kjpstate_each; do kjpstate_names_at "$kjpstate_each" "$kjpstate_first"; done
}

kjpstate_names_probe "$@"
