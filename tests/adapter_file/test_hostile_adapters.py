"""Files that nobody should open are refused in one sentence, at once, in little memory and without torch."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from adapter_examples import example_content, example_document
from hostile_adapters import write_hostile_files
from support.changing import replace

from clipsvd_app.adapter_file import card_text, read_adapter, write_adapter
from clipsvd_app.adapter_file.document import AdapterClass, Card
from clipsvd_app.adapter_file.plain_text import plain
from clipsvd_app.cli import main
from clipsvd_app.errors import UserError
from clipsvd_app.project import create_project, open_project
from clipsvd_app.services.adapters.application import backbone_of
from clipsvd_app.settings import data_folder, load_settings

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 420
CHILD = """
import json, sys, time
from pathlib import Path
from clipsvd_app.adapter_file import read_adapter
from clipsvd_app.errors import UserError
seen = []
for name in json.loads(sys.stdin.read()):
    start = time.perf_counter()
    try:
        read_adapter(Path(name))
        refusal = None
    except UserError as error:
        refusal = (error.message, error.remedy)
    seen.append((name, refusal, time.perf_counter() - start))
status = Path("/proc/self/status").read_text()
peak_kb = int(status.split("VmHWM:")[1].split()[0])
print(json.dumps({"seen": seen, "torch": "torch" in sys.modules, "peak_mb": peak_kb / 1024}))
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[Path]:
    return write_hostile_files(tmp_path_factory.mktemp("hostile"), COUNT)


@pytest.fixture(scope="module")
def readings(files) -> dict:
    """What one process without torch saw when it read them all."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHILD],
        input=json.dumps([str(file) for file in files]),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def is_one_sentence(text: str) -> bool:
    unquoted = re.sub("“.*?”", "“”", text)
    return (
        text == plain(text) and text.endswith(".") and not re.search(r"[.!?]\s", unquoted) and len(text) < 400
    )


def test_every_hostile_file_is_refused_in_one_sentence_with_a_remedy(readings):
    assert len(readings["seen"]) == COUNT
    assert [name for name, refusal, _ in readings["seen"] if refusal is None] == []
    refusals = [refusal for _, refusal, _ in readings["seen"]]
    assert [pair for pair in refusals if not (is_one_sentence(pair[0]) and is_one_sentence(pair[1]))] == []


def test_refusing_needs_no_torch_little_memory_and_less_than_a_second(readings):
    assert not readings["torch"]
    assert readings["peak_mb"] < 100
    assert max(seconds for _, _, seconds in readings["seen"]) < 1


def test_a_refused_file_leaves_project_and_job_folders_as_they_were(files, tmp_path, capsys):
    project = tmp_path / "p.clipsvd"
    create_project(project).close()
    before = hashlib.sha256(project.read_bytes()).hexdigest()
    with open_project(project):
        for file in files:
            with pytest.raises(UserError):
                backbone_of(load_settings(), file)
    for file in files[::20]:
        assert main(["predict", str(tmp_path), "--adapter", str(file)]) == 1
        line = capsys.readouterr().err
        assert line.count("\n") == 1
        assert line.startswith("clipsvd: ")
    assert hashlib.sha256(project.read_bytes()).hexdigest() == before
    assert not list((data_folder() / "jobs").glob("predict-*"))


def test_odd_but_legal_content_still_opens(tmp_path):
    odd = replace(
        example_document(),
        classes=(
            AdapterClass("نرمال‌ها", ("صورة صدر طبيعية",)),
            AdapterClass("<b>%s</b> {0} ../x; DROP TABLE", ("e\u0301 naïve 👩‍⚕️", "p" * 2000, "a. b. c.")),
        ),
        card=Card(contact="\\u202e is only written here"),
    )
    write_adapter(tmp_path / "odd.sigma.safetensors", example_content(odd))
    content = read_adapter(tmp_path / "odd.sigma.safetensors")
    assert content.document == odd
    assert "DROP TABLE" in card_text(content)
