"""Files whose JSON document is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hostile_parts import HIDDEN, Parts, Spoil, joined

if TYPE_CHECKING:
    import random
    from collections.abc import Callable


def repeated_key(chance: random.Random, parts: Parts) -> bytes:
    text = json.dumps(parts.document)
    spot = chance.choice(['"base": {', '"card": {', '"training": {', '"recipe": {'])
    key = chance.choice(["name", "x", "seed", "notice"])
    parts.header["__metadata__"]["sigma_adapter"] = text.replace(spot, f'{spot}"{key}": 1, "{key}": 1, ')
    return joined(json.dumps(parts.header).encode(), bytes(parts.body))


def constant_in_document(chance: random.Random, parts: Parts) -> bytes:
    text = json.dumps(parts.document)
    value = chance.choice(
        ["NaN", "Infinity", "-Infinity", "1e999", "-1e400", "nan", "0x10", "01", "1.", "+1"]
    )
    parts.header["__metadata__"]["sigma_adapter"] = text.replace("42.5", value)
    return joined(json.dumps(parts.header).encode(), bytes(parts.body))


def deep_document(chance: random.Random, parts: Parts) -> bytes:
    depth = chance.choice([17, 100, 400, 700, 900, 980, 2000, 30_000])
    opened, closed = chance.choice([("[", "]"), ('{"a":', "}")])
    place = chance.choice(["shots", "recipe", "extra", "seed"])
    deep = f'"{place}": {opened * depth}1{closed * depth}, '
    parts.document["training"].pop(place, None)
    text = json.dumps(parts.document).replace('"training": {', '"training": {' + deep)
    parts.header["__metadata__"]["sigma_adapter"] = text
    return joined(json.dumps(parts.header).encode(), bytes(parts.body))


def enormous_number(chance: random.Random, parts: Parts) -> bytes:
    number = chance.choice(["9" * 400, "9" * 5000, "1" + "0" * 100_000, "1e308", "-1e308", "1e30", "9" * 20])
    key = chance.choice(["logit_scale", "seed", "patients", "learning_rate", "parameters"])
    text = json.dumps(parts.document)
    start = text.index(f'"{key}": ') + len(f'"{key}": ')
    end = min(text.index(mark, start) for mark in ",}" if mark in text[start:])
    parts.header["__metadata__"]["sigma_adapter"] = text[:start] + number + text[end:]
    return joined(json.dumps(parts.header).encode(), bytes(parts.body))


def missing_key(chance: random.Random, parts: Parts) -> bytes:
    place = parts.document
    if chance.random() < 0.5:
        place = parts.document[chance.choice(["base", "basis", "preprocessing", "training"])]
    optional = {
        "canaries",
        "card",
        "calibration",
        "probes",
        "file_sha256",
        "dicom_window",
        "crop",
        "laterality",
    }
    place.pop(chance.choice(sorted(place.keys() - optional)))
    return parts.joined()


def extra_key(chance: random.Random, parts: Parts) -> bytes:
    key = chance.choice(["patient", "path", "__proto__", "", "\u202egnp", "x" * 3000, "a. Do this"])
    place = chance.choice([parts.document, parts.document["card"], parts.document["base"]])
    place[key] = chance.choice([1, "x", None, [], {}])
    return parts.joined()


def document_of_another_kind(chance: random.Random, parts: Parts) -> bytes:
    texts = [
        "",
        "null",
        "[]",
        "1",
        '"x"',
        "{}",
        "{",
        "<html>",
        "\ufeff{}",
        "{}{}",
        "{'a': 1}",
        "[" * 1000,
        "tru",
    ]
    parts.header["__metadata__"]["sigma_adapter"] = chance.choice(texts)
    return joined(json.dumps(parts.header).encode(), bytes(parts.body))


def another_format(chance: random.Random, parts: Parts) -> bytes:
    formats = [0, 2, 99, -1, "1", "2", True, None, 1.5, [], {}, [1], "\u202e2", "x" * 500, 10**30]
    parts.document["format"] = chance.choice(formats)
    return parts.joined()


def hidden_text(chance: random.Random, parts: Parts) -> bytes:
    text = chance.choice(["harm", "", "لا"]) + chance.choice(HIDDEN) + chance.choice(["less", "ok"])
    document = parts.document
    chance.choice(
        [
            lambda: document["classes"][0].update(name=text),
            lambda: document["classes"][1]["prompts"].append(text),
            lambda: document["classes"][1]["codes"][0].update(meaning=text),
            lambda: document["card"].update(contact=text),
            lambda: document["card"].update(intended_use=text),
            lambda: document["card"].update(licence=text),
            lambda: document["base"].update(name=text),
            lambda: document["base"].update(source=text),
            lambda: document["evaluation"].update(sentence=text),
            lambda: document["evaluation"]["methods"][0].update(method=text),
            lambda: document["libraries"].update({text: "1"}),
            lambda: document["training"]["recipe"].update({text: 1}),
            lambda: document["training"]["recipe"].update(preset=text),
            lambda: document["preprocessing"].update(crop=text),
            lambda: document.update(app_version=text),
            lambda: document.update(created="2026-11-21\n"),
            lambda: document["base"].update(sha256="ab" * 32 + "\n"),
        ]
    )()
    return parts.joined()


def wrong_classes(chance: random.Random, parts: Parts) -> bytes:
    one = parts.document["classes"][0]
    many = [{"name": f"c{number}", "prompts": ["p"]} for number in range(300)]
    wordy = [{"name": f"c{number}", "prompts": ["p"] * 128} for number in range(20)]
    parts.document["classes"] = chance.choice(
        [
            [],
            [one],
            [one, one],
            [one, {"name": " ", "prompts": ["x"]}],
            [one, {"name": "x", "prompts": []}],
            [one, {"name": "x", "prompts": [""]}],
            [one, {"name": "x", "prompts": [1]}],
            [one, {"name": 1, "prompts": ["x"]}],
            [one, {"name": "x" * 3000, "prompts": ["x"]}],
            [one, {"name": "x", "prompts": "x"}],
            many,
            wordy,
            {"0": one},
            None,
        ]
    )
    if parts.document["classes"] is wordy:
        parts.document["training"]["images_per_class"] = [1] * len(wordy)
        parts.document["canaries"]["items"] = []
    return parts.joined()


def wrong_numbers(chance: random.Random, parts: Parts) -> bytes:
    document = parts.document
    changes: list[Callable[[], object]] = [
        lambda: document.update(logit_scale=chance.choice([0, -1, 1e9, "1", None, True])),
        lambda: document["preprocessing"].update(
            size=chance.choice([[0, 0], [128], [128.5, 128], [9999, 9999]])
        ),
        lambda: document["preprocessing"].update(std=chance.choice([[0, 0, 0], [1, 1], [-1, 1, 1]])),
        lambda: document["preprocessing"].update(mean=[1e30, 0, 0]),
        lambda: document["canaries"].update(tolerance=chance.choice([0, -1, 1e9])),
        lambda: document["canaries"]["items"][0].update(
            logits=chance.choice([[], [1.0], [1.0] * 3, ["1", "2"]])
        ),
        lambda: document["canaries"].update(generator="rand"),
        lambda: document.update(probes={"tolerance": chance.choice([0, -1, 1.0])}),
        lambda: document["training"].update(images_per_class=chance.choice([[], [1], [1, 2, 3], [-1, 2]])),
        lambda: document["training"].update(seed=-1, shots=chance.choice([-1, 1.5])),
        lambda: document["evaluation"].update(kind="proven"),
        lambda: document["evaluation"]["methods"][0].update(balanced_accuracy=chance.choice([-0.1, 1.1, 80])),
        lambda: document["card"].update(notice="Safe for diagnostic use."),
        lambda: document["base"].update(sha256=chance.choice(["AB" * 32, "ab" * 31, "zz" * 32, "", 0])),
        lambda: document["base"].update(parameters=chance.choice([0, -1, 1.5, 10**30])),
        lambda: document.update(created=chance.choice(["today", "2026-13-01", "2026-11-21T09:41", ""])),
        lambda: document["calibration"].update(temperature=chance.choice([0, -1])),
        lambda: document["training"]["recipe"].update({f"r{n}": n for n in range(100)}),
        lambda: document["libraries"].update({f"l{n}": "1" for n in range(100)}),
    ]
    chance.choice(changes)()
    return parts.joined()


def wrong_kind_somewhere(chance: random.Random, parts: Parts) -> bytes:
    place: Any = parts.document
    while True:
        key = chance.choice(sorted(set(place) - {"recipe", "codes", "conformal_quantiles", "libraries"}))
        if not isinstance(place[key], dict) or chance.random() < 0.3:
            break
        place = place[key]
    strange = chance.choice([{"a": {"b": []}}, [[[]]], [None], {"": ""}])
    place[key] = strange
    return parts.joined()


SPOILS: tuple[Spoil, ...] = (
    repeated_key,
    constant_in_document,
    deep_document,
    enormous_number,
    missing_key,
    extra_key,
    document_of_another_kind,
    another_format,
    hidden_text,
    wrong_classes,
    wrong_numbers,
    wrong_kind_somewhere,
)
