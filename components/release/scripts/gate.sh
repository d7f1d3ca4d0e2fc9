# shellcheck shell=bash
# A release takes traffic only after it answered a real request, with the Host header and scheme that users send.

# ask_app PORT: prints the status code, 000 when nothing answered. The body is kept for the failure's report.
ask_app() {
  # A redirect to the same app is followed; one to HTTPS says that the app did not see the scheme.
  curl --silent --show-error --location --max-redirs 3 --proto-redir =http --connect-to "::127.0.0.1:$1" --output "$payload/answer" --write-out '%{http_code}' --max-time 10 \
    --header "X-Forwarded-Proto: $(spec .scheme)" \
    "http://$(spec .health.host)$(spec .health.path)" || true
}

# A refused connection or a 502-504 of a proxy inside the app means "not yet"; any other wrong status is the app's own
# answer, and it is believed after it stood for 10 seconds.
step_gate() {
  local port until status='' wrong_since=''
  port=$(slot_port "$colour")
  until=$(($(seconds_now) + $(spec .health.timeoutSeconds)))
  while :; do
    status=$(ask_app "$port" 2>/dev/null)
    case $status in
      2??) break ;;
      000 | 502 | 503 | 504) wrong_since='' ;;
      *)
        : "${wrong_since:=$(seconds_now)}"
        [ $(($(seconds_now) - wrong_since)) -lt 10 ] || refuse_health "$status"
        ;;
    esac
    refuse_crash_loop
    [ "$(seconds_now)" -lt "$until" ] ||
      fail gate-timeout "the new release did not answer within $(spec .health.timeoutSeconds) s (last status $status)" \
        "read the log below; raise health.timeoutSeconds for an app that starts slowly"
    # A wrong answer is asked for less often: the app logs each.
    if [ -n "$wrong_since" ]; then sleep 1; else sleep 0.2; fi
  done
  say "answered $status"
  [ -z "$(stopped_of "$colour")" ] || fail start-crash "a service of the new release does not stay up" "read its log below"
  carry_static_over
  start_workers
}

refuse_health() {
  say "-- body of the answer"
  head -c 2000 "$payload/answer"
  echo
  local cure="read the app's log below"
  if [ "$1" = 400 ]; then cure="Django answers 400 when ALLOWED_HOSTS lacks $(spec .health.host): set it, or health.host"; fi
  if [[ $1 == 3?? ]]; then cure="health.path redirects elsewhere: name the path that answers itself, and let the app trust X-Forwarded-Proto"; fi
  fail gate-refused "the new release answers $1 at $(spec .health.path)" "$cure"
}

refuse_crash_loop() {
  local id
  for id in $(containers "$colour" --filter status=restarting) $(containers "$colour" --filter status=exited); do
    if [ "$(docker inspect --format '{{.RestartCount}}' "$id")" -ge 3 ]; then
      fail start-crash "$(docker inspect --format '{{index .Config.Labels "com.docker.compose.service"}}' "$id") crashes at start" "read its log below"
    fi
  done
}
