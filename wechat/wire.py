"""One HTTP exchange with another company's server, and how it ended where it did not end well.

What matters to whoever sends a message is whether the other side may have it: a connection that was never made says no; a
request that was written and not answered says nothing, and the same message may arrive twice if it is sent again.

Connections are kept and used again, for each thread its own: at a hundred messages a second a new TLS connection for each
would cost more than the messages. The exceptions of `requests` stay here: their texts hold addresses, and addresses hold keys.
"""

from __future__ import annotations

import os
import threading
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

# What a proxy writes in the place of a server that it reached and did not hear from
ANSWERED_BY_A_PROXY = frozenset({502, 504})

_local = threading.local()


class NotSendable(Exception):
    """The address makes no sense. Nothing was sent."""


class NotReached(Exception):
    """No connection was made. Nothing was sent."""


class NotAnswered(Exception):
    """The request was written, or part of it, and no answer came: nobody knows whether it was taken. The text ends a sentence
    that begins with who was asked: "did not answer within 10 s"."""


def prepare(method: str, url: str, **content: object) -> requests.PreparedRequest:
    """A request that is ready to be signed and sent; `content` is what `requests.Request` takes.

    Raises:
        NotSendable: the address makes no sense.
    """
    try:
        return _session(url).prepare_request(requests.Request(method, url, **content))  # type: ignore[arg-type]
    except requests.RequestException as error:
        raise NotSendable(type(error).__name__) from None


def exchange(request: requests.PreparedRequest, connect_seconds: float, read_seconds: float) -> requests.Response:
    """Send a request and wait for its answer, whatever status it has. Redirections are not followed.

    Raises:
        NotSendable, NotReached, NotAnswered: there is no answer; see there.
    """
    session = _session(request.url or "")
    around = session.merge_environment_settings(request.url or "", {}, None, None, None)
    try:
        answer = session.send(request, timeout=(connect_seconds, read_seconds), allow_redirects=False, **around)
    except (requests.ConnectTimeout, requests.exceptions.SSLError, requests.exceptions.ProxyError):
        raise NotReached from None
    except requests.Timeout:
        raise NotAnswered(f"did not answer within {read_seconds:g} s") from None
    except requests.ConnectionError as error:
        raise (NotReached() if _never_connected(error) else NotAnswered("hung up")) from None
    except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError):
        raise NotAnswered("hung up") from None
    except requests.RequestException as error:
        raise NotSendable(type(error).__name__) from None
    if answer.status_code in ANSWERED_BY_A_PROXY:
        raise NotAnswered(f"answered {answer.status_code}")
    return answer


def _never_connected(error: requests.ConnectionError) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", cause), NewConnectionError | ConnectTimeoutError)


def _session(url: str) -> requests.Session:
    """This thread's connections. A fork leaves them to its parent."""
    if getattr(_local, "pid", None) != os.getpid():
        _local.pid = os.getpid()
        _local.session = requests.Session()
        _local.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session: requests.Session = _local.session
    # A proxy of the environment must not stand between this machine and itself
    session.trust_env = urlsplit(url).hostname not in LOOPBACK
    return session
