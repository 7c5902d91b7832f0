"""Damage that only the owner of the tables can do, one kind each, with what `verify` has to say to it."""

from dataclasses import dataclass

from sync_server.support.verify import CHECKS

AUDIT = "The audit chain is whole."
_PROMISES = {check.promise.partition(",")[0].rstrip("."): check.promise for check in CHECKS}


@dataclass(frozen=True, slots=True)
class Damage:
    """What is done to one store, what has to be said of it, and which promise is broken."""

    name: str
    statement: str
    found: str
    promise: str


def _damage(promise: str, name: str, statement: str, found: str) -> Damage:
    """`OF_STORE` is the condition on the store; `promise` the beginning of it, up to a comma."""
    of_store = "store_no = (SELECT store_no FROM store WHERE store_id = %(store)s)"
    return Damage(name, statement.replace("OF_STORE", of_store), found, _PROMISES.get(promise, promise))


_ANY_SALE = "(SELECT min(store_sequence) FROM pos_event WHERE OF_STORE AND type = 'SALE')"
_ANY_JOURNAL = "(SELECT max(store_sequence) FROM journal WHERE OF_STORE)"
_STOCK = "Stock is the sum of its movements"
_STEPS = "Every movement says what is on hand after it and which one came before it"
_CAUSES = "Every event that moves goods has its movement"
_NUMBERS = "Every number of a store is one event"
_BATCHES = "A batch brought as many events as it was answered with"
_BALANCE = "Every journal has lines"
_OUTBOX = "Every sale"
_RECEIPT = "A receipt has one hash and one outcome for each of its sequences"
_RECEIVED = "A stream has received what it has receipts for"
_POSTED = "Every sequence received as posted is an event in the ledger with that content"
_LYING = "Every sequence received as held or as a duplicate lies there with that content"
_MOVEMENT_JOURNAL = "Every movement of value is booked in a journal of its own group and accounting date"
_EVENT_JOURNAL = "Every event of money is booked in a journal of its own group and currency"

_COUNTED = "Every line of a posted reconciliation has moved its variance"
_CORRECTED = "Every correction of a count is the opposite of what came late"

DAMAGES = [
    _damage(_STOCK, "a piece more in stock",
            "UPDATE store_stock SET on_hand = on_hand + 1 WHERE OF_STORE AND item_no = 1",
            "item item-001: stock says"),
    _damage(_STOCK, "a cent more in stock",
            "UPDATE store_stock SET value = value + 0.01 WHERE OF_STORE AND item_no = 1",
            "the movements add up to"),
    _damage(_STOCK, "stock is gone",
            "DELETE FROM store_stock WHERE OF_STORE AND item_no = 2",
            "stock says 0 worth 0"),
    _damage(_STOCK, "stock names another last movement",
            "UPDATE store_stock SET last_sequence = 1 WHERE OF_STORE",
            "after movement 1;"),
    _damage("Where there is no stock there is no value", "value without stock",
            "INSERT INTO store_stock (store_no, item_no, value) SELECT store_no, 999, 1 FROM store WHERE OF_STORE",
            "nothing is on hand and it is worth 1"),
    _damage(_STEPS, "a movement of one more",
            "UPDATE stock_movement SET quantity = quantity + 1 "
            f"WHERE OF_STORE AND store_sequence = {_ANY_SALE}",
            "added up there are"),
    _damage(_STEPS, "a step that says otherwise",
            "UPDATE stock_movement SET on_hand_after = on_hand_after + 1 "
            f"WHERE OF_STORE AND store_sequence = {_ANY_SALE}",
            "it says"),
    _damage(_STEPS, "a chain that skips",
            "UPDATE stock_movement SET previous_sequence = NULL "
            f"WHERE OF_STORE AND store_sequence = {_ANY_SALE}",
            "after movement 0; added up"),
    _damage(_CAUSES, "a sale without its movement",
            f"DELETE FROM stock_movement WHERE OF_STORE AND store_sequence = {_ANY_SALE}",
            "has no movement"),
    _damage(_CAUSES, "a void that moved something else",
            "UPDATE stock_movement SET quantity = quantity + 1 "
            "WHERE OF_STORE AND type = 'VOID'",
            "and the line that it takes back"),
    _damage(_CAUSES, "a movement without a cause",
            "UPDATE stock_movement SET event_sequence = 1 "
            "WHERE OF_STORE AND type = 'OPENING_STOCK'",
            "is neither its own nor one of its void effects"),
    _damage("What is reserved is the sum of its movements and of what remains of open reservations",
            "more is reserved than was promised",
            "UPDATE store_stock SET reserved = reserved + 1 WHERE OF_STORE AND reserved > 0",
            "item item-003: stock says 2 reserved; the movements add up to 1 and the open reservations to 1"),
    _damage("What is reserved is never below zero", "more was released than was reserved",
            "UPDATE stock_movement SET reserved = -9 WHERE OF_STORE AND type = 'RESERVATION'",
            "it leaves -9 reserved"),
    _damage("On hand reaches for every open reservation", "a broken promise that nobody found",
            "UPDATE store_stock SET on_hand = 0 WHERE OF_STORE AND reserved > 0",
            "on hand is 0, up to it 1 are promised, and nothing was found"),
    _damage("A reservation was shipped and sold as often as the ledger says", "a sale that billed nothing",
            "UPDATE reservation SET billed = 0 WHERE OF_STORE",
            "it says 1 shipped, 0 of them billed at"),
    _damage(_NUMBERS, "an event is gone",
            "DELETE FROM pos_event WHERE OF_STORE AND event_id = 'V-2'",
            "after number"),
    _damage(_NUMBERS, "a number was given twice",
            "INSERT INTO void_effect (store_no, store_sequence, void_sequence, "
            f"voided_sequence) SELECT store_no, {_ANY_SALE}, 1, 1 FROM store WHERE OF_STORE",
            "it was given twice"),
    _damage(_NUMBERS, "numbers were given for nothing",
            "UPDATE store SET last_sequence = last_sequence + 1 WHERE OF_STORE",
            "the store has given numbers up to this one"),
    _damage(_BATCHES, "a batch that says more",
            "UPDATE pos_batch SET accepted = accepted + 1 WHERE OF_STORE AND batch_id = 'the day'",
            "batch the day: it was answered with"),
    _damage(_BATCHES, "a held event is gone",
            "DELETE FROM held_event WHERE OF_STORE",
            "accepted and 1 held; there are"),
    _damage(_BALANCE, "a line of a journal is gone",
            f"DELETE FROM journal_line WHERE OF_STORE AND store_sequence = {_ANY_JOURNAL} "
            "AND line_number = 1",
            "stand against credits of"),
    _damage(_BALANCE, "a journal without lines",
            f"DELETE FROM journal_line WHERE OF_STORE AND store_sequence = {_ANY_JOURNAL}",
            "it has no lines"),
    _damage(_BALANCE, "lines without a journal",
            f"DELETE FROM journal WHERE OF_STORE AND store_sequence = {_ANY_JOURNAL}",
            "there are lines of it and no journal"),
    _damage(_MOVEMENT_JOURNAL, "a movement names no journal",
            "UPDATE stock_movement SET journal_sequence = NULL "
            f"WHERE OF_STORE AND store_sequence = {_ANY_SALE}",
            "and names no journal"),
    _damage(_MOVEMENT_JOURNAL, "a movement of another day than its journal",
            "UPDATE stock_movement SET accounting_date = "
            f"accounting_date + 1 WHERE OF_STORE AND store_sequence = {_ANY_SALE}",
            "itself is of"),
    _damage(_EVENT_JOURNAL, "a sale names no journal",
            "UPDATE pos_event SET journal_sequence = NULL "
            f"WHERE OF_STORE AND store_sequence = {_ANY_SALE}",
            "SALE of 10.00 names no journal"),
    _damage(_EVENT_JOURNAL, "a sale in another currency than its journal",
            "UPDATE pos_event SET currency = 'EUR' "
            f"WHERE OF_STORE AND store_sequence = {_ANY_SALE}",
            "itself is in EUR"),
    _damage("A journal's inventory lines are worth what its movements are", "books of another inventory",
            "UPDATE journal_line SET account = '1405' WHERE OF_STORE AND account = '1400' "
            f"AND store_sequence = {_ANY_JOURNAL}",
            "on inventory; its movements are worth"),
    _damage("On every accounting date the inventory account changes by what the movements are worth",
            "books of another day",
            "UPDATE journal SET accounting_date = accounting_date + 1 WHERE OF_STORE "
            "AND store_sequence = (SELECT max(journal_sequence) FROM stock_movement WHERE OF_STORE)",
            "the inventory account changes by"),
    _damage("A store's inventory account is the value of its stock", "a movement and stock of more value",
            "WITH moved AS (UPDATE stock_movement SET value = value + 1 WHERE OF_STORE AND type = 'RECEIPT') "
            "UPDATE store_stock SET value = value + 1 WHERE OF_STORE AND item_no = 1",
            "inventory account: it stands at"),
    _damage("What is in transit to a store is the sum of its movements", "a piece more under way",
            "UPDATE store_stock SET in_transit = in_transit + 1 WHERE OF_STORE AND in_transit <> 0",
            "item item-001: stock says -1 worth"),
    _damage("Every leg left its source's shelf", "a leg of one more",
            "UPDATE transfer_leg SET quantity = quantity + 1 WHERE OF_STORE",
            "it is of 2 of item number 1; the source moved -1"),
    _damage("Every leg left its source's shelf", "goods that left without a leg",
            "WITH gone AS (DELETE FROM transfer_leg_waiting WHERE OF_STORE) DELETE FROM transfer_leg WHERE OF_STORE",
            "it left for a transfer and is no leg"),
    _damage("Every leg waits for its destination or has arrived there once", "a leg that is lost on the way",
            "DELETE FROM transfer_leg_waiting WHERE OF_STORE",
            "it neither waits nor has arrived"),
    _damage("Every leg waits for its destination or has arrived there once", "an arrival of nothing",
            "INSERT INTO transfer_arrival "
            "SELECT store_no, 999, store_no, 999, 'T', 1, 1, 1, 0 FROM store WHERE OF_STORE",
            "no such leg has left"),
    _damage("Every movement of goods in transit is one arrival", "a receipt of one more",
            "UPDATE transfer_receipt SET quantity = quantity + 1 WHERE OF_STORE",
            "the transfer says -3 worth"),
    _damage("On every accounting date the in-transit account is what left less what arrived",
            "a leg of more value",
            "UPDATE transfer_leg SET value = value + 1 WHERE OF_STORE",
            "the in-transit account changes by"),
    _damage("Nothing is booked on a day that was closed when it was posted", "a closing that came before the posting",
            "WITH closed AS (UPDATE store SET closed_through = '2026-02-10' WHERE OF_STORE) "
            "INSERT INTO period_change (store_no, change_number, closed_through, after_sequence, reason, changed_by, "
            "changed_at) SELECT store_no, 1, '2026-02-10', 0, 'x', 'x', now() FROM store WHERE OF_STORE",
            "it is booked on 2026-02-10; the books were closed through 2026-02-10"),
    _damage("A store's books are closed as far as its last closing or reopening says", "books closed by nobody",
            "UPDATE store SET closed_through = '2026-01-31' WHERE OF_STORE",
            "the store says 2026-01-31, its last change "),
    _damage("Every position of the feed stands for one number of one store", "two spans of one number",
            "INSERT INTO feed_span (first_position, last_position, store_no, first_sequence) "
            "SELECT number * 10, number * 10 + 2, store_no, number FROM store, generate_series(1, 2) AS number "
            "WHERE OF_STORE",
            "and numbers up to 3 were given before"),
    _damage(_OUTBOX, "a message is gone",
            f"DELETE FROM outbox WHERE OF_STORE AND store_sequence = {_ANY_SALE}",
            "it is missing; kind 1 belongs there"),
    _damage(_OUTBOX, "a message of nothing",
            "INSERT INTO outbox (store_no, store_sequence, kind) "
            "SELECT store_no, 1, 4 FROM store WHERE OF_STORE",
            "nothing happened that it tells"),
    _damage(_OUTBOX, "a message of another kind",
            f"UPDATE outbox SET kind = 2 WHERE OF_STORE AND store_sequence = {_ANY_SALE}",
            "its kind is 2 and should be 1"),
    _damage(_OUTBOX, "a message below the mark of pruning",
            "INSERT INTO relay_progress (store_no, published_sequence, pruned_sequence) "
            f"SELECT store_no, {_ANY_SALE}, {_ANY_SALE} FROM store WHERE OF_STORE",
            "it lies there although all up to"),
    _damage("Nothing is marked as published that has not happened", "published ahead of itself",
            "INSERT INTO relay_progress (store_no, published_sequence) SELECT store_no, 999 FROM store WHERE "
            "OF_STORE",
            "published mark: it is at 999"),
    _damage(_RECEIPT, "a receipt that overlaps",
            "INSERT INTO stream_receipt (store_no, stream_no, first_sequence, "
            "last_sequence, business_date, content_hashes, outcomes) SELECT store_no, stream_no, 2, 2, "
            "business_date, "
            "substr(content_hashes, 33, 32), 'P' FROM stream_receipt WHERE OF_STORE",
            "had a receipt before it"),
    _damage(_RECEIPT, "a receipt without its hashes",
            "UPDATE stream_receipt SET content_hashes = '' WHERE OF_STORE",
            "with 0 octets of hashes"),
    _damage(_RECEIVED, "a stream that claims more",
            "UPDATE stream SET received = received + '{[100,101)}' WHERE OF_STORE",
            "was received; there are receipts for"),
    _damage(_RECEIVED, "a receipt is gone",
            "DELETE FROM stream_receipt WHERE OF_STORE",
            "there are receipts for {}"),
    _damage(_POSTED, "a receipt of another content",
            "UPDATE stream_receipt SET content_hashes = "
            "set_byte(content_hashes, 0, 255 - get_byte(content_hashes, 0)) WHERE OF_STORE",
            "has another content"),
    _damage(_POSTED, "an event without its receipt",
            "UPDATE stream_receipt SET outcomes = overlay(outcomes placing 'D' "
            "from 1) WHERE OF_STORE",
            "has no receipt as posted"),
    _damage(_LYING, "what was held is gone",
            "DELETE FROM held_event WHERE OF_STORE",
            "it was received as held and does not lie among the held events"),
    _damage(_LYING, "what a duplicate doubles is gone",
            "UPDATE pos_event SET content_hash = '\\x00' "
            "WHERE OF_STORE AND event_id = 'from a till'",
            "a duplicate of something that is not there"),
    _damage(_LYING, "held from a sequence that never came",
            "UPDATE held_event SET sequence = 77 WHERE OF_STORE",
            "sequence 77 of stream"),
    _damage("Every event names an item that exists", "an event of no item",
            "UPDATE pos_event SET item_no = 999 "
            f"WHERE OF_STORE AND store_sequence = {_ANY_SALE}",
            "it names an item, which does not exist: 999"),
    _damage("Every movement names an item that exists", "a movement of no item",
            f"UPDATE stock_movement SET item_no = 999 WHERE OF_STORE AND store_sequence = {_ANY_SALE}",
            "it names an item, which does not exist: 999"),
    _damage("Every stock row of item number names an item that exists", "stock of no item",
            "UPDATE store_stock SET item_no = 999 WHERE OF_STORE AND item_no = 1",
            "stock row of item number 999"),
    _damage("Every event names a stream that exists", "an event of no stream",
            "UPDATE pos_event SET stream_no = 999 "
            "WHERE OF_STORE AND event_id = 'R-1'",
            "it names a stream, which does not exist: 999"),
    _damage("Every receipt names a stream that exists", "a receipt of no stream",
            "UPDATE stream_receipt SET stream_no = 999 WHERE OF_STORE",
            "it names a stream, which does not exist: 999"),
    _damage("Every held event names a stream that exists", "held from no stream",
            "UPDATE held_event SET stream_no = 999 "
            "WHERE OF_STORE",
            "it names a stream, which does not exist: 999"),
    _damage("Every void effect names a void that exists", "a void effect of no void",
            f"UPDATE void_effect SET void_sequence = {_ANY_SALE} WHERE OF_STORE",
            "it names a void, which does not exist"),
    _damage("Every void effect names a line that exists", "a void effect on nothing",
            "UPDATE void_effect SET voided_sequence = 999 WHERE OF_STORE",
            "it names a line, which does not exist: 999"),
    _damage("Every claim of void names a void that exists", "a claim of no void",
            "UPDATE void_claim SET void_sequence = 999 "
            "WHERE OF_STORE",
            "it names a void, which does not exist: 999"),
    _damage("Every return names a return that exists", "a return of nothing",
            "UPDATE sale_return SET return_sequence = 999 "
            "WHERE OF_STORE AND quantity = 1",
            "it names a return, which does not exist: 999"),
    _damage("Every return names a sale that exists", "a return of no sale",
            "UPDATE sale_return SET sold_sequence = 999 "
            "WHERE OF_STORE",
            "it names a sale, which does not exist: 999"),
    _damage("Every sale names a line that exists", "a sale of no lines",
            "UPDATE pos_sale SET first_sequence = 999, "
            "last_sequence = 999 WHERE OF_STORE",
            "it names a line, which does not exist: 999"),
    _damage("Every line of a sale is found by its sale", "a sale that is not found",
            "DELETE FROM pos_sale WHERE OF_STORE",
            "sale S-1 does not lead to it"),
    _damage("No more of a sold line is known to have come back than was sold", "more came back than was sold",
            "UPDATE sale_return SET quantity = 100 WHERE OF_STORE",
            "were sold and 100 of them came back"),
    _damage("Every released event names a posted event that exists", "a release that posted nothing",
            "UPDATE held_event SET status = 'RELEASED', decided_at = now(), decided_by = 'sam', "
            "released_key = gen_random_uuid() WHERE OF_STORE AND status = 'HELD'",
            "it names a posted event, which does not exist"),
    _damage("What a workstation took on a day is the sum of its sales and returns", "a till that took more",
            "UPDATE workstation_total SET amount = amount + 1 WHERE OF_STORE AND kind = 'TYPE'",
            "it is counted as 21.00; the events add up to 20.00"),
    _damage("Every Z total belongs to a DAY_CLOSE event of its workstation and date", "a report of another day",
            "UPDATE z_total SET business_date = '2026-01-01' WHERE OF_STORE",
            "there is no such DAY_CLOSE event"),
    _damage(_COUNTED, "a count that moved less",
            "UPDATE reconciliation_line SET variance_quantity = variance_quantity - 1 WHERE OF_STORE",
            "its variance is -2 worth -1.00; it moved -1"),
    _damage(_COUNTED, "a movement of a count that nobody made",
            "UPDATE reconciliation_line SET movement_sequence = NULL, variance_quantity = 0, value = 0 WHERE OF_STORE",
            "it is of a count that does not name it"),
    _damage(_CORRECTED, "a correction of something else",
            "UPDATE count_correction SET quantity = quantity + 1 WHERE OF_STORE",
            "its reconciliation says 2"),
    _damage(_CORRECTED, "a correction that is not listed",
            "DELETE FROM count_correction WHERE OF_STORE",
            "it corrects a count without being listed"),
    _damage("What had moved up to a posted count adds up to what was counted", "another count",
            "UPDATE reconciliation_line SET counted = counted + 1 WHERE OF_STORE",
            "5 were counted; the movements up to then add up to 4"),
    _damage("Nobody has approved what they made", "approved by its maker",
            "UPDATE reconciliation SET approved_by = (SELECT person_no FROM person WHERE name = 'ada') WHERE OF_STORE",
            "ada approved it and is one of its makers, person:ada"),
    _damage(AUDIT, "somebody else did it",
            "UPDATE audit_entry SET actor = 'eve' WHERE OF_STORE AND audit_sequence = 2",
            "audit entry 2: its content is not what was written"),
    _damage(AUDIT, "it counted something else",
            "UPDATE audit_entry SET after = after || '{\"accepted\": 1}' "
            "WHERE OF_STORE AND subject = 'the day'",
            "its content is not what was written"),
    _damage(AUDIT, "an entry is gone",
            "DELETE FROM audit_entry WHERE OF_STORE AND audit_sequence = 2",
            "audit entry 3: the entry before it is 1: entries are missing"),
    _damage(AUDIT, "an entry and its hash were replaced",
            "UPDATE audit_entry SET hash = sha256('x') "
            "WHERE OF_STORE AND audit_sequence = 1",
            "audit entry 1: its content is not what was written"),
    _damage(AUDIT, "the last entry is gone",
            "DELETE FROM audit_entry WHERE OF_STORE AND subject = 'the day'",
            "audit head: the chain's head is entry"),
    _damage(AUDIT, "the head was moved",
            "UPDATE store SET audit_hash = sha256('x') WHERE OF_STORE",
            "audit head:"),
]  # fmt: skip
