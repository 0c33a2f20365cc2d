"""Every failure of an archive is a sentence, good members are taken, and nothing half-unpacked stays."""

from __future__ import annotations

import contextlib
import errno
import io
import random
import re
import struct
import sys
import unicodedata
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.zip_files import Entry, packed, zip_of

from clipsvd_app.errors import Cancelled, UserError
from clipsvd_app.imaging.files import archives
from clipsvd_app.imaging.files.archive_paths import safe_paths
from clipsvd_app.imaging.files.discovery import look_through
from clipsvd_app.imaging.files.zip_records import MemberError, member_parts, read_contents

if TYPE_CHECKING:
    from pathlib import Path

GOOD = Entry(b"good.dcm", b"\x00" * 128 + b"DICM")
SENTENCE = re.compile(r"[^\n]{10,400}\.")
NOISE = random.Random(1).randbytes(3000)
CUT = {method: packed(NOISE, method)[:-20] for method in (8, 12, 14)}
WRONG = {method: packed(NOISE, method)[:300] + b"\xff" * 400 for method in (8, 12, 14)}

BAD_MEMBERS = {
    "cut deflate": (Entry(b"bad", NOISE, 8, packed=CUT[8]), "damaged"),
    "cut bzip2": (Entry(b"bad", NOISE, 12, packed=CUT[12]), "damaged"),
    "cut lzma": (Entry(b"bad", NOISE, 14, packed=CUT[14]), "damaged"),
    "wrong deflate": (Entry(b"bad", NOISE, 8, packed=WRONG[8]), "damaged"),
    "wrong bzip2": (Entry(b"bad", NOISE, 12, packed=WRONG[12]), "damaged"),
    "wrong lzma": (Entry(b"bad", NOISE, 14, packed=WRONG[14]), "damaged"),
    "lzma without a head": (Entry(b"bad", NOISE, 14, packed=b"\x00"), "damaged"),
    "lzma that asks for 4 GB": (
        Entry(b"bad", NOISE, 14, packed=b"\x09\x14\x05\x00\x5d\xff\xff\xff\xff" + b"\x00" * 50),
        "damaged",
    ),
    "wrong checksum": (Entry(b"bad", NOISE, crc=1), "damaged"),
    "shorter than it is": (Entry(b"bad", NOISE, size=10), "damaged"),
    "longer than it is": (Entry(b"bad", NOISE, size=5000), "damaged"),
    "longer than can be": (Entry(b"bad", NOISE, size=0xFFFFFFF0), "damaged"),
    "more packed than there is": (Entry(b"bad", NOISE, packed_size=0x7FFFFFFF), "damaged"),
    "beyond the file": (Entry(b"bad", NOISE, offset=0x7FFFFFFF), "damaged"),
    "on another record": (Entry(b"bad", NOISE, offset=3), "damaged"),
    "on another member": (Entry(b"bad", NOISE, offset=0), "damaged"),
    "zip64 lies": (
        Entry(b"bad", NOISE, size=0xFFFFFFFF, extra=struct.pack("<HHQ", 1, 8, 2**63)),
        "damaged",
    ),
    "zip64 without its field": (Entry(b"bad", NOISE, offset=0xFFFFFFFF), "damaged"),
    "encrypted": (Entry(b"bad", NOISE, flags=1), "zip_encrypted"),
    "AES": (Entry(b"bad", NOISE, method=99), "zip_encrypted"),
    "Deflate64": (Entry(b"bad", NOISE, method=9), "zip_method"),
    "Zstandard": (Entry(b"bad", NOISE, method=93), "zip_method"),
    "unknown method": (Entry(b"bad", NOISE, method=77), "zip_method"),
    "link": (Entry(b"bad", b"/etc/passwd", mode=0o120777), "link"),
    "pipe": (Entry(b"bad", b"", mode=0o010644), "device"),
    "device": (Entry(b"bad", b"", mode=0o020644), "device"),
    "absolute": (Entry(b"/tmp/bad"), "zip_traversal"),
    "drive": (Entry(b"C:\\bad"), "zip_traversal"),
    "share": (Entry(b"\\\\server\\share\\bad"), "zip_traversal"),
    "parent": (Entry(b"a/../../bad"), "zip_traversal"),
}


def look(tmp_path: Path, data: bytes) -> tuple[dict[str, int], list[str]]:
    """Return sizes of the files found by name, and the reasons of what was left out."""
    archive = tmp_path / "hostile.zip"
    archive.write_bytes(data)
    found = look_through([archive], unpack_into=tmp_path / "images")
    assert all(not item.sentence or SENTENCE.fullmatch(item.sentence) for item in found.left_out)
    assert all(str(tmp_path) not in item.sentence for item in found.left_out)
    assert not list(tmp_path.rglob("unpacking-*"))
    assert all(file.resolve().is_relative_to(tmp_path / "images") for file in found.files)
    again = look_through([archive], unpack_into=tmp_path / "images")
    assert again == found, "what was unpacked before says the same"
    return {file.name: file.stat().st_size for file in found.files}, [item.reason for item in found.left_out]


@pytest.mark.parametrize("kind", BAD_MEMBERS)
def test_a_bad_member_costs_itself_alone(tmp_path, kind):
    member, reason = BAD_MEMBERS[kind]
    after = Entry(b"after.dcm", GOOD.data)
    assert look(tmp_path, zip_of(GOOD, member, after)) == ({"after.dcm": 132, "good.dcm": 132}, [reason])


@pytest.mark.parametrize(
    "name",
    [
        b"CON",
        b"nul.dcm",
        b"COM1.png",
        b"a\x00b.dcm",
        b"two\nlines.dcm",
        b"trailing. . .",
        b" ",
        b"...",
        b"a:b?c*d|e<f>.dcm",
        b"\xff\xfe\xfd.dcm",
        "übel\u202egnp.dcm".encode(),
        b"x" * 400 + b".dcm",
        b"/".join([b"deep"] * 2000) + b"/x.dcm",
        "/".join(["良性肿瘤" * 20] * 12).encode() + b".dcm",
        b"a//b/./c.dcm",
        b"",
    ],
)
def test_no_name_keeps_a_member_out(tmp_path, name):
    sizes, reasons = look(tmp_path, zip_of(GOOD, Entry(name, GOOD.data)))
    assert list(sizes.values()) == [132, 132]
    assert not reasons
    for path in (tmp_path / "images").rglob("*"):
        parts = path.relative_to(tmp_path / "images").parts
        assert all(len(part.encode()) <= 255 and part == part.rstrip(" .") for part in parts)
        assert not any(re.fullmatch(r"(?i)(con|nul|com1)(\..*)?", part) for part in parts)


@pytest.mark.parametrize(
    "names",
    [
        [b"s/1.dcm"] * 3,
        [b"IM:1.dcm", b"IM?1.dcm", b"IM|1.dcm"],
        [b"a" * 210 + b"_%d.dcm" % number for number in range(3)],
        [b"Benign/a.dcm", b"benign/A.dcm", b"BENIGN/a.DCM"],
        [b"x", b"x/y.dcm", b"X/y.dcm/z.dcm"],
        ["Ü.dcm".encode(), "U\u0308.dcm".encode(), "ü.dcm".encode()],
        [b"a.dcm", b"a (2).dcm", b"a.dcm"],
        [b"a.", b"a", b"a "],
    ],
)
def test_members_that_share_a_name_are_all_taken(tmp_path, names):
    members = [Entry(name, b"\x00" * 128 + b"DICM" + bytes([n])) for n, name in enumerate(names)]
    archive = tmp_path / "twins.zip"
    archive.write_bytes(zip_of(*members))
    found = look_through([archive], unpack_into=tmp_path / "images")
    assert {file.read_bytes()[-1] for file in found.files} == {0, 1, 2}
    assert len({str(file).casefold() for file in found.files}) == 3


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.lists(st.text(st.sampled_from("aAäÄ/\\.: ?\x00\n\ud800ßſK"), max_size=9), max_size=8))
def test_paths_are_told_apart_and_valid_on_every_system(names):
    paths = safe_paths(names)
    keys = {unicodedata.normalize("NFC", str(path)).casefold() for path in paths}
    assert len(keys) == len(paths)
    folders = {parent.as_posix().casefold() for path in paths for parent in path.parents}
    assert not folders & {path.as_posix().casefold() for path in paths}
    for path in paths:
        assert not path.is_absolute()
        assert all(part not in ("..", "") and part == part.rstrip(" .") for part in path.parts)
        assert not re.search(r'[<>:"|?*\\\x00-\x1f\ud800-\udfff]', str(path))


def test_many_members_of_one_name_are_soon_told_apart():
    paths = safe_paths(["a.png"] * 20_000)
    assert len(set(paths)) == 20_000


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (zip_of(GOOD)[:-30], "damaged"),
        (zip_of(GOOD)[:60], "damaged"),
        (b"PK\x03\x04", "damaged"),
        (zip_of(GOOD).replace(b"PK\x01\x02", b"PK\x01\x03"), "damaged"),
        (zip_of(Entry(b"a", flags=1), Entry(b"b", flags=1)), "zip_encrypted"),
        (zip_of(GOOD)[:-18] + b"\x01\x00\x01\x00" + zip_of(GOOD)[-14:], "zip_split"),
        (
            zip_of(
                GOOD, Entry(b"big", method=12, size=0xFFFFFFF0), Entry(b"big2", method=12, size=0xFFFFFFF0)
            ),
            "zip_too_large",
        ),
    ],
)
def test_an_archive_that_cannot_be_opened_is_one_sentence(tmp_path, data, code):
    assert look(tmp_path, data) == ({}, [code])
    assert not list((tmp_path / "images").rglob("*.dcm"))


def test_a_list_shorter_than_it_states_is_said(tmp_path):
    assert look(tmp_path, zip_of(GOOD, stated=4)) == ({"good.dcm": 132}, ["damaged"])


def test_what_stands_before_and_after_an_archive_does_no_harm(tmp_path):
    data = zip_of(GOOD, comment=b"PK\x05\x06 a comment", prefix=b"PK\x03\x04 self-extracting")
    assert look(tmp_path, data) == ({"good.dcm": 132}, [])


def test_bytes_used_by_two_members_are_given_once(tmp_path):
    bomb = [Entry(b"%d" % number, GOOD.data, offset=0) for number in range(20)]
    sizes, reasons = look(tmp_path, zip_of(*bomb))
    assert (len(sizes), reasons) == (1, ["damaged"] * 19)


def test_a_bzip2_bomb_is_never_whole_in_memory():
    bomb = zip_of(Entry(b"zeros", bytes(50_000_000), 12))
    file = io.BytesIO(bomb)
    (member,) = read_contents(file, "bomb.zip", 10).members
    assert max(map(len, member_parts(file, member))) <= 1024**2


def test_nothing_stays_of_an_archive_for_which_there_is_no_room(tmp_path, monkeypatch):
    (tmp_path / "a.zip").write_bytes(zip_of(*(Entry(b"%d.dcm" % n, NOISE) for n in range(4))))
    written: list[Path] = []

    def full(target, parts, check):
        if len(written) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(target)
        target.write_bytes(b"".join(parts))

    monkeypatch.setattr(archives, "_write", full)
    with pytest.raises(UserError) as refused:
        archives.unpack_zip(tmp_path / "a.zip", tmp_path / "images")
    assert refused.value.code == "disk_full"
    assert not list((tmp_path / "images").rglob("*.dcm"))
    monkeypatch.undo()
    assert len(look_through([tmp_path / "a.zip"], unpack_into=tmp_path / "images").files) == 4


def test_nothing_stays_of_an_archive_that_was_cancelled(tmp_path):
    (tmp_path / "a.zip").write_bytes(zip_of(*(Entry(b"%d.dcm" % n, NOISE) for n in range(4))))
    calls = []

    def stop() -> None:
        calls.append(1)
        if len(calls) == 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        look_through([tmp_path / "a.zip"], unpack_into=tmp_path / "images", check=stop)
    assert not list((tmp_path / "images").rglob("*.dcm"))


def test_what_a_killed_process_left_half_unpacked_goes_with_the_next_archive(tmp_path):
    left = tmp_path / "images" / "archives" / "unpacking-0123"
    (left / "half").mkdir(parents=True)
    left.with_name("unpacking-0123.lock").touch()
    assert look(tmp_path, zip_of(GOOD)) == ({"good.dcm": 132}, [])
    assert not left.exists()


def test_a_folder_in_which_nothing_may_be_written_is_named_and_not_the_archive(tmp_path):
    (tmp_path / "a.zip").write_bytes(zip_of(GOOD))
    (tmp_path / "images").write_text("a file in the place of the folder")
    (left,) = look_through([tmp_path / "a.zip"], unpack_into=tmp_path / "images").left_out
    assert left.reason == "read_only_folder"
    assert "“images”" in left.sentence


def test_a_file_lost_from_an_unpacked_archive_is_unpacked_again(tmp_path):
    data = zip_of(GOOD, Entry(b"other.dcm", GOOD.data))
    look(tmp_path, data)
    next((tmp_path / "images").rglob("other.dcm")).unlink()
    assert len(look(tmp_path, data)[0]) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="paths are shorter there, and the short form is tried")
def test_a_path_that_the_file_system_refuses_is_shortened(tmp_path, monkeypatch):
    refused = OSError(errno.ENAMETOOLONG, "File name too long")
    write = archives._write

    def picky(target, parts, check):
        if "very" in str(target):
            raise refused
        write(target, parts, check)

    monkeypatch.setattr(archives, "_write", picky)
    sizes, reasons = look(tmp_path, zip_of(Entry(b"very/long/malignant/1.dcm", GOOD.data)))
    assert (list(sizes.values()), reasons) == ([132], [])
    (file,) = (tmp_path / "images").rglob("*1.dcm")
    assert file.parent.name == "malignant"


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.lists(
        st.tuples(st.text(min_size=1, max_size=8), st.binary(max_size=200), st.sampled_from([0, 8, 12, 14])),
        max_size=6,
    )
)
def test_honest_archives_are_read_as_the_standard_library_reads_them(members):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number, (name, data, method) in enumerate(members):
            safe = name.encode("utf-8", "replace").decode().replace("/", "").replace("\x00", "")
            archive.writestr(zipfile.ZipInfo(f"{number}{safe}x"), data, method)
        expected = [archive.read(info) for info in archive.infolist()]
    found = read_contents(made, "a.zip", 10).members
    assert [b"".join(member_parts(made, member)) for member in found] == expected


def mutants(count: int) -> list[bytes]:
    chosen = random.Random(20)
    methods = [0, 8, 12, 14]
    made = []
    for _ in range(count):
        entries = [Entry(b"d%d/%d.dcm" % (n % 2, n), NOISE[: 50 * n + 40], methods[n % 4]) for n in range(5)]
        data = bytearray(zip_of(*entries))
        for _ in range(chosen.randint(1, 6)):
            place = chosen.randrange(4, len(data))
            kind = chosen.randrange(3)
            if kind == 0:
                data[place] = chosen.randrange(256)
            elif kind == 1:
                data[place : place + 4] = chosen.choice(
                    [b"\xff" * 4, b"\x00" * 4, b"PK\x01\x02", b"PK\x05\x06"]
                )
            else:
                del data[place : place + chosen.randrange(1, 40)]
        made.append(bytes(data))
    return made


def test_damaged_archives_end_in_sentences_and_give_only_true_bytes(tmp_path):
    true = {zlib.crc32(NOISE[: 50 * n + 40]) for n in range(5)}
    intact = 0
    for number, data in enumerate(mutants(150)):
        archive = tmp_path / f"{number}.zip"
        archive.write_bytes(data)
        found = look_through([archive], unpack_into=tmp_path / "images")
        assert found.files or found.left_out
        assert all(not item.sentence or SENTENCE.fullmatch(item.sentence) for item in found.left_out)
        intact += sum(zlib.crc32(file.read_bytes()) in true for file in found.files)
        assert not [file for file in found.files if file.stat().st_size > 1_000_000]
    assert intact > 150
    assert not list(tmp_path.rglob("unpacking-*"))


def test_the_reader_names_errors_and_never_raises_anything_else():
    for data in mutants(300):
        file = io.BytesIO(data)
        with contextlib.suppress(UserError):
            for member in read_contents(file, "a.zip", 100).members:
                with contextlib.suppress(MemberError):
                    assert all(len(part) <= 1024**2 for part in member_parts(file, member))
