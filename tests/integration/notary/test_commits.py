"""A gateway and a notary as processes: commits over HTTP, as clients of provenclave send them."""

import base64
import hashlib
import json
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.notarized import NotarizedGateway

from adyton.codec.javascript import canonical, loads
from adyton.ledger.checkpoint import NoteKey, open_checkpoint
from adyton.ledger.log_proof import LogProof, check_included
from adyton.ledger.proof import MAX_PROOF_BYTES, Proof
from adyton.ledger.tree import Hash, verify_consistency

ROOT = Path(__file__).parents[3]
NPM = ROOT / "node_modules" / "provenclave" / "dist" / "index.js"


@pytest.fixture(scope="module")
def stack() -> Iterator[NotarizedGateway]:
    with NotarizedGateway() as stack:
        yield stack


@pytest.fixture
def client(stack: NotarizedGateway) -> Iterator[httpx.Client]:
    with stack.client() as client:
        yield client


def digest_of(data: bytes) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    return {"digestB64": digest, "hashAlg": "sha256"}


def commit(client: httpx.Client, *data: bytes, **more: Any) -> list[dict[str, Any]]:
    headers = more.pop("headers", {})
    body = {"digests": [digest_of(item) for item in data], **more}
    answer = client.post("/commit", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    proofs: list[dict[str, Any]] = answer.json()
    return proofs


def counters(proofs: list[dict[str, Any]]) -> list[int]:
    return [int(proof["commit"]["counter"]) for proof in proofs]


def hash_of(proof: dict[str, Any]) -> bytes:
    return hashlib.sha256(canonical(proof)).digest()


def npm_verify(proof: dict[str, Any], data: bytes) -> dict[str, Any]:
    script = (
        f"import {{verify}} from {json.dumps(str(NPM))};"
        "let text=''; for await (const chunk of process.stdin) text += chunk;"
        "const {proof, data} = JSON.parse(text);"
        "console.log(JSON.stringify(await verify({proof, bytes: Buffer.from(data, 'base64')})));"
    )
    given = json.dumps({"proof": proof, "data": base64.b64encode(data).decode()})
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script],
        input=given.encode(),
        capture_output=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.skipif(not NPM.exists(), reason="npm ci installs the package provenclave")
def test_npms_verify_accepts_our_proofs(client: httpx.Client) -> None:
    data = b"anything at all"
    for more in ({}, {"metadata": {"10": "\U0001f600", "9": [1.0, -0.0, 1e21], "a": None}}):
        (proof,) = commit(client, data, **more)
        assert npm_verify(proof, data) == {"valid": True}
        assert npm_verify(proof, b"something else")["valid"] is False
    (fresh,) = commit(client, data, attestation="fresh")
    assert npm_verify(fresh, data) == {"valid": True}


def test_each_proof_follows_the_one_before_by_number_and_hash(client: httpx.Client) -> None:
    proofs = commit(client, *(os.urandom(8) for _ in range(5))) + commit(client, b"x")
    first = counters(proofs)[0]
    assert counters(proofs) == list(range(first, first + 6))
    for before, after in pairwise(proofs):
        assert base64.b64decode(after["commit"]["prevB64"]) == hash_of(before)


def test_thousands_of_proofs_are_one_list(client: httpx.Client) -> None:
    data = [number.to_bytes(4, "big") for number in range(4096)]
    proofs = commit(client, *data)
    first = counters(proofs)[0]
    assert counters(proofs) == list(range(first, first + 4096))
    assert [proof["artifact"] for proof in proofs] == [digest_of(item) for item in data]


def test_what_is_sent_is_what_was_hashed(client: httpx.Client) -> None:
    body = {"digests": [digest_of(b"x")], "metadata": {"z": 1, "é": "\u2028"}}
    text = client.post("/commit", json=body).content
    proof = json.loads(text)[0]
    assert text == b"[" + canonical(loads(canonical(proof), limit_bytes=MAX_PROOF_BYTES)) + b"]"


def test_raw_bytes_are_hashed_and_committed(client: httpx.Client) -> None:
    data = os.urandom(100_000)
    headers = {"content-type": "application/octet-stream"}
    answer = client.post("/commit", content=data, headers=headers).json()
    assert base64.b64decode(answer["digestB64"]) == hashlib.sha256(data).digest()
    assert base64.b64decode(answer["proofHashB64"]) == hash_of(answer["proof"])


def test_a_range_is_its_proofs_a_line_each_up_to_the_logs_end(client: httpx.Client) -> None:
    proofs = commit(client, *(os.urandom(8) for _ in range(300)), metadata={"of": "a range"})
    fresh = commit(client, b"a", b"b", attestation="fresh")
    first, last = counters(proofs)[0], counters(fresh)[-1]
    answer = client.get("/v1/log/range", params={"first": first, "last": first + 4095})
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert list(map(json.loads, answer.content.splitlines())) == [*proofs, *fresh]
    part = client.get("/v1/log/range", params={"first": first + 5, "last": first + 6})
    assert part.content.splitlines() == [
        client.get(f"/v1/log/proofs/{number}").content for number in (first + 5, first + 6)
    ]
    for query, status in (
        ({"first": last + 1, "last": last + 9}, 404),
        ({"first": 2, "last": 1}, 400),
        ({"first": 1, "last": 4097}, 400),
        ({"first": 0, "last": 1}, 400),
        ({"first": 1}, 400),
    ):
        assert client.get("/v1/log/range", params=query).status_code == status


def test_the_files_of_a_form_are_hashed_and_committed(client: httpx.Client) -> None:
    data = [os.urandom(3_000_000), b"small"]
    (one,) = [client.post("/commit", files={"file": data[0]}).json()]
    files = [("file", ("name", each)) for each in data]
    answer = client.post("/commit", files=files, data={"metadata": '{"for":"a test"}'}).json()
    assert [each["digestB64"] for each in (one, *answer)] == [
        digest_of(each)["digestB64"] for each in (data[0], *data)
    ]
    assert base64.b64decode(one["proofHashB64"]) == hash_of(one["proof"])
    assert [each["proof"]["metadata"] for each in answer] == [{"for": "a test"}] * 2
    first, second = counters([each["proof"] for each in answer])
    assert second == first + 1


def test_a_form_of_which_a_part_is_refused_commits_nothing(client: httpx.Client) -> None:
    before = counters(commit(client, b"before"))[0]
    refused = client.post("/commit", files={"file": b"x"}, data={"save": "1"})
    assert (refused.status_code, refused.json()["code"]) == (400, "malformed")
    coded = client.post("/commit", files={"file": b"x"}, headers={"Content-Encoding": "gzip"})
    assert (coded.status_code, coded.json()["code"]) == (415, "media-type")
    large = client.post("/commit", files={"file": bytes(64 * 1024 * 1024)})
    assert (large.status_code, large.json()["code"]) == (413, "body-too-large")
    assert counters(commit(client, b"after")) == [before + 1]


def test_a_file_that_comes_in_is_written_nowhere(
    stack: NotarizedGateway, client: httpx.Client
) -> None:
    def written() -> int:
        status = Path(f"/proc/{stack.children['gateway'].pid}/io").read_text()
        return int(dict(line.split(": ") for line in status.splitlines())["wchar"])

    client.post("/commit", files={"file": b"once"}).raise_for_status()
    before = written()
    client.post("/commit", files={"file": os.urandom(32_000_000)}).raise_for_status()
    assert written() - before < 4_000_000


def test_a_repeated_idempotency_key_gives_the_same_proofs(client: httpx.Client) -> None:
    headers = {"Idempotency-Key": os.urandom(8).hex()}
    first = commit(client, b"a", b"b", headers=headers)
    commit(client, b"between")
    assert commit(client, b"a", b"b", headers=headers) == first
    body = {"digests": [digest_of(b"c")]}
    other = client.post("/commit", json=body, headers=headers)
    assert (other.status_code, other.json()["code"]) == (403, "idempotency-key-reused")


def test_callers_at_once_get_numbers_of_their_own(client: httpx.Client) -> None:
    with ThreadPoolExecutor(16) as threads:
        batches = list(threads.map(lambda n: commit(client, *[b"%d" % n] * 3), range(64)))
    for number, proofs in enumerate(batches):
        assert [p["artifact"]["digestB64"] for p in proofs] == [
            digest_of(b"%d" % number)["digestB64"]
        ] * 3
        first = counters(proofs)[0]
        assert counters(proofs) == [first, first + 1, first + 2]
    found = sorted(number for proofs in batches for number in counters(proofs))
    assert found == list(range(found[0], found[0] + 192))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"digests":[]}',
        b'{"digests":{}}',
        b'{"digests":["x"]}',
        b'{"digests":[{"digestB64":"AA==","hashAlg":"sha256"}]}',
        b'{"digests":[{"digestB64":"%s=","hashAlg":"sha512"}]}' % (b"A" * 43),
        b'{"digests":[{"digestB64":"%s","hashAlg":"sha256"}]}' % (b"A" * 44),
        b'{"digests":[{"digestB64":"%sB=","hashAlg":"sha256"}]}' % (b"A" * 42),
        b'{"digests":[{"digestB64":"%s-_=","hashAlg":"sha256"}]}' % (b"A" * 41),
        b'{"digests":[{"digestB64":1,"hashAlg":"sha256"}]}',
        b'{"digests":[{"digestB64":"%s=","hashAlg":"sha256","x":1}]}' % (b"A" * 43),
        b'{"digests":[{"digestB64":"%s=","hashAlg":"sha256"}],"metadata":[]}' % (b"A" * 43),
        b'{"digests":[{"digestB64":"%s=","hashAlg":"sha256"}],"metadata":%s}'
        % (b"A" * 43, b'{"a":' * 20 + b"1" + b"}" * 20),
        b'{"digests":[{"digestB64":"%s=","hashAlg":"sha256"}],"metadata":{"a":"%s"}}'
        % (b"A" * 43, b"x" * 5000),
        b'{"digests":[{"digestB64":"%s=","hashAlg":"sha256"}],"metadata":{"a":NaN}}' % (b"A" * 43),
        b'{"digests":[{"digestB64":"%s=","hashAlg":"sha256"}],"agency":{}}' % (b"A" * 43),
        b'{"digests":[{"digestB64":"%s=","hashAlg":"sha256"}],"attestation":"x"}' % (b"A" * 43),
        b"[" * 100_000,
        b'{"digests":[{"digestB64":"\\ud800","hashAlg":"sha256"}]}',
    ],
    ids=lambda _: "body",
)
def test_what_cannot_be_committed_is_refused_and_takes_no_number(
    body: bytes, client: httpx.Client
) -> None:
    (before,) = commit(client, b"before")
    answer = client.post("/commit", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert isinstance(answer.json()["error"], str)
    (after,) = commit(client, b"after")
    assert counters([after]) == [counters([before])[0] + 1]


def test_a_lone_surrogate_in_metadata_is_written_as_javascript_writes_it(
    client: httpx.Client,
) -> None:
    body = b'{"digests":[%s],"metadata":{"a":"\\ud800"}}' % json.dumps(digest_of(b"x")).encode()
    answer = client.post("/commit", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200
    assert b'"metadata":{"a":"\\ud800"}' in answer.content


def test_one_bad_digest_in_a_batch_commits_none(client: httpx.Client) -> None:
    (before,) = commit(client, b"before")
    bad = {"digestB64": "AA==", "hashAlg": "sha256"}
    body = {"digests": [digest_of(b"good"), bad, digest_of(b"good")]}
    assert client.post("/commit", json=body).status_code == 400
    (after,) = commit(client, b"after")
    assert counters([after]) == [counters([before])[0] + 1]


def test_who_has_no_key_may_read_and_not_commit(stack: NotarizedGateway) -> None:
    body = {"digests": [digest_of(b"x")]}
    for headers in ({}, {"Authorization": "Bearer adk_0000000000000000_" + "0" * 64}):
        answer = httpx.post(f"{stack.url}/commit", json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert answer.headers["access-control-allow-origin"] == "*"
    for path in ("/key", "/v1/log/checkpoint", "/v1/log/epochs"):
        assert httpx.get(stack.url + path).status_code == 200


def test_a_page_may_ask_from_anywhere(stack: NotarizedGateway) -> None:
    for path in ("/commit", "/key", "/verify", "/v1/log/checkpoint"):
        answer = httpx.options(stack.url + path, headers={"Origin": "https://example.com"})
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "Content-Type" in answer.headers["access-control-allow-headers"]
        assert "Authorization" in answer.headers["access-control-allow-headers"]


def test_a_proof_is_checked_for_who_asks(client: httpx.Client) -> None:
    (proof,) = commit(client, b"x")
    good = client.post("/verify", json={"proof": proof}).json()
    assert good["valid"] is True
    assert "signature: ok" in good["checks"]
    limits = {"requireEnforcement": "measured-tee"}
    assert client.post("/verify", json={"proof": proof, "policy": limits}).json()["valid"] is False
    proof["commit"]["counter"] = "999"
    bad = client.post("/verify", json={"proof": proof}).json()
    assert (bad["valid"], bad["reason"].partition(":")[0]) == (False, "signature")


def test_proofs_are_found_by_number_and_by_digest(client: httpx.Client) -> None:
    data = os.urandom(16)
    first, second = (commit(client, data)[0] for _ in range(2))
    digest = first["artifact"]["digestB64"]
    assert client.get("/v1/log/proofs", params={"digest": digest}).json() == [first, second]
    (number,) = counters([first])
    found = client.get(f"/v1/log/proofs/{number}")
    assert found.content == canonical(first)
    assert client.get("/v1/log/proofs/999999999").status_code == 404
    assert client.get("/v1/log/proofs/x").status_code == 400
    unknown = base64.b64encode(os.urandom(32)).decode()
    assert client.get("/v1/log/proofs", params={"digest": unknown}).json() == []


def test_a_proof_is_shown_to_be_in_the_log(client: httpx.Client) -> None:
    proofs = [commit(client, os.urandom(8))[0] for _ in range(5)]
    key = NoteKey(
        name="adyton.local/log",
        public_key=base64.b64decode(client.get("/key").json()["publicKeyB64"]),
    )
    for proof in proofs:
        (number,) = counters([proof])
        found = LogProof.from_bytes(client.get(f"/v1/log/inclusion/{number}").content)
        checkpoint = open_checkpoint(found.note, keys=[key])
        read = Proof.from_json(proof)
        check_included(read.hash(), index=found.index, path=found.path, checkpoint=checkpoint)


def test_a_later_log_is_shown_to_begin_with_an_earlier_one(client: httpx.Client) -> None:
    key = NoteKey(
        name="adyton.local/log",
        public_key=base64.b64decode(client.get("/key").json()["publicKeyB64"]),
    )

    def newest() -> Any:
        (proof,) = commit(client, os.urandom(8))
        (number,) = counters([proof])
        client.get(f"/v1/log/inclusion/{number}")
        return open_checkpoint(client.get("/v1/log/checkpoint").content, keys=[key])

    old, new = newest(), newest()
    query = {"old": old.size, "new": new.size}
    found = client.get("/v1/log/consistency", params=query).json()
    path = [Hash(base64.b64decode(item)) for item in found["path"]]
    verify_consistency(old=old.size, new=new.size, old_root=old.root, new_root=new.root, path=path)


def test_a_checkpoint_covers_a_proof_within_a_second(client: httpx.Client) -> None:
    (proof,) = commit(client, b"x")
    time.sleep(1)
    size = int(client.get("/v1/log/checkpoint").text.split("\n")[1])
    assert size >= counters([proof])[0]


def test_a_new_key_goes_on_and_says_which_proof_it_follows() -> None:
    with NotarizedGateway() as stack, stack.client() as client:
        headers = {"Idempotency-Key": "before"}
        (last,) = commit(client, b"last", headers=headers)
        stack.children["notary"].stop()
        stack.start("notary")
        stack.wait()
        first, second = commit(client, b"first", b"second")
        assert counters([last, first, second]) == [1, 2, 3]
        assert first["signer"] != last["signer"]
        assert "prevB64" not in first["commit"]
        link = first["commit"]["epochLink"]
        assert base64.b64decode(link["prevProofHashB64"]) == hash_of(last)
        assert (link["prevCounter"], link["prevEpochId"]) == ("1", last["commit"]["epochId"])
        assert base64.b64decode(second["commit"]["prevB64"]) == hash_of(first)
        assert commit(client, b"last", headers=headers) == [last]
        epochs = client.get("/v1/log/epochs").json()["epochs"]
        assert [epoch["first"] for epoch in epochs] == ["1", "2"]
        if NPM.exists():
            assert npm_verify(first, b"first") == {"valid": True}


def test_a_second_notary_on_one_ledger_is_refused(stack: NotarizedGateway) -> None:
    other = {"ADYTON_NOTARY_SOCKET": str(stack.state / "other.sock")}
    child = stack.children["notary"]
    try:
        second = stack.start("notary", environ=other)
        assert "another notary runs on the ledger" in second.wait().reason
    finally:
        stack.children["notary"] = child


def test_a_ledger_that_was_set_back_is_refused_and_says_why(tmp_path: Path) -> None:
    with NotarizedGateway() as stack, stack.client() as client:
        ledger, old = stack.state / "ledger", tmp_path / "old"
        commit(client, b"an hour ago")
        stack.children["notary"].stop()
        shutil.copytree(ledger, old)
        stack.start("notary")
        stack.wait()
        commit(client, b"now")
        stack.children["notary"].stop()
        whole = tmp_path / "whole"
        shutil.copytree(ledger, whole)
        for name, reason in {
            "anchor.db": "was restored from an old copy",
            "journal": "knows more of the journal than there is",
        }.items():
            shutil.rmtree(ledger)
            shutil.copytree(whole, ledger)
            shutil.copy(old / name, ledger / name)
            assert reason in stack.start("notary").wait().reason


def test_a_disk_that_is_full_ends_the_notary_and_is_told_to_who_waits() -> None:
    with NotarizedGateway() as stack, stack.client() as client:
        (before,) = commit(client, b"before")
        pid = stack.children["notary"].pid
        # From now on no file of this process may grow: what a full disk does to it.
        limit = (stack.state / "ledger" / "journal").stat().st_size + 10
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, limit))
        body = {"digests": [digest_of(b"x")]}
        answer = client.post("/commit", json=body)
        assert (answer.status_code, answer.json()["code"]) == (503, "ledger-ended")
        assert "only a part could be written" in answer.json()["error"]
        assert "the ledger has stopped" in stack.children["notary"].wait().reason
        stack.start("notary")
        stack.wait()
        (after,) = commit(client, b"after")
        assert counters([before, after]) == [1, 2]
