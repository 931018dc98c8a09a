"""The errors that a caller of xinv_nb can meet; each message says what was wrong and what to do."""

from __future__ import annotations


class XinvError(Exception):
    """Base class of every error that xinv_nb raises on purpose.

    Nothing that goes wrong while recording, drawing or captioning is raised into the user's cell: it becomes a notice
    of the run. Errors are for calls that cannot do what was asked, such as an unknown option.
    """


def shown(value: object, most: int = 60) -> str:
    """Return how a value of the user's reads in a message, cut short; by its type where it cannot be read.

    >>> shown([1, 2, 3], most=4), shown(10**5000)
    ('[1, ', 'a value of type int')
    """
    try:
        return repr(value)[:most]
    except BaseException as error:  # noqa: BLE001 - code of the user's; digits without end; a list in a list in a list
        keep_to_itself(error)
        return f"a value of type {type(value).__name__}"


def told(error: BaseException, most: int = 300) -> str:
    """Return an error as a notice tells it: its type and what it says, cut short.

    >>> told(ValueError("no such place"))
    'ValueError: no such place'
    """
    try:
        said = str(error)
    except BaseException as another:  # noqa: BLE001 - code of the user's
        keep_to_itself(another)
        said = ""
    said = said if len(said) <= most else said[:most] + "…"
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def keep_to_itself(error: BaseException) -> None:
    """Raise an interrupt again, and nothing else.

    For code of the user's that runs on our behalf, such as a scene: whatever it raises is told and goes no further,
    also a `sys.exit()`, which would end the kernel, and a task that was cancelled, which would leave a cell without
    its end. To be called where a `BaseException` was caught.

    >>> keep_to_itself(SystemExit())
    """
    if isinstance(error, KeyboardInterrupt):
        raise error
