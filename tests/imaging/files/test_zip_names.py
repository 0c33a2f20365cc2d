"""Names without a stated encoding are decoded by what they would say, all names of an archive together."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import pytest
from support.zip_files import Entry, zip_of

from clipsvd_app.imaging.files.discovery import look_through

if TYPE_CHECKING:
    from pathlib import Path

CHINESE = ["良性肿瘤/病人1.png", "恶性肿瘤/病人2.png", "正常/张三.png"]
TRADITIONAL = ["良性/陳小明.png", "惡性/影像1.png", "功能/訓練.png"]
JAPANESE = ["表皮/p1.png", "能動/テスト.png", "ソリッド/山田.png"]
KOREAN = ["양성 종양/환자1.png", "악성 종양/환자2.png", "정상/새 폴더.png"]
RUSSIAN = ["Норма/пациент 1.png", "Опухоль/Иванов.png", "ПЕРЕЛОМ/снимок.png"]
GERMAN = ["Ödem/Übersicht.png", "bösartig/Größe 1.png", "gutartig/Läsion.png"]
PORTUGUESE = ["lesão/coração.png", "não/São Paulo.png"]

GREEK = ["καλοήθης/ασθενής 1.png", "κακοήθης/2.png", "Φυσιολογικό/3.png"]
POLISH = ["złośliwy guz/1.png", "łagodny guz/2.png", "zdrowy pacjent ż/płuco.png"]

CASES = [
    (GREEK, "cp737"),
    (GREEK, "cp1253"),
    (GREEK, "utf-8"),
    (POLISH, "cp852"),
    (POLISH, "cp1250"),
    (POLISH, "utf-8"),
    (CHINESE, "gbk"),
    (CHINESE, "utf-8"),
    (TRADITIONAL, "big5"),
    (TRADITIONAL, "utf-8"),
    (JAPANESE, "shift_jis"),
    (JAPANESE, "utf-8"),
    (KOREAN, "euc_kr"),
    (KOREAN, "utf-8"),
    (RUSSIAN, "cp866"),
    (RUSSIAN, "cp1251"),
    (RUSSIAN, "koi8-r"),
    (RUSSIAN, "utf-8"),
    (GERMAN, "cp437"),
    (GERMAN, "cp850"),
    (GERMAN, "utf-8"),
    (PORTUGUESE, "cp850"),
    (PORTUGUESE, "utf-8"),
]


def found(tmp_path: Path, *members: Entry) -> tuple[list[str], tuple[str, ...]]:
    """Return folder and file name of what is in an archive of these members, and the notes on it."""
    archive = tmp_path / "named.zip"
    archive.write_bytes(zip_of(*members))
    findings = look_through([archive], unpack_into=tmp_path / "images")
    assert not findings.left_out
    return [f"{file.parent.name}/{file.name}" for file in findings.files], findings.notes


@pytest.mark.parametrize(("names", "encoding"), CASES)
def test_names_are_read_in_the_encoding_that_makes_sense_of_them(tmp_path, names, encoding):
    read, notes = found(tmp_path, *(Entry(name.encode(encoding)) for name in names))
    assert sorted(read) == sorted(names)
    assert not notes


@pytest.mark.parametrize(
    ("name", "encoding"), [("Fuß", "cp850"), ("폐렴", "euc_kr"), ("рак", "cp866"), ("骨折", "big5")]
)
def test_a_single_word_that_could_be_another_is_said_to_be_assumed(tmp_path, name, encoding):
    read, notes = found(tmp_path, Entry(f"{name}/1".encode(encoding)))
    assert read == [f"{name}/1"] or notes


def test_names_that_make_no_sense_are_taken_and_said(tmp_path):
    read, notes = found(tmp_path, Entry(b"\xb0\xb1\xb2\xdb\x01/1"))
    assert len(read) == 1
    assert "does not state the encoding" in notes[0]


def test_the_unicode_path_field_outranks_the_name_that_it_was_made_for(tmp_path):
    raw = "良性/1.png".encode("gbk")
    unicode = b"\x01" + struct.pack("<L", zlib.crc32(raw)) + "良性/1.png".encode()
    extra = struct.pack("<HH", 0x7075, len(unicode)) + unicode
    stale = extra.replace(struct.pack("<L", zlib.crc32(raw)), b"\x00" * 4)
    assert found(tmp_path, Entry(raw, extra=extra))[0] == ["良性/1.png"]
    assert found(tmp_path, Entry(b"plain/2.png", extra=stale))[0] == ["plain/2.png"]


def test_a_mark_of_utf8_that_is_not_true_is_not_believed(tmp_path):
    names = [name.encode("gbk") for name in CHINESE]
    read, _ = found(tmp_path, *(Entry(name, flags=0x800) for name in names))
    assert sorted(read) == sorted(CHINESE)


def test_names_that_say_what_they_are_and_names_that_do_not_stand_in_one_archive(tmp_path):
    members = [Entry("良性/a.png".encode(), flags=0x800), Entry("良性肿瘤/b.png".encode("gbk"))]
    assert found(tmp_path, *members)[0] == ["良性/a.png", "良性肿瘤/b.png"]


def test_half_a_letter_that_looks_like_a_separator_splits_no_folder(tmp_path):
    read, _ = found(tmp_path, *(Entry(name.encode("cp932")) for name in ("表/能.png", "十表/ソ.png")))
    assert sorted(read) == ["十表/ソ.png", "表/能.png"]
