"""``adyton providers`` and ``adyton circuits``: what this installation can ask and prove."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from rich.text import Text

from adyton.adapters.barretenberg.key import VerificationKey
from adyton.adapters.installation import find_installation
from adyton.adapters.library import load_circuits, load_providers
from adyton.cli.exits import USAGE, YES, report
from adyton.cli.predicates import OptionMalformedError
from adyton.cli.terminal import console, plain, print_json, print_whole, table
from adyton.codec.json import JsonObject
from adyton.errors import MalformedError
from adyton.model.question import Endpoint
from adyton.proofs.circuit import Circuit
from adyton.sdk.files import FileUnreadableError
from adyton.sources import ProviderDefinition, load

__all__ = ["run_check", "run_circuits", "run_providers", "run_show"]


# One that each question takes; those that are asked for by nothing have one of their own.
_PREDICATES: Final[Mapping[Endpoint, str]] = {
    Endpoint.BALANCE: "--gte 10000",
    Endpoint.INCOME: "--gte 50000",
    Endpoint.CREDIT: "--gte 700",
    Endpoint.TRANSACTIONS: """--predicate '{"type": "no_gambling"}'""",
    Endpoint.EMPLOYMENT: "",
    Endpoint.EDUCATION: "",
}


def run_providers(*, as_json: bool) -> int:
    """Print every provider."""
    providers = _providers()
    if as_json:
        print_json({"providers": [_provider_json(item) for item in providers.values()]})
        return YES
    made = table("provider", "question", "circuit", "name")
    for item in providers.values():
        made.add_row(
            Text(item.id, style="bold"),
            Text(item.endpoint.value),
            Text(item.noir_circuit),
            plain(item.name),
        )
    console().print(made)
    return YES


def run_show(identifier: str, *, as_json: bool) -> int:
    """Print one provider: what it takes and which questions it answers."""
    providers = _providers()
    if identifier not in providers:
        raise OptionMalformedError(
            f"there is no provider {identifier!r}: see adyton providers list"
        )
    item = providers[identifier]
    if as_json:
        print_json(_provider_json(item))
        return YES
    out = console()
    out.print(Text(item.id, style="bold"), plain(item.name))
    out.print(plain(f"circuit {item.noir_circuit}, digest {item.digest().hex()}", "dim"))
    credentials = table("credential", "", "")
    for credential in item.request.credentials:
        how = "sealed" if credential.encrypted else "may be seen"
        how += ", optional" if credential.optional else ""
        credentials.add_row(Text(credential.name), Text(how), plain(credential.description))
    predicates = table("predicate", "type", "over")
    for predicate in item.predicates:
        type_ = predicate.predicate_type
        kind = "any" if isinstance(type_, str) else type_.kind.value
        predicates.add_row(plain(predicate.name), plain(kind), plain(", ".join(predicate.fields)))
    for block in (credentials, predicates):
        out.print()
        out.print(block)
    out.print(plain(f"\n{_example(item)}", "dim"), soft_wrap=True)
    return YES


def _example(item: ProviderDefinition) -> str:
    options = [_PREDICATES.get(item.endpoint, "--predicate PREDICATE")]
    options += ["--extraction @FILE"] if item.is_open else []
    options += [
        f"--credential {credential.name}={'@FILE' if credential.encrypted else 'VALUE'}"
        for credential in item.request.credentials
        if not credential.optional
    ]
    command = f"adyton ask {item.endpoint.value} --provider {item.id}"
    return " ".join([command, *filter(None, options)])


def run_check(files: Iterable[Path]) -> int:
    """Check provider files strictly; what is wrong is named with its file and line."""
    code = YES
    for file in files:
        try:
            item = _load(file)
        except MalformedError as error:
            code = max(code, report(error), USAGE)
            continue
        line = Text.assemble(("ok ", "green"), plain(f"{file}: {item.id}, digest "))
        console().print(line.append(item.digest().hex()), soft_wrap=True)
    return code


def run_circuits(*, as_json: bool) -> int:
    """Print every circuit with the digest by which policies name it."""
    circuits = load_circuits(find_installation(os.environ, home=Path.home()).circuits)
    if as_json:
        print_json({"circuits": [_circuit_json(item) for item in circuits.values()]})
        return YES
    made = table("circuit", "gates", "inputs", "verification key (SHA-256)")
    for item in circuits.values():
        key = VerificationKey.from_bytes(item.verification_key)
        made.add_row(
            Text(item.name, style="bold"),
            Text(f"2^{key.log_size}"),
            Text(str(item.public_input_count)),
            Text(item.key_digest.hex()),
        )
    print_whole(made)
    return YES


def _providers() -> Mapping[str, ProviderDefinition]:
    folders = [find_installation(os.environ, home=Path.home()).providers]
    if own := os.environ.get("ADYTON_PROVIDERS"):
        folders.append(Path(own))
    return load_providers(folders)


def _load(file: Path) -> ProviderDefinition:
    try:
        return load(file.read_bytes(), file=file.name)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FileUnreadableError(path=file, reason=reason) from error


def _provider_json(item: ProviderDefinition) -> JsonObject:
    return {"digest": item.digest().hex(), **item.to_json()}


def _circuit_json(circuit: Circuit) -> JsonObject:
    return {
        "name": circuit.name,
        "digest": circuit.key_digest.hex(),
        "log_size": VerificationKey.from_bytes(circuit.verification_key).log_size,
        "public_inputs": [*circuit.abi.public_labels(), "commitment", "result"],
    }
