"""The chart of accounts: which account serves which purpose. Data, with the defaults of a fresh installation."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartOfAccounts:
    """An account code per purpose; the defaults are what the migration writes into table `account`."""

    tender_clearing: str = "1000"
    tender_difference: str = "1090"
    inventory: str = "1400"
    unitemised_variance: str = "1405"
    in_transit: str = "1410"
    goods_received: str = "2100"
    tax_payable: str = "2300"
    opening_balance: str = "3000"
    sales: str = "4000"
    cost_of_goods_sold: str = "5000"
    cost_variance: str = "5100"
    shrinkage: str = "6550"
    inventory_gain: str = "6560"
    cash_over_short: str = "6570"


ACCOUNT_NAMES = {
    "tender_clearing": "Tender clearing",
    "tender_difference": "Tender difference",
    "inventory": "Inventory",
    "unitemised_variance": "Unitemised variance",
    "in_transit": "Inventory in transit",
    "goods_received": "Goods received, not invoiced",
    "tax_payable": "Tax payable",
    "opening_balance": "Opening balance",
    "sales": "Sales",
    "cost_of_goods_sold": "Cost of goods sold",
    "cost_variance": "Cost variance",
    "shrinkage": "Shrinkage",
    "inventory_gain": "Inventory gain",
    "cash_over_short": "Cash over and short",
}
"""What each purpose's account is called, as an accountant reads it."""
