#!/bin/sh
# What systemd-resolved is told, what it has, and whether it is in the path at all: the lines that
# kjpstate/formats/resolved.py describes. Argument: a folder to take for / (tests only). Read-only; never starts
# resolved: it is asked over D-Bus only while it runs. Needs dash, busybox sh or bash, and od.

kjpstate_resolved_hex() {
  od -An -v -tx1 | tr -d ' \n'
}

kjpstate_resolved_file() { # path below the root; a link to /dev/null is a file without content
  if [ ! -e "$root$1" ] && [ ! -L "$root$1" ]; then return 0; fi
  printf 'file\t%s\t' "$(printf %s "$1" | kjpstate_resolved_hex)"
  if [ ! -e "$root$1" ] || [ -d "$root$1" ]; then
    printf '\n' # a link that leads nowhere hides its namesakes, and has nothing to say
  elif [ -r "$root$1" ]; then
    printf '%s\n' "$(kjpstate_resolved_hex <"$root$1")"
  else
    printf '!\n'
  fi
}

kjpstate_resolved_files() {
  for tree in /etc /run /usr/local/lib /usr/lib /lib; do
    if [ "$tree" = /lib ] && [ -L "$root/lib" ]; then continue; fi # the same folder as /usr/lib
    kjpstate_resolved_file "$tree/systemd/resolved.conf"
    for found in "$root$tree"/systemd/resolved.conf.d/*.conf; do
      kjpstate_resolved_file "${found#"$root"}"
    done
  done
}

kjpstate_resolved_interfaces() {
  for found in "$root"/sys/class/net/*/ifindex; do
    index=''
    read -r index 2>/dev/null <"$found" || continue
    name=${found%/ifindex}
    printf 'link\t%s\t%s\n' "$index" "${name##*/}"
  done
}

kjpstate_resolved_get() { # path below the service's, interface, properties: one line of JSON each
  kjpstate_path=$1 kjpstate_face=$2
  shift 2
  busctl --auto-start=no --json=short get-property org.freedesktop.resolve1 \
    "/org/freedesktop/resolve1$kjpstate_path" "org.freedesktop.resolve1.$kjpstate_face" "$@" 2>/dev/null
}

kjpstate_resolved_say() { # first fields of a line, answers, properties: a line for each
  fields=$1 answers=$2
  shift 2
  while read -r value; do
    printf "$fields\t%s\t%s\n" "$1" "$value"
    shift
  done <<ANSWERS
$answers
ANSWERS
}

kjpstate_resolved_bus() { # properties of the manager: one line each; 1 when they could not be had
  answer=$(kjpstate_resolved_get '' Manager "$@") || return 1
  kjpstate_resolved_say bus "$answer" "$@"
  case $1 in DNSEx | DNS) servers=${answer%%
*} ;; esac
}

kjpstate_resolved_all() {
  kjpstate_resolved_bus DNSEx FallbackDNSEx Domains CurrentDNSServerEx ResolvConfMode DNSStubListener
}

kjpstate_resolved_ready() { # just after a restart its name is not on the bus yet: wait for it, 3 s at most
  tries=0
  until kjpstate_resolved_get '' Manager Domains >/dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -gt 30 ]; then return 1; fi
    if [ $((tries % 10)) -eq 0 ]; then systemctl -q is-active systemd-resolved 2>/dev/null || return 1; fi
    sleep 0.1 2>/dev/null || sleep 1
  done
}

kjpstate_resolved_properties() { # older ones lack some names: then each by itself, and the plain ones too
  command -v busctl >/dev/null 2>&1 || return 1
  kjpstate_resolved_all && return 0
  kjpstate_resolved_ready || return 1
  kjpstate_resolved_all && return 0
  for property in DNSEx DNS FallbackDNSEx FallbackDNS Domains CurrentDNSServerEx CurrentDNSServer \
    ResolvConfMode DNSStubListener; do
    kjpstate_resolved_bus "$property"
  done
  [ -n "$servers" ]
}

kjpstate_resolved_links() { # those that have servers, by their own objects; 1 when one could not be asked
  # shellcheck disable=SC2020 # each bracket to a line end; then a server's first two numbers stand alone
  for index in $(printf '%s\n' "$servers" | tr '[' '\n' | sed -n 's/^\([1-9][0-9]*\),[0-9]*,$/\1/p' | sort -u); do
    answer=$(kjpstate_resolved_get "/link/_3$index" Link ScopesMask DNSEx Domains DefaultRoute) || return 1
    kjpstate_resolved_say "of\t$index" "$answer" ScopesMask DNSEx Domains DefaultRoute
  done
}

kjpstate_resolved_running() { # over D-Bus; what it does not tell, resolvectl says as text
  servers=''
  kjpstate_resolved_properties && kjpstate_resolved_links && return 0
  systemctl -q is-active systemd-resolved 2>/dev/null || return 0 # resolvectl would start it again
  command -v resolvectl >/dev/null 2>&1 || return 0
  for verb in dns domain default-route; do
    resolvectl "$verb" 2>/dev/null | while read -r line; do printf 'text\t%s\t%s\n' "$verb" "$line"; done
  done
}

kjpstate_resolved_unit() { # systemd's words; nothing where systemd does not run
  unit=$(systemctl show systemd-resolved.service -p LoadState -p ActiveState -p SubState -p UnitFileState \
    -p Result 2>/dev/null)
  [ -n "$unit" ] || return 0
  printf 'unit'
  while read -r field; do printf '\t%s' "$field"; done <<UNIT
$unit
UNIT
  printf '\n'
  for near in NetworkManager dnsmasq connman resolvconf; do
    if systemctl -q is-active "$near.service" 2>/dev/null; then printf 'near\t%s\n' "$near"; fi
  done
  case $unit in *ActiveState=active* | *ActiveState=reloading* | *ActiveState=refreshing*) kjpstate_resolved_running ;; esac
}

kjpstate_resolved_probe() (
  root=${1:-}
  LC_ALL=C
  export LC_ALL
  printf 'resolved\t1\n'
  if [ -d "$root/run/systemd/system" ]; then printf 'booted\tyes\n'; else printf 'booted\tno\n'; fi
  printf 'version\t%s\n' "$(systemctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p')"
  kjpstate_resolved_unit
  kjpstate_resolved_interfaces
  kjpstate_resolved_files
  printf 'hosts\t%s\n' "$(sed -n 's/^[[:blank:]]*hosts:[[:blank:]]*//p' "$root/etc/nsswitch.conf" 2>/dev/null |
    sed -n 1p | tr '\t' ' ')"
  printf 'resolv\t%s\n' "$(sed -n 's/^nameserver[[:blank:]][[:blank:]]*\([^[:blank:]]*\).*/\1/p' \
    "$root/etc/resolv.conf" 2>/dev/null | tr '\n' ' ')"
  if [ -r "$root/proc/net/udp" ]; then # 127.0.0.53:53 as the kernel writes it, on either kind of machine
    if grep -Eq ' (3500007F|7F000035):0035 ' "$root/proc/net/udp"; then
      printf 'listens\tyes\n'
    else
      printf 'listens\tno\n'
    fi
  fi
  printf 'end\n'
)

kjpstate_resolved_probe "$@"
