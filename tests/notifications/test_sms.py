"""Text messages, sent to a gateway that really listens."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from notifications.sms import (
    ConsoleGateway,
    HttpGateway,
    SmsAnswerLost,
    SmsRefused,
    SmsUnavailable,
    gateway,
    is_signed,
    render,
    signature,
)
from settings import SettingsError, settings

# the words of a code are a template, and an office may have its own
pytestmark = pytest.mark.usefixtures("ground")

KEY = "a-key-for-tests"
CODE = {"code": "123456", "minutes": "5"}


@dataclass
class Listener:
    """A gateway that answers as it is told and remembers what it got."""

    url: str = ""
    status: int = 200
    answer: bytes = b'{"message_id": "m-1"}'
    keeps_waiting: threading.Event | None = None
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def listener() -> Iterator[Listener]:
    told = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.requests.append((self.path, dict(self.headers.items()), body))
            if told.keeps_waiting:
                told.keeps_waiting.wait()
                return
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(told.answer)))
            self.end_headers()
            self.wfile.write(told.answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}/send?tenant=1"
    yield told
    if told.keeps_waiting:
        told.keeps_waiting.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_sign_in_code_arrives_signed_with_the_name_of_the_service():
    assert render("sign_in_code", CODE) == "【银龄通】验证码123456，5分钟内有效。任何人索要都不要告诉。"


def test_a_binding_code_says_what_is_asked_for_and_warns():
    text = render("binding_code", CODE)
    assert "为您办理“银龄通”业务" in text
    assert "验证码123456，5分钟内有效" in text
    assert "如果不是您或家人，请不要告诉别人" in text


@pytest.mark.parametrize("template", ["sign_in_code", "binding_code"])
@pytest.mark.parametrize("values", [{}, {"code": "123456"}, {"code": "", "minutes": "5"}])
def test_a_missing_value_is_an_error_before_anything_is_sent(listener, template, values):
    with pytest.raises(ValueError, match="needs"):
        HttpGateway(listener.url, KEY).send("13812345678", template, values)
    assert listener.requests == []


def test_an_unknown_template_is_an_error_before_anything_is_sent(listener):
    with pytest.raises(KeyError):
        HttpGateway(listener.url, KEY).send("13812345678", "no_such_template", CODE)
    assert listener.requests == []


def test_the_console_shows_the_code_and_hides_the_number():
    stream = io.StringIO()
    ConsoleGateway(stream).send("13812345678", "sign_in_code", CODE)
    assert stream.getvalue() == "SMS to 138****5678: 【银龄通】验证码123456，5分钟内有效。任何人索要都不要告诉。\n"


def test_the_console_gateway_writes_to_standard_output(capsys):
    gateway(replace(settings, SMS_GATEWAY="console")).send("13812345678", "sign_in_code", CODE)
    assert capsys.readouterr().out.startswith("SMS to 138****5678: 【银龄通】验证码123456")


def test_the_gateway_gets_number_template_values_and_text_and_names_the_message(listener):
    assert HttpGateway(listener.url, KEY).send("13812345678", "sign_in_code", CODE) == "m-1"
    [(path, headers, body)] = listener.requests
    assert path == "/send?tenant=1"
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body) == {
        "phone": "13812345678",
        "template": "sign_in_code",
        "values": CODE,
        "text": render("sign_in_code", CODE),
    }


def test_the_signature_covers_method_path_time_nonce_and_body(listener):
    HttpGateway(listener.url, KEY, clock=lambda: 1_800_000_000.9).send("13812345678", "sign_in_code", CODE)
    [(path, headers, body)] = listener.requests
    assert headers["X-Timestamp"] == "1800000000"
    sent = ("POST", path, headers["X-Timestamp"], headers["X-Nonce"], body)
    assert headers["X-Signature"] == signature(KEY, *sent)
    assert headers["X-Signature"] != signature("another-key", *sent)
    for place in range(len(sent)):
        forged = list(sent)
        forged[place] = b"{}" if place == 4 else "x"
        assert headers["X-Signature"] != signature(KEY, *forged)


def test_the_signature_of_a_known_message_never_changes():
    """Gateways elsewhere check it; the figure was computed with `openssl dgst -sha256 -hmac`."""
    known = signature("a-key-for-tests", "POST", "/send", "1800000000", "00ff", b'{"phone":"13812345678"}')
    assert known == "51e467d0bd9594308561e784a6ea6029a4db2adca76ff044508f03638fe45955"


def test_two_messages_never_share_a_nonce(listener):
    for _ in range(2):
        HttpGateway(listener.url, KEY).send("13812345678", "sign_in_code", CODE)
    first, second = (headers["X-Nonce"] for _, headers, _ in listener.requests)
    assert first != second


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 302])
def test_a_gateway_that_says_no_means_no(listener, status):
    listener.status = status
    with pytest.raises(SmsRefused, match=str(status)):
        HttpGateway(listener.url, KEY).send("13812345678", "sign_in_code", CODE)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_a_busy_or_broken_gateway_means_try_again_and_nothing_was_sent(listener, status):
    listener.status = status
    with pytest.raises(SmsUnavailable, match=str(status)) as caught:
        HttpGateway(listener.url, KEY).send("13812345678", "sign_in_code", CODE)
    assert not isinstance(caught.value, SmsAnswerLost)


@pytest.mark.parametrize("status", [502, 504])
def test_a_proxy_that_answers_in_the_gateways_place_leaves_the_answer_lost(listener, status):
    listener.status = status
    with pytest.raises(SmsAnswerLost, match=str(status)):
        HttpGateway(listener.url, KEY).send("13812345678", "sign_in_code", CODE)


@pytest.mark.parametrize("answer", [b"", b"thanks", b"[]", b"{}", b'{"message_id": 7}'])
def test_an_answer_that_names_no_message_is_a_lost_one(listener, answer):
    listener.answer = answer
    with pytest.raises(SmsAnswerLost):
        HttpGateway(listener.url, KEY).send("13812345678", "sign_in_code", CODE)


def test_a_gateway_that_does_not_answer_leaves_the_answer_lost(listener):
    listener.keeps_waiting = threading.Event()
    with pytest.raises(SmsAnswerLost, match=r"within 0\.05 s"):
        HttpGateway(listener.url, KEY, read_seconds=0.05).send("13812345678", "sign_in_code", CODE)


def test_a_gateway_that_is_not_there_means_try_again_and_the_error_tells_nothing():
    with pytest.raises(SmsUnavailable) as caught:
        HttpGateway("http://127.0.0.1:1/send?token=hush", KEY).send("13812345678", "sign_in_code", CODE)
    assert not isinstance(caught.value, SmsAnswerLost)
    assert "hush" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_words_that_are_ready_are_sent_under_the_name_of_the_service(listener, capsys):
    assert HttpGateway(listener.url, KEY).send_text("13812345678", "notice", "您有一条新通知。") == "m-1"
    [(_, _, body)] = listener.requests
    assert json.loads(body) == {
        "phone": "13812345678",
        "template": "notice",
        "values": {},
        "text": "【银龄通】您有一条新通知。",
    }
    ConsoleGateway().send_text("13812345678", "notice", "您有一条新通知。")
    assert capsys.readouterr().out == "SMS to 138****5678: 【银龄通】您有一条新通知。\n"


def test_what_is_signed_is_known_by_its_signature_for_five_minutes(listener):
    HttpGateway(listener.url, KEY, clock=lambda: 1_800_000_000).send("13812345678", "sign_in_code", CODE)
    [(path, headers, body)] = listener.requests
    right = {"key": KEY, "method": "POST", "path": path, "body": body, "headers": headers, "instant": 1_800_000_300}
    assert is_signed(**right)
    wrong = {
        "key": "another-key",
        "method": "PUT",
        "path": "/elsewhere",
        "body": body + b" ",
        "headers": {**headers, "X-Nonce": "0"},
        "instant": 1_800_000_301,
    }
    for name, value in wrong.items():
        assert not is_signed(**{**right, name: value}), name


@pytest.mark.parametrize("timestamp", ["", "now", "-1", "1" * 5000, "１８０００００００"])
def test_a_time_that_is_none_is_no_signature(timestamp):
    headers = {"X-Timestamp": timestamp, "X-Nonce": "0", "X-Signature": "0"}
    assert not is_signed(KEY, "POST", "/", b"", headers, 1_800_000_000)


def test_without_a_key_nothing_is_signed():
    headers = {"X-Timestamp": "1800000000", "X-Nonce": "0"}
    forged = signature("", "POST", "/", "1800000000", "0", b"")
    assert not is_signed("", "POST", "/", b"", {**headers, "X-Signature": forged}, 1_800_000_000)


def test_the_settings_choose_the_gateway(listener):
    chosen = replace(settings, SMS_GATEWAY="http", SMS_GATEWAY_URL=listener.url, SMS_GATEWAY_KEY=KEY)
    assert gateway(chosen).send("13812345678", "sign_in_code", CODE) == "m-1"


@pytest.mark.parametrize("lacking", ["SMS_GATEWAY_URL", "SMS_GATEWAY_KEY"])
def test_an_http_gateway_without_address_or_key_is_refused_at_once(lacking):
    complete = replace(settings, SMS_GATEWAY="http", SMS_GATEWAY_URL="https://sms.example/send", SMS_GATEWAY_KEY=KEY)
    with pytest.raises(SettingsError, match=lacking):
        gateway(replace(complete, **{lacking: ""}))
