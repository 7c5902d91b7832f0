"""The roles, and the sets of them that operations ask for; who holds none of an operation's may not do it."""

from enum import StrEnum


class Role(StrEnum):
    """What somebody may do. `admin` looks after people and settings and approves nothing by that."""

    VIEWER = "viewer"
    SUPPORT = "support"
    STOCK_CONTROLLER = "stock_controller"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ADMIN = "admin"
    TILL = "till"


PERSON_ROLES = frozenset(Role) - {Role.TILL}
"""Roles that people hold."""
SERVICE_ROLES = frozenset({Role.TILL, Role.VIEWER, Role.SUPPORT, Role.STOCK_CONTROLLER, Role.AUDITOR})
"""Roles that a service may hold; approving and administering are done by people, who can answer for it."""
READERS = PERSON_ROLES
"""Whoever works at headquarters may read what is no secret."""
