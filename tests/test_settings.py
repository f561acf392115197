"""The settings: typed, checked, and in production nothing unsafe starts."""

from __future__ import annotations

import base64
import os
import stat

import pytest

from settings import Settings, SettingsError

KEY = base64.b64encode(bytes(range(96))).decode()
SAFE = {
    "PRODUCTION": "1",
    "YINLING_DEMO": "0",
    "SECRET_KEY": "x" * 32,
    "ENCRYPTION_KEY": KEY,
    "MONGODB_URI": "mongodb://db.example/?replicaSet=rs",
    "WECHAT_API_BASE": "https://api.weixin.qq.com",
    "WECHAT_SECRET": "a secret of our own",
    "SMS_GATEWAY": "http",
    "SMS_GATEWAY_URL": "https://sms.example/send",
    "SMS_GATEWAY_KEY": "a key of our own",
    "RATE_LIMITS": "1",
}


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """The environment, and nothing else of ours in it; the working directory is empty."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.__dataclass_fields__:
        monkeypatch.delenv(name, raising=False)

    def read(**values: str) -> Settings:
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return Settings.from_environment()

    return read


def test_every_setting_has_a_default_and_a_meaning(environment):
    made = environment()
    assert (made.PORT, made.YINLING_DEMO, made.WECHAT_TIMEOUT, made.RATE_LIMITS) == (8000, False, 3.0, True)
    assert made.DATA_DIR.is_absolute()
    for variable in Settings.__dataclass_fields__.values():
        assert variable.metadata["meaning"]


def test_a_variable_is_read_as_the_kind_of_its_default(environment):
    made = environment(PORT="81", YINLING_DEMO="1", WECHAT_TIMEOUT="0.5", FACE_ACTIONS="nod, blink,")
    assert (made.PORT, made.YINLING_DEMO, made.WECHAT_TIMEOUT) == (81, True, 0.5)
    assert made.FACE_ACTIONS == ("nod", "blink")


@pytest.mark.parametrize(
    "values",
    [
        {"PORT": "eighty"},
        {"YINLING_DEMO": "perhaps"},
        {"FACE_ACTIONS": "nod"},
        {"FACE_ACTIONS": "nod,nod"},
        {"FACE_ACTIONS": "nod,smile"},
        {"SMS_GATEWAY": "pigeon"},
        {"WECHAT_MINIPROGRAM_STATE": "released"},
        {"ENCRYPTION_KEY": "not base64!"},
        {"ENCRYPTION_KEY": base64.b64encode(b"short").decode()},
    ],
)
def test_a_value_that_cannot_work_is_refused_at_the_start(environment, values):
    with pytest.raises(SettingsError):
        environment(**values)


def test_a_safe_production_starts(environment):
    assert environment(**SAFE).PRODUCTION


@pytest.mark.parametrize(
    ("unsafe", "named"),
    [
        ({"YINLING_DEMO": "1"}, "YINLING_DEMO"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"ENCRYPTION_KEY": ""}, "ENCRYPTION_KEY"),
        ({"MONGODB_URI": ""}, "MONGODB_URI"),
        ({"WECHAT_API_BASE": ""}, "sandbox"),
        ({"WECHAT_SECRET": "sandbox-secret"}, "sandbox"),
        ({"SMS_GATEWAY": "console"}, "console"),
        ({"SMS_GATEWAY_URL": ""}, "SMS_GATEWAY_URL"),
        ({"SMS_GATEWAY_KEY": ""}, "SMS_GATEWAY_KEY"),
        ({"RATE_LIMITS": "0"}, "RATE_LIMITS"),
    ],
)
def test_production_refuses_what_is_not_safe_and_names_it(environment, unsafe, named):
    with pytest.raises(SettingsError, match="production refuses") as refused:
        environment(**{**SAFE, **unsafe})
    assert named in str(refused.value)


def test_all_that_is_not_safe_is_named_at_once(environment):
    with pytest.raises(SettingsError) as refused:
        environment(PRODUCTION="1", YINLING_DEMO="1")
    assert str(refused.value).count(";") >= 4


def test_secrets_that_nobody_set_are_made_once_and_are_ours_alone(environment, tmp_path):
    made = environment(DATA_DIR=str(tmp_path / "data"))
    assert len(made.secret_key) >= 32
    assert len(made.encryption_key) == 96
    assert environment(DATA_DIR=str(tmp_path / "data")).secret_key == made.secret_key
    for path in (tmp_path / "data" / "keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.name in ("secret_key", "encryption_key")


def test_a_file_of_settings_is_read_and_a_variable_that_is_set_wins(environment, tmp_path):
    (tmp_path / ".env").write_text("PORT=81\nSERVICE_PHONE=0731-12345678\n")
    try:
        made = environment(PORT="82")
    finally:
        os.environ.pop("SERVICE_PHONE", None)
    assert (made.PORT, made.SERVICE_PHONE) == (82, "0731-12345678")


def test_wechat_leads_to_the_sandbox_until_it_is_told_otherwise(environment):
    assert environment(WECHAT_SANDBOX_PORT="8090").wechat_api_base == "http://127.0.0.1:8090"
    assert environment(WECHAT_API_BASE="https://api.weixin.qq.com").wechat_api_base == "https://api.weixin.qq.com"
