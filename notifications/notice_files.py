"""Files of a notice: what they are by their content, whatever their names say.

A picture is decoded and written anew, so that nothing of its metadata is left (where and with what it was taken, a
thumbnail of what was cut off) and it is no larger than a telephone needs. An attachment stays as it is: PDF, DOC or DOCX,
without macros.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib

from PIL import Image, ImageFile, ImageOps

from models.errors import Invalid

PICTURE_LIMIT = 10 * 1024 * 1024
ATTACHMENT_LIMIT = 20 * 1024 * 1024
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 1600
JPEG_QUALITY = 85
FORMATS = ("JPEG", "PNG", "WEBP")

PDF = "application/pdf"
DOC = "application/msword"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ENDINGS = {PDF: ".pdf", DOC: ".doc", DOCX: ".docx"}
NAME_LENGTH = 80

# what Pillow raises for pictures that are broken in one place or another
_DAMAGE = (
    OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError, EOFError, struct.error,
    zlib.error, Image.DecompressionBombError,
)  # fmt: skip
_OLE_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WORD_STREAM = "WordDocument".encode("utf-16-le")
_MACROS = "_VBA_PROJECT".encode("utf-16-le")


def picture(data: bytes) -> tuple[bytes, str]:
    """The picture without its metadata, upright, at most LONGEST_SIDE pixels long; and its media type.

    Raises:
        Invalid: `file_too_large`; `not_an_image`: no JPEG, PNG or WebP, or broken, or of too many pixels.
    """
    if len(data) > PICTURE_LIMIT:
        raise Invalid("file_too_large", "图片太大了，请换一张10MB以内的。", pointer="/file")
    # another library of the same process may have switched truncated files on: half a picture, grey below
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        opened = Image.open(io.BytesIO(data), formats=FORMATS)
        if opened.width * opened.height > MOST_PIXELS:
            raise ValueError("too many pixels")
        # a JPEG can be decoded at a half, a quarter or an eighth of its size for a fraction of the work
        opened.draft(None, (LONGEST_SIDE, LONGEST_SIDE))
        upright = ImageOps.exif_transpose(opened)
        upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        see_through = upright.has_transparency_data
        # what is drawn on an empty page brings nothing along but its pixels
        drawn = Image.new("RGBA" if see_through else "RGB", upright.size)
        drawn.paste(upright.convert(drawn.mode))
    except _DAMAGE as error:
        raise Invalid("not_an_image", "这不是能用的图片，请换一张 JPG 或 PNG 格式的。", pointer="/file") from error
    written = io.BytesIO()
    if see_through:
        drawn.save(written, "PNG", optimize=True)
        return written.getvalue(), "image/png"
    drawn.save(written, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return written.getvalue(), "image/jpeg"


def document_type(data: bytes) -> str:
    """The media type of an attachment.

    Raises:
        Invalid: `file_too_large`; `not_a_document`: no PDF, DOC or DOCX; `has_macros`.
    """
    if len(data) > ATTACHMENT_LIMIT:
        raise Invalid("file_too_large", "附件太大了，请换20MB以内的，或拆成几个。", pointer="/file")
    if data.startswith(b"%PDF-"):
        return PDF
    if data.startswith(_OLE_MARK) and _WORD_STREAM in data:
        _without_macros(_MACROS in data)
        return DOC
    names = _names_in_zip(data)
    if {"[Content_Types].xml", "word/document.xml"} <= names:
        _without_macros(any(name.rpartition("/")[2].lower() == "vbaproject.bin" for name in names))
        return DOCX
    raise Invalid("not_a_document", "附件只能是 PDF 或 Word 文件，请另存成这两种再上传。", pointer="/file")


def shown_name(name: str, media_type: str) -> str:
    """The name of an attachment as readers see it: no folders, nothing invisible, the ending of what it is."""
    base = re.split(r"[/\\]", name)[-1]
    base = "".join(char for char in base if char.isprintable() and char not in '"<>|:*?')
    ending = ENDINGS[media_type]
    if base.lower().endswith(ending):
        base = base[: -len(ending)]
    return f"{base[:NAME_LENGTH].strip('. ') or '附件'}{ending}"


def _without_macros(found: bool) -> None:
    if found:
        raise Invalid("has_macros", "这个文件里有宏，请另存成不带宏的 Word 或 PDF 再上传。", pointer="/file")


def _names_in_zip(data: bytes) -> set[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            return set(packed.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return set()
