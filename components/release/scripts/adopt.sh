# shellcheck shell=bash
# What a release needs to know of the classic compose project that it takes over, and what stands against it. Nothing is
# touched here.

adopt_project=$(jq -r '.adopt.project // empty' "$payload/options.json")
# Written when the first of its containers is about to be stopped, and when the new release has its place.
classic=$root/classic.json
adopted=$root/adopted.json
readonly adopt_project classic adopted

classic_containers() {
  docker ps --no-trunc --quiet --filter "label=com.docker.compose.project=$adopt_project" \
    --filter label=com.docker.compose.oneoff=False "$@"
}

# publishers PORT: containers that are published there, whoever started them.
publishers() { docker ps --no-trunc --quiet --filter "publish=$1/tcp"; }

classic_serves() { [ -z "$adopt_project" ] || classic_containers --filter publish=80/tcp; }

label_of() { docker inspect --format "{{index .Config.Labels \"com.docker.compose.$1\"}}" "$2"; }

name_of() { docker inspect --format '{{.Name}}' "$1" | sed 's#^/##'; }

check_adoption() {
  check_volume_names
  check_ports
  # From here on only what concerns the first release.
  [ -n "$adopt_project" ] && ! [ -s "$adopted" ] || return 0
  check_something_is_there
  check_classic_https
  check_classic_stateful
  check_classic_alone
  check_firewall
}

# Without the option the same uploads would be looked for under another name, and not be found.
check_volume_names() {
  [ -s "$adopted" ] || return 0
  local was
  was=$(jq -r .project "$adopted")
  [ "$was" = "${adopt_project:-$app}" ] ||
    fail adopt-lost "the volumes of this app are those of the compose project $was, and the program says ${adopt_project:-$app}: uploads would seem lost" \
      "put adopt: {project: $was} back into the app's description"
}

check_ports() {
  local port id project holder
  for port in 80 443; do
    if [ "$port" = 443 ] && [ "$(spec '.domains | length')" = 0 ]; then continue; fi
    for id in $(publishers "$port"); do
      project=$(label_of project "$id")
      if [ -n "$project" ] && [ "$project" = "$adopt_project" ]; then continue 2; fi
      fail edge-taken "port $port belongs to the container $(name_of "$id") of the compose project ${project:-none}" \
        "to take it over, describe the app with adopt: {project: ${project:-NAME}}; otherwise stop that container"
    done
    holder=$(ss -Hltnp "( sport = :$port )" | sed -n 's/.*users:(("\([^"]*\)".*/\1/p' | grep -vx caddy | head -n 1 || true)
    [ -z "$holder" ] ||
      fail edge-taken "port $port belongs to $holder, and the edge needs it" "stop it for good, such as: systemctl disable --now $holder"
  done
}

# A name that was misspelt would begin with empty volumes.
check_something_is_there() {
  local there
  [ -z "$(docker ps --all --quiet --filter "label=com.docker.compose.project=$adopt_project")" ] || return 0
  [ -z "$(docker volume ls --quiet | grep "^${adopt_project}_" || true)" ] || return 0
  there=$(docker ps --all --format '{{.Label "com.docker.compose.project"}}' | sort -u | sed '/^$/d' | paste -sd ' ')
  fail adopt-missing "this host has neither a container nor a volume of the compose project $adopt_project; its projects are: ${there:-none}" \
    "name the right one in adopt.project, or take adopt out when this is a new host"
}

# The edge has no certificate before it serves, and cannot prove that it may have one while another has the port.
check_classic_https() {
  [ -z "$(classic_containers --filter publish=443/tcp)" ] ||
    fail adopt-https "the compose project $adopt_project answers HTTPS on port 443 itself, which cannot be taken over without a gap" \
      "allow one: docker compose --project-name $adopt_project stop, then pulumi up; its volumes are kept"
}

# Two databases on one volume destroy it, and one cannot move without a gap.
check_classic_stateful() {
  local service id
  while read -r service; do
    for id in $(classic_containers --filter "label=com.docker.compose.service=$service"); do
      fail adopt-stateful "$(name_of "$id") runs on the data that $service of this release is to have, and two at once destroy it" \
        "choose a quiet time and allow a gap: docker stop $(name_of "$id"), then pulumi up; it goes on with the same volume"
    done
  done < <(jq -r '.stateful[]?' "$payload/options.json")
}

check_classic_alone() {
  ! cannot_run_twice || [ -z "$(classic_containers)" ] ||
    fail adopt-recreate "this app cannot run twice (strategy: recreate), and its classic containers run" \
      "choose a quiet time and allow a gap: docker compose --project-name $adopt_project stop, then pulumi up; its volumes are kept"
}

# Docker's published ports go past ufw, the edge does not.
check_firewall() {
  command -v ufw >/dev/null || return 0
  local rules port
  rules=$(ufw status)
  [[ $rules == "Status: active"* ]] || return 0
  for port in 80 "$aside_port"; do
    grep -qE "^([0-9,]*,)?$port(,[0-9,]*)?(/tcp)? +ALLOW" <<<"$rules" ||
      fail adopt-firewall "ufw on this host lets nobody reach port $port; the container was reached past it, the edge is not" \
        "ufw allow 80/tcp; ufw allow 443/tcp; ufw allow $aside_port/tcp (the last one can go again afterwards)"
  done
}
