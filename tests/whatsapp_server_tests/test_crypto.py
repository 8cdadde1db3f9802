"""The crypto of the server agrees with published vectors, and with itself in every order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.whatsapp_server.keys import DJB, KeyPair, derive, verify
from tests.whatsapp_server.library import ROOT_KEY, library_path
from tests.whatsapp_server.media import Kind, Sealed
from tests.whatsapp_server.noise import Cipher, Handshake, Identity, NoiseError, Responder
from tests.whatsapp_server.protobuf import Fields, encode
from tests.whatsapp_server.ratchet import Chain, SignalError
from tests.whatsapp_server.signal_device import (
    Bundle,
    PublicPrekey,
    SignalDevice,
    padded,
    unpadded,
)

# The vectors of Signal's own libraries: an identity signs an ephemeral key; a chain takes a step.
_SIGNER = "c097248412e58bf05df487968205132794178e367637f5818f81e0e6ce73e865"
_SIGNED = "05edce9d9c415ca78cb7252e72c2c4a554d3eb29485a0e1d503118d1a82d99fb4a"
_SIGNATURE = (
    "5de88ca9a89b4a115da79109c67c9c7464a3e4180274f1cb8c63c2984e286dfb"
    "ede82deb9dcd9fae0bfbb821569b3d9001bd8130cd11d486cef047bd60b86e88"
)
_CHAIN = "8ab72d6f4cc5ac0d387eaf463378ddb28edd07385b1cb01250c715982e7ad48f"
_CHAIN_CIPHER = "bf51e9d75e0e31031051f82a2491ffc084fa298b7793bd9db620056febf45217"
_CHAIN_MAC = "c6c77d6a73a354337a56435e34607dfe48e3ace14e77314dc6abc172e7a7030b"
_CHAIN_NEXT = "28e8f8fee54b801eef7c5cfb2f17f32c7b334485bbb70fac6ec10342a246d15d"
_PRIVATE = "c806439dc9d2c476ffed8f2580c0888d58ab406bf7ae3698879021b96bb4bf59"
_PUBLIC = "653614993d2b15ee9e5fd3d86ce719ef4ec1daae1886a87b3f5fa9565a27a22f"
_SECRET = "325f239328941ced6e673b86ba41017448e99b649a9c3806c1dd7ca4c477e629"


def test_agreement_is_that_of_signal() -> None:
    """The published keys agree on the published secret."""
    ours = KeyPair.of(bytes.fromhex(_PRIVATE))
    assert ours.agree(bytes.fromhex(_PUBLIC)).hex() == _SECRET


def test_a_signature_of_signal_is_accepted() -> None:
    """The published signature verifies; with any bit turned it does not."""
    signer = KeyPair.of(bytes.fromhex(_SIGNER)).public
    message, signature = bytes.fromhex(_SIGNED), bytes.fromhex(_SIGNATURE)
    assert verify(signer, message, signature)
    for at in (0, 31, 32, 62, 63):
        broken = bytearray(signature)
        broken[at] ^= 1
        assert not verify(signer, message, bytes(broken))


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100))
def test_what_is_signed_verifies_for_that_key_and_message_alone(
    private: bytes, message: bytes
) -> None:
    """Signing is done by one library and checked by another, for keys of either sign."""
    pair = KeyPair.of(private)
    signature = pair.sign(message)
    assert signature[63] & 0x80 == 0
    assert verify(pair.public, message, signature)
    assert not verify(pair.public, message + b"x", signature)
    assert not verify(KeyPair.generate().public, message, signature)


def test_key_derivation_is_that_of_rfc_5869() -> None:
    """The first example of the standard comes out."""
    salt, info = bytes(range(13)), bytes(range(0xF0, 0xFA))
    derived = derive(b"\x0b" * 22, salt, info, 42)
    assert derived.hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


def test_a_chain_steps_as_signal_says() -> None:
    """The published seed gives the published keys and the published next seed."""
    chain = Chain(bytes.fromhex(_CHAIN))
    keys = chain.next()
    assert (keys.cipher.hex(), keys.mac.hex()) == (_CHAIN_CIPHER, _CHAIN_MAC)
    assert chain.key.hex() == _CHAIN_NEXT


def test_the_root_key_lies_once_in_the_library() -> None:
    """The swap can hit one place only."""
    assert library_path().read_bytes().count(ROOT_KEY) == 1


# Noise


def _shake_hands(responder: Responder, identity: KeyPair) -> tuple[Cipher, Cipher, bytes, bytes]:
    """Plays the client; gives its ciphers, the server's certificates and the server's answer."""
    state, ephemeral = Handshake(), KeyPair.generate()
    state.mix_hash(ephemeral.public)
    answer = Fields(responder.hello(encode((2, encode((1, ephemeral.public)))))).message(3)
    theirs = answer.bytes(1)
    state.mix_hash(theirs)
    state.mix_key(ephemeral.agree(theirs))
    static = state.decrypt(answer.bytes(2))
    state.mix_key(ephemeral.agree(static))
    certificates = state.decrypt(answer.bytes(3))
    sealed = state.encrypt(identity.public)
    state.mix_key(identity.agree(theirs))
    last = encode((4, encode((1, sealed), (2, state.encrypt(b"login")))))
    assert responder.finish(last) == (identity.public, b"login")
    sending, receiving = state.split()
    return sending, receiving, static, certificates


def test_a_handshake_ends_with_two_lines_and_proven_keys() -> None:
    """Both sides get the same keys, and the certificates lead from the static key to the root."""
    root, client = KeyPair.generate(), KeyPair.generate()
    responder = Responder(Identity.under(root))
    sending, receiving, static, certificates = _shake_hands(responder, client)
    incoming, outgoing = responder.split()
    for number in range(3):
        assert incoming.decrypt(sending.encrypt(b"%d" % number)) == b"%d" % number
        assert receiving.decrypt(outgoing.encrypt(b"%d" % number)) == b"%d" % number
    chain = Fields(certificates)
    leaf, middle = chain.message(1), chain.message(2)
    assert verify(root.public, middle.bytes(1), middle.bytes(2))
    assert verify(middle.message(1).bytes(3), leaf.bytes(1), leaf.bytes(2))
    assert leaf.message(1).bytes(3) == static
    assert leaf.message(1).number(2) == middle.message(1).number(1)


def test_a_frame_out_of_turn_is_refused() -> None:
    """The counter is part of the encryption: a frame read twice does not open."""
    key = bytes(32)
    sender, receiver = Cipher(key), Cipher(key)
    frame = sender.encrypt(b"once")
    assert receiver.decrypt(frame) == b"once"
    with pytest.raises(NoiseError):
        receiver.decrypt(frame)


# Signal


def _pair() -> tuple[SignalDevice, SignalDevice]:
    alice, bob = SignalDevice(), SignalDevice()
    alice.begin("bob", bob.bundle())
    return alice, bob


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=25))
def test_two_devices_understand_each_other_whatever_the_order(
    turns: list[tuple[bool, int]],
) -> None:
    """Messages cross, are late or are lost; what arrives is read, and read once."""
    alice, bob = _pair()
    bob.decrypt("alice", *alice.encrypt("bob", b"hello"))
    late: list[tuple[SignalDevice, str, str, bytes, bytes]] = []
    for number, (from_alice, fate) in enumerate(turns):
        sender, receiver = (alice, bob) if from_alice else (bob, alice)
        to, by = ("bob", "alice") if from_alice else ("alice", "bob")
        text = b"%d" % number
        kind, data = sender.encrypt(to, text)
        if fate == 1:
            late.append((receiver, by, kind, data, text))
        elif fate != 2:
            assert receiver.decrypt(by, kind, data) == text
            with pytest.raises(SignalError):
                receiver.decrypt(by, "msg" if kind == "msg" else kind, data)
    for receiver, by, kind, data, text in reversed(late):
        assert receiver.decrypt(by, kind, data) == text


def test_the_first_messages_repeat_the_start_until_an_answer() -> None:
    """Until the other side is heard every message can begin the session; then none does."""
    alice, bob = _pair()
    first, second = alice.encrypt("bob", b"1"), alice.encrypt("bob", b"2")
    assert (first[0], second[0]) == ("pkmsg", "pkmsg")
    assert bob.decrypt("alice", *second) == b"2"
    assert bob.decrypt("alice", *first) == b"1"
    assert alice.decrypt("bob", *bob.encrypt("alice", b"3")) == b"3"
    assert alice.encrypt("bob", b"4")[0] == "msg"


def test_both_may_begin_at_once() -> None:
    """Sessions begun by both sides at the same time are both understood."""
    alice, bob = _pair()
    bob.begin("alice", alice.bundle())
    one, other = alice.encrypt("bob", b"a"), bob.encrypt("alice", b"b")
    assert bob.decrypt("alice", *one) == b"a"
    assert alice.decrypt("bob", *other) == b"b"
    for number in range(4):
        assert bob.decrypt("alice", *alice.encrypt("bob", b"%d" % number)) == b"%d" % number
        assert alice.decrypt("bob", *bob.encrypt("alice", b"%d" % number)) == b"%d" % number


def test_a_broken_message_leaves_the_session_whole() -> None:
    """What does not verify changes nothing: the true message is read afterwards."""
    alice, bob = _pair()
    bob.decrypt("alice", *alice.encrypt("bob", b"1"))
    kind, data = alice.encrypt("bob", b"2")
    with pytest.raises(SignalError):
        bob.decrypt("alice", kind, data[:-1] + bytes([data[-1] ^ 1]))
    assert bob.decrypt("alice", kind, data) == b"2"


def test_a_one_time_prekey_serves_once() -> None:
    """Two bundles never share a one-time prekey, and an unknown one is refused."""
    alice, bob = SignalDevice(), SignalDevice()
    first, second = bob.bundle(), bob.bundle()
    assert first.one_time
    assert second.one_time
    assert first.one_time.number != second.one_time.number
    made_up = PublicPrekey(999, KeyPair.generate().public)
    alice.begin("bob", Bundle(first.registration_id, first.identity, first.signed, made_up))
    with pytest.raises(SignalError, match="one-time prekey 999"):
        bob.decrypt("alice", *alice.encrypt("bob", b"x"))


def test_a_bundle_signed_by_another_is_refused() -> None:
    """A signed prekey must be signed by the identity beside it, kind byte included."""
    alice, bob = SignalDevice(), SignalDevice()
    bundle = bob.bundle()
    signature = KeyPair.generate().sign(DJB + bundle.signed.public)
    forged = PublicPrekey(1, bundle.signed.public, signature)
    with pytest.raises(SignalError, match="not signed by the identity"):
        alice.begin("bob", Bundle(1, bundle.identity, forged, None))


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_padding_comes_off_again(plaintext: bytes) -> None:
    """One to fifteen bytes are added, each of them that number."""
    wrapped = padded(plaintext)
    assert 1 <= len(wrapped) - len(plaintext) <= 15
    assert unpadded(wrapped) == plaintext


@pytest.mark.parametrize("wrong", [b"", b"text\x00", b"text\x03\x02\x03", b"\x05"])
def test_wrong_padding_is_refused(wrong: bytes) -> None:
    """What does not end in its own count was not padded."""
    with pytest.raises(SignalError):
        unpadded(wrong)


# Media


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document"])
def test_a_file_opens_with_its_own_key_and_kind_alone(kind: Kind) -> None:
    """Key and kind both take part: another key, kind or byte does not open the file."""
    sealed = Sealed.of(b"data" * 100, kind)
    assert sealed.opened(kind) == b"data" * 100
    with pytest.raises(ValueError, match="not sealed with this key"):
        Sealed(bytes(32), sealed.blob).opened(kind)
    other: Kind = "audio" if kind == "image" else "image"
    with pytest.raises(ValueError, match="not sealed with this key"):
        sealed.opened(other)
