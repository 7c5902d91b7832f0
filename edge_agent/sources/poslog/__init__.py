"""POSLog: the journals that tills write in the XML of ARTS and OMG, versions 2.x and 6.

Real vendors' files fail the schema; they are read leniently, element by element, and what cannot be understood is
named with line and path while the rest goes on. In the order in which a journal travels:

| file | responsibility |
|---|---|
| `journal_files.py` | the reader behind the drop folder: a file in, records out |
| `journal.py` | bytes to transactions: never trusted, and read on where the XML breaks |
| `pull.py` | one run of the parser, from some place to the first thing that is wrong |
| `configuration.py` | `[poslog]` of the configuration |
| `profiles.py` | how vendors deviate from the standard, as data |
| `elements.py` | texts, numbers and flags of elements, whatever their namespace |
| `header.py` | whose transaction it is, when, and whether it may be posted |
| `line_items.py` | one line item: goods, tender, tax, discount, or nothing that counts |
| `cancelled_lines.py` | which line a voiding line takes back |
| `amounts.py` | what each line was charged: discounts and taxes laid on the lines, checked against the total |
| `tenders.py` | how it was paid, change included |
| `transactions.py` | a transaction to till events |
| `control.py` | control transactions: Z totals, and what is passed over |
| `tally.py` | what was read, passed over, refused |
"""
