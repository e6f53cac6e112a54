#!/bin/sh
# What may have caused a drift. Arguments: files and folders. Prints lines parted by tabs (formats/causes.py):
#   now EPOCH ZONE | file EPOCH PATH | gone EPOCH PATH | login LINE-OF-LAST | dpkg LINE | pm2 LINE
# of a folder its newest files, of a missing file when its folder changed; `last` in UTC. Read-only.

kjpstate_hints_probe() {
  kjpstate_tab=$(printf '\t')
  export LC_ALL=C
  printf 'now\t%s\t%s\n' "$(date +%s)" "$(date +%z)"
  for kjpstate_path; do
    if [ -d "$kjpstate_path" ]; then
      find "$kjpstate_path" \( -name node_modules -o -name '*.backup.*' -o -name '*.kjpstate-*' \) -prune -o \
        -type f -exec stat -c "file$kjpstate_tab%Y$kjpstate_tab%n" {} + 2>/dev/null |
        sort -t "$kjpstate_tab" -k 2,2rn | head -n 3
    elif [ -e "$kjpstate_path" ]; then
      stat -L -c "file$kjpstate_tab%Y$kjpstate_tab%n" "$kjpstate_path" 2>/dev/null
    elif [ -d "${kjpstate_path%/*}" ]; then
      printf 'gone\t%s\t%s\n' "$(stat -c %Y "${kjpstate_path%/*}")" "$kjpstate_path"
    fi
  done
  TZ=UTC last -F -w -n 60 2>/dev/null | sed "s/^/login$kjpstate_tab/"
  tail -n 400 /var/log/dpkg.log 2>/dev/null | grep -E ' (install|upgrade|remove|purge) ' | tail -n 60 | sed "s/^/dpkg$kjpstate_tab/"
  tail -n 400 "${PM2_HOME:-${HOME:-/root}/.pm2}/pm2.log" 2>/dev/null | grep 'App \[' | tail -n 60 | sed "s/^/pm2$kjpstate_tab/"
  return 0
}

kjpstate_hints_probe "$@"
