"""A High-Throughput JPEG 2000 picture of 16 pixels, put together marker by marker (T.800 A, T.814 A)."""

from __future__ import annotations

# One code-block of 4 x 4 without a wavelet: a cleanup pass that holds these greys, less 128.
GREYS = ((128, 128, 138, 118), (122, 134, 134, 128), (128, 2, 78, 62), (128, 222, 190, 0))
CLEANUP_PASS = bytes.fromhex("69672f658a1400")
EMPTY_PLANES = 5


def codestream() -> bytes:
    """Return SIZ, CAP, COD and QCD, one tile-part of one packet, and the end."""
    size = _words(4, 4, 0, 0, 4, 4, 0, 0)
    header = (
        _segment(0x51, b"\x40\x00" + size + b"\x00\x01\x07\x01\x01")
        + _segment(0x50, _words(0x00020000) + b"\x00\x00")  # part 15 is needed
        + _segment(0x52, bytes((0, 2, 0, 1, 0, 0, 0, 0, 0x40, 1)))
        + _segment(0x5C, bytes((0x20, 8 << 3)))
    )
    packet = _packet_header() + CLEANUP_PASS
    tile = _segment(0x90, b"\x00\x00" + _words(12 + 2 + len(packet)) + b"\x00\x01")
    return b"\xff\x4f" + header + tile + b"\xff\x93" + packet + b"\xff\xd9"


def _packet_header() -> bytes:
    bits = "11" + "0" * EMPTY_PLANES + "1" + "0" + "0" + format(len(CLEANUP_PASS), "03b")
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def _words(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "big") for value in values)
