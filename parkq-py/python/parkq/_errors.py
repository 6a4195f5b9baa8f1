"""The exceptions that the core's errors become."""


class Error(ValueError):
    """What went wrong in parkq. Messages give the actual and the needed value."""


class FrameError(Error):
    """An array that does not hold the picture that its format says."""


class DecodeError(Error):
    """A JPEG, PNG or WebP that cannot be decoded, or must not be."""


class OptionError(Error):
    """An option outside its range."""


class LotError(Error):
    """A lot that cannot be read or makes no sense."""

    space: str | None = None
    """The id of the space at fault, if it is one space."""


class ModelError(Error):
    """A model that cannot be loaded, or is not of the shape that its task needs."""


class InferenceError(Error):
    """The network failed on a picture."""


for _error in (Error, *Error.__subclasses__()):
    _error.__module__ = "parkq"
