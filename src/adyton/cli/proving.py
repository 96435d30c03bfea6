"""``adyton prove``: judge the worker, seal, have it proven, verify, print.

``adyton register-circuit`` leaves a program with the worker first, for many proofs of it.
"""

import shlex
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.text import Text

from adyton.cli.contact import check_url, policy_path, talk, warn
from adyton.cli.credentials import read_api_key
from adyton.cli.development import check_writable, write_whole
from adyton.cli.exits import YES
from adyton.cli.predicates import OptionMalformedError
from adyton.cli.terminal import console, notes, plain, print_json, progress, table
from adyton.cli.verdicts import short_layers, times
from adyton.codec.text import from_hex, to_base64
from adyton.crypto.hashing import field_text
from adyton.crypto.hpke import SealSuite
from adyton.model.proving import Target
from adyton.model.proving_job import ProvingJob, RegisteredCircuit
from adyton.sdk.circuits import register_circuit
from adyton.sdk.client import Client
from adyton.sdk.local import prove_locally
from adyton.sdk.programs import chonk_job, noir_job, read_bytes
from adyton.sdk.proving import Mode, Progress, Proof, Request, UnattestedWarning
from adyton.sdk.verifying import read_policy

__all__ = ["Proving", "run_prove", "run_register"]

_SHOWN_INPUTS: Final = 8
_DIGEST: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Proving:
    """Everything that the command line says about a proof; paths are not read yet."""

    artifact: Path | None
    circuit: str | None
    inputs: Path | None
    witness: Path | None
    key: Path | None
    steps: Path | None
    target: str | None
    mode: str
    nonce: str | None
    audience: str
    url: str
    ca_file: Path | None
    api_key_file: Path | None
    policy: Path | None
    post_quantum: bool
    out: Path | None
    proof_out: Path | None
    key_out: Path | None
    as_json: bool


def run_prove(asked: Proving) -> int:
    """Have it proven, print what came of it, and return the exit code."""
    _check_choices(asked)
    check_writable(asked.out, asked.proof_out, asked.key_out)
    job = _job(asked)
    start = time.perf_counter()
    with progress("proving here" if asked.mode == Mode.LOCAL else f"asking {asked.url}") as change:
        proof = _prove(asked, job, change)
    total = (time.perf_counter() - start) * 1000
    if asked.out is not None:
        _keep(asked.out, proof)
    if asked.proof_out is not None:
        asked.proof_out.write_bytes(proof.proof)
    if asked.key_out is not None:
        asked.key_out.write_bytes(proof.verification_key)
    if asked.as_json:
        print_json(_as_json(proof, total))
    else:
        _show(asked, proof, total)
    return YES


def run_register(
    artifact: Path,
    *,
    target: str,
    url: str,
    ca_file: Path | None,
    api_key_file: Path | None,
    as_json: bool,
) -> int:
    """Leave a program with the worker, print its digest, and return the exit code."""
    _check_target(target)
    conversation = register_circuit(artifact, target=Target(target))
    key = read_api_key(api_key_file)
    with progress(f"asking {url}"):
        kept = talk(url, ca_file, lambda gateway: gateway.run(conversation), api_key=key)
    digest = kept.digest.hex()
    if as_json:
        print_json({"circuit": digest, "target": target})
        return YES
    console().print(plain(digest))
    notes().print(plain(f"the worker keeps it for {target}; prove with it:", "dim"))
    command = ["adyton", "prove", str(artifact), f"--circuit={digest}", "--inputs=inputs.json"]
    command += [] if target == Target.EVM else [f"--target={target}"]
    notes().print(plain(f"  {shlex.join(command)}", "dim"), soft_wrap=True)
    return YES


def _check_target(target: str) -> None:
    if target not in set(Target):
        raise OptionMalformedError(f"--target is one of {', '.join(Target)}")


def _check_choices(asked: Proving) -> None:
    if asked.mode not in set(Mode):
        raise OptionMalformedError(f"--mode is one of {', '.join(Mode)}")
    if asked.target is not None:
        _check_target(asked.target)
    program = asked.artifact or asked.circuit
    if (program is None) == (asked.steps is None):
        raise OptionMalformedError("what is to be proven? give an ARTIFACT, --circuit or --steps")
    if program is not None and (asked.inputs is None) == (asked.witness is None):
        raise OptionMalformedError("give one of --inputs and --witness")
    if asked.steps is not None and (asked.inputs or asked.witness or asked.key):
        raise OptionMalformedError("--inputs, --witness and --key are for an ARTIFACT")
    if asked.artifact is None and asked.inputs is not None:
        raise OptionMalformedError("--inputs are read by the ARTIFACT: give it beside --circuit")
    if asked.circuit is not None and (asked.key or asked.mode == Mode.LOCAL):
        raise OptionMalformedError("--circuit is a worker's: leave out --key and --mode local")
    if asked.out is not None and asked.mode == Mode.LOCAL:
        raise OptionMalformedError("a proof made here has no receipt: use --proof-out")


def _job(asked: Proving) -> ProvingJob:
    if asked.steps is not None:
        return chonk_job(asked.steps)
    return noir_job(
        asked.artifact,
        inputs=asked.inputs,
        witness=asked.witness,
        key=None if asked.key is None else read_bytes(asked.key),
        circuit=None if asked.circuit is None else _registered(asked.circuit),
    )


def _registered(text: str) -> RegisteredCircuit:
    return RegisteredCircuit(digest=from_hex(text.lower(), "--circuit", size=_DIGEST))


def _prove(asked: Proving, job: ProvingJob, change: Callable[[str], None]) -> Proof:
    if asked.mode == Mode.LOCAL:
        request = Request.of(
            job, target=asked.target, mode=asked.mode, nonce=asked.nonce, audience=asked.audience
        )
        return prove_locally(request)
    check_url(asked.url)
    if asked.mode == Mode.REMOTE:
        warn(
            "no evidence is checked before the witness is sealed:"
            " whoever runs the gateway may read it"
        )

    def watch(found: Progress) -> None:
        place = "" if found.place is None else f", place {found.place}"
        change(f"{asked.url}: {found.phase or found.state}{place}")

    with (
        warnings.catch_warnings(),
        Client(
            asked.url,
            api_key=read_api_key(asked.api_key_file),
            policy=read_policy(asked.policy or policy_path()),
            ca_file=asked.ca_file,
            suite=SealSuite.MLKEM768_X25519 if asked.post_quantum else SealSuite.X25519,
        ) as client,
    ):
        # Said above, as a line for people.
        warnings.simplefilter("ignore", UnattestedWarning)
        return client.prove(
            job,
            target=asked.target,
            mode=asked.mode,
            nonce=asked.nonce,
            audience=asked.audience,
            watch=watch,
        )


def _keep(path: Path, proof: Proof) -> None:
    if proof.receipt is None:
        raise TypeError("unreachable: only a proof made here has no receipt")
    write_whole(path, proof.receipt.to_bytes())


def _as_json(proof: Proof, total: float) -> Mapping[str, object]:
    timings = {**proof.timings, "total": total}
    return {
        "mode": proof.mode.value,
        "attested": proof.is_attested,
        "target": proof.target.value,
        "circuit": proof.circuit.hex(),
        "proof": to_base64(proof.proof),
        "public_inputs": [field_text(element) for element in proof.public_inputs],
        "verification_key": to_base64(proof.verification_key),
        "timings_ms": {name: round(ms, 3) for name, ms in timings.items()},
        "verdict": None if proof.verdict is None else proof.verdict.to_json(),
        "receipt": None if proof.receipt is None else proof.receipt.to_json(),
    }


def _show(asked: Proving, proof: Proof, total: float) -> None:
    shown = console()
    facts = table("", "")
    facts.show_header = False
    facts.add_row("proof", f"{len(proof.proof)} bytes for {proof.target}")
    facts.add_row("circuit", proof.circuit.hex())
    for number, element in enumerate(proof.public_inputs[:_SHOWN_INPUTS]):
        facts.add_row(f"public input {number}", field_text(element))
    if len(proof.public_inputs) > _SHOWN_INPUTS:
        facts.add_row("", f"and {len(proof.public_inputs) - _SHOWN_INPUTS} more; see --json")
    facts.add_row("made by", _MADE_BY[proof.mode])
    shown.print(facts)
    if proof.verdict is not None:
        shown.print()
        shown.print(short_layers(proof.verdict))
    shown.print()
    shown.print(plain(f"{times(proof.timings)}   total {total:.0f} ms", "dim"))
    if asked.out is None and asked.proof_out is None:
        shown.print(plain("nothing was kept; --proof-out FILE keeps the proof", "dim"))
    if asked.proof_out is not None:
        shown.print(plain(f"the proof is in {asked.proof_out}"))
    if asked.key_out is not None:
        shown.print(plain(f"its verification key is in {asked.key_out}"))
    if asked.out is not None and proof.receipt is not None:
        shown.print(plain(f"the receipt is in {asked.out}; verify it again, offline, with"))
        nonce = proof.receipt.statement.header.nonce
        policy = asked.policy or policy_path()
        # With "=": a random nonce may begin with a dash.
        command = ["adyton", "verify", str(asked.out), f"--policy={policy}", f"--nonce={nonce}"]
        shown.print(plain(f"  {shlex.join(command)}"), soft_wrap=True)


_MADE_BY: Final[Mapping[Mode, Text]] = {
    Mode.LOCAL: Text("this machine"),
    Mode.REMOTE: Text("whoever saw the witness; evidence came afterwards", style="bold yellow"),
    Mode.ATTESTED: Text("a worker that the policy accepts", style="green"),
}
