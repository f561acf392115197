"""Every environment variable that Yinling reads: its type, its default and what it means.

Nothing else in the code reads `os.environ`. `.env` in the working directory is read first; a variable that is set wins.
A test compares this list with `.env.example`.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from environs import Env

ACTIONS = ("turn_left", "turn_right", "open_mouth", "blink", "nod")


class SettingsError(RuntimeError):
    """The environment asks for something that would not be safe or cannot work."""


def _variable(default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True)
class Settings:
    """The environment, read once. Times are seconds, sizes are bytes, paths are absolute."""

    # Where it runs
    PORT: int = _variable(8000, "port of the web process")
    HOST: str = _variable("0.0.0.0", "address that the web process listens on")
    WEB_WORKERS: int = _variable(2, "web processes")
    WEB_THREADS: int = _variable(8, "threads of one web process")
    JOB_WORKERS: int = _variable(2, "processes that do background work")
    DATA_DIR: Path = _variable(Path(".data"), "the embedded database, generated keys, metrics")
    TRUSTED_PROXIES: int = _variable(0, "reverse proxies in front that set X-Forwarded-For and -Proto")
    YINLING_DEMO: bool = _variable(False, "1 loads made-up people and sign-ins; production refuses it")
    PRODUCTION: bool = _variable(False, "1 refuses to start with demo data, default secrets or no encryption key")
    LOG_LEVEL: str = _variable("INFO", "DEBUG, INFO, WARNING or ERROR")
    METRICS_TOKEN: str = _variable("", "bearer token of /metrics; empty: only this machine may read it")

    # The database and the broker
    MONGODB_URI: str = _variable("", "a replica set; empty: the embedded one under DATA_DIR")
    MONGODB_DATABASE: str = _variable("yinling", "name of the database")
    CELERY_BROKER_URL: str = _variable("", "Redis or RabbitMQ; empty: the same MongoDB")

    # Secrets
    SECRET_KEY: str = _variable("", "signs access tokens, 32 characters or more; empty: made under DATA_DIR")
    ENCRYPTION_KEY: str = _variable("", "96 bytes in base64, master key of the fields; empty: made under DATA_DIR")

    # Signing in
    ACCESS_TOKEN_SECONDS: int = _variable(900, "life of an access token")
    REFRESH_TOKEN_DAYS: int = _variable(30, "life of a sign-in that is used")
    SMS_GATEWAY: str = _variable("console", "console (development; prints the text) or http")
    SMS_GATEWAY_URL: str = _variable("", "address of the http gateway")
    SMS_GATEWAY_KEY: str = _variable("", "key that signs requests to the http gateway")
    RATE_LIMITS: bool = _variable(True, "0 switches the limits by address off, for load tests only")

    # WeChat
    WECHAT_APPID: str = _variable("wxsandbox0000000000", "AppID of the mini-program")
    WECHAT_SECRET: str = _variable("sandbox-secret", "AppSecret of the mini-program")
    WECHAT_API_BASE: str = _variable("", "https://api.weixin.qq.com in production; empty: the loopback sandbox")
    WECHAT_SANDBOX_PORT: int = _variable(8089, "port of the loopback sandbox")
    WECHAT_TIMEOUT: float = _variable(3.0, "how long a sign-in waits for WeChat")
    WECHAT_MESSAGE_TIMEOUT: float = _variable(10.0, "how long a message waits for WeChat's answer")
    WECHAT_MINIPROGRAM_STATE: str = _variable("formal", "what a message opens: formal, trial or developer")

    # Messages that go out
    WECHAT_PER_SECOND: float = _variable(50.0, "subscribe messages a second that WeChat is asked to send, at most")
    SMS_PER_SECOND: float = _variable(20.0, "text messages a second that the gateway is asked to send, at most")

    # Faces
    FACE_ACTIONS: tuple[str, ...] = _variable(ACTIONS, "actions that may be drawn, comma separated")
    FACE_RECOGNITION_MODEL: str = _variable("", "file of a dlib face network; empty: face-recognition-models'")
    FACE_ENCODER_ONNX: str = _variable("", "another face network in ONNX, see docs/faces.md; empty: the one above")
    FACE_ANTISPOOF_ONNX: str = _variable("", "anti-spoofing model of your own, its .json beside it; empty: none")

    # The office
    SERVICE_PHONE: str = _variable("12333", "telephone number shown on every page of the retirees")
    SERVICE_NAME: str = _variable("银龄通", "name shown on the pages")

    @classmethod
    def from_environment(cls) -> Settings:
        """Read `.env` and the environment.

        Raises:
            SettingsError: a value has the wrong form.
        """
        env = Env()
        env.read_env(".env", recurse=False)
        readers: dict[type, Callable[..., Any]] = {int: env.int, float: env.float, bool: env.bool, str: env.str}
        values: dict[str, Any] = {}
        try:
            for variable in fields(cls):
                if isinstance(variable.default, tuple):
                    given = env.list(variable.name, list(variable.default))
                    values[variable.name] = tuple(item.strip() for item in given if item.strip())
                else:
                    values[variable.name] = readers.get(type(variable.default), env.path)(
                        variable.name, variable.default
                    )
        except ValueError as error:
            raise SettingsError(str(error)) from error
        values["DATA_DIR"] = values["DATA_DIR"].resolve()
        made = cls(**values)
        made._check()
        return made

    @property
    def wechat_api_base(self) -> str:
        return self.WECHAT_API_BASE or f"http://127.0.0.1:{self.WECHAT_SANDBOX_PORT}"

    @property
    def secret_key(self) -> str:
        """The signing secret, made once under DATA_DIR where none is set."""
        return self.SECRET_KEY or _kept(self.DATA_DIR / "keys" / "secret_key", lambda: secrets.token_urlsafe(48))

    @property
    def encryption_key(self) -> bytes:
        """The 96 byte master key, made once under DATA_DIR where none is set."""
        text = self.ENCRYPTION_KEY or _kept(
            self.DATA_DIR / "keys" / "encryption_key", lambda: base64.b64encode(secrets.token_bytes(96)).decode()
        )
        return base64.b64decode(text)

    def _check(self) -> None:
        if len(set(self.FACE_ACTIONS)) < 2 or not set(self.FACE_ACTIONS) <= set(ACTIONS):
            raise SettingsError(f"FACE_ACTIONS needs two or more of {', '.join(ACTIONS)}")
        if self.SMS_GATEWAY not in ("console", "http"):
            raise SettingsError("SMS_GATEWAY is console or http")
        if self.WECHAT_MINIPROGRAM_STATE not in ("formal", "trial", "developer"):
            raise SettingsError("WECHAT_MINIPROGRAM_STATE is formal, trial or developer")
        if self.ENCRYPTION_KEY:
            try:
                length = len(base64.b64decode(self.ENCRYPTION_KEY, validate=True))
            except binascii.Error as error:
                raise SettingsError("ENCRYPTION_KEY is not base64") from error
            if length != 96:
                raise SettingsError(f"ENCRYPTION_KEY has {length} bytes, it needs 96")
        if self.PRODUCTION:
            self._check_production()

    def _check_production(self) -> None:
        faults = []
        if self.YINLING_DEMO:
            faults.append("YINLING_DEMO is on")
        if len(self.SECRET_KEY) < 32:
            faults.append("SECRET_KEY is missing or shorter than 32 characters")
        if not self.ENCRYPTION_KEY:
            faults.append("ENCRYPTION_KEY is missing")
        if not self.MONGODB_URI:
            faults.append("MONGODB_URI is missing (the embedded database is for one machine and for development)")
        if not self.WECHAT_API_BASE or self.WECHAT_SECRET == "sandbox-secret":
            faults.append("WECHAT_API_BASE or WECHAT_SECRET still point to the sandbox")
        if self.SMS_GATEWAY == "console":
            faults.append("SMS_GATEWAY is console")
        elif not self.SMS_GATEWAY_URL or not self.SMS_GATEWAY_KEY:
            faults.append("SMS_GATEWAY_URL or SMS_GATEWAY_KEY is missing")
        if not self.RATE_LIMITS:
            faults.append("RATE_LIMITS is off")
        if faults:
            raise SettingsError("production refuses to start: " + "; ".join(faults))


def _kept(path: Path, make: Callable[[], str]) -> str:
    """Read a generated secret, or make it; two processes that start at once end with the same one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        fresh = path.with_suffix(f".{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(make())
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()


try:
    settings = Settings.from_environment()
except SettingsError as fault:
    sys.exit(f"settings: {fault}")
