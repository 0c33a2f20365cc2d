"""What no test can bring about for real, a full disk or a forged certificate, has its words all the same."""

from __future__ import annotations

import errno
import ssl

import httpx2
import pytest

from clipsvd_app.network.fetching.failures import full_disk, in_words

ENDPOINT = "https://hub.example"


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (OSError(errno.ENOSPC, "No space left"), "fetch_disk_full", "CLIPSVD_HOME"),
        (OSError(errno.EROFS, "Read-only"), "fetch_not_writable", "permissions"),
        (OSError(errno.EIO, "Input/output error"), "fetch_disk", "Input/output error"),
        (OSError("lacks a header"), "fetch_no_hub", "not the Hugging Face Hub"),
        (
            caused(httpx2.ConnectError("x"), ssl.SSLCertVerificationError("self-signed")),
            "fetch_certificate",
            "SSL_CERT_FILE",
        ),
        (httpx2.ConnectTimeout("x"), "fetch_silent", "Download again to resume"),
        (httpx2.ReadTimeout("x"), "fetch_silent", "“hub.example” stopped responding"),
        (httpx2.ReadError("x"), "fetch_cut_off", "Download again to resume"),
        (httpx2.ProxyError("407 Proxy Authentication Required"), "fetch_proxy_sign_in", "PASSWORD"),
        (httpx2.TooManyRedirects("x"), "fetch_cut_off", "hub.example"),
    ],
)
def test_each_error_has_one_sentence_and_a_remedy(error: Exception, code: str, words: str) -> None:
    said = in_words(error, ENDPOINT)
    assert said.code == code
    assert words in str(said)
    assert said.message.endswith(".")
    assert said.remedy.endswith(".")


def test_a_disk_that_is_too_small_is_said_in_megabytes() -> None:
    assert "12 MB free, and 784 MB are needed" in full_disk(784_000_000, 12_000_000).message
