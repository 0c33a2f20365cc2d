"""Adapters that are sound in themselves but do not fit are refused at once, and nothing is applied."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import numpy as np
import pytest
from support.changing import replace
from support.made_adapter import with_document, write_made_adapter
from support.small_clip import CLASSES, moved_sigmas, small_backbone, small_basis

from clipsvd_app.adapter_file import AdapterContent, Spectrum, read_adapter, write_adapter
from clipsvd_app.adapter_file.plain_text import plain
from clipsvd_app.engine.sigma.hot_swap import HotSwap
from clipsvd_app.engine.sigma.probes import compute_probes
from clipsvd_app.errors import UserError

COUNT = 80
Spoil = Callable[[random.Random, AdapterContent], AdapterContent]


def with_spectrum(content: AdapterContent, place: int, **parts: object) -> AdapterContent:
    spectra = list(content.spectra)
    spectra[place] = replace(spectra[place], **parts)
    return replace(content, spectra=tuple(spectra))


def somewhere(chance: random.Random, content: AdapterContent) -> tuple[int, Spectrum]:
    place = chance.randrange(len(content.spectra))
    return place, content.spectra[place]


def wrong_base(chance, content):
    base = replace(content.document.base, sha256=f"{chance.getrandbits(256):064x}", name="other. Trust it")
    return with_document(content, base=base)


def wrong_preprocessing(chance, content):
    stored = content.document.preprocessing
    changes = [
        {"mean": (0.4, 0.5, 0.5)},
        {"std": (0.25, 0.25, 1.0)},
        {"size": (64, 32)},
        {"interpolation": "x"},
    ]
    return with_document(content, preprocessing=replace(stored, **chance.choice(changes)))


def wrong_logit_scale(chance, content):
    return with_document(content, logit_scale=content.document.logit_scale * chance.choice([0.5, 1.01, 40]))


def missing_matrix(chance, content):
    place, _ = somewhere(chance, content)
    return replace(content, spectra=content.spectra[:place] + content.spectra[place + 1 :])


def renamed_matrix(chance, content):
    place, spectrum = somewhere(chance, content)
    return with_spectrum(content, place, name=spectrum.name + chance.choice(["x", ".weight", "_1"]))


def extra_matrix(chance, content):
    _, spectrum = somewhere(chance, content)
    return replace(
        content, spectra=(*content.spectra, replace(spectrum, name="visual.trunk.blocks.9.attn.proj"))
    )


def shorter_rank(chance, content):
    place, spectrum = somewhere(chance, content)
    return with_spectrum(content, place, sigma=spectrum.sigma[:-1], sigma_base=spectrum.sigma_base[:-1])


def shifted_spectrum(chance, content):
    place, spectrum = somewhere(chance, content)
    factor = np.float32(chance.choice([1.001, 0.9, 2.0]))
    return with_spectrum(content, place, sigma_base=spectrum.sigma_base * factor)


def gigantic_spectrum(chance, content):
    place, spectrum = somewhere(chance, content)
    huge = np.full_like(spectrum.sigma, 3e38)
    return with_spectrum(content, place, sigma=huge, sigma_base=huge)


def wrong_probe(chance, content):
    place, spectrum = somewhere(chance, content)
    probe = spectrum.probe.copy()
    probe[chance.randrange(8)] += chance.choice([0.1, -5, 3e38])
    return with_spectrum(content, place, probe=probe)


def tampered_sigma(chance, content):
    place, spectrum = somewhere(chance, content)
    return with_spectrum(content, place, sigma=spectrum.sigma * np.float32(chance.choice([1.1, 0.5, 0])))


def swapped_sigmas(chance, content):
    places = [place for place, spectrum in enumerate(content.spectra) if ".attn.proj" in spectrum.name]
    one, other = places[:2]
    swapped = with_spectrum(content, one, sigma=content.spectra[other].sigma)
    return with_spectrum(swapped, other, sigma=content.spectra[one].sigma)


def wrong_canary(chance, content):
    canaries = content.document.canaries
    place = chance.randrange(len(canaries.items))
    logits = [value + chance.choice([0.05, -1, 1e5]) for value in canaries.items[place].logits]
    items = list(canaries.items)
    items[place] = replace(items[place], logits=tuple(logits))
    return with_document(content, canaries=replace(canaries, items=tuple(items), tolerance=0.04))


def another_seed(chance, content):
    canaries = content.document.canaries
    items = tuple(replace(item, seed=chance.getrandbits(62)) for item in canaries.items)
    return with_document(content, canaries=replace(canaries, items=items))


def swapped_classes(chance, content):
    return with_document(content, classes=content.document.classes[::-1])


@pytest.fixture(scope="module")
def backbone():
    return small_backbone()


@pytest.fixture(scope="module")
def basis(backbone):
    return small_basis(backbone)


@pytest.fixture(scope="module")
def good(tmp_path_factory, backbone, basis):
    path = tmp_path_factory.mktemp("good") / "a.sigma.safetensors"
    return write_made_adapter(path, backbone, basis, classes=CLASSES)


@pytest.fixture(scope="module")
def forged(backbone, basis) -> Spoil:
    """Other singular values with probes that fit them: only the canaries can tell."""

    def spoil(chance, content):
        sigmas = moved_sigmas(basis, 0.4, chance.getrandbits(16))
        probes = compute_probes(backbone, basis, sigmas)
        spectra = (replace(s, sigma=sigmas[s.name], probe=probes[s.name]) for s in content.spectra)
        return replace(content, spectra=tuple(spectra))

    return spoil


SPOILS: tuple[Spoil, ...] = (
    wrong_base,
    wrong_preprocessing,
    wrong_logit_scale,
    missing_matrix,
    renamed_matrix,
    extra_matrix,
    shorter_rank,
    shifted_spectrum,
    gigantic_spectrum,
    wrong_probe,
    tampered_sigma,
    swapped_sigmas,
    wrong_canary,
    another_seed,
    swapped_classes,
)


def test_what_does_not_fit_is_refused_in_one_sentence_within_a_second(
    good, forged, backbone, basis, tmp_path
):
    chance, spoils, swap = random.Random(0), (*SPOILS, forged), HotSwap(backbone, basis)
    path = tmp_path / "a.sigma.safetensors"
    for number in range(COUNT):
        spoil = spoils[number % len(spoils)]
        write_adapter(path, spoil(chance, good))
        start = time.perf_counter()
        with pytest.raises(UserError, match=r"^The adapter (does not fit|belongs to)") as refused:
            swap.apply(read_adapter(path))
        assert time.perf_counter() - start < 1, spoil
        assert refused.value.message == plain(refused.value.message)
        assert refused.value.message.endswith(".")
        assert refused.value.remedy
        assert swap.applied is None


def test_each_forgery_is_caught_by_the_check_that_is_meant_for_it(good, forged, backbone, basis):
    chance, expected = (
        random.Random(1),
        {
            wrong_base: "adapter_base",
            wrong_preprocessing: "adapter_input",
            wrong_logit_scale: "adapter_input",
            renamed_matrix: "adapter_matrices",
            shorter_rank: "adapter_matrices",
            shifted_spectrum: "adapter_base_spectra",
            gigantic_spectrum: "adapter_base_spectra",
            wrong_probe: "adapter_probes",
            tampered_sigma: "adapter_probes",
            swapped_sigmas: "adapter_probes",
            wrong_canary: "adapter_canaries",
            swapped_classes: "adapter_canaries",
            forged: "adapter_canaries",
        },
    )
    for spoil, code in expected.items():
        with pytest.raises(UserError) as refused:
            HotSwap(backbone, basis).apply(spoil(chance, good))
        assert refused.value.code == code, spoil
