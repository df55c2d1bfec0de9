"""HTTP/2 against curl, h2load and raw frames."""

import shutil
import socket
import struct
import subprocess

import pytest

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def curl(*arguments, input=None):
    command = ["curl", "-sS", "--max-time", "30", "--http2-prior-knowledge", *arguments]
    return subprocess.run(command, input=input, capture_output=True, check=True).stdout


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def text(value):
    """An HPACK string that is not Huffman-coded."""
    if len(value) < 127:
        return bytes([len(value)]) + value
    out, rest = b"\x7f", len(value) - 127
    while rest >= 128:
        out, rest = out + bytes([rest % 128 + 128]), rest // 128
    return out + bytes([rest]) + value


def literal(name, value):
    """An HPACK field that is neither indexed nor compressed."""
    return b"\x00" + text(name) + text(value)


def request_head(path=b"/", method=b"GET"):
    fields = [(b":method", method), (b":scheme", b"http"), (b":path", path), (b":authority", b"test")]
    return b"".join(literal(name, value) for name, value in fields)


class Raw:
    """A connection that has said hello."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.buffer = b""
        self.socket.sendall(PREFACE + frame(4, 0, 0))

    def send(self, *frames):
        self.socket.sendall(b"".join(frames))

    def next(self):
        """The next frame as (type, flags, stream, payload); None at the end."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
            try:
                block = self.socket.recv(65536)
            except ConnectionResetError:
                block = b""
            if not block:
                return None
            self.buffer += block
        length = int.from_bytes(self.buffer[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", self.buffer[3:9])
        payload, self.buffer = self.buffer[9:9 + length], self.buffer[9 + length:]
        return kind, flags, stream, payload

    def until(self, kind):
        while (received := self.next()) is not None:
            if received[0] == kind:
                return received
        return None


def test_get(net):
    assert curl(net.url("/")) == b"x" * 100


def test_file(net):
    assert curl(net.url("/file")) == open(net.file, "rb").read()


def test_head_has_the_length_and_no_body(net):
    assert b"content-length: 100" in curl("-I", net.url("/"))


def test_upload(net):
    assert curl("-T", "-", net.url("/sink"), input=b"\0" * 20_000_000) == b"20000000"


def test_echo(net):
    body = bytes(range(256)) * 4000
    assert curl("--data-binary", "@-", net.url("/echo"), input=body) == body


def test_not_found(net):
    assert curl("-o", "/dev/null", "-w", "%{http_code} %{http_version}", net.url("/nothing")) == b"404 2"


def test_same_port_speaks_http1(net):
    out = subprocess.run(
        ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %{http_version}", net.url("/")], capture_output=True)
    assert out.stdout == b"200 1.1"


def test_upgrade_to_h2c_is_not_taken(net):
    out = subprocess.run(
        ["curl", "-sS", "--http2", "-o", "/dev/null", "-w", "%{http_version}", net.url("/")], capture_output=True)
    assert out.stdout == b"1.1"


def test_too_large_head_is_431(net):
    raw = Raw(net.port)
    block = request_head() + b"".join(literal(b"x-%d" % index, b"y" * 1500) for index in range(50))
    parts = [block[start:start + 16000] for start in range(0, len(block), 16000)]
    raw.send(frame(1, 1, 1, parts[0]), *[frame(9, 0, 1, part) for part in parts[1:-1]], frame(9, 4, 1, parts[-1]))
    # :status is 431: the static table's name, the value as text, Huffman-coded or not.
    assert raw.until(1)[3][1:4] in (b"\x03431"[:3], b"\x82h\x0b", b"\x83h\x0b")


def test_too_many_fields_is_431(net):
    fields = [argument for index in range(200) for argument in ("-H", f"x-{index}: y")]
    assert curl(*fields, "-o", "/dev/null", "-w", "%{http_code}", net.url("/")) == b"431"


@pytest.mark.skipif(not shutil.which("h2load"), reason="h2load is not installed")
def test_many_streams(net):
    out = subprocess.run(
        ["h2load", "-n", "20000", "-c", "8", "-m", "64", net.url("/")], capture_output=True, text=True, timeout=60)
    assert "20000 succeeded, 0 failed" in out.stdout, out.stdout


def test_settings_and_ping(net):
    raw = Raw(net.port)
    settings = dict(struct.iter_unpack(">HI", raw.until(4)[3]))
    assert settings[3] == 128 and settings[6] == 64 * 1024
    raw.send(frame(6, 0, 0, b"12345678"))
    assert raw.until(6) == (6, 1, 0, b"12345678")


def test_flow_control_bounds_what_an_unread_body_holds(net):
    """The handler of / never reads; the answer ends the stream and the rest of the body is refused with NO_ERROR."""
    raw = Raw(net.port)
    raw.send(frame(1, 4, 1, request_head(b"/", b"GET")), frame(0, 0, 1, b"x" * 1000))
    assert raw.until(1)[2] == 1
    assert raw.until(3)[3] == b"\0\0\0\0"


def test_rapid_reset_ends_the_connection(net):
    raw = Raw(net.port)
    try:
        for index in range(1000):
            stream = 2 * index + 1
            raw.send(frame(1, 5, stream, request_head()), frame(3, 0, stream, b"\0\0\0\x08"))
    except (ConnectionResetError, BrokenPipeError):
        return
    assert raw.until(7) is not None or raw.next() is None


@pytest.mark.parametrize("hostile", [
    b"x" * 100,
    frame(0, 0, 0, b"data on stream 0"),
    frame(1, 4, 2, request_head()),
    frame(1, 4, 1, b"\xff\xff\xff\xff\xff\xff"),
    frame(9, 4, 1, b""),
    frame(8, 0, 0, b"\0\0\0\0"),
    frame(4, 0, 0, b"\0\x04\xff\xff\xff\xff"),
    b"\xff\xff\xff\x00\x00\x00\x00\x00\x01",
], ids=["noise", "data-0", "even-id", "hpack", "continuation", "window-0", "window-overflow", "frame-size"])
def test_protocol_errors_end_the_connection(net, hostile):
    raw = Raw(net.port)
    raw.send(hostile)
    raw.socket.shutdown(socket.SHUT_WR)
    while raw.next() is not None:
        pass
    assert curl(net.url("/")) == b"x" * 100


@pytest.mark.parametrize("fields", [
    literal(b":method", b"GET"),
    request_head() + literal(b"Upper", b"case"),
    request_head() + literal(b"connection", b"close"),
    request_head() + literal(b"te", b"gzip"),
    literal(b"x", b"1") + request_head(),
    request_head() + literal(b":path", b"/again"),
    request_head(b"no-slash"),
    request_head() + literal(b"x", b"a\nb"),
    request_head(b"/a#b"),
    request_head(b"/\xcc\x81"),
], ids=["missing", "upper", "connection", "te", "late-pseudo", "twice", "path", "newline", "fragment", "not-ascii"])
def test_malformed_requests_are_reset(net, fields):
    raw = Raw(net.port)
    raw.send(frame(1, 5, 1, fields), frame(6, 0, 0, b"12345678"))
    while (received := raw.next()) is not None and received[0] not in (1, 3, 7):
        pass
    assert received is None or received[0] != 1


@pytest.mark.skipif(not shutil.which("h2load"), reason="h2load is not installed")
def test_requests_leave_nothing_behind(net):
    def resident_kib():
        return next(int(line.split()[1]) for line in open(f"/proc/{net.process.pid}/status") if line.startswith("VmRSS"))

    def load():
        subprocess.run(["h2load", "-n", "10000", "-c", "4", "-m", "16", net.url("/")], capture_output=True, timeout=60)

    load()
    before = resident_kib()
    for _ in range(3):
        load()
    assert resident_kib() - before < 4096
