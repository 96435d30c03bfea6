"""Whether somebody listens: the file of a socket alone says nothing."""

import socket
from pathlib import Path

from adyton.cli.health import is_listening


def test_a_socket_that_a_dead_process_left_behind_is_not_listened_on(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    assert not is_listening(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        assert is_listening(path)
    assert path.exists()
    assert not is_listening(path)
