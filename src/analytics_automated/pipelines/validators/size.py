"""The size of a file."""

from typing import Self

from pydantic import Field, model_validator

from analytics_automated.pipelines.quantities import Size, format_size
from analytics_automated.pipelines.validators.base import CheckedStream, Invalid, Options, Validator


class SizeOptions(Options):
    """Bounds, both inclusive. At least one is given."""

    min: Size | None = Field(None, description="Fewest bytes that the file may have, such as `1` or `10KB`.")
    max: Size | None = Field(None, description="Most bytes that the file may have, such as `10MB` or `1GiB`.")

    @model_validator(mode="after")
    def _bounds_make_sense(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min ({format_size(self.min)}) is more than max ({format_size(self.max)})")
        return self


class SizeValidator(Validator[SizeOptions]):
    """The file has at least `min` and at most `max` bytes. Reads nothing."""

    name = "size"
    Options = SizeOptions

    def check(self, stream: CheckedStream) -> None:
        """Compare the stream's size with the bounds."""
        smallest, largest = self.options.min, self.options.max
        if smallest is not None and stream.size < smallest:
            raise Invalid(f"The file has {stream.size} bytes; at least {format_size(smallest)} are needed.")
        if largest is not None and stream.size > largest:
            raise Invalid(f"The file has {stream.size} bytes; at most {format_size(largest)} are allowed.")
