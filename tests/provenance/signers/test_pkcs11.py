"""Keys in a token: a SoftHSM token made for the test, a key that cannot be taken out, and what happens when the token
is gone.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from provenance.manifests.declaration import Declaration
from provenance.pki.keys import DevelopmentKeys, development_chain_for
from provenance.signers import Signer, signer_from
from provenance.signing.batch import SigningTask, sign_all
from provenance.signing.sign import sign_file
from provenance.verifying.verify import verify
from sfumato.errors import SealError, UsageError

MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
PIN = "1234"


@dataclass(frozen=True)
class Token:
    folder: Path
    uri: str
    chain: Path


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory, keys: DevelopmentKeys) -> Iterator[Token]:
    """A fresh token with a P-256 key that was made inside, and a development certificate for it."""
    module = next((path for path in MODULES if Path(path).is_file()), None)
    tool = shutil.which("softhsm2-util")
    if module is None or tool is None:
        pytest.skip("needs SoftHSM (Debian: apt install softhsm2)")
    pkcs11 = pytest.importorskip("pkcs11", reason="needs python-pkcs11 (pip install -e '.[pkcs11]')")
    from cryptography.hazmat.primitives.asymmetric import ec

    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    patch = pytest.MonkeyPatch()
    patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
    patch.setenv("SFUMATO_PIN", PIN)
    subprocess.run(
        [tool, "--init-token", "--free", "--label", "studio", "--pin", PIN, "--so-pin", PIN],
        check=True,
        capture_output=True,
    )
    library = pkcs11.lib(module)
    library.reinitialize()
    with library.get_token(token_label="studio").open(rw=True, user_pin=PIN) as session:
        from pkcs11.util.ec import encode_named_curve_parameters

        parameters = session.create_domain_parameters(
            pkcs11.KeyType.EC, {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}, local=True
        )
        public, private = parameters.generate_keypair(label="leaf", id=b"\x07", store=True)
        assert not private[pkcs11.Attribute.EXTRACTABLE]
        point = bytes(public[pkcs11.Attribute.EC_POINT])[2:]  # a DER octet string around 04 || x || y
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    chain = folder / "chain.pem"
    chain.write_text(development_chain_for(key, keys.folder.parent))
    yield Token(folder, f"pkcs11:token=studio;object=leaf?module-path={module}", chain)
    patch.undo()


@pytest.fixture
def opened(token: Token) -> Iterator[Callable[..., Any]]:
    """Opens signers, and ends their sessions after the test: a login counts for the whole process."""
    signers: list[Any] = []

    def open_signer(uri: str = token.uri, chain: Path = token.chain) -> Any:
        signers.append(signer_from(uri, chain))
        return signers[-1]

    yield open_signer
    for signer in signers:
        signer.close()


@pytest.fixture
def signer(opened: Callable[..., Any]) -> Signer:
    found: Signer = opened()
    return found


def test_two_signers_share_a_token(opened: Callable[..., Any]) -> None:
    assert len(opened().sign(b"claim")) == len(opened().sign(b"claim")) == 64


def test_a_key_in_a_token_signs_what_verifies(signer: Signer, unsealed: Path, root: bytes, tmp_path: Path) -> None:
    sign_file(unsealed, tmp_path / "out.mp4", Declaration(), signer)
    found = verify(tmp_path / "out.mp4", [root])
    assert (found.outcome, found.development) == ("trusted", True)


def test_the_private_key_cannot_be_taken_out(signer: Signer) -> None:
    import pkcs11

    key = signer._key  # type: ignore[attr-defined]
    with pytest.raises(pkcs11.exceptions.PKCS11Error):
        key[pkcs11.Attribute.VALUE]


def test_the_pin_may_come_from_a_private_file(
    token: Token, opened: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SFUMATO_PIN")
    pin = tmp_path / "pin"
    pin.write_text(f"{PIN}\n")
    pin.chmod(0o600)
    assert len(opened(f"{token.uri}&pin-source=file:{pin}").sign(b"claim")) == 64
    pin.chmod(0o644)
    with pytest.raises(SealError, match="may be read by others"):
        signer_from(f"{token.uri}&pin-source=file:{pin}", token.chain)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("object=leaf", "object=other"), "0 private keys"),
        (("object=leaf", "id=%07"), ""),
        (("token=studio", "token=nowhere"), "0 tokens"),
        (("object=leaf", "colour=red"), "not known"),
        (("?module-path", "?pin-value=1234&module-path"), "can be read by everybody"),
        (("?module-path=", "?module-path=/nowhere"), "no PKCS#11 library"),
        ((";object=leaf", ""), "does not name a key"),
        (("object=leaf", "object=leaf;type=public"), "private key"),
    ],
)
def test_a_uri_that_does_not_fit_says_why(
    token: Token, opened: Callable[..., Any], change: tuple[str, str], message: str
) -> None:
    uri = token.uri.replace(*change)
    assert uri != token.uri
    if not message:
        assert len(opened(uri).sign(b"claim")) == 64
        return
    with pytest.raises((SealError, UsageError), match=message):
        signer_from(uri, token.chain)


def test_a_wrong_or_missing_pin_is_named(token: Token, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SFUMATO_PIN", "9999")
    with pytest.raises(SealError, match="PinIncorrect"):
        signer_from(token.uri, token.chain)
    monkeypatch.delenv("SFUMATO_PIN")
    with pytest.raises(UsageError, match="SFUMATO_PIN"):
        signer_from(token.uri, token.chain)


def test_a_chain_of_another_key_is_found_out(
    token: Token, opened: Callable[..., Any], unsealed: Path, keys: DevelopmentKeys, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    other.write_text(keys.chain_pem())
    with pytest.raises(SealError, match="does not fit the certificate"):
        sign_file(unsealed, tmp_path / "out.mp4", Declaration(), opened(token.uri, other))
    assert not (tmp_path / "out.mp4").exists()


def test_a_token_that_goes_half_way_loses_nothing(
    opened: Callable[..., Any], unsealed: Path, root: bytes, tmp_path: Path
) -> None:
    """The session ends under our hands, as when a card is pulled out; the files after that fail by name, a second run
    does the rest.
    """
    signer = opened()
    (tmp_path / "out").mkdir()
    tasks = []
    for number in range(4):
        source = tmp_path / f"{number}.mp4"
        source.write_bytes(unsealed.read_bytes())
        tasks.append(SigningTask(source, tmp_path / "out" / source.name))
    results = sign_all(tasks, Declaration(), signer)
    outcomes = [next(results).outcome]
    signer.close()
    failed = list(results)
    outcomes += [result.outcome for result in failed]
    assert "failed" in outcomes[1:]
    errors = [str(result.error) for result in failed if result.error]
    assert all("The token failed to sign: " in error for error in errors)
    assert all(task.source.read_bytes() == unsealed.read_bytes() for task in tasks)
    done = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert all(verify(tmp_path / "out" / name, [root]).outcome == "trusted" for name in done)

    again = opened()  # the token is back
    second = list(sign_all(tasks, Declaration(), again))
    assert sorted(result.outcome for result in second) == sorted(
        ["skipped"] * outcomes.count("signed") + ["signed"] * outcomes.count("failed")
    )
    assert all(verify(task.output, [root]).outcome == "trusted" for task in tasks)


@pytest.mark.parametrize("name", ["ps256", "ps512", "ed25519"])
def test_an_rsa_or_ed25519_key_in_a_token_signs(
    name: str, token: Token, keys: DevelopmentKeys, root: bytes, portrait: Path
) -> None:
    import pkcs11
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

    from provenance.signers.pkcs11 import Pkcs11Signer

    module = token.uri.partition("module-path=")[2]
    public: Any
    with pkcs11.lib(module).get_token(token_label="studio").open(rw=True, user_pin=PIN) as session:
        if name == "ed25519":
            from pkcs11.util.ec import encode_named_curve_parameters

            parameters = session.create_domain_parameters(
                pkcs11.KeyType.EC_EDWARDS,
                {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("1.3.101.112")},
                local=True,
            )
            made, _ = parameters.generate_keypair(
                mechanism=pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN, label=name, id=b"\x09", store=True
            )
            public = ed25519.Ed25519PublicKey.from_public_bytes(bytes(made[pkcs11.Attribute.EC_POINT])[2:])
        else:
            made, _ = session.generate_keypair(pkcs11.KeyType.RSA, 2048, label=name, id=b"\x08", store=True)
            numbers = (made[pkcs11.Attribute.PUBLIC_EXPONENT], made[pkcs11.Attribute.MODULUS])
            public = rsa.RSAPublicNumbers(*(int.from_bytes(each, "big") for each in numbers)).public_key()
    chain = development_chain_for(public, keys.folder.parent)
    signer = Pkcs11Signer(token.uri.replace("object=leaf", f"object={name}"), chain, name)
    try:
        out = token.folder / f"{name}.jpg"
        sign_file(portrait, out, Declaration("edited"), signer)
    finally:
        signer.close()
    assert (signer.alg, verify(out, [root]).outcome) == (name, "trusted")
