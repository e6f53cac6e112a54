#!/bin/sh
# Do names resolve, the way the bot asks and at each server? Arguments: how many names, the names, then the
# servers as ADDRESS or ADDRESS|PORT. Prints one line an answer, fields parted by tabs, servers in any order:
# path, tool, name, exit status, address, what was said (kjpstate/formats/names.py). Read-only; flushes no cache.
# Needs dash, busybox sh or bash; each question has 2 s and one try. When all servers are silent a connection to
# each of them tells whether anything out there can be reached.

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

kjpstate_names_said() { # output: the one word for what a tool said of a failure, or nothing
  case $1 in
    *NXDOMAIN* | *ENOTFOUND*) echo NXDOMAIN ;;
    *SERVFAIL*) echo SERVFAIL ;;
    *EREFUSED* | *'status: REFUSED'* | *': REFUSED'* | *'(REFUSED)'*) echo REFUSED ;;
    *ECONNREFUSED* | *'onnection refused'*) echo CLOSED ;;
    *ETIMEOUT* | *'timed out'* | *'no servers could be reached'* | *'network unreachable'* | *ENETUNREACH*)
      echo TIMEOUT ;;
    *ENODATA* | *'status: NOERROR'* | *'has no A record'* | *"Can't find "*': No answer'*) echo EMPTY ;;
    *EAI_AGAIN*) echo EAI_AGAIN ;;
  esac
}

kjpstate_names_say() { # path, tool, name, exit status, output: the first word that is an address
  # shellcheck disable=SC2020 # a blank and a tab, each to a line end
  kjpstate_address=$(printf '%s\n' "$5" | tr ' \t' '\n\n' |
    sed -n -e '/^[0-9][0-9]*\.[0-9][0-9.]*$/p' -e '/^[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/p' | sed -n 1p)
  kjpstate_word=
  [ -n "$kjpstate_address" ] || kjpstate_word=$(kjpstate_names_said "$5")
  printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$kjpstate_address" "$kjpstate_word"
}

kjpstate_names_as_the_app() { # name: getaddrinfo through libc, then through node itself
  if command -v getent >/dev/null 2>&1; then
    kjpstate_out=$(kjpstate_names_within 5 getent ahosts "$1" 2>/dev/null)
    kjpstate_names_say app getent "$1" $? "$kjpstate_out"
  fi
  [ -n "$kjpstate_node" ] || return 0
  kjpstate_out=$(kjpstate_names_within 5 "$kjpstate_node" -e '
require("dns").lookup(process.argv[1], (error, address) => {
  console.log(error ? error.code : address);
  if (error) process.exit(1);
});' "$1" 2>/dev/null)
  kjpstate_names_say app node "$1" $? "$kjpstate_out"
}

kjpstate_names_unnamed() { # remarks of dig or host without the server's own ADDRESS#PORT
  printf '%s\n' "$1" | sed 's/[0-9A-Fa-f.:]*#[0-9][0-9]*//g'
}

kjpstate_names_at() { # ADDRESS|PORT, name: one A question to this server and no other
  kjpstate_server=${1%%|*}
  kjpstate_port=${1#*|}
  [ "$kjpstate_port" = "$1" ] && kjpstate_port=53
  if command -v dig >/dev/null 2>&1; then
    kjpstate_tool=dig
    kjpstate_out=$(dig +noall +comments +answer +time=2 +tries=1 -p "$kjpstate_port" "@$kjpstate_server" "$2" A 2>&1)
    set -- "$1" "$2" $?
    case $kjpstate_out in *'status: NOERROR'*) ;; *) kjpstate_out=$(kjpstate_names_unnamed "$kjpstate_out") ;; esac
  elif command -v host >/dev/null 2>&1; then
    kjpstate_tool=host
    kjpstate_out=$(host -W 2 -R 1 -t A -p "$kjpstate_port" "$2" "$kjpstate_server" 2>&1)
    set -- "$1" "$2" $?
    case $kjpstate_out in
      *' has address '*) kjpstate_out=$(printf '%s\n' "$kjpstate_out" | sed -n 's/.* has address //p') ;;
      *) kjpstate_out=$(kjpstate_names_unnamed "$(printf '%s\n' "$kjpstate_out" | sed '/^Using domain server/,/^Aliases/d')") ;;
    esac
  elif [ -n "$kjpstate_node" ]; then
    kjpstate_tool=node
    kjpstate_out=$(kjpstate_names_within 5 "$kjpstate_node" -e '
const { Resolver } = require("dns"), [server, port, name] = process.argv.slice(1);
const resolver = new Resolver({ timeout: 2000, tries: 1 });
resolver.setServers([(server.includes(":") ? "[" + server + "]" : server) + ":" + port]);
resolver.resolve4(name, (error, found) => {
  console.log(error ? error.code : found[0]);
  if (error) process.exit(1);
});' "$kjpstate_server" "$kjpstate_port" "$2" 2>/dev/null)
    set -- "$1" "$2" $?
  elif [ "$kjpstate_port" = 53 ] && command -v nslookup >/dev/null 2>&1; then
    kjpstate_tool=nslookup
    kjpstate_out=$(kjpstate_names_within 3 nslookup "$2" "$kjpstate_server" 2>&1)
    set -- "$1" "$2" $?
    # `timeout` ends what waits for longer
    if [ "$3" = 124 ] || [ "$3" = 143 ]; then kjpstate_out='timed out'; fi
    case $kjpstate_out in
      *Name:*) kjpstate_out=$(printf '%s\n' "$kjpstate_out" | sed '1,/^Name:/d') ;;
      *) kjpstate_out=$(printf '%s\n' "$kjpstate_out" | sed -e '/^Server/d' -e '/^Address/d') ;;
    esac
  else
    printf 'server\tnone\t%s\t127\t\t\n' "$1"
    return 0
  fi
  kjpstate_names_say server "$kjpstate_tool" "$1" "$3" "$kjpstate_out"
}

kjpstate_names_beyond() { # ADDRESS|PORT: whether this machine is there at all, whatever it says to names
  kjpstate_server=${1%%|*}
  kjpstate_port=${1#*|}
  [ "$kjpstate_port" = "$1" ] && kjpstate_port=53
  if [ -n "$kjpstate_node" ]; then
    kjpstate_names_within 4 "$kjpstate_node" -e '
const [host, port] = process.argv.slice(1);
const there = (code) => process.exit(code);
for (const each of [port, 443]) {
  const socket = require("net").connect({ host, port: Number(each) });
  socket.on("connect", () => there(0));
  socket.on("error", (error) => { if (error.code === "ECONNREFUSED") there(0); });
}
setTimeout(() => there(1), 2000);' "$kjpstate_server" "$kjpstate_port" 2>/dev/null
    printf 'wan\tnode\t%s\t%s\t\t\n' "$1" $?
  elif command -v ping >/dev/null 2>&1; then
    ping -c 1 -W 2 "$kjpstate_server" >/dev/null 2>&1
    printf 'wan\tping\t%s\t%s\t\t\n' "$1" $?
  fi
}

kjpstate_names_each() { # function, name, servers: all at once, so that many silent ones cost no more than one
  kjpstate_call=$1 kjpstate_asked=$2
  shift 2
  for kjpstate_each; do "$kjpstate_call" "$kjpstate_each" "$kjpstate_asked" & done
  wait
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
  [ $# -gt 0 ] || return 0
  kjpstate_lines=$(kjpstate_names_each kjpstate_names_at "$kjpstate_first" "$@")
  printf '%s\n' "$kjpstate_lines"
  if ! printf '%s\n' "$kjpstate_lines" | grep -qv '	TIMEOUT$'; then
    kjpstate_names_each kjpstate_names_beyond '' "$@"
  fi
}

kjpstate_names_probe "$@"
