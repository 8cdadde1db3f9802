"""Turns stanzas into bytes and back: the binary XML of the protocol.

The writer spells every string out, which any reader must accept; the reader knows the whole
dictionary, the packed numbers and every kind of address.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.whatsapp_server.addresses import GROUPS, LIDS, NUMBERS, Jid
from tests.whatsapp_server.library import tokens

Attribute = str | Jid
Attributes = Mapping[str, Attribute]

_EMPTY, _DOUBLE_FIRST, _DOUBLE_LAST = 0, 236, 239
_INTEROP, _MESSENGER, _DEVICE, _LIST8, _LIST16, _PAIR = 245, 246, 247, 248, 249, 250
_HEX, _BINARY8, _BINARY20, _BINARY32, _NIBBLE = 251, 252, 253, 254, 255
_DOMAINS = {0: NUMBERS, 1: LIDS, 128: "hosted", 129: "hosted.lid"}
_DOMAIN_BYTES = {server: byte for byte, server in _DOMAINS.items()}
_NIBBLES = "0123456789-."
_COMPRESSED = 2


class CodecError(ValueError):
    """The bytes are not a stanza."""


@dataclass(frozen=True, slots=True)
class Node:
    """A stanza: a tag, attributes, and either children or bytes."""

    tag: str
    attributes: Attributes = field(default_factory=dict)
    content: tuple[Node, ...] | bytes | None = None

    @property
    def children(self) -> tuple[Node, ...]:
        return self.content if isinstance(self.content, tuple) else ()

    @property
    def data(self) -> bytes:
        """The content as bytes, empty if there is none or if there are children."""
        return self.content if isinstance(self.content, bytes) else b""

    def child(self, *path: str) -> Node | None:
        """The first child by that tag, then its child by the next, or ``None``."""
        node: Node | None = self
        for tag in path:
            node = next((c for c in node.children if c.tag == tag), None) if node else None
        return node

    def need(self, *path: str) -> Node:
        """As ``child``, but its absence is a ``CodecError``."""
        found = self.child(*path)
        if found is None:
            raise CodecError(f"<{self.tag}> lacks {'/'.join(path)}: {self}")
        return found

    def all(self, tag: str) -> tuple[Node, ...]:
        """Every child by that tag."""
        return tuple(child for child in self.children if child.tag == tag)

    def get(self, key: str) -> str:
        """The attribute as text, empty if it is absent."""
        return str(self.attributes.get(key, ""))

    def jid(self, key: str) -> Jid:
        """The attribute as an address. Raises ``CodecError`` if it is none."""
        value = self.attributes.get(key)
        if not isinstance(value, Jid):
            raise CodecError(f"{key} of <{self.tag}> is no address: {value!r}")
        return value

    def __str__(self) -> str:
        attributes = "".join(f" {key}={value}" for key, value in self.attributes.items())
        if isinstance(self.content, tuple):
            inner = "".join(str(child) for child in self.content)
            return f"<{self.tag}{attributes}>{inner}</{self.tag}>"
        if self.content is not None:
            return f"<{self.tag}{attributes}>{len(self.content)} bytes</{self.tag}>"
        return f"<{self.tag}{attributes}/>"


def node(tag: str, *children: Node, **attributes: Attribute) -> Node:
    """Builds a stanza; ``from_``, ``class_``, ``key_index`` stand for what Python cannot say."""
    return Node(tag, _named(attributes), children or None)


def leaf(tag: str, data: bytes, **attributes: Attribute) -> Node:
    """Builds a stanza that holds bytes."""
    return Node(tag, _named(attributes), data)


def _named(attributes: Attributes) -> Attributes:
    return {_name(key): value for key, value in attributes.items()}


def _name(key: str) -> str:
    return {"from_": "from", "class_": "class", "key_index": "key-index"}.get(key, key)


def encode(stanza: Node) -> bytes:
    """The stanza as an uncompressed frame."""
    return b"\0" + b"".join(_node(stanza))


def _node(stanza: Node) -> Iterator[bytes]:
    yield _list(1 + 2 * len(stanza.attributes) + (stanza.content is not None))
    yield _string(stanza.tag)
    for key, value in stanza.attributes.items():
        yield _string(key)
        yield _jid(value) if isinstance(value, Jid) else _string(value)
    if isinstance(stanza.content, bytes):
        yield _binary(stanza.content)
    elif stanza.content is not None:
        yield _list(len(stanza.content))
        for child in stanza.content:
            yield from _node(child)


def _list(size: int) -> bytes:
    if size == 0:
        return bytes([_EMPTY])
    return bytes([_LIST8, size]) if size < 256 else bytes([_LIST16, *size.to_bytes(2, "big")])


def _string(text: str) -> bytes:
    return _binary(text.encode())


def _binary(data: bytes) -> bytes:
    size = len(data)
    if size < 1 << 8:
        return bytes([_BINARY8, size]) + data
    if size < 1 << 20:
        return bytes([_BINARY20]) + size.to_bytes(3, "big") + data
    return bytes([_BINARY32]) + size.to_bytes(4, "big") + data


def _jid(jid: Jid) -> bytes:
    if jid.device and jid.server in _DOMAIN_BYTES:
        return bytes([_DEVICE, _DOMAIN_BYTES[jid.server], jid.device]) + _string(jid.user)
    return bytes([_PAIR]) + (_string(jid.user) if jid.user else b"\0") + _string(jid.server)


def decode(frame: bytes) -> Node:
    """Reads one frame. Raises ``CodecError`` if it is not exactly one stanza."""
    try:
        body = zlib.decompress(frame[1:]) if frame[:1] and frame[0] & _COMPRESSED else frame[1:]
        reader = _Reader(body)
        stanza = reader.node()
    except (IndexError, KeyError, RecursionError, zlib.error, UnicodeDecodeError) as error:
        raise CodecError(f"a broken frame of {len(frame)} bytes: {error}") from error
    if not reader.exhausted:
        raise CodecError("bytes follow the stanza")
    return stanza


class _Reader:
    """Reads a frame from the front."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def exhausted(self) -> bool:
        return self._at == len(self._data)

    def node(self) -> Node:
        size = self._list_size(self._byte())
        if size == 0:
            raise CodecError("an empty list is no stanza")
        tag = self._text(self._byte())
        attributes = dict(self._attribute() for _ in range((size - 1) // 2))
        content = self._content(self._byte()) if size % 2 == 0 else None
        return Node(tag, attributes, content)

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _number(self, size: int) -> int:
        return int.from_bytes(self._take(size), "big")

    def _take(self, size: int) -> bytes:
        if self._at + size > len(self._data):
            raise IndexError(f"{size} bytes wanted at {self._at} of {len(self._data)}")
        self._at += size
        return self._data[self._at - size : self._at]

    def _list_size(self, marker: int) -> int:
        match marker:
            case 0:
                return 0
            case 248:
                return self._byte()
            case 249:
                return self._number(2)
        raise CodecError(f"{marker} does not begin a list")

    def _attribute(self) -> tuple[str, Attribute]:
        key = self._text(self._byte())
        marker = self._byte()
        if marker in (_INTEROP, _MESSENGER, _DEVICE, _PAIR):
            return key, self._address(marker)
        return key, self._text(marker)

    def _content(self, marker: int) -> tuple[Node, ...] | bytes:
        if marker in (_EMPTY, _LIST8, _LIST16):
            return tuple(self.node() for _ in range(self._list_size(marker)))
        if marker in (_BINARY8, _BINARY20, _BINARY32):
            return self._bytes(marker)
        return self._text(marker).encode()

    def _bytes(self, marker: int) -> bytes:
        size = {_BINARY8: 1, _BINARY20: 3, _BINARY32: 4}[marker]
        length = self._number(size)
        return self._take(length & 0xFFFFF if marker == _BINARY20 else length)

    def _text(self, marker: int) -> str:
        if marker in (_BINARY8, _BINARY20, _BINARY32):
            return self._bytes(marker).decode()
        if marker in (_HEX, _NIBBLE):
            return self._packed("0123456789ABCDEF" if marker == _HEX else _NIBBLES)
        if _DOUBLE_FIRST <= marker <= _DOUBLE_LAST:
            return tokens().double[marker - _DOUBLE_FIRST][self._byte()]
        if marker < len(tokens().single):
            return tokens().single[marker]
        raise CodecError(f"{marker} does not begin a string")

    def _packed(self, alphabet: str) -> str:
        head = self._byte()
        digits = [n for byte in self._take(head & 0x7F) for n in (byte >> 4, byte & 0xF)]
        if head & 0x80:
            digits.pop()
        return "".join(alphabet[digit] for digit in digits)

    def _address(self, marker: int) -> Jid:
        if marker == _PAIR:
            user = self._text(self._byte())
            return Jid(user, self._text(self._byte()))
        if marker == _DEVICE:
            domain, device = self._byte(), self._byte()
            return Jid(self._text(self._byte()), _DOMAINS[domain], device)
        user = self._text(self._byte())
        device = self._number(2)
        if marker == _INTEROP:
            self._number(2)  # which foreign service: nothing here tells them apart
        return Jid(user, self._text(self._byte()), device)


__all__ = ["GROUPS", "Attribute", "CodecError", "Node", "decode", "encode", "leaf", "node"]
