"""``clipsvd demo``: the whole job on the synthetic studies, without a window."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.adapter_file.names import SIGMA_SUFFIX
from clipsvd_app.cli import engine
from clipsvd_app.cli.model.explain import show_run
from clipsvd_app.cli.model.train import run_document, show_result
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.notice import NOT_FOR_DIAGNOSIS
from clipsvd_app.jobs.answers import VerifyResult
from clipsvd_app.services.adapters import application
from clipsvd_app.services.adapters.export import export_run
from clipsvd_app.services.models import backbones
from clipsvd_app.services.projects.demo import PROJECT_NAME, demo_files, label_demo, new_demo_project
from clipsvd_app.services.runs import training_run
from clipsvd_app.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console
    from clipsvd_app.project import Project

SHOTS = 16
ADAPTER_NAME = f"demo{SIGMA_SUFFIX}"


def add_commands(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the demo."""
    demo = commands.add_parser("demo", parents=[shared], help="run the whole workflow on synthetic films")
    demo.add_argument("--out", type=Path, metavar="DIR", help="output folder (default: a new one)")
    demo.set_defaults(run=run_demo)


def run_demo(options: argparse.Namespace, console: Console) -> int:
    """Write studies, label, train, evaluate, explain, export and verify."""
    out: Path = options.out or Path(tempfile.mkdtemp(prefix="clipsvd-demo-"))
    out.mkdir(parents=True, exist_ok=True)
    files = demo_files(out / "studies", lambda done, total: console.report("Drawing films", done, total))
    backbone = backbones.find(load_settings(), backbones.DEMO)
    with new_demo_project(_free(out), files) as project:
        label_demo(project, files)
        films = counted(len(project.images()), "synthetic film")
        console.say(f"{films} of {counted(_patients(project), 'patient')}, 3 findings.")
        folder = training_run.prepare(project, backbone, "standard", shots=SHOTS)
        engine.run(folder, console)
        number = training_run.record(project, folder)
        show_result(console, project.run_result(number), f"Run {number}")
        console.say()
        show_run(console, project.run_result(number), number)
        adapter = export_run(project, number, out / ADAPTER_NAME, overwrite=True)
        document = run_document(project, number) | {"project": str(project.path)}
    verified = engine.answer(application.prepare_verify(adapter, backbone), VerifyResult, console)
    console.say()
    console.say(
        f"Adapter: {adapter} ({adapter.stat().st_size:,} bytes,"
        f" {'verified' if verified.passed else 'NOT verified'})"
    )
    console.say(f"Project: {document['project']}")
    console.say(f"Synthetic films and a small demonstration backbone. {NOT_FOR_DIAGNOSIS}")
    console.document(
        document | {"adapter": str(adapter), "bytes": adapter.stat().st_size, "verified": verified.passed}
    )
    return 0 if verified.passed else 1


def _free(out: Path) -> Path:
    """Return a project path in ``out`` that does not exist yet."""
    candidates = (out / PROJECT_NAME, *(out / f"Demo-{number}.clipsvd" for number in range(2, 1000)))
    return next(path for path in candidates if not path.exists())


def _patients(project: Project) -> int:
    return len({image.patient_key for image in project.images()})
