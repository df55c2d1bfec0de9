"""The gRPC server against Python's grpcio. Messages are plain bytes."""

import concurrent.futures
import time

import grpc
import pytest


@pytest.fixture(scope="module")
def channel(net):
    with grpc.insecure_channel(f"127.0.0.1:{net.port}") as channel:
        yield channel


@pytest.fixture
def echo(channel):
    return channel.unary_unary("/echo.Echo/Unary")


def failure(call, *arguments, **options):
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, timeout=options.pop("timeout", 10), **options)
    return caught.value


@pytest.mark.parametrize("size", [0, 1, 100, 5000, 300_000, 4 << 20])
def test_unary_echo(echo, size):
    message = bytes(index % 251 for index in range(min(size, 1000))) * (size // 1000) if size > 1000 else b"x" * size
    assert echo(message, timeout=20) == message


def test_concurrent_calls(echo):
    with concurrent.futures.ThreadPoolExecutor(50):
        futures = [echo.future(b"x" * index, timeout=20) for index in range(200)]
    assert [len(future.result()) for future in futures] == list(range(200))


def test_bidirectional_stream(channel):
    call = channel.stream_stream("/echo.Echo/Bidirectional")(iter([b"a", b"", b"c" * 100_000]), timeout=10)
    assert list(call) == [b"a", b"", b"c" * 100_000]
    assert call.code() == grpc.StatusCode.OK
    assert ("x-echo", "done") in [(item.key, item.value) for item in call.trailing_metadata()]


def test_bidirectional_stream_answers_each_message_before_the_next(channel):
    answered = []

    def questions():
        for index in range(20):
            while len(answered) < index:
                time.sleep(0.001)
            yield str(index).encode()

    for answer in channel.stream_stream("/echo.Echo/Bidirectional")(questions(), timeout=20):
        answered.append(answer)
    assert answered == [str(index).encode() for index in range(20)]


def test_server_stream(channel):
    sizes = [len(message) for message in channel.unary_stream("/echo.Echo/Download")(b"500 100000", timeout=30)]
    assert sizes == [100_000] * 500


def test_client_stream(channel):
    upload = channel.stream_unary("/echo.Echo/Upload")
    assert upload((b"z" * 100_000 for _ in range(500)), timeout=30) == b"50000000"


def test_deadline(channel):
    started = time.time()
    assert failure(channel.unary_unary("/echo.Echo/Sleep"), b"5000", timeout=0.3).code() == \
        grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.time() - started < 2


def test_cancelled_stream_ends_at_the_server(net, channel):
    call = channel.unary_stream("/echo.Echo/Download")(b"1000000 100000")
    next(call)
    call.cancel()
    time.sleep(0.5)
    before = net.cpu_seconds()
    time.sleep(0.5)
    assert net.cpu_seconds() - before < 0.2


def test_status_message_and_metadata(channel):
    error = failure(channel.unary_unary("/echo.Echo/Fail"), "9 grüße % \n x".encode())
    assert error.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert error.details() == "grüße % \n x"
    assert ("x-echo", "failed") in [(item.key, item.value) for item in error.trailing_metadata()]


def test_too_large_message(echo):
    error = failure(echo, b"x" * ((4 << 20) + 1))
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert str(4 << 20) in error.details()


def test_unknown_method(channel):
    error = failure(channel.unary_unary("/echo.Echo/Nope"), b"")
    assert error.code() == grpc.StatusCode.UNIMPLEMENTED
    assert "/echo.Echo/Nope" in error.details()


def test_gzip_both_ways(echo):
    message = b"q" * 1_000_000
    assert echo(message, timeout=10, compression=grpc.Compression.Gzip) == message
    bomb = failure(echo, b"\0" * (5 << 20), compression=grpc.Compression.Gzip)
    assert bomb.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_unknown_compression(echo):
    error = failure(echo, b"q" * 100_000, compression=grpc.Compression.Deflate)
    assert error.code() == grpc.StatusCode.UNIMPLEMENTED


def test_health(channel):
    check = channel.unary_unary("/grpc.health.v1.Health/Check")
    assert check(b"", timeout=5) == b"\x08\x01"
    assert failure(check, b"\x0a\x01x").code() == grpc.StatusCode.NOT_FOUND
    watch = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"")
    assert next(watch) == b"\x08\x01"
    watch.cancel()


def test_over_tls(net_tls):
    credentials = grpc.ssl_channel_credentials(open(net_tls.authority, "rb").read())
    with grpc.secure_channel(f"localhost:{net_tls.port}", credentials) as channel:
        assert channel.unary_unary("/echo.Echo/Unary")(b"x" * 300_000, timeout=10) == b"x" * 300_000
