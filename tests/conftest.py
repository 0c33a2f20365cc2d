"""What every test shares: no screen, no network, no file of the user's own, the same numbers each time.

All of it is set before the first import of Qt, torch or the program, and is inherited by child processes.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
import pytest

HOME = Path(tempfile.mkdtemp(prefix="clipsvd-tests-"))

os.environ["CLIPSVD_HOME"] = str(HOME)
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# One number everywhere: the order of float sums, and so the last digits, depends on it.
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Spinning threads of torch starve every other process of the machine, and one another.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# The gate tries the same examples each time; `HYPOTHESIS_PROFILE=thorough` hunts for new ones.
hypothesis.settings.register_profile(
    "clipsvd", deadline=None, max_examples=50, print_blob=True, derandomize=True
)
hypothesis.settings.register_profile(
    "thorough", deadline=None, max_examples=1000, print_blob=True, derandomize=False
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "clipsvd"))


def pytest_unconfigure() -> None:
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(autouse=True)
def _fresh_settings():
    """Give each test the default settings; caches, which are keyed by content, stay."""
    yield
    shutil.rmtree(HOME / "config", ignore_errors=True)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the source tree."""
    return Path(__file__).resolve().parent.parent
