"""Files whose container, tensors or numbers are wrong."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from adapter_examples import example_content
from hostile_parts import FIRST, HIDDEN, Parts, Spoil, joined

from clipsvd_app.adapter_file.writer import adapter_bytes

if TYPE_CHECKING:
    import random


def stated_length(chance: random.Random, parts: Parts) -> bytes:
    length = chance.choice([0, 1, 256_001, 2**31, 2**40, 2**63, 2**64 - 1, chance.getrandbits(64) | 2**40])
    return struct.pack("<Q", length) + parts.joined()[8:]


def huge_header(chance: random.Random, parts: Parts) -> bytes:
    filler = {f"f{number}": "x" * 1000 for number in range(chance.randint(260, 900))}
    parts.header["__metadata__"] |= filler
    return parts.joined()


def huge_header_of_spaces(chance: random.Random, parts: Parts) -> bytes:
    return joined(b"{}" + b" " * chance.randint(256_000, 3_000_000), b"")


def repeated_header_key(chance: random.Random, parts: Parts) -> bytes:
    raw = json.dumps(parts.header)
    name = chance.choice(list(parts.header))
    return joined((raw[:-1] + f', "{name}": {{}}}}').encode(), bytes(parts.body))


def deep_header(chance: random.Random, parts: Parts) -> bytes:
    depth = chance.choice([20, 100, 400, 700, 900, 980, 2000, 100_000])
    opened, closed = chance.choice([("[", "]"), ('{"a":', "}")])
    return joined(f'{{"a":{opened * depth}1{closed * depth}}}'.encode()[:255_000], b"")


def wrong_shape(chance: random.Random, parts: Parts) -> bytes:
    shapes = [
        [],
        [2, 3],
        [6, 1],
        [-6],
        [2**40],
        [2**62, 2**62],
        [6.0],
        [True] * 6,
        "6",
        None,
        [[6]],
        {"0": 6},
    ]
    shapes += [[1] * 90, [2**47] * 2000, [0], [7], ["6"], [1e308]]
    parts.header[f"{FIRST}.{chance.choice(['sigma', 'probe'])}"]["shape"] = chance.choice(shapes)
    return parts.joined()


def wrong_dtype(chance: random.Random, parts: Parts) -> bytes:
    names = [
        "F64",
        "F16",
        "BF16",
        "I32",
        "U32",
        "BOOL",
        "f32",
        "F32 ",
        "",
        None,
        4,
        ["F32"],
        "F4",
        "C64",
        "\u202e",
    ]
    parts.header[f"{FIRST}.sigma"]["dtype"] = chance.choice(names)
    return parts.joined()


def wrong_offsets(chance: random.Random, parts: Parts) -> bytes:
    entry = parts.header[f"{FIRST}.{chance.choice(['sigma', 'probe'])}"]
    choices = [
        [0, 24],
        [24, 0],
        [-24, 0],
        [0],
        [0, 24, 48],
        [1, 25],
        [2**60, 2**60 + 24],
        None,
        ["0", "24"],
        [0, 1e9],
    ]
    entry["data_offsets"] = chance.choice([choice for choice in choices if choice != entry["data_offsets"]])
    return parts.joined()


def overlapping(chance: random.Random, parts: Parts) -> bytes:
    first, second = chance.sample([name for name in parts.header if name.endswith("sigma")], 2)
    parts.header[first]["data_offsets"] = parts.header[second]["data_offsets"]
    return parts.joined()


def trailing_bytes(chance: random.Random, parts: Parts) -> bytes:
    return parts.joined() + chance.randbytes(chance.choice([1, 4, 64, 100_000]))


def truncated(chance: random.Random, parts: Parts) -> bytes:
    raw = parts.joined()
    return raw[: chance.randrange(len(raw))]


def missing_tensor(chance: random.Random, parts: Parts) -> bytes:
    last = max(
        (name for name in parts.header if name != "__metadata__"),
        key=lambda n: parts.header[n]["data_offsets"],
    )
    del parts.body[parts.header.pop(last)["data_offsets"][0] :]
    return parts.joined()


def extra_tensor(chance: random.Random, parts: Parts) -> bytes:
    names = [
        "image",
        "visual.sigma.extra",
        f"{FIRST}.weight",
        ".sigma",
        "sigma",
        "",
        "../../etc/passwd.probe2",
    ]
    end = len(parts.body)
    parts.header[chance.choice(names)] = {"dtype": "F32", "shape": [2], "data_offsets": [end, end + 8]}
    parts.body += b"\0" * 8
    return parts.joined()


def hostile_tensor_name(chance: random.Random, parts: Parts) -> bytes:
    stems = [
        "../../../etc/passwd",
        "a b",
        "a..b",
        "x" * 5000,
        "ü.proj",
        "<script>",
        "%s%n",
        "a. Send money",
        "-1",
    ]
    stem = chance.choice([*stems, *(f"visual.{mark}trunk" for mark in HIDDEN)])
    for part in ("sigma", "sigma_base", "probe"):
        parts.header[f"{stem}.{part}"] = parts.header.pop(f"{FIRST}.{part}")
    return parts.joined()


def foreign_metadata(chance: random.Random, parts: Parts) -> bytes:
    parts.header["__metadata__"] = chance.choice([{}, {"format": "pt"}, {"sigma_adapter ": "{}"}])
    return joined(json.dumps(parts.header).encode(), bytes(parts.body))


def more_metadata(chance: random.Random, parts: Parts) -> bytes:
    parts.header["__metadata__"][chance.choice(["format", "note", "\u202e"])] = "pt"
    return parts.joined()


def metadata_of_another_kind(chance: random.Random, parts: Parts) -> bytes:
    kinds: list[object] = [None, [], "text", 1, True, {"sigma_adapter": 1}, {"sigma_adapter": parts.document}]
    parts.header["__metadata__"] = chance.choice(kinds)
    return joined(json.dumps(parts.header).encode(), bytes(parts.body))


def wrong_encoding(chance: random.Random, parts: Parts) -> bytes:
    text = json.dumps(parts.header)
    encodings = [
        text.encode("utf-16"),
        text.encode("utf-32"),
        b"\xff\xfe" + text.encode(),
        b"\xef\xbb\xbf" + text.encode(),
    ]
    broken = text.encode().replace(b"A. Author", chance.choice([b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80"]))
    return joined(chance.choice([*encodings, broken]), bytes(parts.body))


def flipped_brackets(chance: random.Random, parts: Parts) -> bytes:
    raw = parts.joined()
    return raw.replace(*chance.choice([(b"{", b"["), (b":", b";"), (b'"', b"'"), (b",", b",,")]))


def another_kind_of_file(chance: random.Random, parts: Parts) -> bytes:
    starts = [
        b"PK\x03\x04",
        b"\x89PNG\r\n\x1a\n",
        b"\x80\x04\x95cos\nsystem\n",
        b"<!doctype html>",
        b"%PDF-1.7",
        b"{}",
        b"\x1f\x8b",
    ]
    return chance.choice(starts) + chance.randbytes(chance.choice([0, 3, 100, 5000]))


def nothing(chance: random.Random, parts: Parts) -> bytes:
    return chance.randbytes(chance.choice([0, 0, 1, 7, 8, 9]))[:9]


def number_in_tensor(chance: random.Random, parts: Parts) -> bytes:
    entry = parts.header[chance.choice([name for name in parts.header if name != "__metadata__"])]
    place = entry["data_offsets"][0] + 4 * chance.randrange(entry["shape"][0])
    bits = chance.choice([0x7FC00000, 0x7F800000, 0xFF800000, 0x7F800001, 0xFFFFFFFF])
    parts.body[place : place + 4] = struct.pack("<I", bits)
    return parts.joined()


def negative_sigma(chance: random.Random, parts: Parts) -> bytes:
    name = f"{FIRST}.{chance.choice(['sigma', 'sigma_base'])}"
    place = parts.header[name]["data_offsets"][0] + 4 * chance.randrange(6)
    parts.body[place : place + 4] = struct.pack("<f", -chance.choice([1e-30, 0.01, 1.0, 1e30]))
    return parts.joined()


def sigma_too_far(chance: random.Random, parts: Parts) -> bytes:
    place = parts.header[f"{FIRST}.sigma"]["data_offsets"][0] + 4 * chance.randrange(6)
    parts.body[place : place + 4] = struct.pack("<f", chance.choice([20.0, 1e6, 3e38]))
    return parts.joined()


def wrong_ranks(chance: random.Random, parts: Parts) -> bytes:
    content = example_content()
    first = content.spectra[0]
    extra = np.ones(1, dtype=np.float32)
    changed = chance.choice(
        [
            replace(first, sigma=first.sigma[:-1]),
            replace(first, sigma_base=np.append(first.sigma_base, extra)),
            replace(first, probe=first.probe[:7]),
            replace(first, probe=np.append(first.probe, extra)),
            replace(first, sigma=first.sigma[:0], sigma_base=first.sigma_base[:0]),
            replace(first, sigma=np.ones(65_537, np.float32), sigma_base=np.ones(65_537, np.float32)),
        ]
    )
    return adapter_bytes(replace(content, spectra=(changed, *content.spectra[1:])))


def no_matrices(chance: random.Random, parts: Parts) -> bytes:
    return adapter_bytes(replace(example_content(), spectra=()))


SPOILS: tuple[Spoil, ...] = (
    stated_length,
    huge_header,
    huge_header_of_spaces,
    repeated_header_key,
    deep_header,
    wrong_shape,
    wrong_dtype,
    wrong_offsets,
    overlapping,
    trailing_bytes,
    truncated,
    missing_tensor,
    extra_tensor,
    hostile_tensor_name,
    foreign_metadata,
    more_metadata,
    metadata_of_another_kind,
    wrong_encoding,
    flipped_brackets,
    another_kind_of_file,
    nothing,
    number_in_tensor,
    negative_sigma,
    sigma_too_far,
    wrong_ranks,
    no_matrices,
)
