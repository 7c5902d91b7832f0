"""Everything that may be found about something posted: one code each, and the sentence that explains it."""

from enum import StrEnum


class FindingCode(StrEnum):
    """Every finding code; `meaning` says what happened and what a person may do about it."""

    EVENT_ID_REUSED = "EVENT_ID_REUSED"
    SECOND_CHANNEL = "SECOND_CHANNEL"
    GROUP_INCOMPLETE = "GROUP_INCOMPLETE"
    TYPE_NOT_POSTED = "TYPE_NOT_POSTED"
    EVENT_REFUSED = "EVENT_REFUSED"
    UNKNOWN_ITEM = "UNKNOWN_ITEM"
    BARCODE_CONFLICT = "BARCODE_CONFLICT"
    COST_UNKNOWN = "COST_UNKNOWN"
    NEGATIVE_STOCK = "NEGATIVE_STOCK"
    RESERVATION_SHORT = "RESERVATION_SHORT"
    RESERVATION_NOT_OPEN = "RESERVATION_NOT_OPEN"
    TENDER_MISMATCH = "TENDER_MISMATCH"
    FOREIGN_CURRENCY = "FOREIGN_CURRENCY"
    TRANSFER_UNKNOWN = "TRANSFER_UNKNOWN"
    TRANSFER_CANCELLED = "TRANSFER_CANCELLED"
    TRANSFER_MISROUTED = "TRANSFER_MISROUTED"
    TRANSFER_DIFFERENCE = "TRANSFER_DIFFERENCE"
    VOID_WITHOUT_SALE = "VOID_WITHOUT_SALE"
    VOID_REPEATED = "VOID_REPEATED"
    RETURN_WITHOUT_SALE = "RETURN_WITHOUT_SALE"
    RETURN_EXCEEDS_SALE = "RETURN_EXCEEDS_SALE"
    BUSINESS_DATE_MISMATCH = "BUSINESS_DATE_MISMATCH"
    TIMEZONE_DATA_DIFFERS = "TIMEZONE_DATA_DIFFERS"
    CLOCK_SUSPECT = "CLOCK_SUSPECT"
    DAY_DIFFERS = "DAY_DIFFERS"
    Z_TOTAL_DIFFERS = "Z_TOTAL_DIFFERS"
    TRANSACTION_GAP = "TRANSACTION_GAP"
    RESCUED = "RESCUED"
    COUNT_CORRECTED = "COUNT_CORRECTED"
    UNKNOWN_REASON = "UNKNOWN_REASON"
    COUNT_TAKEN_BACK = "COUNT_TAKEN_BACK"
    STREAM_CONFLICT = "STREAM_CONFLICT"
    DISK_LOW = "DISK_LOW"
    DISK_FULL = "DISK_FULL"
    DISK_READ_ONLY = "DISK_READ_ONLY"
    SPOOL_DAMAGED = "SPOOL_DAMAGED"
    STREAM_RESTARTED = "STREAM_RESTARTED"
    CLOCK_WRONG = "CLOCK_WRONG"
    AGENT_ALARM = "AGENT_ALARM"

    @property
    def meaning(self) -> str:
        """What happened, for a person, and what to do."""
        return _MEANINGS[self]


_MEANINGS = {
    FindingCode.EVENT_ID_REUSED: (
        "A till sent another event under an id that is taken; it is held. A till that was reinstalled and "
        "counts from 1 again is the usual cause: release the event under a new identity."
    ),
    FindingCode.SECOND_CHANNEL: (
        "An event came by another way than the store's own intake and is held. Release it, or correct which "
        "way the store uses."
    ),
    FindingCode.GROUP_INCOMPLETE: (
        "Fewer lines of a transaction came than the agent had counted; all of them are held. They are "
        "released by themselves when the rest comes: resync the store. If it never comes, release what there is."
    ),
    FindingCode.TYPE_NOT_POSTED: (
        "Events of a type that this version does not post came and are held. Release them after an update. Closes by "
        "itself when they are released or discarded."
    ),
    FindingCode.EVENT_REFUSED: (
        "Headquarters could not understand events of this stream, and its agent handed them over raw; they are "
        "held. Correct and release them, or discard them; it closes by itself then."
    ),
    FindingCode.UNKNOWN_ITEM: (
        "An item that headquarters does not know was sold; it is posted against a placeholder. Complete the "
        "item or map it to the right one. Closes by itself then."
    ),
    FindingCode.BARCODE_CONFLICT: (
        "A line named an item id and a barcode, the subject, that belongs to another item. The item id counts. Correct "
        "the till's item file or the barcode here."
    ),
    FindingCode.COST_UNKNOWN: (
        "Goods moved at cost zero, since no cost of the item was known. Import its unit cost. Closes by itself then."
    ),
    FindingCode.NEGATIVE_STOCK: (
        "More was sold than the books had; a receipt or a count is missing. Closes by itself when stock "
        "is back."
    ),
    FindingCode.RESERVATION_SHORT: (
        "On hand fell below what is reserved; the subject is a reservation that cannot be kept, the last promised "
        "first. Closes by itself."
    ),
    FindingCode.RESERVATION_NOT_OPEN: (
        "A sale named a reservation that was fulfilled, released or expired; it is posted as any other sale."
    ),
    FindingCode.TENDER_MISMATCH: (
        "The tenders do not add up to the amounts of their sale; the difference stands on account 1090."
    ),
    FindingCode.FOREIGN_CURRENCY: (
        "An event came in another currency than its store's. Money is posted in its own; a receipt's goods come in at "
        "the average, since its cost says nothing in the store's currency."
    ),
    FindingCode.TRANSFER_UNKNOWN: (
        "Goods were scanned for a transfer that nobody has requested; they are posted. Request it under the "
        "subject's id, which links them. Closes by itself then, and when both stores have scanned them."
    ),
    FindingCode.TRANSFER_CANCELLED: (
        "Goods were shipped or received for a cancelled transfer; they are posted, and it goes on as if it had "
        "not been cancelled. Ask the store."
    ),
    FindingCode.TRANSFER_MISROUTED: (
        "A store shipped or received goods of a transfer between others; they are posted there. Send them on, "
        "or settle the difference at both stores."
    ),
    FindingCode.TRANSFER_DIFFERENCE: (
        "A store received more or less than was shipped to it. Closes by itself when the rest is received, the "
        "shipment arrives or the difference is settled with a reason."
    ),
    FindingCode.VOID_WITHOUT_SALE: (
        "A void waits for a sale that had not come by the end of the next business day. Ask the store "
        "whether the sale existed. Closes by itself when it comes."
    ),
    FindingCode.VOID_REPEATED: "Something that was void already was voided again; it had no further effect.",
    FindingCode.RETURN_WITHOUT_SALE: (
        "Goods came back for which no sale is known here; posted at the current average cost."
    ),
    FindingCode.RETURN_EXCEEDS_SALE: "More came back than that line had sold; it is posted all the same.",
    FindingCode.BUSINESS_DATE_MISMATCH: (
        "A business date that a till declared, or a time that its agent stamped, differs from what is computed here "
        "from the till's own words; the computed one is booked and the agent's kept beside it. Compare time zone and "
        "day start of agent and store."
    ),
    FindingCode.TIMEZONE_DATA_DIFFERS: (
        "The agent works with another version of the zone data than this server. Update the older of the two."
    ),
    FindingCode.CLOCK_SUSPECT: (
        "An event is more than 5 minutes in the future or 35 days in the past. Check the clock of the till."
    ),
    FindingCode.DAY_DIFFERS: (
        "Store and headquarters do not hold the same events of a stream's business date. The agent sends "
        "what differs; force a resync if it stays. Closes by itself when the day is proven."
    ),
    FindingCode.Z_TOTAL_DIFFERS: (
        "A till's Z report states other totals for a workstation and date, the subject, than its events add up to; the "
        "detail has both. Ask the store for what is missing. Closes by itself when late events make them agree."
    ),
    FindingCode.TRANSACTION_GAP: (
        "A workstation's transaction numbers have gaps, named in the detail. Answer what became of them: resent, or "
        "never existed. Closes by itself when they come or all are answered."
    ),
    FindingCode.RESCUED: (
        "Events came in a file that no device signed, from a dead PC's disk, on a person's word; the audit trail "
        "names both. Compare the days concerned with the store's receipts, then resolve it."
    ),
    FindingCode.STREAM_CONFLICT: (
        "Two agents claim one stream: a PC was cloned or set back. What came second is held; the agent begins a new "
        "stream by itself. Give a clone a data folder of its own, then release what is held."
    ),
    FindingCode.DISK_LOW: (
        "The disk of a store's PC is nearly full; everything works. Have some space freed. Closes by itself."
    ),
    FindingCode.DISK_FULL: (
        "The disk of a store's PC is full and its tills are refused; what was accepted is safe and goes on being "
        "delivered. Have space freed at once. Closes by itself."
    ),
    FindingCode.DISK_READ_ONLY: (
        "The disk of a store's PC lets nothing be written and its tills are refused. Have the disk checked and the "
        "PC restarted. Closes by itself."
    ),
    FindingCode.SPOOL_DAMAGED: (
        "An agent's file was damaged; what can be read of it is taken over into a new stream. The store's agents say "
        "whether anything is missing. Have the disk checked. Closes by itself after the agent's notice."
    ),
    FindingCode.STREAM_RESTARTED: (
        "An agent began a new stream, since its data folder came from another machine, a copy or an earlier point in "
        "time. Give a clone a folder of its own and enrol it. Closes by itself after the agent's notice."
    ),
    FindingCode.CLOCK_WRONG: (
        "The clock of a store's PC is more than five minutes from headquarters'. Have it set and its automatic time "
        "switched on. Closes by itself."
    ),
    FindingCode.AGENT_ALARM: (
        "An agent reports an alarm that this version of the server does not know; the subject and the store's agents "
        "say which. Closes by itself."
    ),
    FindingCode.COUNT_CORRECTED: (
        "Events dated before an approved count came after it and were taken out of its variance. Its approver looks at "
        "them and acknowledges the reconciliation that the subject names."
    ),
    FindingCode.UNKNOWN_REASON: (
        "A till named a reason code that nobody has written down; it is booked as shrinkage. Add it with "
        "`sync-server reason put`, or correct the till."
    ),
    FindingCode.COUNT_TAKEN_BACK: (
        "A till took back a count that was approved already; what was approved stands. Count the item again."
    ),
}
