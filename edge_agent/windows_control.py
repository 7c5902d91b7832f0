"""The real service control manager of Windows, through advapi32 and nothing else.

pywin32 would bring a host program of its own that has to be copied beside each Python; four calls of the system do
without. Imported on any system, works on Windows alone.
"""

import ctypes
import sys
from collections.abc import Callable
from ctypes import wintypes
from typing import Any

from edge_agent.errors import SettingsError
from edge_agent.windows_service import Life, State, WindowsService

_OWN_PROCESS = 0x10
_SPECIFIC_ERROR = 1066
_NOT_IMPLEMENTED = 120
_NOT_A_SERVICE = 1063


class _Status(ctypes.Structure):
    """SERVICE_STATUS."""

    _fields_ = [  # ctypes wants it so
        ("service_type", wintypes.DWORD),
        ("current_state", wintypes.DWORD),
        ("controls_accepted", wintypes.DWORD),
        ("win32_exit_code", wintypes.DWORD),
        ("specific_exit_code", wintypes.DWORD),
        ("check_point", wintypes.DWORD),
        ("wait_hint", wintypes.DWORD),
    ]


class WindowsControl:
    """One registered service, as the manager sees it."""

    def __init__(self, library: Any, handle: int) -> None:
        """`library` is advapi32, `handle` what it gave for the registered service."""
        self._library = library
        self._handle = handle
        self._check_point = 0

    def report(self, state: State, accepted: int, wait_milliseconds: int, failure: int) -> None:
        """SetServiceStatus."""
        pending = state in (State.START_PENDING, State.STOP_PENDING)
        self._check_point = self._check_point + 1 if pending else 0
        status = _Status(
            service_type=_OWN_PROCESS,
            current_state=state,
            controls_accepted=accepted,
            win32_exit_code=_SPECIFIC_ERROR if failure else 0,
            specific_exit_code=failure,
            check_point=self._check_point,
            wait_hint=wait_milliseconds,
        )
        self._library.SetServiceStatus(self._handle, ctypes.byref(status))


if sys.platform == "win32":
    _HANDLER = ctypes.WINFUNCTYPE(
        wintypes.DWORD, wintypes.DWORD, wintypes.DWORD, wintypes.LPVOID, wintypes.LPVOID
    )
    _MAIN = ctypes.WINFUNCTYPE(None, wintypes.DWORD, ctypes.POINTER(wintypes.LPWSTR))

    class _TableEntry(ctypes.Structure):
        """SERVICE_TABLE_ENTRYW."""

        _fields_ = [("name", wintypes.LPWSTR), ("main", _MAIN)]

    def _advapi32() -> Any:
        library = ctypes.WinDLL("advapi32", use_last_error=True)
        library.RegisterServiceCtrlHandlerExW.argtypes = [wintypes.LPCWSTR, _HANDLER, wintypes.LPVOID]
        library.RegisterServiceCtrlHandlerExW.restype = wintypes.HANDLE
        library.SetServiceStatus.argtypes = [wintypes.HANDLE, ctypes.POINTER(_Status)]
        library.StartServiceCtrlDispatcherW.argtypes = [ctypes.POINTER(_TableEntry)]
        return library

    def serve(name: str, make: Callable[[WindowsControl], WindowsService], life: Life) -> None:
        """Hands this process to the manager until the service has stopped. Raises SettingsError when the
        manager did not start it.
        """
        library = _advapi32()
        kept: list[Any] = []  # what the system calls back must not be collected

        def service_main(_count: int, _arguments: Any) -> None:
            services: list[WindowsService] = []

            def handle(control: int, _event: int, _data: Any, _context: Any) -> int:
                known = bool(services) and services[0].asked(control)
                return 0 if known else _NOT_IMPLEMENTED

            handler = _HANDLER(handle)
            kept.append(handler)
            registered = library.RegisterServiceCtrlHandlerExW(name, handler, None)
            services.append(make(WindowsControl(library, registered)))
            services[0].run(life)

        main = _MAIN(service_main)
        table = (_TableEntry * 2)(_TableEntry(name, main), _TableEntry(None, _MAIN()))
        if not library.StartServiceCtrlDispatcherW(table):
            raise SettingsError(_why_not(ctypes.get_last_error()))

    def _why_not(error: int) -> str:
        if error == _NOT_A_SERVICE:
            return "This program is started by Windows' services; by hand run `edge-agent run`."
        return f"Windows did not take this process as a service (error {error}); install the service anew."

else:

    def serve(name: str, make: Callable[[WindowsControl], WindowsService], life: Life) -> None:
        """There is no such manager here. Raises SettingsError."""
        del name, make, life
        raise SettingsError("Windows services exist on Windows alone; run `edge-agent run` here.")
