"""Pictures decode from beginning to end, and bombs are refused before they go off."""

import io
import random
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from analytics_automated.pipelines.validators.base import CheckedStream
from analytics_automated.pipelines.validators.registry import build_validator

FORMATS = {"formats": ["png", "jpeg", "gif", "webp", "tiff"]}


def picture(
    kind: str, size: tuple[int, int] = (60, 40), frames: int = 1, mode: str = "RGB", **options: object
) -> bytes:
    noise = random.Random(size[0])
    images = [Image.frombytes("L", size, noise.randbytes(size[0] * size[1])).convert(mode) for _ in range(frames)]
    data = io.BytesIO()
    if frames > 1:
        options |= {"save_all": True, "append_images": images[1:]}
    images[0].save(data, kind, **options)
    return data.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG file that says it has this size, and ends there."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)),
        (b"IDAT", b""),
        (b"IEND", b""),
    ]
    framed = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


@pytest.mark.parametrize(
    "data",
    [
        picture("PNG"),
        picture("PNG", mode="RGBA"),
        picture("PNG", mode="1"),
        picture("PNG", mode="I;16"),
        picture("PNG", frames=3),
        picture("JPEG"),
        picture("JPEG", mode="CMYK"),
        picture("JPEG", progressive=True),
        picture("MPO", frames=2),
        picture("GIF", mode="P"),
        picture("GIF", mode="P", frames=4),
        picture("WEBP"),
        picture("WEBP", lossless=True),
        picture("WEBP", frames=3),
        picture("TIFF"),
        picture("TIFF", mode="1"),
        picture("TIFF", mode="I;16"),
        picture("TIFF", mode="CMYK"),
        picture("TIFF", frames=3),
        picture("TIFF", big_tiff=True),
        *(picture("TIFF", compression=each) for each in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")),
        picture("TIFF", mode="1", compression="group4"),
        picture("PNG") + b"what follows is not looked at",
    ],
)
def test_pictures_of_all_formats_are_good(verdict, data):
    assert verdict("image", FORMATS, data) is None


class Short(io.BytesIO):
    """A file that gives less than was asked for, as raw files and sockets may."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(10 if size is None or size < 0 else min(size, 10))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF"])
def test_a_picture_is_good_also_from_a_file_that_gives_less_than_was_asked_for(kind):
    data = picture(kind)
    build_validator("image", FORMATS).check(CheckedStream(Short(data), size=len(data), seconds=60))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b"\xff\xd8\xff",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"\x89PNG\r\n\x1a\n",
        b"<svg/>",
        b"text",
        b"II*\0",
        b"MM\0+",
        picture("BMP"),
        picture("PPM"),
    ],
)
def test_what_is_no_picture_of_an_allowed_format_is_refused(verdict, data):
    assert verdict("image", FORMATS, data) is not None


def test_only_formats_that_were_asked_for_are_good(verdict):
    refusal = "The file is no picture of an allowed format, or its beginning is broken."
    assert verdict("image", {"formats": ["png"]}, picture("JPEG")) == refusal
    assert verdict("image", {"formats": ["jpeg"]}, picture("PNG")) == refusal
    assert verdict("image", {}, picture("WEBP")) == refusal
    assert verdict("image", {}, picture("TIFF")) == refusal


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF"])
@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
def test_a_picture_that_breaks_off_is_refused(verdict, kind, kept):
    data = picture(kind, (200, 200))
    assert verdict("image", FORMATS, data[: int(len(data) * kept)]) is not None


def test_a_png_without_its_end_is_refused(verdict):
    assert verdict("image", {}, picture("PNG")[:-12]) is not None


def test_a_png_with_a_wrong_checksum_is_refused(verdict):
    data = bytearray(picture("PNG"))
    data[-20] ^= 1
    assert "cannot be decoded" in verdict("image", {}, bytes(data))


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"max_width": 59}, "The picture is 60 pixels wide; at most 59 are allowed."),
        ({"max_height": 39}, "The picture is 40 pixels high; at most 39 are allowed."),
        ({"max_pixels": 2399}, "The picture has 60 x 40 pixels; at most 2399 pixels are allowed in all."),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF"])
def test_a_picture_that_is_too_large_is_refused(verdict, options, refusal, kind):
    assert verdict("image", FORMATS | options, picture(kind)) == refusal
    assert verdict("image", FORMATS | {"max_width": 60, "max_height": 40, "max_pixels": 2400}, picture(kind)) is None


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "TIFF"])
def test_the_pixels_of_all_frames_count(verdict, kind):
    data = picture(kind, frames=5)
    assert verdict("image", FORMATS | {"max_pixels": 5 * 2400}, data) is None
    assert verdict("image", FORMATS | {"max_pixels": 5 * 2400 - 1}, data) == (
        "The picture has 60 x 40 pixels in 5 frames or more; at most 11999 pixels are allowed in all."
    )


@pytest.mark.parametrize(
    ("size", "refusal"),
    [
        ((6000, 6000), "The picture has 6000 x 6000 pixels; at most 25000000 pixels are allowed in all."),
        ((20_000, 20_000), "The picture has more than 89000000 pixels."),
        ((2**31 - 1, 2**31 - 1), "The picture has more than 89000000 pixels."),
    ],
)
def test_a_decompression_bomb_is_refused_by_its_header(verdict, peak_below, size, refusal):
    with peak_below(2):
        assert verdict("image", {}, png_header(*size)) == refusal


def test_a_webp_canvas_is_refused_by_its_header(verdict):
    head = b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (16_382).to_bytes(3, "little") * 2
    assert verdict("image", FORMATS, head) == (
        "The picture has 16383 x 16383 pixels; at most 25000000 pixels are allowed in all."
    )


def test_a_gif_frame_beyond_the_screen_counts(verdict):
    frame = b"," + struct.pack("<HHHHB", 0, 0, 65_535, 65_535, 0) + b"\x02\x01\x00\x00"
    data = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + frame + b";"
    assert verdict("image", {}, data) == (
        "The picture has 65535 x 65535 pixels; at most 25000000 pixels are allowed in all."
    )


@pytest.mark.parametrize("extension", [b"!\xf9\x00", b"!\xff\x0bNETSCAPE2.0\x00"])
def test_a_gif_extension_that_hides_frames_from_the_count_is_refused(verdict, extension):
    data = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + extension + b";"
    assert verdict("image", {}, data) == "The picture is broken: it has an empty GIF extension."


def test_a_jpeg_with_countless_scans_is_refused(verdict):
    data = picture("JPEG", progressive=True)
    last_scan = data[data.rindex(b"\xff\xda") : -2]
    assert verdict("image", {}, data[:-2] + last_scan * 250 + data[-2:]) == "The picture has more than 200 scans."


def test_a_file_larger_than_any_allowed_picture_is_not_opened(verdict, endless):
    data = endless(picture("WEBP"), b"x" * 65_536, 1024)
    assert verdict("image", FORMATS | {"max_pixels": 10_000}, data) == (
        f"The file has {data.size} bytes, too many for a picture of at most 10000 pixels."
    )


def tiff(*directories: list[tuple[int, int, int, int]], following: int | None = None) -> bytes:
    """A TIFF file of directories of entries: tag, type, count, value. The last one is followed by the one there."""
    data, at = b"II*\0" + struct.pack("<L", 8), 8
    for number, entries in enumerate(directories, 1):
        at += 2 + 12 * len(entries) + 4
        after = at if number < len(directories) else following or 0
        data += struct.pack("<H", len(entries))
        data += b"".join(struct.pack("<HHLL", *entry) for entry in entries) + struct.pack("<L", after)
    return data


SIZE = [(256, 4, 1, 10), (257, 4, 1, 10)]


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (tiff([(256, 4, 1, 6000), (257, 4, 1, 6000)]), "The picture has 6000 x 6000 pixels; at most"),
        (tiff([(256, 4, 1, 2**32 - 1), (257, 4, 1, 2**32 - 1)]), "The picture has 4294967295 x 4294967295 pixels; at"),
        (tiff([*SIZE, (322, 4, 1, 2**31), (323, 4, 1, 2**31)]), "The picture has tiles of more than 25000000 pixels."),
        (tiff([*SIZE, (700, 1, 2**31, 8)]), "The picture is no plain one: the values in its TIFF directories take"),
        (tiff([*SIZE, *((40_000, 2, 1_000_000, 8),) * 20]), "The picture is no plain one: the values in its TIFF"),
        (tiff([*SIZE, (273, 4, 1_000_000, 8)]), "The picture is no plain one: the values in its TIFF directories take"),
        (tiff([*SIZE, (34665, 4, 1, 8 + 2 + 12 * 3 + 4)], [(1, 1, 2**31, 8)]), "The picture is no plain one"),
        (tiff([*SIZE, (34665, 4, 1, 10**6)]), "The picture is broken: a TIFF directory lies behind its end."),
        (tiff([(256, 4, 1, 10)]), "The picture is broken: a TIFF directory states no size."),
        (tiff(SIZE, following=10**6), "The picture is broken: a TIFF directory lies behind its end."),
        (tiff(SIZE)[:20], "The picture is broken: a TIFF directory reaches beyond its end."),
        (tiff(SIZE, following=8), ""),
        (b"II\0*" + tiff(SIZE)[4:], "The picture is broken: its TIFF header states a wrong byte order."),
        (b"MM*\0" + tiff(SIZE)[4:], "The picture is broken: its TIFF header states a wrong byte order."),
    ],
)
def test_a_tiff_bomb_is_refused_by_its_directories(verdict, peak_below, data, refusal):
    with peak_below(2):
        said = verdict("image", FORMATS, data)
    assert said is not None
    assert said.startswith(refusal)


def test_tiff_directories_without_end_are_refused(verdict):
    assert verdict("image", FORMATS | {"max_pixels": 80_000_000}, tiff(*[SIZE] * 10_001)) == (
        "The picture has more than 10000 TIFF directories."
    )


def test_the_pages_of_a_tiff_count_each_with_its_own_size(verdict):
    data = io.BytesIO()
    pages = [Image.new("L", (10, 10)), Image.new("L", (100, 100)), Image.new("L", (10, 10))]
    pages[0].save(data, "TIFF", save_all=True, append_images=pages[1:])
    assert verdict("image", FORMATS | {"max_pixels": 10_200}, data.getvalue()) is None
    assert verdict("image", FORMATS | {"max_pixels": 10_199}, data.getvalue()) == (
        "The picture has 10 x 10 pixels in 3 frames or more; at most 10199 pixels are allowed in all."
    )


@pytest.mark.parametrize(
    "options",
    [{"formats": []}, {"formats": ["svg"]}, {"formats": "png"}, {"max_width": 0}, {"max_pixels": 10**9}],
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValidationError):
        build_validator("image", options)


DAMAGED = [picture(kind, (30, 20)) for kind in ("PNG", "JPEG", "GIF", "WEBP", "TIFF")]
DAMAGED += [
    picture("PNG", (8, 8), frames=3),
    picture("GIF", (8, 8), frames=3),
    picture("MPO", (8, 8), frames=2),
    picture("TIFF", (8, 8), frames=3),
    picture("TIFF", (8, 8), compression="tiff_lzw", big_tiff=True),
]


@given(
    st.sampled_from(DAMAGED),
    st.lists(st.tuples(st.integers(0, 5000), st.binary(max_size=4)), min_size=1, max_size=4),
)
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_a_damaged_picture_is_either_good_or_refused(verdict, data, damages):
    changed = bytearray(data)
    for place, other in damages:
        start = place % len(data)
        changed[start : start + len(other)] = other
    verdict("image", FORMATS, bytes(changed))
