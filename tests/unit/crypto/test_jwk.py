import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from adyton.crypto.jwk import Algorithm, Jwk, JwkSet
from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import MalformedError

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
P256 = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())
ED25519 = ed25519.Ed25519PrivateKey.generate()


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def rsa_jwk(key: rsa.RSAPrivateKey = RSA, **changes: Any) -> dict[str, Any]:
    numbers = key.public_key().public_numbers()
    n, e = (
        value.to_bytes((value.bit_length() + 7) // 8, "big") for value in (numbers.n, numbers.e)
    )
    return {"kty": "RSA", "kid": "a", "n": text(n), "e": text(e), **changes}


def ec_jwk(key: ec.EllipticCurvePrivateKey, **changes: Any) -> dict[str, Any]:
    point, size = key.public_key().public_numbers(), key.curve.key_size // 8
    x, y = (text(value.to_bytes(size)) for value in (point.x, point.y))
    return {"kty": "EC", "crv": f"P-{key.curve.key_size}", "kid": "a", "x": x, "y": y, **changes}


def certificate(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "own")])
    now = datetime(2026, 11, 20, tzinfo=UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .sign(P256, SHA256())
        .public_bytes(Encoding.DER)
    )
    return base64.b64encode(made).decode()


# The point of its key is none of the curve's.
BROKEN = base64.b64encode(
    base64.b64decode(certificate(P256)).replace(
        P256.public_key().public_numbers().x.to_bytes(32, "big"), bytes(32), 1
    )
).decode()


def raw(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    size = key.curve.key_size // 8
    algorithm = SHA256() if size == 32 else SHA384()
    numbers = utils.decode_dss_signature(key.sign(message, ec.ECDSA(algorithm)))
    return b"".join(number.to_bytes(size) for number in numbers)


SIGNED: dict[Algorithm, tuple[dict[str, Any], bytes]] = {
    Algorithm.RS256: (rsa_jwk(), RSA.sign(b"message", padding.PKCS1v15(), SHA256())),
    Algorithm.PS384: (
        rsa_jwk(),
        RSA.sign(b"message", padding.PSS(padding.MGF1(SHA384()), 48), SHA384()),
    ),
    Algorithm.ES256: (ec_jwk(P256), raw(P256, b"message")),
    Algorithm.ES384: (ec_jwk(P384), raw(P384, b"message")),
    Algorithm.EDDSA: (
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "kid": "a",
            "x": text(ED25519.public_key().public_bytes_raw()),
        },
        ED25519.sign(b"message"),
    ),
}


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_key_checks_signatures_of_its_algorithm(algorithm: Algorithm) -> None:
    record, signature = SIGNED[algorithm]
    key = Jwk.from_json(record).public_key(algorithm)
    key.check(b"message", signature, domain="a test")
    with pytest.raises(SignatureRejectedError, match="a test"):
        key.check(b"another", signature, domain="a test")


@pytest.mark.parametrize("algorithm", Algorithm)
@pytest.mark.parametrize("other", Algorithm)
def test_a_signature_of_another_algorithm_is_refused(
    algorithm: Algorithm, other: Algorithm
) -> None:
    if algorithm is other:
        return
    record, signature = SIGNED[algorithm]
    with pytest.raises((MalformedError, SignatureRejectedError)):
        Jwk.from_json(record).public_key(other).check(b"message", signature, domain="a test")


@pytest.mark.parametrize("key", [RSA, P384], ids=["rsa", "p384"])
def test_a_key_may_be_given_by_its_certificate_alone(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
) -> None:
    algorithm = Algorithm.RS256 if isinstance(key, rsa.RSAPrivateKey) else Algorithm.ES384
    full, signature = SIGNED[algorithm]
    record = {"kty": full["kty"], "kid": "a", "x5c": [certificate(key)]}
    found = Jwk.from_json(record).public_key(algorithm)
    found.check(b"message", signature, domain="a test")


@pytest.mark.parametrize(
    "record",
    [
        rsa_jwk(kid=None),
        rsa_jwk(d="AQ"),
        rsa_jwk(use="enc"),
        rsa_jwk(key_ops=["sign"]),
        rsa_jwk(x5c=[]),
        rsa_jwk(x5c=["AA-_"]),
        rsa_jwk(x5c=["AA=="] * 9),
        {"kid": "a", "kty": "oct", "k": "AQ"},
        [],
    ],
    ids=["name", "private", "use", "operations", "empty", "url", "long", "symmetric", "list"],
)
def test_what_is_no_public_key_for_signatures_is_malformed(record: Any) -> None:
    with pytest.raises(MalformedError):
        Jwk.from_json(record)


@pytest.mark.parametrize(
    ("record", "algorithm"),
    [
        (rsa_jwk(alg="PS384"), Algorithm.RS256),
        (rsa_jwk(kty="EC"), Algorithm.RS256),
        (rsa_jwk(n=text(b"\0" + bytes(256))), Algorithm.RS256),
        (rsa_jwk(e=text(b"\3")), Algorithm.RS256),
        (rsa_jwk(n="+/"), Algorithm.RS256),
        ({"kty": "RSA", "kid": "a", "e": "AQAB"}, Algorithm.RS256),
        ({"kty": "RSA", "kid": "a"}, Algorithm.PS384),
        (rsa_jwk(x5c=[certificate(P256)]), Algorithm.RS256),
        (ec_jwk(P384, x5c=[certificate(P256)]), Algorithm.ES384),
        (rsa_jwk(x5c=["MAA="]), Algorithm.RS256),
        (rsa_jwk(x5c=[certificate(ED25519)]), Algorithm.RS256),
        (ec_jwk(P256, x5c=[BROKEN]), Algorithm.ES256),
        (ec_jwk(P256), Algorithm.ES384),
        (ec_jwk(P256, crv="P-384"), Algorithm.ES384),
        (ec_jwk(P256, x=text(bytes(32))), Algorithm.ES256),
    ],
    ids=[
        "algorithm",
        "type",
        "zeros",
        "exponent",
        "alphabet",
        "no modulus",
        "no numbers",
        "certificate of another type",
        "certificate of another curve",
        "no certificate",
        "certificate of a type that has none",
        "certificate with no key",
        "curve",
        "coordinates",
        "point",
    ],
)
def test_a_key_that_its_algorithm_cannot_have_is_malformed(
    record: dict[str, Any], algorithm: Algorithm
) -> None:
    with pytest.raises(MalformedError):
        Jwk.from_json(record).public_key(algorithm)


def test_a_key_that_is_not_its_certificates_is_malformed() -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(MalformedError, match="not the one of its certificate"):
        Jwk.from_json(rsa_jwk(x5c=[certificate(other)])).public_key(Algorithm.RS256)


def test_a_set_has_its_signing_keys_by_name() -> None:
    keys = [
        rsa_jwk(kid="one"),
        ec_jwk(P384, kid="two", use="sig"),
        rsa_jwk(kid="three", use="enc"),
        {"kty": "oct", "kid": "four", "k": "AQ"},
        {"kty": "AKP", "kid": "five"},
    ]
    found = JwkSet.from_bytes(json.dumps({"keys": keys}).encode())
    assert sorted(found.keys) == ["one", "two"]


@pytest.mark.parametrize("odd", [["RSA"], {"RSA": 1}, None, 1])
def test_a_key_whose_type_is_no_text_is_left_out(odd: Any) -> None:
    keys = [rsa_jwk(kty=odd, kid="odd"), rsa_jwk(kid="good")]
    assert [*JwkSet.from_bytes(json.dumps({"keys": keys}).encode()).keys] == ["good"]
    for member in ("kty", "crv", "alg"):
        with pytest.raises(MalformedError):
            Jwk.from_json(rsa_jwk(RSA, **{member: odd or ["RSA"]})).public_key(Algorithm.RS256)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": [1]}',
        json.dumps({"keys": [rsa_jwk(), rsa_jwk()]}).encode(),
        json.dumps({"keys": [rsa_jwk(kid=str(n)) for n in range(65)]}).encode(),
        b" " * (256 * 1024 + 1),
    ],
    ids=["nothing", "list", "no keys", "object", "number", "one name twice", "many", "long"],
)
def test_a_set_that_is_none_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        JwkSet.from_bytes(data)
