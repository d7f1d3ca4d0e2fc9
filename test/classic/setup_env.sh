#!/bin/sh
# Writes .env the way the hand-written pipelines do, faults included: values go in as they are, so one with a space,
# a quote or a $ does not survive deploy.sh. Slipway is compared with this; nothing in the project uses it to ship.
#
# From the environment, as GitLab gives them: CI_REGISTRY CI_REGISTRY_USER CI_JOB_TOKEN CI_PROJECT_NAMESPACE
#   CI_PROJECT_NAME SECRET_KEY SQL_DATABASE SQL_USER SQL_PASSWORD SQL_HOST SQL_PORT
# Not in the original: WEB_IMAGE and NGINX_IMAGE name other tags; PGSSLMODE as libpq reads it; SLIPWAY_RELEASE is the
#   number by which the load client knows the release; ENV_FILE is where to write.
# $CI_REGISTRY/$CI_PROJECT_NAMESPACE/$CI_PROJECT_NAME is the image, :web and :nginx its tags.
set -eu

IMAGE=$CI_REGISTRY/$CI_PROJECT_NAMESPACE/$CI_PROJECT_NAME

{
  echo "DEBUG=0"
  echo "SQL_ENGINE=django.db.backends.postgresql"
  echo "DATABASE=postgres"
  echo "SECRET_KEY=$SECRET_KEY"
  echo "SQL_DATABASE=$SQL_DATABASE"
  echo "SQL_USER=$SQL_USER"
  echo "SQL_PASSWORD=$SQL_PASSWORD"
  echo "SQL_HOST=$SQL_HOST"
  echo "SQL_PORT=$SQL_PORT"
  echo "WEB_IMAGE=${WEB_IMAGE:-$IMAGE:web}"
  echo "NGINX_IMAGE=${NGINX_IMAGE:-$IMAGE:nginx}"
  echo "IMAGE=$IMAGE"
  echo "CI_REGISTRY=$CI_REGISTRY"
  echo "CI_REGISTRY_USER=$CI_REGISTRY_USER"
  echo "CI_JOB_TOKEN=$CI_JOB_TOKEN"
  if [ -n "${PGSSLMODE:-}" ]; then echo "PGSSLMODE=$PGSSLMODE"; fi
  if [ -n "${SLIPWAY_RELEASE:-}" ]; then echo "SLIPWAY_RELEASE=$SLIPWAY_RELEASE"; fi
} >"${ENV_FILE:-.env}"
