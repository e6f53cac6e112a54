# shellcheck shell=sh
# shellcheck disable=SC2034,SC2094,SC2154 # these variables are shared with session.sh
# Backups that go: each is in the ledger and bears the name of a backup of the run its row tells. Sent with the
# first Prune of a session; hosts/pruning.py does the very same in Python.

kj_prune() { # document, backups: they go, then their rows
  KJ_P=$KJ_BASE/$1/backups KJ_GONE=$KJ_NL
  kj_ready 0 || return 0
  shift
  for kj_b; do KJ_GONE=$KJ_GONE$kj_b$KJ_NL; done
  kj_prune_rows
  kj_settled $?
}

kj_prune_rows() {
  [ -f "$KJ_P" ] || return 0
  kj_fresh=${KJ_P%/*}/.backups.kjpstate-new
  rm -f "$kj_fresh"
  kj_try kj_exclusive "$kj_fresh" || return
  while IFS= read -r kj_row || [ -n "$kj_row" ]; do
    kj_rest=${kj_row#*"$KJ_TAB"}
    kj_rest=${kj_rest#*"$KJ_TAB"}
    kj_b=${kj_rest%%"$KJ_TAB"*}
    case $KJ_GONE in
      *"$KJ_NL$kj_b$KJ_NL"*) kj_prune_one "$kj_b" "${kj_row%%"$KJ_TAB"*}" || return ;;
      *) printf '%s\n' "$kj_row" >>"$kj_fresh" || kj_fault failed hosts.not-written "$KJ_P" || return ;;
    esac
  done <"$KJ_P"
  kj_try sync "$kj_fresh" && kj_try mv -f "$kj_fresh" "$KJ_P" && kj_try sync "${KJ_P%/*}"
}

kj_prune_one() { # backup, run
  kj_day='[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]T[0-9][0-9][0-9][0-9][0-9][0-9]Z'
  # shellcheck disable=SC2254 # a pattern of our own
  case ${1##*/} in
    ?*.backup.$kj_day-"$2") ;;
    *) kj_fault failed hosts.no-name-of-a-backup "$1" "$2" || return ;;
  esac
  [ ! -h "$1" ] || kj_fault failed hosts.backup-is-a-link "$1" || return
  kj_try rm -rf "${1:?}"
}
