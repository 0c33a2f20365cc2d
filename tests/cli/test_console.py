"""Facts about what the command line writes."""

from __future__ import annotations

import io

from clipsvd_app.cli.console import Console

HOSTILE = "scan\x1b]0;owned\x07\x1b[2J\x9b31m.dcm"


def test_a_name_cannot_steer_the_terminal():
    out, err = io.StringIO(), io.StringIO()
    console = Console(out=out, err=err)
    console.say(HOSTILE)
    console.note(HOSTILE)
    console.table(["file"], [[HOSTILE + "\nnext"]])
    written = out.getvalue() + err.getvalue()
    assert not set(written) & {"\x1b", "\x07", "\x9b"}
    assert written.count(".dcm") == 3
    assert ".dcm next" in written
