"""What the store's page may ask a shop assistant to read out to support, most pressing first.

`docs/operating/support-codes.md` says for each what support does; a test compares.
"""

from enum import StrEnum


class SupportCode(StrEnum):
    """A code, what it means to support, and what the page tells the person in the shop."""

    meaning: str
    advice: str

    def __new__(cls, value: str, meaning: str, advice: str) -> "SupportCode":
        """A code that is its own text."""
        code = str.__new__(cls, value)
        code._value_ = value
        code.meaning = meaning
        code.advice = advice
        return code

    T10 = (
        "T10",
        "The agent does not answer its own page: it is stopped, or hangs.",
        "The program that keeps the sales is not running on this computer. Sales taken before are safe.",
    )
    T30 = (
        "T30",
        "The disk is full: new sales are refused until it has room.",
        "This computer's disk is full and it cannot keep new sales. Sales taken before are safe.",
    )
    T33 = (
        "T33",
        "The disk lets nothing be written any more: new sales are refused.",
        "This computer's disk is broken or locked and it cannot keep new sales. Sales taken before are safe.",
    )
    T32 = (
        "T32",
        "The spool cannot be read or written.",
        "This computer cannot reach the sales that it keeps. Please leave it switched on.",
    )
    T90 = (
        "T90",
        "A loop inside the agent has stopped; the system restarts the agent where it runs as a service.",
        "The sales are safe on this computer, but the program that sends them has stopped.",
    )
    T34 = (
        "T34",
        "The spool was damaged; what can be read of it is taken over into a new stream.",
        "This computer's disk was damaged. The sales that can be read are kept and sent.",
    )
    T20 = (
        "T20",
        "Headquarters does not know this device's credential: it has to be enrolled again.",
        "The sales are safe on this computer, but headquarters does not know this computer any more.",
    )
    T40 = (
        "T40",
        "Headquarters refused events; they are kept here and lie among its held events.",
        "The sales are safe on this computer, but headquarters could not take some of them.",
    )
    T41 = (
        "T41",
        "The agent could not understand records of a till; they are kept raw in `undeliverable/`.",
        "A till sent something that could not be understood. It is kept on this computer.",
    )
    T50 = (
        "T50",
        "Sales have waited for headquarters longer than `call_support_after`.",
        "The sales are safe on this computer, but they have been waiting for the line too long.",
    )
    T60 = (
        "T60",
        "The PC's clock is more than five minutes from headquarters' clock.",
        "The sales are safe, but this computer's date or time is wrong.",
    )
    T31 = (
        "T31",
        "The disk is nearly full.",
        "The sales are safe, but this computer's disk is nearly full.",
    )
    T35 = (
        "T35",
        "The data folder came from another machine or an earlier point in time; a new stream was begun.",
        "The sales are safe, but this computer was copied or set back.",
    )
