"""The tests, in folders that mirror the packages; `project/` holds what the code as a whole must keep to."""
