"""How vendors write POSLog, as data: one profile a vendor, found by the namespaces that its files declare.

A profile says only what the standard leaves open or what a vendor does otherwise. One of one's own is a TOML file of
the same fields; `extends` names the profile it starts from.
"""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from edge_agent.errors import SettingsError

AUTOMATIC = "auto"
"""The setting that finds the profile of each transaction by the namespaces in scope."""


class LinkedReward(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Discounts that stand in line items of their own and name the goods line they belong to."""

    element: str
    amount: str
    """The child with the amount; less than zero takes off."""
    reference: str
    """The child of the reward that names the goods line…"""
    line_reference: str
    """…by this child of Sale or Return."""
    conditions: Mapping[str, str]
    """Attributes or children that must say this; a reward that does not meet them is no discount."""


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one vendor's POSLog means."""

    name: str
    namespaces: tuple[str, ...] = ()
    """Namespace addresses, or their beginnings, of which one in scope tells the vendor."""
    tax: Literal["stated", "excluded", "included"] = "stated"
    """Whether extended amounts hold the tax; `stated`: each Tax says so, else the total tells, else the tax's type."""
    modifiers: Literal["informative", "deducted"] = "informative"
    """Whether ExtendedAmount is what is left after RetailPriceModifier, or they are still to be taken off."""
    void_lines: Literal["by-sign", "in-place", "reversing"] = "by-sign"
    """A line with VoidFlag: `in-place` it counts for nothing; `reversing` it takes back an earlier line; `by-sign`
    it is reversing when its sign is opposite to that of the line it takes back."""
    quantity_in_units: frozenset[str] = frozenset(
        {
            "KGM",
            "KG",
            "GRM",
            "G",
            "LBR",
            "LB",
            "ONZ",
            "OZ",
            "LTR",
            "L",
            "MLT",
            "GLL",
            "MTR",
            "M",
            "CMT",
            "FOT",
            "YRD",
        }
    )
    """Units of measure for which Quantity/@Units is the quantity and the text counts packs."""
    barcode_types: frozenset[str] = frozenset(
        {
            "gtin",
            "upc",
            "upca",
            "upce",
            "ean",
            "ean8",
            "ean13",
            "jan",
            "barcode",
            "gtin12",
            "gtin13",
            "gtin14",
        }
    )
    """POSIDType in lower case without dashes, of which the POSItemID is a barcode."""
    tender_types: Mapping[str, str] = {
        "cash": "CASH",
        "creditdebit": "CARD",
        "credit": "CARD",
        "debit": "CARD",
        "check": "CHECK",
        "cheque": "CHECK",
    }
    """TenderType in lower case to the tender's type; any other is spelled in capitals, CoPay as CO_PAY."""
    refund_tenders: frozenset[str] = frozenset({"refund", "return", "changedue", "change", "void"})
    """Tender/@TypeCode in lower case of money that leaves the till though its amount is written above zero."""
    not_posted: Mapping[str, str] = {
        "suspended": "suspended",
        "suspendeddeleted": "suspended and deleted",
        "cancelled": "cancelled",
        "canceled": "cancelled",
        "aborted": "cancelled",
        "voided": "voided before it was completed",
        "void": "voided before it was completed",
        "postvoided": "voided afterwards, without a link to the sale",
        "postvoid": "voided afterwards, without a link to the sale",
        "inprocess": "not completed",
        "failed": "failed",
        "training": "training",
    }
    """TransactionStatus in lower case of transactions that must not be posted, with the reason as people say it."""
    post_voids: frozenset[str] = frozenset({"postvoid", "postvoided", "void", "voided", "transactionvoid"})
    """TransactionStatus, or ReasonCode of a TransactionLink, in lower case, of a void of the linked transaction."""
    not_origins: frozenset[str] = frozenset(
        {"resume", "resumed", "suspend", "suspended", "retrieve", "retrieved"}
    )
    """ReasonCode of a TransactionLink, in lower case, that does not name the sale that a return belongs to."""
    day_closes: frozenset[str] = frozenset(
        {"BusinessEOD", "POSEOD", "SessionSettle", "WorkstationSettle", "TillSettle", "StoreSettle", "Settle"}
    )
    """Control transactions that carry a till's totals."""
    reward: LinkedReward | None = None
    taxed_lines: tuple[str, str] | None = None
    """(child of Sale or Return, beginning of its attribute): the rest of the attribute's name is the Tax's TaxID, and
    the tax lies on the lines where it says yes. None: on all lines."""
    passed_over_lines: frozenset[str] = frozenset()
    """Kinds of line items that carry amounts and still say nothing of goods or money."""


STANDARD = Profile(name="standard")
NCR_ACS = Profile(
    name="ncr-acs",
    namespaces=("http://www.ncr.com/rsd/acs/tlog/",),
    # Checked against every transaction of a real day: amounts without tax, the tax on lines flagged Tax1,
    # discounts in rewards of their own, a voiding line repeats its line with the sign turned.
    tax="excluded",
    reward=LinkedReward(
        element="LoyaltyReward",
        amount="ExtendedRewardAmount",
        reference="OperatorSequenceReference",
        line_reference="OperatorSequence",
        # Each reward comes in detail and once more in sum; points and messages are no money.
        conditions={"detailedData": "true", "RewardCategory": "Monetary"},
    ),
    taxed_lines=("Itemizers", "Tax"),
    passed_over_lines=frozenset({"LoyaltyReward"}),
)
BUILT_IN = {profile.name: profile for profile in (STANDARD, NCR_ACS)}


def detect(namespaces: Iterable[str]) -> Profile:
    """The profile of the vendor whose namespace is among these, else the standard's."""
    for address in namespaces:
        for profile in BUILT_IN.values():
            if any(address.startswith(beginning) for beginning in profile.namespaces):
                return profile
    return STANDARD


def chosen_profile(setting: str, folder: Path) -> Profile | None:
    """The profile that the setting names: built-in, or a TOML file (relative to `folder`); None: find it by namespace.

    Raises SettingsError that says what is wrong with it.
    """
    if setting == AUTOMATIC:
        return None
    if setting in BUILT_IN:
        return BUILT_IN[setting]
    if not setting.endswith(".toml"):
        known = ", ".join([AUTOMATIC, *BUILT_IN])
        raise SettingsError(f"poslog_profile is {setting!r}; choose {known}, or name a .toml file.")
    path = folder / setting
    try:
        return read_profile(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValueError) as error:
        raise SettingsError(f"The POSLog profile {path} cannot be used ({error}); correct it.") from error


def read_profile(document: Mapping[str, Any]) -> Profile:
    """The profile that a TOML document states; raises ValueError that names the field."""
    values = dict(document)
    extended = values.pop("extends", STANDARD.name)
    if extended not in BUILT_IN:
        raise ValueError(f"extends must be one of {', '.join(BUILT_IN)}, not {extended!r}")
    merged = msgspec.structs.asdict(BUILT_IN[extended])
    for name, value in values.items():
        inherited = merged.get(name)
        merged[name] = (
            {**inherited, **value} if isinstance(inherited, dict) and isinstance(value, dict) else value
        )
    if isinstance(merged["reward"], LinkedReward):
        merged["reward"] = msgspec.structs.asdict(merged["reward"])
    return msgspec.convert(merged, Profile)
