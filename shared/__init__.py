"""The wire contract of TillSync: what edge agent and sync server must agree on, and nothing else.

Pure values and functions on the standard library and msgspec. Nothing here reads a file, a socket or the
environment; time is read in `clock` alone, zone data in `zone_data` alone.
"""
