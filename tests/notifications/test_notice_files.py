"""Files of a notice: what they are by their content, and what of a picture is left."""

from __future__ import annotations

import contextlib
import io
import random
import struct
import zipfile
import zlib

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from models.errors import Invalid
from notifications import notice_files
from notifications.notice_files import DOC, DOCX, PDF

GPS = 0x8825
ORIENTATION = 0x0112
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)


def drawn(kind="JPEG", size=(400, 300), mode="RGB", **options):
    """A picture that is red on its left half."""
    image = Image.new("RGB", size, "white")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    image = image.convert(mode)
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def shown(data):
    picture, media_type = notice_files.picture(data)
    image = Image.open(io.BytesIO(picture))
    assert media_type == Image.MIME[image.format]
    return image


def is_red(pixel):
    return pixel[0] > 200 and pixel[1] < 60 and pixel[2] < 60


def a_zip(*names):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as packed:
        for name in names:
            packed.writestr(name, "x")
    return written.getvalue()


def refused(work):
    with pytest.raises(Invalid) as caught:
        work()
    assert caught.value.pointer == "/file"
    return caught.value.code


# ---- Pictures


def test_where_a_photograph_was_taken_and_with_what_does_not_leave_the_office():
    exif = Image.Exif()
    exif[0x010F], exif[0x0132] = "Camera of Wang", "2026:11:21 08:00:00"
    exif.get_ifd(GPS)[1] = "N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    taken = drawn(exif=exif, comment=b"at home", icc_profile=profile, xmp=b"<x:xmpmeta>Wang</x:xmpmeta>")
    assert b"Wang" in taken
    picture, _ = notice_files.picture(taken)
    image = Image.open(io.BytesIO(picture))
    assert dict(image.getexif()) == {}
    assert not {"exif", "icc_profile", "comment", "xmp"} & set(image.info)
    for trace in (b"Wang", b"at home", b"Exif"):
        assert trace not in picture


def test_the_words_inside_a_png_do_not_leave_either():
    words = PngImagePlugin.PngInfo()
    words.add_text("Author", "Wang Xiuying")
    for mode in ("RGB", "RGBA"):
        picture, _ = notice_files.picture(drawn("PNG", mode=mode, pnginfo=words))
        assert b"Wang" not in picture


def test_a_photograph_taken_sideways_stands_upright():
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    image = shown(drawn(exif=exif))
    assert image.size == (300, 400)
    assert is_red(image.getpixel((150, 20)))
    assert not is_red(image.getpixel((150, 380)))


def test_a_large_picture_becomes_as_large_as_a_telephone_needs_and_a_small_one_stays():
    assert shown(drawn(size=(4000, 3000))).size == (1600, 1200)
    assert shown(drawn(size=(400, 300))).size == (400, 300)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_colours_stay(kind):
    image = shown(drawn(kind))
    assert is_red(image.convert("RGB").getpixel((50, 150)))
    assert not is_red(image.convert("RGB").getpixel((350, 150)))


def test_what_is_see_through_stays_so():
    image = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    written = io.BytesIO()
    image.save(written, "PNG")
    assert shown(written.getvalue()).getpixel((5, 5))[3] == 0


def test_print_colours_and_grey_become_what_every_telephone_shows():
    assert shown(drawn(mode="CMYK")).mode == "RGB"
    assert shown(drawn("PNG", mode="P")).mode == "RGB"
    grey = io.BytesIO()
    Image.new("L", (20, 20), 77).save(grey, "JPEG")
    assert shown(grey.getvalue()).getpixel((3, 3)) == (77, 77, 77)


def a_png_of(width, height):
    """A PNG that says that it is so large, and has nothing in it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))  # noqa: E731
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        drawn("GIF"),
        drawn("BMP"),
        drawn("TIFF"),
        b"%PDF-1.7",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        drawn()[:500],
        drawn("PNG")[:60],
        a_png_of(8_000, 8_000),
        a_png_of(60_000, 60_000),
    ],
)
def test_what_is_no_picture_or_broken_or_a_bomb_is_refused(data):
    assert refused(lambda: notice_files.picture(data)) == "not_an_image"


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_picture_that_is_broken_anywhere_is_shown_or_refused_and_nothing_else():
    chance = random.Random(7)
    for original in (drawn(), drawn("PNG"), drawn("WEBP"), drawn(exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12")):
        for _ in range(60):
            broken = bytearray(original)
            for _ in range(chance.randint(1, 12)):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            with contextlib.suppress(Invalid):
                assert max(shown(bytes(broken)).size) <= notice_files.LONGEST_SIDE


def test_a_picture_of_too_many_bytes_is_refused():
    assert refused(lambda: notice_files.picture(drawn() + bytes(notice_files.PICTURE_LIMIT))) == "file_too_large"


# ---- Attachments


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"%PDF-1.4\n%\xe2\xe3", PDF),
        (OLE + "WordDocument".encode("utf-16-le"), DOC),
        (a_zip("[Content_Types].xml", "word/document.xml"), DOCX),
    ],
)
def test_pdf_and_word_are_known_by_their_content(data, media_type):
    assert notice_files.document_type(data) == media_type


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"MZ\x90\0",
        b"<html>%PDF-1.4</html>",
        drawn(),
        OLE + "Workbook".encode("utf-16-le"),
        a_zip("[Content_Types].xml", "xl/workbook.xml"),
        a_zip("word/document.xml"),
        a_zip("setup.exe"),
        b"PK\x03\x04" + bytes(100),
        a_zip("[Content_Types].xml", "word/document.xml")[:-10],
    ],
)
def test_everything_else_is_refused_whatever_its_name_says(data):
    assert refused(lambda: notice_files.document_type(data)) == "not_a_document"


@pytest.mark.parametrize(
    "data",
    [
        OLE + "WordDocument".encode("utf-16-le") + "_VBA_PROJECT".encode("utf-16-le"),
        a_zip("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"),
    ],
)
def test_word_with_macros_is_refused(data):
    assert refused(lambda: notice_files.document_type(data)) == "has_macros"


def test_an_attachment_of_too_many_bytes_is_refused():
    assert refused(lambda: notice_files.document_type(b"%PDF-" + bytes(notice_files.ATTACHMENT_LIMIT))) == (
        "file_too_large"
    )


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("申请表.pdf", "申请表.pdf"),
        ("申请表.PDF", "申请表.pdf"),
        ("C:\\Users\\wang\\申请表.pdf", "申请表.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("申请表.exe", "申请表.exe.pdf"),
        ("\u202efdp.exe", "fdp.exe.pdf"),
        ("a\r\nSet-Cookie: x=1.pdf", "aSet-Cookie x=1.pdf"),
        ("", "附件.pdf"),
        (".pdf", "附件.pdf"),
        ("长" * 200 + ".pdf", "长" * 80 + ".pdf"),
    ],
)
def test_an_attachment_is_called_what_it_is_and_nothing_that_could_fool_anybody(name, seen):
    assert notice_files.shown_name(name, PDF) == seen
