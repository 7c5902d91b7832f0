"""Transfers as the API has them: what is asked, what is answered."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from sync_server.transfers.overview import ItemFigures, TransferOverview, TransferStatus
from sync_server.wire_models import ExactNumber, Identifier, WireModel

MAX_LINES = 1000
"""Lines of one request."""


def _above_zero(quantity: Any) -> Any:
    if quantity <= 0:
        raise ValueError("must be greater than zero")
    return quantity


PositiveQuantity = Annotated[ExactNumber, AfterValidator(_above_zero)]


class QuantityLine(WireModel):
    """So much of an item, in its unit of measure."""

    item_id: Identifier
    quantity: PositiveQuantity


class TransferRequestBody(WireModel):
    """What is to go from which store to which."""

    from_store_id: Identifier
    to_store_id: Identifier
    lines: list[QuantityLine] = Field(min_length=1, max_length=MAX_LINES)
    transfer_id: Identifier | None = Field(
        None, description="The id that tills or others use already; none: the server gives one."
    )


class ShipmentBody(WireModel):
    """What left the source; no lines: everything requested that is not shipped yet."""

    lines: list[QuantityLine] | None = Field(None, min_length=1, max_length=MAX_LINES)


class ReceiptBody(WireModel):
    """What was put on the destination's shelf; no lines: everything that is under way."""

    lines: list[QuantityLine] | None = Field(None, min_length=1, max_length=MAX_LINES)


class CancellationBody(WireModel):
    """Why a transfer is cancelled; kept in the audit trail."""

    reason: Identifier | None = None


class SettlementBody(WireModel):
    """Why the discrepancy is closed; no lines: all of it."""

    reason_code: Identifier | None = Field(None, description="A reason code such as LOST_IN_TRANSIT.")
    reason: Identifier | None = Field(None, description="The same, as reconciliations call it.")
    lines: list[QuantityLine] | None = Field(None, min_length=1, max_length=MAX_LINES)
    store_id: Identifier | None = Field(
        None, description="Where goods of the transfer turned up; none: its destination."
    )

    @model_validator(mode="after")
    def _has_one_reason(self) -> "SettlementBody":
        if (self.reason_code is None) == (self.reason is None):
            raise ValueError("reasonCode is required")
        return self

    @property
    def why(self) -> str:
        """The reason code, whatever it was called."""
        return self.reason_code or self.reason or ""


class TransferLineRow(WireModel):
    """One item of a transfer, over both stores."""

    item_id: str
    requested: ExactNumber
    shipped: ExactNumber
    received: ExactNumber
    settled: ExactNumber = Field(description="Declared lost; below zero: accepted beyond what was shipped.")
    discrepancy: ExactNumber = Field(
        description="Shipped and neither received nor settled; below zero: received beyond what was shipped."
    )


class TransferDocument(WireModel):
    """A transfer as it stands."""

    transfer_id: str
    from_store_id: str
    to_store_id: str
    status: TransferStatus
    lines: list[TransferLineRow]
    made_by: str
    made_at: datetime
    cancelled_by: str | None
    cancelled_at: datetime | None


def shown(transfer: TransferOverview) -> TransferDocument:
    """A transfer as the API shows it."""
    return TransferDocument(
        transfer_id=transfer.transfer_id,
        from_store_id=transfer.from_store_id,
        to_store_id=transfer.to_store_id,
        status=transfer.status,
        lines=[_line(line) for line in transfer.lines],
        made_by=transfer.made_by,
        made_at=transfer.made_at,
        cancelled_by=transfer.cancelled_by,
        cancelled_at=transfer.cancelled_at,
    )


def _line(line: ItemFigures) -> TransferLineRow:
    return TransferLineRow(
        item_id=line.item_id,
        requested=line.requested,
        shipped=line.shipped,
        received=line.received,
        settled=line.settled,
        discrepancy=line.discrepancy,
    )
