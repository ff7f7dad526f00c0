"""A PostgreSQL server for the tests of what keeps its data in one, where it is installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgres(tmp_path_factory) -> Iterator[str]:
    """A PostgreSQL server of our own on a socket in a temporary folder; skipped where there is none."""
    pytest.importorskip("psycopg", reason="needs psycopg (pip install -e '.[postgres]')")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = shutil.which("initdb") or (str(found[-1]) if found else None)
    if initdb is None:
        pytest.skip("needs PostgreSQL's initdb (Debian: apt install postgresql)")
    folder = tmp_path_factory.mktemp("postgres")
    run = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []  # the server refuses to run as root
    if run:
        shutil.chown(folder, "nobody")
        for parent in [folder, *folder.parents][:4]:
            parent.chmod(parent.stat().st_mode | 0o011)
    binaries = Path(initdb).resolve().parent
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = folder / "data"
    try:
        subprocess.run(
            [*run, initdb, "-D", data, "-U", "sfumato", "-A", "trust", "-E", "UTF8"],
            check=True,
            capture_output=True,
            cwd="/",
        )
        options = f"-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories={folder} -c fsync=off"
        log = folder / "log"
        start = [*run, binaries / "pg_ctl", "-D", data, "-o", options, "-l", log, "-w", "start"]
        subprocess.run(start, check=True, capture_output=True, cwd="/")
    except (subprocess.CalledProcessError, OSError) as error:
        pytest.skip(f"PostgreSQL does not start here: {getattr(error, 'stderr', error)!r}")
    yield f"postgresql://sfumato@127.0.0.1:{port}/postgres"
    subprocess.run(
        [*run, binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop"], check=False, capture_output=True, cwd="/"
    )
