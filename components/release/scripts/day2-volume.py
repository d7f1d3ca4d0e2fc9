"""Writes a directory as a tar to stdout, while its owner goes on using it.

Databases of SQLite are copied by SQLite's own means, so that the tar holds each as it was between two transactions, and
without the files in which it keeps what is under way.
"""

import os
import sqlite3
import sys
import tarfile
import tempfile
import time

MAGIC = b"SQLite format 3\0"
BESIDE = ("-wal", "-shm", "-journal")
LONGEST_WAIT_SECONDS = 60


def is_database(path):
    try:
        if os.path.islink(path) or not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except FileNotFoundError:
        return False


def copy_of(database):
    """A consistent copy, as an open file that is gone when it is closed."""
    copy = tempfile.NamedTemporaryFile(prefix="slipway-")
    until = time.monotonic() + LONGEST_WAIT_SECONDS

    def patience(*_):
        if time.monotonic() > until:
            raise SystemExit(f"slipway: {database} stays locked by the app\n  cure: back it up when the app lets go of it")

    # Not read-only: then SQLite could not read what stands in the log beside it. As root it gives new files the owner
    # of the database.
    source = sqlite3.connect(database, timeout=5)
    target = sqlite3.connect(copy.name)
    try:
        source.backup(target, progress=patience)
    finally:
        target.close()
        source.close()
    return open(copy.name, "rb"), copy


def add(tar, path, name):
    try:
        info = tar.gettarinfo(path, name)
        # A socket is nothing without who listens on it.
        if info is None:
            return
        if not info.isreg():
            tar.addfile(info)
        elif is_database(path):
            content, temporary = copy_of(path)
            with temporary, content:
                info.size = os.fstat(content.fileno()).st_size
                tar.addfile(info, content)
        else:
            with open(path, "rb") as content:
                info.size = os.fstat(content.fileno()).st_size
                tar.addfile(info, content)
    except FileNotFoundError:
        # Somebody removed it since the directory was listed.
        pass


def main(directory):
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for parent, directories, files in os.walk(directory):
            directories.sort()
            hidden = [name for name in directories if parent == directory and name.startswith(".slipway-")]
            for name in hidden:
                directories.remove(name)
            databases = {name for name in files if is_database(os.path.join(parent, name))}
            beside = {name + end for name in databases for end in BESIDE}
            for name in sorted([*directories, *(name for name in files if name not in beside)]):
                path = os.path.join(parent, name)
                add(tar, path, os.path.relpath(path, directory))


main(sys.argv[1])
