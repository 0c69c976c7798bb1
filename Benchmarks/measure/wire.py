"""Remote write 1.0 as senders put it on the wire: protobuf, compressed by the real Snappy."""

import ctypes
import struct

from . import subjects


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def labels(pairs):
    """The labels of a series, `__name__` among them, in the order of their names."""
    return b"".join(
        field(1, field(1, name.encode()) + field(2, value.encode()))
        for name, value in sorted(pairs.items())
    )


def sample(value, milliseconds):
    return field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(milliseconds))


def series(packed_labels, packed_samples):
    return field(1, packed_labels + packed_samples)


class Snappy:
    """Debian's libsnappy1v5 by its C interface (snappy-c.h)."""

    def __init__(self):
        try:
            self.library = ctypes.CDLL("libsnappy.so.1")
        except OSError as problem:
            raise subjects.Unavailable(f"libsnappy1v5 is not installed: {problem}") from problem
        self.library.snappy_max_compressed_length.restype = ctypes.c_size_t

    def compress(self, content):
        room = self.library.snappy_max_compressed_length(ctypes.c_size_t(len(content)))
        length = ctypes.c_size_t(room)
        output = ctypes.create_string_buffer(room)
        status = self.library.snappy_compress(
            content, ctypes.c_size_t(len(content)), output, ctypes.byref(length)
        )
        if status != 0:
            raise ValueError(f"snappy_compress: status {status}")
        return output.raw[: length.value]


HEADERS = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
