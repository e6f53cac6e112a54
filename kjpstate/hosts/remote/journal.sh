# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154 # session.sh and trees.sh share these variables
# The journal of a run: what it is about to do, on the disk before it is done; and what the next session makes of
# a run that ended before its time. hosts/journal.py does the very same in Python, formats/journal.py reads it.
# One file for each document, of its last run. Lines parted by tabs, `-` where there is nothing, \ and tab escaped:
#   run ID WHEN WHO WHY | intent N KIND PATH OLD NEW BACKUP | done N STATUS | ended ID | closed ID BY VERDICT

KJ_TAB='	'

kj_quoted() { # value: as one word of a line
  case $1 in
    '') printf '%s' - ;;
    *[\\"$KJ_TAB"]*) printf '%s' "$1" | sed "s/\\\\/&&/g; s/$KJ_TAB/\\\\t/g" ;;
    *) printf '%s' "$1" ;;
  esac
}

kj_append() { # file, line: whole, whatever a full disk left of the line before it
  printf '\n%s\n' "$2" >>"$1"
}

kj_intent() { # kind, path, digest before or -, digest after or -, backup or nothing
  case $2$5 in *"$KJ_NL"*) kj_fault failed hosts.line-end "$KJ_P" || return ;; esac
  KJ_COUNT=$((KJ_COUNT + 1))
  kj_line="intent$KJ_TAB$KJ_COUNT$KJ_TAB$1$KJ_TAB$(kj_quoted "$2")$KJ_TAB$3$KJ_TAB$4$KJ_TAB$(kj_quoted "$5")"
  if [ -n "$KJ_WRITING" ]; then
    kj_try kj_append "$KJ_STATE/journal" "$kj_line" && kj_try sync "$KJ_STATE/journal"
  else
    rm -f "$KJ_STATE/.journal.kjpstate-new"
    kj_try kj_append "$KJ_STATE/.journal.kjpstate-new" "$KJ_HEAD$KJ_NL$kj_line" &&
      kj_try sync "$KJ_STATE/.journal.kjpstate-new" &&
      kj_try mv -f "$KJ_STATE/.journal.kjpstate-new" "$KJ_STATE/journal" &&
      KJ_WRITING=yes && kj_try sync "$KJ_STATE"
  fi && KJ_PENDING=$KJ_COUNT
}

kj_done() { # status
  [ -n "$KJ_PENDING" ] || return 0
  kj_append "$KJ_STATE/journal" "done$KJ_TAB$KJ_PENDING$KJ_TAB$1" 2>/dev/null
  KJ_PENDING=''
}

kj_ended() {
  if [ -z "$KJ_WRITING" ] || [ -n "$KJ_TORN" ]; then return 0; fi
  kj_append "$KJ_STATE/journal" "ended$KJ_TAB$KJ_RUN" 2>/dev/null && sync "$KJ_STATE/journal" 2>/dev/null
}

# ---- a run that ended before its time

kj_settle() { # in every document's folder; the lock says that nobody is writing now
  for kj_open in "$KJ_BASE"/*/journal; do
    [ -f "$kj_open" ] || continue
    rm -rf "${kj_open%/*}"/.output.* "${kj_open%/*}"/.*.kjpstate-new "$KJ_BASE"/_host/.*.kjpstate-new
    kj_read_journal "$kj_open"
    [ -z "$kj_id" ] || kj_recover "${kj_open%/*}"
  done
}

kj_read_journal() { # file: kj_id is its open run, if any; kj_at the number of the action that it was at, if any
  kj_id='' kj_at='' kj_kind=-
  while IFS=$KJ_TAB read -r kj_word kj_1 kj_2 kj_3 kj_4 kj_5 kj_6; do
    case $kj_word in
      run) kj_id=$kj_1 kj_when=$kj_2 kj_who=$kj_3 kj_why=$kj_4 kj_at='' kj_kind=- kj_path=- ;;
      intent) kj_at=$kj_1 kj_kind=$kj_2 kj_path=$kj_3 kj_old=$kj_4 kj_new=$kj_5 kj_kept=$kj_6 ;;
      'done') [ "$kj_1" != "$kj_at" ] || kj_at='' kj_kind=- kj_path=- ;;
      ended | closed) kj_id='' ;;
    esac
  done <"$1"
}

kj_recover() { # state folder: finishes or undoes the one action that may be half done, notes that, tells it
  kj_verdict=between
  if [ -n "$kj_at" ]; then
    KJ_P=$(printf '%b' "$kj_path") kj_kept=$(printf '%b' "$kj_kept")
    case $kj_kind in
      write | restore) kj_recover_file "$1" ;;
      switch) kj_recover_switch "$1" ;;
      backup) kj_recover_backup "$1" ;;
      lay | remove)
        kj_verdict=untouched
        if [ "$kj_kind" = remove ] && [ ! -e "$KJ_P" ]; then kj_verdict=whole; fi
        kj_recover_trees
        ;;
      make) if [ -d "$KJ_P" ]; then kj_verdict=whole; else kj_verdict=untouched; fi ;;
      *) kj_verdict=unknown ;;
    esac
  fi
  kj_leave
  kj_append "$1/journal" "closed$KJ_TAB$kj_id$KJ_TAB$KJ_RUN$KJ_TAB$kj_verdict" && sync "$1/journal"
  kj_say recovered "$kj_id" "$kj_when" "$kj_verdict" "$kj_kind"
  printf '%s\n' "${1##*/}" "$kj_who" "$kj_why" "$kj_path"
}

kj_recover_trees() {
  KJ_OURS='' KJ_GONE=''
  if [ -d "${KJ_P%/*}/" ] && kj_enter "$KJ_P"; then
    kj_inside "$KJ_NAME" "$KJ_NAME".kjpstate-*
    kj_trees_gone "$KJ_NAME"
  fi
}

kj_recover_file() { # state folder: one rename cannot be half done; what stands is told
  kj_verdict=untouched
  [ -d "${KJ_P%/*}/" ] || return 0
  kj_verdict=foreign
  kj_enter "$KJ_P" || return 0
  kj_own kj_sweep "$KJ_NAME"
  kj_recover_note "$1" file
  if ! kj_look_at "$KJ_NAME"; then
    kj_verdict=foreign
  elif [ "$kj_now" = "$kj_new" ]; then
    kj_verdict=whole
  elif [ "$kj_now" = "$kj_old" ]; then
    kj_verdict=untouched
  else
    kj_verdict=foreign
  fi
}

kj_recover_backup() { # state folder: a copy gets its name when it is whole
  kj_verdict=untouched
  kj_enter "$KJ_P" || return 0
  KJ_DIR='' KJ_NEW='' KJ_OURS='' KJ_GONE=''
  kj_kept_at "$KJ_P" "$kj_kept"
  kj_inside "$KJ_NAME" "$kj_to" || return 0
  for kj_one in "${kj_to%/*}/.${KJ_NAME#./}".kjpstate-keep.* "${kj_to%/*}/${KJ_NAME#./}".kjpstate-keep.*; do
    if [ -e "$kj_one" ] || [ -h "$kj_one" ]; then kj_tree_gone "$kj_one" "$kj_by"; fi
  done
  if [ -e "$kj_to" ]; then kj_verdict=whole; fi
  if [ -d "$kj_to" ]; then kj_recover_note "$1" directory; else kj_recover_note "$1" file; fi
}

kj_recover_switch() { # state folder: the second of two renames is done, or the first undone
  kj_verdict=foreign
  kj_enter "$KJ_P" || return 0
  KJ_DIR=$KJ_NAME KJ_NEW=$KJ_NAME.kjpstate-new.$kj_id KJ_OURS='' KJ_GONE=''
  kj_kept_at "$KJ_P" "$kj_kept"
  kj_inside "$KJ_DIR" "$KJ_NEW" "$kj_to" || return 0
  kj_verdict=untouched
  if [ ! -e "$KJ_DIR" ] && [ -d "$KJ_NEW" ]; then
    kj_own mv "$KJ_NEW" "$KJ_DIR" && kj_verdict=finished
  elif [ ! -e "$KJ_DIR" ] && [ -d "$kj_to" ]; then
    kj_own mv "$kj_to" "$KJ_DIR" && kj_verdict=undone
  elif [ -d "$KJ_DIR" ] && [ ! -d "$KJ_NEW" ]; then
    kj_verdict=whole
  fi
  kj_own sync ./
  case $kj_verdict in
    finished | whole)
      if [ -f "$1/switch.names" ] && [ -d "$kj_to" ]; then
        KJ_OURS=$KJ_NL$(cat "$1/switch.names")$KJ_NL
        kj_inner kj_catch_up "$kj_to"
      fi
      case $kj_kept in *.kjpstate-old.*) ;; *) kj_recover_note "$1" directory ;; esac
      ;;
  esac
  rm -f "$1/switch.names"
  kj_trees_gone "$KJ_DIR"
}

kj_recover_note() { # state folder, type: the ledger names every backup that is there
  [ "$kj_kept" != - ] || return 0
  kj_kept_at "$KJ_P" "$kj_kept"
  if [ "$2" = file ] && [ -f "$kj_to" ] && [ ! -h "$kj_to" ]; then
    kj_sum=$(kj_as "$kj_by" kj_sha "$kj_to")
  elif [ "$2" = directory ] && [ -d "$kj_to" ] && [ ! -h "$kj_to" ]; then
    kj_sum=$(kj_reader kj_listing "$kj_to")
  else
    return 0
  fi
  if [ -f "$1/backups" ]; then
    while IFS= read -r kj_line; do
      case $kj_line in *"$KJ_TAB$kj_kept$KJ_TAB"*) return 0 ;; esac
    done <"$1/backups"
  fi
  kj_ledger "$1/backups" "$kj_id$KJ_TAB$KJ_P$KJ_TAB$kj_kept$KJ_TAB$kj_sum$KJ_TAB$2" && sync "$1/backups"
}

kj_ledger() { # file, line: on a line of its own, even behind one that a full disk cut short
  [ -z "$(tail -c 1 "$1" 2>/dev/null)" ] || printf '\n' >>"$1"
  printf '%s\n' "$2" >>"$1"
}

# ---- a folder in the place of another, KJ_OURS and KJ_GONE its names folded, a line each: for trees.sh, for what is put back, and for what was cut

kj_swap() { # where the old folder goes, digest of the listing or nothing: KJ_NEW becomes KJ_DIR by two renames
  kj_kept_at "$KJ_P" "$1"
  rm -f "$KJ_STATE/switch.names"
  kj_try kj_append "$KJ_STATE/switch.names" "$KJ_OURS$KJ_GONE" && kj_try sync "$KJ_STATE/switch.names" || return
  kj_done 'done'
  kj_intent switch "$KJ_P" - "${2:--}" "$1" || return
  if [ -d "$KJ_DIR" ]; then
    kj_try kj_own mv "$KJ_DIR" "$kj_to" || return
  fi
  if ! kj_try kj_own mv "$KJ_NEW" "$KJ_DIR"; then
    if [ -d "$kj_to" ] && ! kj_own mv "$kj_to" "$KJ_DIR"; then KJ_PENDING='' KJ_TORN=yes; fi
    return 1
  fi
  KJ_SWITCHED=yes
  kj_try kj_own sync ./ || return
  if [ -d "$kj_to" ] && ! kj_inner kj_catch_up "$kj_to"; then
    kj_fault failed hosts.late-lost "$KJ_P" || return
  fi
  rm -f "$KJ_STATE/switch.names"
}
