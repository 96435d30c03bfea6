"""Commits against what they cannot do without: signatures, syncs of the disk, and HTTP itself.

All in one run and in turns: the signing ceiling of one core, ``fdatasync`` calls a second on the
disk that the ledger is on, and what the same gateway answers a second when there is nothing to do.
"""

import asyncio
import base64
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx

from adyton.adapters.ledger.nodes import NodeFiles
from adyton.cli.local import LocalStack
from adyton.crypto.ed25519 import Ed25519Key
from adyton.ledger.tree import Frontier, Hash, inclusion
from bench.figures import cpu_seconds, memory_mb, say

ROUNDS = 3
SECONDS = 2.0
CALLERS = 64
BATCH = 256
ENTRIES = 1_000_000
WANTED_SINGLE, WANTED_BATCH, WANTED_ALONE = 0.7, 0.5, 0.6

__all__ = ["measure_notarizing"]


@dataclass(frozen=True, slots=True)
class Load:
    """Requests that were answered: how many a second, how long each took, and what it cost.

    ``cpu`` is the time on a processor that each process spent on one.
    """

    rate: float
    seconds: list[float]
    cpu: Mapping[str, float] = field(default_factory=dict)

    def at(self, share: float) -> float:
        """Return what this share of the requests stayed below, in milliseconds."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def __str__(self) -> str:
        cpu = " + ".join(f"{1e6 * seconds:.0f}" for seconds in self.cpu.values())
        times = f"p50 {self.at(0.5):7.1f} ms   p99 {self.at(0.99):7.1f} ms"
        return f"{self.rate:8.0f}/s   {times}   cpu {cpu} us"


def measure_notarizing(postgresql: str = "") -> None:
    """Measure commits with each anchor that there is, and proofs about a long log."""
    anchors = ["sqlite", *([postgresql] if postgresql else [])]
    for anchor in anchors:
        say(f"\ncommits, anchored in {anchor.partition(':')[0]}")
        with LocalStack(notary=True, ADYTON_ANCHORS=anchor) as stack:
            wait_for_notary(stack.url)
            measure_commits(stack)
    measure_long_log()


@dataclass(frozen=True, slots=True)
class Round:
    """What was measured one after the other; what is compared is of one round."""

    ceiling: float
    sync: float
    empty: Load
    single: Load
    empty_alone: Load
    alone: Load
    batch: Load

    @property
    def floor(self) -> float:
        """Return the commits a second of one caller if they cost a request and a sync, no more."""
        return 1 / (1 / self.empty_alone.rate + 1 / self.sync)


def measure_commits(stack: LocalStack) -> None:
    """Measure one gateway and one notary."""
    port = int(stack.url.rpartition(":")[2])
    empty = request("OPTIONS", "/commit", b"", stack.api_key)
    one, many = (commit(count, stack.api_key) for count in (1, BATCH))
    rounds = [
        Round(
            ceiling=signatures(),
            sync=fdatasyncs(stack.state),
            empty=load(port, empty, CALLERS, stack.pids),
            single=load(port, one, CALLERS, stack.pids),
            empty_alone=load(port, empty, 1, stack.pids),
            alone=load(port, one, 1, stack.pids),
            batch=load(port, many, 8, stack.pids),
        )
        for _ in range(ROUNDS)
    ]

    def middle(value: Callable[[Round], float]) -> float:
        return median(map(value, rounds))

    last, single = rounds[-1], middle(lambda of: of.single.rate)
    say(f"  signatures, one core        {middle(lambda of: of.ceiling):8.0f}/s")
    say(f"  fdatasync                   {middle(lambda of: of.sync):8.0f}/s")
    say(f"  empty requests, {CALLERS} callers  {last.empty}")
    ratio = middle(lambda of: of.single.rate / of.empty.rate)
    say(f"  one digest, {CALLERS} callers      {last.single}")
    say(f"      {ratio:.2f} x the empty requests (wanted: {WANTED_SINGLE})")
    say(f"  empty requests, one caller  {last.empty_alone}")
    ratio, floor = (
        middle(lambda of: of.alone.rate / of.sync),
        middle(lambda of: of.floor / of.sync),
    )
    say(f"  one digest, one caller      {last.alone}")
    say(
        f"      {ratio:.2f} x the syncs (wanted: {WANTED_ALONE}; an empty request and a sync, one"
        f" after the other: {floor:.2f})"
    )
    digests = BATCH * middle(lambda of: of.batch.rate)
    ratio = BATCH * middle(lambda of: of.batch.rate / of.ceiling)
    say(f"  {BATCH} digests, 8 callers    {last.batch}")
    say(
        f"      {digests:.0f} digests/s, {ratio:.2f} x the signatures (wanted: {WANTED_BATCH}, and"
        " 10000/s)"
    )
    half = load(port, one, CALLERS, stack.pids, pause=2 * CALLERS / single)
    say(f"  one digest, at half load    {half}   (wanted: p99 below 25 ms)")
    resident, share = memory_mb(stack.pids["notary"])
    size = httpx.get(f"{stack.url}/v1/log/checkpoint").text.split("\n")[1]
    memory = f"{resident:.0f} MB resident, {share:.0f} MB its share"
    say(f"  memory of the notary        {memory}, after {size} proofs")


def measure_long_log() -> None:
    """Measure the path to the root of a million entries, from nodes on disk."""
    with tempfile.TemporaryDirectory() as folder:
        nodes, tree = NodeFiles(Path(folder)), Frontier()
        for start in range(0, ENTRIES, 4096):
            leaves = [Hash(os.urandom(32)) for _ in range(min(4096, ENTRIES - start))]
            nodes.write(node for leaf in leaves for node in tree.append(leaf))
        times = []
        for number in range(0, ENTRIES, ENTRIES // 200):
            begin = time.perf_counter()
            inclusion(number, ENTRIES, nodes.read)
            times.append(time.perf_counter() - begin)
        nodes.close()
    say(f"\ninclusion in {ENTRIES} entries: {Load(0, times).at(0.99):.2f} ms (wanted: below 5)")


def wait_for_notary(url: str) -> None:
    """Return when the notary answers through the gateway."""
    while True:
        if httpx.get(f"{url}/key").status_code == httpx.codes.OK:
            return
        time.sleep(0.05)


def signatures() -> float:
    """Return how often one core signs a body's length a second."""
    key, message = Ed25519Key(bytes(32)), bytes(700)
    return repeated(lambda: key.sign(message))


def fdatasyncs(folder: Path) -> float:
    """Return how often the disk under ``folder`` syncs an appended entry a second."""
    path = folder / "syncs"
    with path.open("wb", buffering=0) as file:

        def sync() -> None:
            file.write(bytes(300))
            os.fdatasync(file.fileno())

        rate = repeated(sync)
    path.unlink()
    return rate


def repeated(work: Callable[[], object], seconds: float = 0.5) -> float:
    """Return how often ``work`` is done a second."""
    count, begin = 0, time.perf_counter()
    while (passed := time.perf_counter() - begin) < seconds:
        work()
        count += 1
    return count / passed


def commit(count: int, api_key: str) -> bytes:
    """Return a request that commits ``count`` digests."""
    digests = [
        {"digestB64": base64.b64encode(os.urandom(32)).decode(), "hashAlg": "sha256"}
        for _ in range(count)
    ]
    return request("POST", "/commit", json.dumps({"digests": digests}).encode(), api_key)


def request(method: str, path: str, body: bytes, api_key: str) -> bytes:
    """Return a request as it is sent, so that its client costs as little as may be."""
    head = (
        f"{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {api_key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def load(
    port: int, data: bytes, callers: int, pids: Mapping[str, int], *, pause: float = 0.0
) -> Load:
    """Send ``data`` from ``callers`` connections for a while; each waits ``pause`` in all.

    Those who wait begin one after the other: all at once, they would stay together, and what they
    waited for would be each other.
    """
    times: list[float] = []

    async def run() -> float:
        begin = time.perf_counter()
        stop = begin + SECONDS
        starts = (begin + pause * number / callers for number in range(callers))
        await asyncio.gather(
            *(call(port, data, stop, times, start=start, pause=pause) for start in starts)
        )
        return time.perf_counter() - begin

    before = {name: cpu_seconds(pids[name]) for name in ("gateway", "notary")}
    passed = asyncio.run(run())
    cpu = {name: (cpu_seconds(pids[name]) - spent) / len(times) for name, spent in before.items()}
    return Load(len(times) / passed, times, cpu)


async def call(
    port: int, data: bytes, stop: float, times: list[float], *, start: float, pause: float
) -> None:
    """Send ``data`` from ``start`` to ``stop``, and note how long each answer took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**23)
    await asyncio.sleep(max(0.0, start - time.perf_counter()))
    while (begin := time.perf_counter()) < stop:
        writer.write(data)
        head = await reader.readuntil(b"\r\n\r\n")
        if b"content-length: " in head:
            await reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]))
        elif b"transfer-encoding: chunked" in head.lower():
            # JSON has no such line in it.
            await reader.readuntil(b"\r\n0\r\n\r\n")
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 204")):
            raise RuntimeError(head.decode())
        times.append(time.perf_counter() - begin)
        if pause:
            await asyncio.sleep(max(0.0, begin + pause - time.perf_counter()))
    writer.close()
