"""``make bench``: the whole path against the bare prover, as ratios within one run.

What is compared is measured in turns, a few of one and a few of the other, so that a machine whose
speed drifts slows both alike. Nothing here fails: it prints what it found beside what is wanted.
"""

import base64
import json
import os
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adyton.adapters.installation import find_installation
from adyton.adapters.reference_string import ReferenceString, find_reference_string
from adyton.adapters.verifier import OfflineVerifier
from adyton.cli.local import LocalStack
from adyton.model.isolation import Isolation
from adyton.model.receipt import Receipt
from adyton.sdk.client import Client
from adyton.verification.bind import Expectation
from bench.asking import Questions, one_caller, several_callers
from bench.bare import Bare
from bench.evidence import measure_evidence
from bench.figures import Latency, memory_mb, say
from bench.notarizing import measure_notarizing
from bench.proofs import measure_proofs
from bench.proving import measure_proving

ROUNDS = 8
SINGLE = 10
TOGETHER = 40
CALLERS = 8
RATE_SECONDS = 3.0
WANTED = {Isolation.REQUEST: (1.5, 0.65), Isolation.POOLED: (1.35, 0.85)}
UNLIMITED: dict[str, Any] = {"ADYTON_BUDGET": "1000000"}


def main() -> None:
    """Measure, and print as it goes."""
    installation = find_installation(os.environ, home=Path.home())
    reference = find_reference_string(os.environ, home=Path.home())
    bare = Bare(installation, reference)
    cores = os.cpu_count() or 1
    say(f"{cores} cores; balance_threshold; native bb {installation.require_bb()}")
    for isolation in Isolation:
        measure_asking(bare, isolation, cores)
    measure_verification()
    measure_evidence()
    measure_proofs()
    # A durable one of your own, for the second anchor: postgresql://…
    measure_notarizing(os.environ.get("BENCH_POSTGRESQL", ""))
    measure_wasm(bare, reference, cores)
    measure_proving(installation, reference)


def measure_asking(bare: Bare, isolation: Isolation, cores: int) -> None:
    """Measure questions through the whole path under one isolation."""
    start = time.perf_counter()
    with LocalStack(isolation=isolation, **UNLIMITED) as stack:
        with Client(stack.url, api_key=stack.api_key, policy=stack.policy) as client:
            client.ask("balance", {"type": "gte", "threshold": 1}, credentials=CREDENTIALS)
        first = time.perf_counter() - start
        questions = Questions(stack)
        one_caller(stack, questions.sealed(SINGLE))
        wide = bare.server(cores)
        alone, single = [], []
        for _ in range(ROUNDS):
            alone += [bare.prove(wide) for _ in range(SINGLE)]
            single += one_caller(stack, questions.sealed(SINGLE))
        wide.close()
        narrow = [bare.server(1) for _ in range(cores)]
        rates, together, times = [], [], []
        for _ in range(ROUNDS // 2):
            rates.append(bare.rate(narrow, RATE_SECONDS))
            rate, seconds = several_callers(stack, questions.sealed(TOGETHER), CALLERS)
            together.append(rate)
            times += seconds
        for server in narrow:
            server.close()
        report_asking(
            isolation,
            alone=Latency(alone),
            single=Latency(single),
            rates=rates,
            together=together,
            times=Latency(times),
        )
        say(f"  start to first answer   {first:7.2f} s    (wanted: below 5)")
        for name, pid in stack.pids.items():
            resident, share = memory_mb(pid)
            say(f"  memory of {name:<13} {resident:7.0f} MB resident, {share:.0f} MB its share")


CREDENTIALS = {"access_token": "sandbox-good", "client_id": "bench", "secret": "bench"}


def report_asking(
    isolation: Isolation,
    *,
    alone: Latency,
    single: Latency,
    rates: list[float],
    together: list[float],
    times: Latency,
) -> None:
    """Print one isolation's figures."""
    latency, throughput = WANTED[isolation]
    ratio = single.p50 / alone.p50
    share = sum(together) / sum(rates)
    say(f"\nisolation {isolation}")
    say(f"  bare proof, {os.cpu_count()} threads   {alone}")
    say(f"  one caller              {single}   {ratio:.2f} x the bare (wanted: {latency})")
    say(f"  eight callers           {times}")
    say(
        f"  eight callers           {sum(together) / len(together):.2f} answers/s, bare servers "
        f"{sum(rates) / len(rates):.2f} proofs/s: {share:.2f} x (wanted: {throughput})"
    )


def measure_verification() -> None:
    """Measure the offline verification of one receipt."""
    with LocalStack(**UNLIMITED) as stack:
        with Client(stack.url, api_key=stack.api_key, policy=stack.policy) as client:
            answer = client.ask("balance", {"type": "gte", "threshold": 1}, credentials=CREDENTIALS)
        data = json.dumps(answer.receipt.to_json()).encode()
        policy = stack.policy
    with OfflineVerifier() as verifier:

        def verify() -> float:
            start = time.perf_counter()
            receipt = Receipt.from_bytes(data)
            verdict = verifier.verify(
                receipt,
                policy=policy,
                expectation=Expectation(nonce=receipt.statement.question.nonce),
                at=datetime.now(UTC),
            )
            if verdict.answer is None:
                raise RuntimeError("the receipt does not hold")
            return time.perf_counter() - start

        cold = verify()
        warm = Latency([verify() for _ in range(50)])
    say("\noffline verification of a receipt")
    say(f"  cold                    {cold * 1000:7.1f} ms")
    say(f"  warm                    {warm}   (wanted: p50 at most 10 ms)")


def measure_wasm(bare: Bare, reference: ReferenceString, cores: int) -> None:
    """Measure the same proof by bb.js and its WebAssembly, if points and Node are here."""
    points, g2 = reference.folder / "bn254_g1.dat", reference.folder / "bn254_g2.dat"
    if not (points.is_file() and g2.is_file()):
        say("\nbb.js with WebAssembly: left out, it needs bn254_g1.dat and bn254_g2.dat")
        return
    with points.open("rb") as file:
        head = file.read(64 * (2**14 + 1))
    request = {
        "acir": encoded(bare.acir),
        "witness": encoded(bare.witness),
        "points": encoded(head),
        "g2": encoded(g2.read_bytes()),
        "rounds": 5,
        "threads": cores,
    }
    done = subprocess.run(
        ["node", str(Path(__file__).with_name("wasm.mjs"))],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=True,
    )
    wasm = Latency([item / 1000 for item in json.loads(done.stdout.splitlines()[-1])[1:]])
    server = bare.server(cores)
    native = Latency([bare.prove(server) for _ in range(10)])
    server.close()
    say("\nthe same proof by @aztec/bb.js with its WebAssembly backend")
    say(f"  native                  {native}")
    say(f"  WebAssembly             {wasm}   {wasm.p50 / native.p50:.1f} x the native")


def encoded(data: bytes) -> str:
    """Return base64."""
    return base64.b64encode(data).decode()


if __name__ == "__main__":
    main()
