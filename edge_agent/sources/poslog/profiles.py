"""How vendors write POSLog, as data: one profile a vendor, found by the namespaces that its files declare.

A profile says only what the standard leaves open or what a vendor does otherwise. `configuration.py` reads further ones
of the same fields.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

_TENDER_TYPES = {
    "cash": "CASH",
    "creditdebit": "CARD",
    "credit": "CARD",
    "debit": "CARD",
    "check": "CHECK",
    "cheque": "CHECK",
}
_NOT_POSTED = {
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
    """Whether extended amounts hold the tax; `stated`: each Tax says so, else the total tells, else they do not."""
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
    tender_types: Mapping[str, str] = msgspec.field(default_factory=lambda: dict(_TENDER_TYPES))
    """TenderType in lower case to the tender's type; any other is spelled in capitals, CoPay as CO_PAY."""
    refund_tenders: frozenset[str] = frozenset({"refund", "return", "changedue", "change", "void"})
    """Tender/@TypeCode in lower case of money that leaves the till though its amount is written above zero."""
    not_posted: Mapping[str, str] = msgspec.field(default_factory=lambda: dict(_NOT_POSTED))
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
