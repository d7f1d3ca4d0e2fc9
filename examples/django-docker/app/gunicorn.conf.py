"""Read by gunicorn from its working directory."""

import os

workers = int(os.environ.get("WEB_CONCURRENCY", 2))
# One connection to the database per thread: 2 x 4, twice during a release, fits the 22 of a small Postgres.
threads = int(os.environ.get("WEB_THREADS", 4))
graceful_timeout = 30
# The heartbeat file must not wait for a disk: https://docs.gunicorn.org/en/stable/faq.html#blocking-os-fchmod
worker_tmp_dir = "/dev/shm"  # noqa: S108
# Nobody talks to it in a container, and its socket would need a home directory to live in.
control_socket_disable = True
