# shellcheck shell=bash
# A release that was killed is put in order at once, by the unit's ExecStopPost, or at the next boot when the host went
# down with it. Where neither could do it, the next release begins with it.

# SERVICE_RESULT is systemd's word on how the release ended: one that ended by itself has done this already.
something_to_recover() {
  [ -s "$root/journal.json" ] || return 1
  case ${SERVICE_RESULT:-boot} in success | exit-code) return 1 ;; esac
}

# The log of the run that was killed goes on.
log_file() {
  local before=''
  [ "$mode" = release ] || before=$(jq -r '.log // empty' "$root/journal.json")
  echo "${before:-$root/log/$(date -u +%Y%m%dT%H%M%SZ)-r$release.log}"
}

recovery_unit=/etc/systemd/system/slipway-recover-$app.service
recovery_link=/etc/systemd/system/multi-user.target.wants/slipway-recover-$app.service
readonly recovery_unit recovery_link

# What the boot needs: /run, where the payload is, does not outlive a power cut. It is there for as long as the journal.
prepare_recovery() {
  rm -rf "$root/recover"
  mkdir "$root/recover"
  cp "$payload"/*.sh "$payload"/{release,options,secrets}.json "$payload/site.caddy" "$root/recover/"
  sed "s/__APP__/$app/g" "$payload/recover.service" | write_file "$recovery_unit" 644
  sync "$root"/recover/*
  ln -sfn "$recovery_unit" "$recovery_link"
}

clear_journal() {
  rm -f "$root/journal.json" "$root/retired" "$root/site.old" "$recovery_link" "$recovery_unit"
  rm -rf "$root/recover"
}

# write_file and the edge leave these when they are cut.
sweep() { rm -f "$root"/{state,journal}.json.?????? "$root"/retired.?????? "$site.new" "$site.new".?????? "$recovery_unit".?????? "/etc/caddy/slipway/$app.check"*; }

# killed_receipt STEP RELEASE DIRECTORY: the receipt of a run that could not write its own.
killed_receipt() {
  local images='{}'
  [ ! -s "$3/release.json" ] || images=$(jq -c .images "$3/release.json")
  jq -cn --arg app "$app" --argjson release "$2" --arg step "$1" --argjson images "$images" --arg serves "$current_release" '
    {app: $app, release: $release, result: "failed", step: $step, code: "killed",
     message: "release \($release) was killed in step \($step); it has been taken back", cure: "run pulumi up again",
     serves: (if $serves == "" then null else ($serves | tonumber) end), images: $images, seconds: {}, probe: null, log: []}' \
    >"$payload/receipt.json"
  append_receipt
}

# Only what was printed is new: what became of the release is in the receipts already.
tell_of_the_killed() {
  local became
  case $recovered_by in
    undoing) became="has been taken back" ;;
    finishing) became="has been finished: it serves" ;;
    *) became="was put in order by the next one" ;;
  esac
  step=${recovered_step:-lock}
  fail killed "release $release was killed in step $step and $became" "run pulumi up again"
}
