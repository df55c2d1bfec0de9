"""WebSocket against aiohttp and raw frames."""

import asyncio
import os
import socket
import struct

import aiohttp
import pytest

HANDSHAKE = (
    "GET /websocket HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")


def frame(opcode, payload, final=True, masked=True, reserved=0):
    first = (0x80 if final else 0) | reserved | opcode
    bit = 0x80 if masked else 0
    if len(payload) < 126:
        head = struct.pack(">BB", first, bit | len(payload))
    elif len(payload) < 65536:
        head = struct.pack(">BBH", first, bit | 126, len(payload))
    else:
        head = struct.pack(">BBQ", first, bit | 127, len(payload))
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


class Raw:
    def __init__(self, port, extra=""):
        self.file = socket.create_connection(("127.0.0.1", port), timeout=10).makefile("rwb")
        self.file.write((HANDSHAKE + extra + "\r\n").encode())
        self.file.flush()
        self.status = int(self.file.readline().split()[1])
        self.fields = {}
        while (line := self.file.readline().decode().strip()):
            name, value = line.split(": ", 1)
            self.fields[name.lower()] = value

    def send(self, *frames):
        for part in frames:
            self.file.write(part)
            self.file.flush()

    def next(self):
        head = self.file.read(2)
        if len(head) < 2:
            return None
        assert head[1] < 128, "a server does not mask"
        length = head[1]
        if length == 126:
            length, = struct.unpack(">H", self.file.read(2))
        elif length == 127:
            length, = struct.unpack(">Q", self.file.read(8))
        return head[0], self.file.read(length)


def test_handshake(net):
    raw = Raw(net.port)
    assert raw.status == 101
    assert raw.fields["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert "sec-websocket-protocol" not in raw.fields and "sec-websocket-extensions" not in raw.fields


def test_subprotocol(net):
    assert Raw(net.port, "Sec-WebSocket-Protocol: v9, v4.echo, v5.echo\r\n").fields["sec-websocket-protocol"] == "v4.echo"
    assert Raw(net.port, "Sec-WebSocket-Protocol: v9\r\n").status == 400


def test_extensions_are_not_taken(net):
    raw = Raw(net.port, "Sec-WebSocket-Extensions: permessage-deflate\r\n")
    assert raw.status == 101 and "sec-websocket-extensions" not in raw.fields


def test_fragments_and_control_frames_between(net):
    raw = Raw(net.port)
    raw.send(frame(1, b"hel", final=False), frame(9, b"ping"), frame(0, "lö".encode()))
    assert raw.next() == (0x8a, b"ping")
    assert raw.next() == (0x81, "hellö".encode())


def test_frames_byte_by_byte(net):
    raw = Raw(net.port)
    for byte in frame(2, b"abc" * 50):
        raw.send(bytes([byte]))
    assert raw.next() == (0x82, b"abc" * 50)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 1 << 20])
def test_sizes(net, size):
    raw = Raw(net.port)
    raw.send(frame(2, b"\x55" * size))
    assert raw.next() == (0x82, b"\x55" * size)


def test_close_is_answered(net):
    raw = Raw(net.port)
    raw.send(frame(8, struct.pack(">H", 1001) + b"bye"))
    assert raw.next() == (0x88, struct.pack(">H", 1001))
    assert raw.next() is None


def test_server_closes(net):
    raw = Raw(net.port)
    raw.send(frame(1, b"close"))
    assert raw.next() == (0x88, struct.pack(">H", 3000) + b"as you wish")
    raw.send(frame(8, struct.pack(">H", 3000)))
    assert raw.next() is None


def test_failing_handler(net):
    raw = Raw(net.port)
    raw.send(frame(1, b"fail"))
    assert raw.next()[1][:2] == struct.pack(">H", 1011)


@pytest.mark.parametrize("hostile, code", [
    (frame(1, b"x", masked=False), 1002),
    (frame(1, b"x", reserved=0x40), 1002),
    (frame(3, b"x"), 1002),
    (frame(9, b"x", final=False), 1002),
    (frame(9, b"x" * 126), 1002),
    (frame(0, b"x"), 1002),
    (frame(1, b"x", final=False) + frame(1, b"y"), 1002),
    (frame(1, b"\xff"), 1007),
    (frame(8, b"\x03"), 1002),
    (frame(8, struct.pack(">H", 1005)), 1002),
    (frame(8, struct.pack(">H", 1000) + b"\xff"), 1007),
    (b"\x82\xfe\x00\x05mask\0\0\0\0\0", 1002),
    (b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff", 1002),
    (b"\x82\xff" + struct.pack(">Q", (1 << 20) + 1), 1009),
    (frame(2, b"x" * (1 << 20), final=False) + frame(0, b"y"), 1009),
], ids=["unmasked", "reserved", "opcode", "fragmented-ping", "long-ping", "lone-continuation", "nested", "utf-8",
        "half-code", "bad-code", "reason", "long-length", "negative", "too-large", "too-large-fragments"])
def test_hostile_frames(net, hostile, code):
    raw = Raw(net.port)
    raw.send(hostile)
    first, payload = raw.next()
    assert first == 0x88 and payload[:2] == struct.pack(">H", code), payload


@pytest.mark.parametrize("change, status", [
    (("Version: 13", "Version: 8"), 426),
    (("Key: dGhlIHNhbXBsZSBub25jZQ==", "Key: short"), 400),
    (("Connection: keep-alive, Upgrade", "Connection: keep-alive"), 426),
])
def test_bad_handshakes(net, change, status):
    with socket.create_connection(("127.0.0.1", net.port), timeout=10) as raw:
        raw.sendall((HANDSHAKE.replace(*change) + "\r\n").encode())
        assert int(raw.recv(4096).split()[1]) == status


def test_aiohttp(net):
    async def talk():
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(net.url("/websocket"), protocols=["v5.echo"], max_msg_size=0) as socket:
                assert socket.protocol == "v5.echo"
                for size in [0, 10, 1000, 100_000, 1_000_000]:
                    await socket.send_bytes(b"x" * size)
                    assert await socket.receive_bytes(timeout=10) == b"x" * size
                await socket.send_str("grüße")
                assert await socket.receive_str(timeout=10) == "grüße"
                await socket.ping(b"p")
        assert socket.close_code == 1000

    asyncio.run(talk())
