"""Failures of a fetch, in one sentence each with a remedy."""

from __future__ import annotations

import errno
import socket
import ssl
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import httpx2
from huggingface_hub.utils import HfHubHTTPError

from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

ELSEWHERE = "or download it on another computer and add its folder"
AGAIN = "Download again to resume."
_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
E = TypeVar("E", bound=BaseException)


def in_words(error: httpx2.HTTPError | OSError, endpoint: str) -> UserError:
    """Return the sentence for an error of the network or of the disk."""
    host = urlsplit(endpoint).hostname or endpoint
    if isinstance(error, HfHubHTTPError):
        return _refusal(int(error.response.status_code), host)
    if isinstance(error, httpx2.ProxyError):
        return _proxy("407" in str(error))
    if isinstance(error, httpx2.TimeoutException):
        return UserError(f"“{host}” stopped responding.", remedy=AGAIN, code="fetch_silent")
    if isinstance(error, httpx2.HTTPError):
        return _no_connection(error, host)
    return _disk(error, endpoint)


def no_hub(endpoint: str) -> UserError:
    """Return the sentence for a response that is not a hub's, such as a sign-in page."""
    return UserError(
        f"“{endpoint}” is not the Hugging Face Hub: its response has no revision, size or hash.",
        remedy="Sign in to the network if required, check HF_ENDPOINT and the proxy, then download again.",
        code="fetch_no_hub",
    )


def cut_off(file: str) -> UserError:
    """Return the sentence for a connection that breaks repeatedly."""
    return UserError(
        f"The connection was lost several times while downloading “{file}”.",
        remedy=AGAIN,
        code="fetch_cut_off",
    )


def full_disk(wanted_bytes: int, free_bytes: int) -> UserError:
    """Return the sentence for a disk that is too small."""
    return UserError(
        f"The disk has {free_bytes / 1e6:,.0f} MB free, and {wanted_bytes / 1e6:,.0f} MB are needed.",
        remedy=f"Free some space, or set CLIPSVD_HOME to a larger disk. {AGAIN}",
        code="fetch_disk_full",
    )


def bad_proxy() -> UserError:
    """Return the sentence for a proxy setting that is not a URL."""
    return UserError(
        "The proxy that is set in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY cannot be used.",
        remedy="Set it to http://host:port, or remove it.",
        code="fetch_proxy",
    )


def _refusal(status: int, host: str) -> UserError:
    if status == httpx2.codes.PROXY_AUTHENTICATION_REQUIRED:
        return _proxy(signed_out=True)
    if status in (httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN):
        return UserError(
            f"“{host}” denied access to this model ({status}).",
            remedy=f"Ask your network administrator whether a filter blocks it, {ELSEWHERE}.",
            code="fetch_forbidden",
        )
    if status == httpx2.codes.NOT_FOUND:
        return UserError(
            f"“{host}” does not have this model at this revision (404).",
            remedy="Check --revision and HF_ENDPOINT. Without them, the published revision is downloaded.",
            code="fetch_not_found",
        )
    if status == httpx2.codes.TOO_MANY_REQUESTS or status >= httpx2.codes.INTERNAL_SERVER_ERROR:
        return UserError(
            f"“{host}” is overloaded or unavailable ({status}).",
            remedy=f"Wait a few minutes. {AGAIN}",
            code="fetch_busy",
        )
    return UserError(
        f"“{host}” refused the request ({status}).",
        remedy=f"Check the proxy and HF_ENDPOINT, {ELSEWHERE}.",
        code="fetch_refused",
    )


def _proxy(signed_out: bool) -> UserError:
    if signed_out:
        return UserError(
            "The proxy requires a user name and password (407).",
            remedy="Set HTTPS_PROXY to http://NAME:PASSWORD@HOST:PORT, then download again.",
            code="fetch_proxy_sign_in",
        )
    return UserError(
        "The proxy rejected the request.",
        remedy=f"Check HTTPS_PROXY, ask whether the proxy allows the Hugging Face Hub, {ELSEWHERE}.",
        code="fetch_proxy",
    )


def _no_connection(error: httpx2.HTTPError, host: str) -> UserError:
    if _cause(error, ssl.SSLCertVerificationError) is not None:
        return UserError(
            f"The connection to “{host}” is not secure: its certificate is not trusted.",
            remedy="If your proxy inspects connections, set SSL_CERT_FILE to its certificate."
            " Otherwise check the clock.",
            code="fetch_certificate",
        )
    if _cause(error, ssl.SSLError) is not None:
        return UserError(
            f"No secure connection to “{host}” is possible.",
            remedy=f"Check HF_ENDPOINT and the proxy, {ELSEWHERE}.",
            code="fetch_not_secure",
        )
    if isinstance(error, httpx2.ConnectError) and _cause(error, socket.gaierror) is not None:
        return UserError(
            f"The host “{host}” was not found: this computer is offline or needs a proxy.",
            remedy=f"Connect to the network, or set HTTPS_PROXY to http://host:port, {ELSEWHERE}.",
            code="fetch_offline",
        )
    if isinstance(error, httpx2.ConnectError):
        return UserError(
            f"“{host}” cannot be reached: this computer is offline, or a firewall or proxy blocks"
            f" the connection.",
            remedy=f"Connect to the network, or set HTTPS_PROXY to http://host:port, {ELSEWHERE}.",
            code="fetch_offline",
        )
    return UserError(f"The connection to “{host}” was lost.", remedy=AGAIN, code="fetch_cut_off")


def _disk(error: OSError, endpoint: str) -> UserError:
    if error.errno in _FULL:
        return UserError(
            "The disk is full.",
            remedy=f"Free some space, or set CLIPSVD_HOME to a larger disk. {AGAIN}",
            code="fetch_disk_full",
        )
    if error.errno in _FORBIDDEN:
        return UserError(
            "The cache folder is not writable.",
            remedy="Check the permissions, or set CLIPSVD_HOME to another folder.",
            code="fetch_not_writable",
        )
    if error.errno is None:  # huggingface_hub's own errors about incomplete responses are OSErrors too
        return no_hub(endpoint)
    return UserError(
        f"A file could not be read or written ({error.strerror}).",
        remedy=f"Check the disk. {AGAIN}",
        code="fetch_disk",
    )


def _cause(error: BaseException, kind: type[E]) -> E | None:
    """Return the first error of this kind among the causes."""
    return next((cause for cause in _causes(error) if isinstance(cause, kind)), None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    # Causes may form a circle.
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
