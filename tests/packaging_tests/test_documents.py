"""The documents are true: links work, commands exist, settings have the values stated."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path

import pytest
from PIL import Image
from setup_commands import COMMANDS

from clipsvd_app import __version__
from clipsvd_app.cli.main import parser
from clipsvd_app.demo_studies.patients import plan_films, write_demo_studies
from clipsvd_app.domain.recipe import PRESETS, Recipe
from clipsvd_app.services.projects.demo import LABELLED_AT_START, WINDOW_PATIENTS, WINDOW_PIXELS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "clipsvd_app/ARCHITECTURE.md",
    "docs/benchmarks.md",
    "docs/command-line.md",
    "docs/corpus.md",
    "docs/explanations.md",
    "docs/glossary.md",
    "docs/method.md",
    "docs/performance.md",
    "docs/reading-the-result.md",
    "docs/frozen-classifier.md",
    "docs/sigma-adapter.md",
    "docs/viewer.md",
)
PAGES = ("label", "train", "inspect", "explain", "export", "apply", "settings")
HOSTS = {"arxiv.org", "github.com", "keepachangelog.com", "semver.org"}


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose_of(name: str) -> str:
    """The document without its code blocks."""
    return re.sub(r"^```.*?^```", "", text_of(name), flags=re.DOTALL | re.MULTILINE)


def table_rows(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"
    ]


def test_every_document_is_checked_here():
    found = {path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))}
    assert found <= set(DOCUMENTS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_within_the_project_leads_somewhere(name):
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(name))]
    local = [target for target in targets if target and "://" not in target]
    assert [target for target in local if not (ROOT / name).parent.joinpath(target).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_leave_the_project_for_known_places_only(name):
    hosts = set(re.findall(r"https?://([^/\s)\"]+)", text_of(name)))
    assert hosts <= HOSTS


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_document_tells_of_the_machine_it_was_written_on(name):
    assert re.findall(r"(?<![\w.])/(?:home|root|work|tmp|Users|mnt|opt)/\S*", text_of(name)) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_make_command_in_a_document_exists(name):
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)(?=`|$|  )", text_of(name), flags=re.MULTILINE))
    assert named <= set(COMMANDS)


def test_the_readme_opens_with_the_two_commands_and_the_third():
    opening = text_of("README.md")[:3000]
    for command in ("app", "test", "demo"):
        assert f"make {command}" in opening
        assert f"python packaging/bootstrap.py {command}" in opening
    assert "Not for diagnostic use" in opening
    assert "docs/images/label-dark.png" in opening


def test_the_command_line_page_lists_exactly_the_commands_that_there_are():
    rows = table_rows(text_of("docs/command-line.md"))
    listed = {row[0].strip("`") for row in rows if row[0].startswith("`clipsvd")}
    assert listed == {f"clipsvd {name}" for name in command_names()}


def command_names() -> set[str]:
    names: set[str] = set()
    for name, command in subcommands(parser()).items():
        below = subcommands(command)
        names |= {f"{name} {action}" for action in below} or {name}
    return names


def subcommands(command) -> dict:
    actions = [action for action in command._actions if isinstance(action.choices, dict)]
    return dict(actions[0].choices) if actions else {}


def test_the_readme_and_the_changelog_are_short():
    assert len(text_of("README.md").splitlines()) < 200
    assert len(text_of("CHANGELOG.md").splitlines()) < 80


def test_the_paper_is_cited_as_published():
    for name in ("README.md", "docs/method.md"):
        text = " ".join(text_of(name).replace("> ", "").split())
        assert "CLIP-SVD: Efficient and Interpretable Vision-Language Adaptation via Singular Values" in text
        assert "Transactions on Machine Learning Research, 2026" in text
        assert "2509.03740" in text


def test_the_changelog_names_the_version():
    assert re.search(r"^## \[(.+?)\]", text_of("CHANGELOG.md"), flags=re.MULTILINE)[1] == __version__


def test_every_setting_of_the_recipe_is_documented_with_its_value_in_each_preset():
    rows = {row[0].strip("`"): row[1:4] for row in table_rows(text_of("docs/method.md")) if len(row) == 5}
    for setting in Recipe.__struct_fields__:
        if setting != "preset":
            presets = [PRESETS[name] for name in ("quick", "standard", "thorough")]
            assert rows[setting] == [stated(recipe, setting) for recipe in presets], setting


def stated(recipe: Recipe, setting: str) -> str:
    value = getattr(recipe, setting)
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(f"{rate:g}" for rate in value) if isinstance(value, tuple) else f"{value:g}"


def test_the_readme_counts_the_demo_studies_right():
    seed = inspect.signature(write_demo_studies).parameters["seed"].default
    films = plan_films(seed=seed, patients=WINDOW_PATIENTS, size=WINDOW_PIXELS)
    assert f"{len(films)} synthetic chest films of {WINDOW_PATIENTS} patients" in text_of("README.md")
    assert f"; {LABELLED_AT_START} patients of each are already\nlabelled" in text_of("README.md")


def test_the_architecture_names_every_part_of_the_program():
    text = text_of("clipsvd_app/ARCHITECTURE.md")
    parts = [
        path for path in (ROOT / "clipsvd_app").iterdir() if not path.name.startswith(("__init__", "__pyc"))
    ]
    names = [f"{path.name}/" if path.is_dir() else path.name for path in parts]
    assert [name for name in names if name not in text and not name.endswith(".md")] == []


def test_every_file_that_the_architecture_names_exists():
    text = text_of("clipsvd_app/ARCHITECTURE.md")
    named = re.findall(r"`((?:\w+/)+\w+(?:\.\w+)?)(?::\w+)?`", text)
    assert len(named) > 20
    assert [name for name in named if not is_there(name)] == []


def is_there(name: str) -> bool:
    return any(
        (root / f"{name}{suffix}").exists() for root in (ROOT, ROOT / "clipsvd_app") for suffix in ("", ".py")
    )


def test_the_architecture_states_the_import_order_that_is_enforced():
    contracts = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    order = " > ".join(f"({layer})" if "|" in layer else layer for layer in layers).replace(
        "clipsvd_app.", ""
    )
    assert order in " ".join(text_of("clipsvd_app/ARCHITECTURE.md").split())


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_photographed_in_both_themes(page, theme):
    file = ROOT / "docs" / "images" / f"{page}-{theme}.png"
    with Image.open(file) as picture:
        assert picture.size == (1440, 900)
    assert file.stat().st_size <= 300_000
