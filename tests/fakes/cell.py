"""A template whose cells do what the job says: answer, ask, crash, hang, talk on."""

import os
import socket
import sys
import time

from adyton.adapters.channel import Channel
from adyton.worker.channel import MAX_JOB_BYTES
from adyton.worker.template import run


def cell(end: socket.socket, threads: int) -> None:
    channel = Channel(end, limit_bytes=MAX_JOB_BYTES)
    channel.send({"ready": True})
    while (job := channel.receive()) is not None:
        match job["do"]:
            case "answer":
                channel.send({"done": job.get("text", ""), "pid": os.getpid(), "threads": threads})
            case "ask":
                channel.send({"question": 7})
                channel.send({"done": channel.receive()})
            case "turn":
                channel.send({"turn": True})
                channel.receive()
                time.sleep(job["seconds"])
                channel.send({"done": True})
            case "crash":
                os.abort()
            case "hang":
                time.sleep(60)
            case "nonsense":
                end.sendall(b"\xff" * 64)
        if job.get("last", True):
            return


if __name__ == "__main__":
    run(socket.socket(fileno=int(sys.argv[-1])), cell)
