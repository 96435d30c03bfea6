"""A PostgreSQL server of one's own: Debian's binaries, a folder that goes away, a unix socket."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSIONS = Path("/usr/lib/postgresql")


def find_binaries() -> Path | None:
    """The folder with ``initdb`` and ``pg_ctl`` of the newest version there is."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = [path.parent for path in VERSIONS.glob("*/bin/initdb")]
    return max(folders, key=lambda folder: float(folder.parent.name), default=None)


@contextmanager
def postgresql(binaries: Path) -> Iterator[str]:
    """The URL of a fresh server, up to the name of its database."""
    # PostgreSQL refuses to run as root.
    user = _unprivileged() if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [binaries / program, *arguments],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            user=None if user is None else user.pw_uid,
            group=None if user is None else user.pw_gid,
            extra_groups=None if user is None else [],
        )

    data = folder / "data"
    options = f"-c listen_addresses='' -c fsync=off -k {folder}"
    try:
        run("initdb", "-D", str(data), "-A", "trust", "-U", "adyton", "-E", "UTF8", "--no-sync")
        run("pg_ctl", "-w", "-D", str(data), "-o", options, "-l", str(folder / "log"), "start")
        try:
            yield f"postgresql://adyton@/{{name}}?host={folder}"
        finally:
            run("pg_ctl", "-w", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Database:
    """A PostgreSQL that can be killed, and started again on what it left."""

    def __init__(self, binaries: Path, url: str) -> None:
        self.binaries = binaries
        self.folder = Path(url.partition("?host=")[2])
        self.url = url.format(name="postgres")

    def kill(self) -> None:
        pid = int((self.folder / "data" / "postmaster.pid").read_text().split("\n")[0])
        os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """End it with everybody's connections; return when it has ended."""
        if not self._control("-m", "immediate", "stop"):
            raise RuntimeError((self.folder / "log").read_text()[-2000:])

    def start(self) -> None:
        options = f"-c listen_addresses='' -c fsync=off -k {self.folder}"
        for _ in range(20):
            # The processes of the one that was killed take a moment to notice, and hold its memory.
            if self._control("-o", options, "-l", str(self.folder / "log"), "start"):
                return
            time.sleep(0.2)
        raise RuntimeError((self.folder / "log").read_text()[-2000:])

    def _control(self, *arguments: str) -> bool:
        owner = self.folder.stat()
        done = subprocess.run(
            [str(self.binaries / "pg_ctl"), "-w", "-D", str(self.folder / "data"), *arguments],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=owner.st_uid,
            group=owner.st_gid,
            extra_groups=[],
            check=False,
        )
        return done.returncode == 0


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LookupError("there is no unprivileged user")
