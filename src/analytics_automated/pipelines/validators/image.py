"""Pictures."""

import functools
import io
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Annotated, Final, Literal, TypeVar, cast

from PIL import Image, ImageFile, UnidentifiedImageError
from pydantic import Field

from analytics_automated.pipelines.validators.base import (
    CheckedStream,
    Invalid,
    Options,
    TooSlow,
    Validator,
    excerpt,
)
from analytics_automated.pipelines.validators.tiff import MAGIC as TIFF_MAGIC
from analytics_automated.pipelines.validators.tiff import tiff_frames

MOST_PIXELS: Final = 89_000_000
"""The most that `max_pixels` may be: a little below where Pillow begins to warn of decompression bombs."""

MOST_SCANS: Final = 200
"""Scans of a JPEG file, at most. Progressive ones have about ten; each costs the work of a whole picture."""

BYTES_PER_PIXEL: Final = 4
METADATA: Final = 16_777_216
"""A file has at most `BYTES_PER_PIXEL` for each of `max_pixels`, and this many bytes of thumbnails,
profiles and texts: Pillow holds such parts of a file whole."""


class ImageOptions(Options):
    """What is asked of the picture; bounds are inclusive."""

    formats: Annotated[tuple[Literal["png", "jpeg", "gif", "webp", "tiff"], ...], Field(strict=False)] = Field(
        ("png", "jpeg", "gif"),
        min_length=1,
        description="Formats that the picture may have. The data decide, never the file's name.",
    )
    max_width: int | None = Field(None, ge=1, description="Most pixels from left to right.")
    max_height: int | None = Field(None, ge=1, description="Most pixels from top to bottom.")
    max_pixels: int = Field(
        25_000_000,
        ge=1,
        le=MOST_PIXELS,
        description=(
            "Most pixels: width times height, of all frames of an animation or pages of a TIFF file together. "
            "The check may need 12 bytes of memory for each."
        ),
    )


class ImageValidator(Validator[ImageOptions]):
    """A picture that is whole and decodes, every frame or page of it.

    What the headers say of its size is compared with the bounds before anything is decoded, so that
    decompression bombs cost nothing. Bytes behind the picture's end are not looked at. The directories of a TIFF
    file may hold 16 MiB of text, or 400,000 numbers; kinds of TIFF that Pillow does not decode are refused.
    """

    name = "image"
    Options = ImageOptions

    def check(self, stream: CheckedStream) -> None:
        """Read the picture twice: for its checksums and its end, then to decode it."""
        most = self.options.max_pixels
        if stream.size > most * BYTES_PER_PIXEL + METADATA:
            raise Invalid(f"The file has {stream.size} bytes, too many for a picture of at most {most} pixels.")
        self._check_headers(stream)
        image = self._opened(stream)
        _attempt(image.verify)
        image = self._opened(stream)
        frame = pixels = 0
        while True:
            stream.seconds_left()
            pixels += self._check_size(*image.size, before=pixels, frames=frame + 1)
            _attempt(image.load)
            frame += 1
            if not _attempt(functools.partial(_has_frame, image, frame)):
                return

    def _check_headers(self, stream: CheckedStream) -> None:
        """Look at what makes Pillow work or take memory before it can be asked for the picture's size."""
        head = stream.read(32)
        if head.startswith(b"GIF8"):
            self._check_frames(_gif_frames(stream))
        elif head.startswith(TIFF_MAGIC):
            self._check_frames(tiff_frames(stream, self.options.max_pixels))
        elif head.startswith(b"\xff\xd8"):
            _check_jpeg_scans(stream)
        elif head.startswith((b"II\0*", b"MM*\0")):
            # Pillow would take them for TIFF in the other byte order.
            raise Invalid("The picture is broken: its TIFF header states a wrong byte order.")
        elif head.startswith(b"RIFF"):
            self._check_size(*_webp_size(head))

    def _check_frames(self, frames: Iterable[tuple[int, int]]) -> None:
        pixels = 0
        for frame, (width, height) in enumerate(frames, 1):
            pixels += self._check_size(width, height, before=pixels, frames=frame)

    def _opened(self, stream: CheckedStream) -> ImageFile.ImageFile:
        formats = [name.upper() for name in self.options.formats]
        image = _attempt(lambda: Image.open(cast("IO[bytes]", stream), formats=formats))
        self._check_size(*image.size)
        return image

    def _check_size(self, width: int, height: int, *, before: int = 0, frames: int = 1) -> int:
        """Check a frame, where those before it had so many pixels; return how many it has."""
        options = self.options
        if options.max_width is not None and width > options.max_width:
            raise Invalid(f"The picture is {width} pixels wide; at most {options.max_width} are allowed.")
        if options.max_height is not None and height > options.max_height:
            raise Invalid(f"The picture is {height} pixels high; at most {options.max_height} are allowed.")
        if before + width * height > options.max_pixels:
            shown = f"{width} x {height} pixels" + (f" in {frames} frames or more" if frames > 1 else "")
            raise Invalid(f"The picture has {shown}; at most {options.max_pixels} pixels are allowed in all.")
        return width * height


ResultT = TypeVar("ResultT")


def _attempt(step: Callable[[], ResultT]) -> ResultT:
    """Do it; whatever Pillow raises means that the picture is broken."""
    try:
        return step()
    except (Invalid, TooSlow, MemoryError):
        raise
    except UnidentifiedImageError:
        raise Invalid("The file is no picture of an allowed format, or its beginning is broken.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Invalid(f"The picture has more than {MOST_PIXELS} pixels.") from None
    except Exception as error:  # noqa: BLE001 -- for broken data Pillow raises a dozen kinds of exception
        reason = f": {excerpt(str(error), 80)}" if isinstance(error, OSError | SyntaxError) else ""
        raise Invalid(f"The picture cannot be decoded{reason}.") from None


def _has_frame(image: ImageFile.ImageFile, frame: int) -> bool:
    try:
        image.seek(frame)
    except EOFError:
        return False
    return True


def _webp_size(head: bytes) -> tuple[int, int]:
    """Width and height from the first 30 bytes of a WebP file (RFC 9649, section 2); else zeros."""
    kind = head[12:16]
    if kind == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
    return 0, 0


def _gif_frames(stream: CheckedStream) -> Iterator[tuple[int, int]]:
    """Width and height of the canvas at each frame of a GIF file (GIF89a specification, sections 17 to 26).

    The canvas grows with a frame that reaches beyond it, as it does in Pillow, which allocates it while it
    looks for the frame. Refuses the two kinds of extension that Pillow reads unlike the specification.
    """
    stream.seek(6)
    width, height, flags = struct.unpack("<HHBxx", stream.read(7).ljust(7, b"\0"))
    _skip_gif_palette(stream, flags)
    while (introducer := stream.read(1)) not in (b"", b";"):
        if introducer == b"!":
            label = stream.read(1)
            first = _gif_block(stream)
            looping = label == b"\xff" and first.startswith(b"NETSCAPE2.0")
            if label != b"\xfe" and (not first or (looping and not _gif_block(stream))):
                raise Invalid("The picture is broken: it has an empty GIF extension.")
            if first:
                _skip_gif_blocks(stream)
        elif introducer == b",":
            left, top, across, down, flags = struct.unpack("<HHHHB", stream.read(9).ljust(9, b"\0"))
            width, height = max(width, left + across), max(height, top + down)
            yield width, height
            _skip_gif_palette(stream, flags)
            stream.read(1)
            _skip_gif_blocks(stream)


def _skip_gif_palette(stream: CheckedStream, flags: int) -> None:
    if flags & 0x80:
        stream.seek(3 << (flags & 7) + 1, io.SEEK_CUR)


def _gif_block(stream: CheckedStream) -> bytes:
    size = stream.read(1)
    return stream.read(size[0]) if size else b""


def _skip_gif_blocks(stream: CheckedStream) -> None:
    while _gif_block(stream):
        pass


def _check_jpeg_scans(stream: CheckedStream) -> None:
    stream.seek(0)
    scans, last = 0, b""
    for chunk in stream.chunks():
        # The marker SOS, which image data never hold (ITU-T T.81, B.1.1.5).
        scans += (last + chunk).count(b"\xff\xda")
        last = chunk[-1:]
        if scans > MOST_SCANS:
            raise Invalid(f"The picture has more than {MOST_SCANS} scans.")
