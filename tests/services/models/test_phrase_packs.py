from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from clipsvd_app.corpus import COLUMNS, load_corpus, user_folder
from clipsvd_app.errors import UserError
from clipsvd_app.services.models.phrase_packs import add_pack, list_packs, remove_pack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINE = "m-1,a pale zone around a vein,any,any,vascular,present,,,,me,CC0,true"


@pytest.fixture(autouse=True)
def _no_packs_left() -> Iterator[None]:
    yield
    shutil.rmtree(user_folder(), ignore_errors=True)


def pack(folder: Path, name: str = "my pack.csv", line: str = LINE) -> Path:
    path = folder / name
    path.write_text(",".join(COLUMNS) + "\n" + line + "\n", encoding="utf-8")
    return path


def texts() -> set[str]:
    return {phrase.text for phrase in load_corpus().phrases}


def test_a_pack_that_is_added_is_used_until_it_is_removed(tmp_path: Path) -> None:
    assert add_pack(pack(tmp_path)).phrases == 1
    assert "a pale zone around a vein" in texts()
    (listed,) = list_packs()
    assert listed.name == "my-pack"
    remove_pack("my-pack")
    assert "a pale zone around a vein" not in texts()


def test_adding_a_pack_again_replaces_it(tmp_path: Path) -> None:
    add_pack(pack(tmp_path))
    add_pack(pack(tmp_path, line=LINE.replace("pale", "dim")))
    assert "a dim zone around a vein" in texts()
    assert "a pale zone around a vein" not in texts()


def test_a_faulty_pack_is_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Line 2"):
        add_pack(pack(tmp_path, line=LINE.replace("vascular", "flavour")))
    assert list_packs() == ()


def test_a_pack_that_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(UserError, match="There is no pack"):
        remove_pack("nothing")
