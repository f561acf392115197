"""What comes as a file: looked at by its first bytes only. Decoding belongs to the worker."""

from __future__ import annotations

from flask import Response
from werkzeug.datastructures import FileStorage

from models.errors import Invalid

IMAGE_LIMIT = 10 * 1024 * 1024

SIGNATURES = ((0, b"\xff\xd8\xff", "jpeg"), (0, b"\x89PNG\r\n\x1a\n", "png"), (8, b"WEBP", "webp"))


def image_type(data: bytes) -> str | None:
    """The media type of an image by its first bytes, None where it is none that we take."""
    found = (f"image/{name}" for at, mark, name in SIGNATURES if data[at : at + len(mark)] == mark)
    return next(found, None)


def shown(data: bytes) -> Response:
    """A stored image as a reply."""
    return Response(data, content_type=image_type(data) or "application/octet-stream")


def image_bytes(part: FileStorage, pointer: str) -> bytes:
    """The bytes of an uploaded image.

    Raises:
        Invalid: `image_too_large`, `not_an_image` (by content, whatever its name says).
    """
    data = part.stream.read(IMAGE_LIMIT + 1)
    if len(data) > IMAGE_LIMIT:
        raise Invalid("image_too_large", "照片太大了，请换一张10MB以内的。", pointer=pointer)
    if image_type(data) is None:
        raise Invalid("not_an_image", "这不是照片，请重新拍一张。", pointer=pointer)
    return data
