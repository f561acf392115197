"""What is taken as a picture, and what is refused under which name."""

import io
import struct
import zlib
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageFile

from faces import DEFAULT_POLICY, ImageRefused, decode
from tests.faces import actors


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def corners(width=120, height=80):
    """Red above left, green above right, blue below: which way up it is can be seen."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (250, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 250, 0)
    pixels[height // 2 :] = (0, 0, 250)
    return PIL.Image.fromarray(pixels)


def refused(data, policy=DEFAULT_POLICY):
    with pytest.raises(ImageRefused) as caught:
        decode(data, policy)
    return caught.value.reason


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_three_kinds_that_phones_make_are_taken(kind):
    image = decode(saved(corners(), kind))
    assert image.large.shape == (80, 120, 3)
    assert image.large.dtype == np.uint8
    assert image.large[5, 5, 0] > 200 > image.large[5, 100, 0]


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PPM"])
def test_other_kinds_are_refused_whatever_they_are_called(kind):
    assert refused(saved(corners(), kind)) == "not_an_image"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"hello",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\0\0\0\0WEBP",
        b"<svg/>",
        b"%PDF-1.7",
        b"PK\3\4" * 99,
    ],
)
def test_what_is_no_picture_is_refused(data):
    assert refused(data) in ("not_an_image", "image_broken")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("kept", [0.3, 0.7, 0.95])
def test_a_picture_that_did_not_arrive_whole_is_refused(kind, kept):
    data = saved(PIL.Image.fromarray(actors.pixels(actors.photo())), kind)
    assert refused(data[: int(len(data) * kept)]) in ("image_broken", "not_an_image")


def test_half_a_picture_is_refused_even_where_another_library_allows_it(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    data = actors.photo()
    assert refused(data[: len(data) // 2]) == "image_broken"


def test_ten_megabytes_are_the_limit():
    policy = replace(DEFAULT_POLICY, max_bytes=1000)
    data = saved(corners(8, 8), "PNG")
    assert decode(data + b"\0" * (1000 - len(data)), policy).large.shape == (8, 8, 3)
    assert refused(data + b"\0" * (1001 - len(data)), policy) == "image_too_large"
    assert DEFAULT_POLICY.max_bytes == 10 * 1024 * 1024


def png_that_claims(width, height):
    """A PNG of a few bytes whose header promises more than memory holds."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("limit", [None, 1, PIL.Image.MAX_IMAGE_PIXELS])
@pytest.mark.parametrize("size", [(8000, 5001), (12000, 9000), (30000, 30000)])
def test_forty_megapixels_are_the_limit_whatever_the_limit_of_the_library(monkeypatch, size, limit):
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", limit)
    assert refused(png_that_claims(*size)) == "too_many_pixels"


def test_a_picture_just_under_the_limit_is_read():
    policy = replace(DEFAULT_POLICY, max_pixels=120 * 80)
    assert decode(saved(corners(), "PNG"), policy).large.shape == (80, 120, 3)
    assert refused(saved(corners(121), "PNG"), policy) == "too_many_pixels"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_phone_held_any_way_gives_an_upright_picture(orientation):
    turn = {
        2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
        3: PIL.Image.Transpose.ROTATE_180,
        4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
        5: PIL.Image.Transpose.TRANSPOSE,
        6: PIL.Image.Transpose.ROTATE_90,
        7: PIL.Image.Transpose.TRANSVERSE,
        8: PIL.Image.Transpose.ROTATE_270,
    }
    picture = corners() if orientation == 1 else corners().transpose(turn[orientation])
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "a street and a house number"
    image = decode(saved(picture, "JPEG", exif=exif, quality=95))
    assert image.large.shape == (80, 120, 3)
    assert image.large[5, 5].argmax() == 0
    assert image.large[5, 110].argmax() == 1
    assert image.large[70, 60].argmax() == 2


def test_a_broken_orientation_is_no_reason_to_refuse():
    data = saved(corners(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff rubbish")
    assert decode(data).large.shape == (80, 120, 3)


def translucent():
    image = corners().convert("RGBA")
    image.putalpha(0)
    return image


def sixteen_bits():
    return PIL.Image.fromarray(np.full((80, 120), 40000, np.uint16))


@pytest.mark.parametrize(
    "image, kind, expected",
    [
        (corners().convert("P", palette=PIL.Image.Palette.ADAPTIVE), "PNG", (250, 0, 0)),
        (corners().convert("L"), "PNG", (75, 75, 75)),
        (corners().convert("1"), "PNG", None),
        (corners().convert("LA"), "PNG", (75, 75, 75)),
        (corners().convert("CMYK"), "JPEG", (250, 0, 0)),
        (translucent(), "PNG", (255, 255, 255)),
        (translucent(), "WEBP", (255, 255, 255)),
        (sixteen_bits(), "PNG", (155, 155, 155)),
    ],
    ids=["palette", "grey", "bilevel", "grey with alpha", "CMYK", "transparent PNG", "transparent WebP", "16 bits"],
)
def test_every_mode_of_pixels_becomes_rgb(image, kind, expected):
    read = decode(saved(image, kind)).large
    assert read.shape == (80, 120, 3)
    if expected:
        assert np.allclose(read[10, 10], expected, atol=6)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_a_moving_picture_the_first_is_taken(kind):
    second = PIL.Image.new("RGB", (120, 80), "white")
    data = saved(corners(), kind, save_all=True, append_images=[second], duration=100)
    assert decode(data).large[5, 5].argmax() == 0
    assert decode(data).large[70, 60, 0] < 40


@pytest.mark.parametrize("size", [(4000, 3000), (3000, 4000), (1000, 1000), (5000, 100)])
def test_a_large_photograph_is_reduced_for_finding_and_by_a_whole_number_for_reading(size):
    image = decode(saved(PIL.Image.new("RGB", size, "grey"), "JPEG"))
    find, read = DEFAULT_POLICY.find_side, DEFAULT_POLICY.read_side
    assert max(image.small.shape) == find
    longest = max(image.large.shape)
    assert find < read <= longest < 2 * read
    assert max(size) / longest == round(max(size) / longest)
    assert image.scale == longest / find
    assert image.small.shape[1] * image.scale == pytest.approx(image.large.shape[1], abs=image.scale)
    assert image.small.shape[0] * image.scale == pytest.approx(image.large.shape[0], abs=image.scale)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_reducing_moves_nothing(kind):
    """A dot is where it was, in the copy for reading and in the copy for finding."""
    picture = np.zeros((3000, 4000, 3), np.uint8)
    picture[1464:1536, 2964:3036] = 255
    image = decode(saved(PIL.Image.fromarray(picture), kind))
    for copy, scale in ((image.large, 4000 / image.large.shape[1]), (image.small, 4000 / image.small.shape[1])):
        rows, columns = np.nonzero(copy[..., 0] > 127)
        assert (rows.mean() + 0.5) * scale == pytest.approx(1500, abs=scale)
        assert (columns.mean() + 0.5) * scale == pytest.approx(3000, abs=scale)


def test_the_copy_for_finding_is_made_when_it_is_asked_for_and_once():
    image = decode(saved(PIL.Image.new("RGB", (1000, 800), "grey"), "PNG"))
    assert set(vars(image)) == {"large", "find_side"}
    assert image.small is image.small
    assert image.small.shape == (DEFAULT_POLICY.find_side * 4 // 5, DEFAULT_POLICY.find_side, 3)


def test_a_small_picture_is_not_enlarged():
    image = decode(saved(corners(30, 20), "PNG"))
    assert image.small is image.large
    assert image.scale == 1


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\x40\0\0\0WEBPVP8 "]),
)
@settings(max_examples=150, deadline=None)
def test_no_bytes_whatever_get_out_as_anything_but_a_named_refusal(data, head):
    assert refused(head + data) in ("not_an_image", "image_broken", "too_many_pixels")


@given(st.integers(0, 2000), st.integers(0, 255))
@settings(max_examples=80, deadline=None)
def test_a_picture_with_a_wrong_byte_is_read_or_refused_by_name(place, value):
    data = bytearray(saved(corners(), "JPEG"))
    data[place % len(data)] = value
    try:
        outcome = decode(bytes(data)).large.shape[2]
    except ImageRefused as error:
        outcome = error.reason
    assert outcome in (3, "not_an_image", "image_broken", "too_many_pixels")


def test_neither_the_refusal_nor_the_picture_shows_what_was_sent():
    with pytest.raises(ImageRefused) as caught:
        decode(b"\xff\xd8\xff private words" * 5)
    assert "private" not in repr(caught.value) + str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    image = decode(saved(corners(), "PNG"))
    assert image.small.size
    assert repr(image) == f"Image(find_side={DEFAULT_POLICY.find_side})"
