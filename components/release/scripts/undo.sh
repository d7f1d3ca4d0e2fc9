# shellcheck shell=bash
# How a run ends, and what the next one does about a run that could not end: the same undoing serves both.

# stop_untouched COLOUR DIRECTORY: nothing but its workers can have begun something that is worth waiting for.
stop_untouched() {
  local id workers
  workers=" $(jq -r '.workers | join(" ")' "$2/release.json" 2>/dev/null) "
  for id in $(containers "$1" --filter status=running); do
    [[ $workers == *" $(docker inspect --format '{{index .Config.Labels "com.docker.compose.service"}}' "$id") "* ]] || echo "$id"
  done | xargs -r docker stop --time 5 >/dev/null || true
}

# Before the switch the new colour took no traffic: it goes, and what was stopped of the old one starts again.
undo_before_switch() {
  local -a ids
  local alone=''
  if site_waits; then hold; fi
  stop_untouched "$1" "$2"
  # Its workers take no more while those of the old one come back.
  mapfile -t ids < <(in_role "$1" workers --filter status=running)
  ask_to_stop "${ids[@]}"
  ! cannot_run_twice "$2" || alone=yes
  # An app that can run twice has its workers back before the new ones have ended.
  if [ -n "$current_colour" ] && [ -z "$alone" ]; then bring_back || return 1; fi
  await_end "${ids[@]}"
  remove_colour "$1"
  # The same release over again lives in the same directory: that one still serves.
  if [ "$2" != "$current_dir" ]; then
    remove_release_volumes "$2"
    rm -rf "$2"
  fi
  if [ -n "$current_colour" ]; then
    bring_back || return 1
    restart_colour "$current_colour" || return 1
  fi
  # What Docker was still making when its client was killed.
  remove_colour "$1"
  undo_takeover
}

# From the switch on the edge's site file is the truth: it names the port that is served. The journal stays when this
# fails, so that it is tried again.
recovered_step='' recovered_by=''
recover() {
  [ -s "$root/journal.json" ] || return 0
  local at number dir was
  at=$(jq -r .step "$root/journal.json")
  was=$(jq -r .colour "$root/journal.json")
  number=$(jq -r .release "$root/journal.json")
  dir=$(jq -r .directory "$root/journal.json")
  recovered_step=$at
  say "the run of release $number was cut in step $at"
  sweep
  if can_step_back; then site_restore || return 1; fi
  if ! site_serves "$(slot_port "$was")"; then
    [ -n "$failure_code" ] || killed_receipt "$at" "$number" "$dir"
    undo_before_switch "$was" "$dir" || return 1
    recovered_by=undoing
    say "took it back"
  elif reload_edge; then
    finish_switch "$was" "$number" "$dir" || return 1
    recovered_by=finishing
    say "finished it: release $number serves"
  elif site_can_come_back; then
    site_restore || true
    [ -n "$failure_code" ] || killed_receipt "$at" "$number" "$dir"
    undo_before_switch "$was" "$dir" || return 1
    recovered_by=undoing
    say "caddy refused it: took it back"
  else
    say "caddy cannot be reloaded: nothing is removed before it can; look at: journalctl -u caddy"
    return 1
  fi
  clear_journal
}

# What the switch and the steps behind it would have done.
finish_switch() {
  write_state "$2" "$1" "$(jq -r .config "$root/journal.json")" "$3" || return 1
  forget_old_site
  restart_colour "$1" || return 1
  start_singletons "$1" "$3" "$2" || say "the singletons did not start"
  previous_colour=$(other_colour "$1")
  step_drain
  settle_takeover || return 1
  remove_colour "$previous_colour"
  remove_volumes_but "$3"
  jq -c --slurpfile applied <(cat "$3/migrations.json" 2>/dev/null || echo '[]') \
    '{app, release, result: "released", recovered: true, images, migrations: {applied: $applied[0]}}' \
    "$3/release.json" >"$payload/receipt.json"
  append_receipt
}

finish() {
  local status=$?
  trap '' TERM INT
  set +e
  probe_stop
  if [ -n "$finished" ]; then
    end_well
    exit 0
  fi
  [ -n "$failure_code" ] || blame "$status"
  if [ "$step" != lock ] && [ -s "$root/journal.json" ]; then
    keep_logs_of "$colour"
    is_taken_over || site_restore
    # A shutdown takes Docker along: then the next run has to do it.
    if docker info >/dev/null 2>&1; then recover; fi
  elif [ "$step" = switch ]; then
    site_restore
  fi
  load_state
  end_badly
  # systemd-run passes on no status of a run that it had to stop.
  exit_code >"$payload/status"
  exit "$(exit_code)"
}

# A command that failed where no message was prepared: the log has its words.
blame() {
  failure_code=$step-failed
  failure_message="step $step ended with status $1"
  failure_cure="read the log below; the whole of it is in $log on the host"
  if [ "$1" = 143 ]; then
    failure_code=stopped
    failure_message="stopped in step $step by a time limit or a shutdown"
    failure_cure="run pulumi up again; raise the time limit when the app needs longer"
  fi
}

exit_code() {
  case $failure_code in
    busy) echo 10 ;;
    stopped) echo 11 ;;
    killed) echo 12 ;;
    *)
      case $step in
        lock | preflight) echo 20 ;;
        fetch) echo 21 ;;
        backup) echo 22 ;;
        migrate) echo 23 ;;
        start) echo 24 ;;
        gate) echo 25 ;;
        *) echo 26 ;;
      esac
      ;;
  esac
}

steps_json() {
  local name
  for name in "${STEPS[@]}"; do [ -z "${seconds[$name]:-}" ] || printf '%s %s\n' "$name" "${seconds[$name]}"; done |
    jq -Rn '[inputs | split(" ") | {key: .[0], value: (.[1] | tonumber)}] | from_entries'
}

restarted_json() { printf '%s\n' "${restarted[@]}" | jq -Rn '[inputs | select(. != "")]'; }

# The receipt is scanned for secrets before it leaves the host: the engine keeps it in plain state.
end_well() {
  clear_journal
  jq -cn --slurpfile spec "$payload/release.json" --arg result "$finished" --arg colour "${colour:-$current_colour}" \
    --arg previous "$current_release" --argjson seconds "$(steps_json)" --argjson probe "$(probe_json)" \
    --argjson migrations "$(migrations_json)" --argjson restarted "$(restarted_json)" '
      $spec[0] as $s
      | {app: $s.app, release: $s.release, result: $result,
         previous: (if $previous == "" then null else ($previous | tonumber) end), colour: $colour,
         images: $s.images, migrations: $migrations, restarted: $restarted, seconds: $seconds, probe: $probe}' |
    redact_json >"$payload/receipt.json"
  [ "$finished" = unchanged ] || append_receipt
  cat "$payload/receipt.json" >&3 2>/dev/null
}

end_badly() {
  tail -n 100 "$log" | jq -Rn '[inputs]' >"$payload/tail.json"
  jq -cn --slurpfile spec "$payload/release.json" --slurpfile log "$payload/tail.json" --arg step "$step" \
    --arg code "$failure_code" --arg message "$failure_message" --arg cure "$failure_cure" \
    --arg serves "$current_release" --argjson seconds "$(steps_json)" --argjson probe "$(probe_json)" --argjson restarted "$(restarted_json)" '
      {app: $spec[0].app, release: $spec[0].release, result: "failed", step: $step, code: $code, message: $message,
       cure: $cure, serves: (if $serves == "" then null else ($serves | tonumber) end), images: $spec[0].images,
       restarted: $restarted, seconds: $seconds, probe: $probe, log: $log[0]}' |
    redact_json >"$payload/receipt.json"
  [ "$failure_code" = killed ] || append_receipt
  cat "$payload/receipt.json" >&4 2>/dev/null
}

append_receipt() {
  jq -c --arg at "$(date -u +%Y-%m-%dT%H:%M:%SZ)" '{at: $at} + .' "$payload/receipt.json" >>"$root/receipts.jsonl"
  # That of a failure carries the end of its log: without a limit they would fill the disk one day.
  if [ "$(wc -l <"$root/receipts.jsonl")" -gt 1000 ]; then
    tail -n 900 "$root/receipts.jsonl" | write_file "$root/receipts.jsonl"
  fi
  find "$root/log" -name '*.log' ! -path "$log" | sort | head -n -19 | xargs -r rm -f
}
