"""Everything that can go wrong inside the agent, as one tree; a dependency's errors are translated at the
border.

EdgeAgentError
├── SettingsError          the configuration cannot be read or makes no sense
├── FolderLocked           another process holds the data folder
├── NotEnrolled            the agent does not know its store yet
├── EnrolmentFailed        the server refused the code, or could not be reached
├── AgentDown              no agent answers on the loopback port
├── AgentRefused           the running agent refused what a command asked of it
├── FileUnreadable         a file that was handed over cannot be read
└── SpoolError
    ├── SpoolUnsafe        the file's guarantees are not what durability needs
    ├── SpoolFull          the disk took no more; nothing of the request was kept
    └── SpoolFault         the file could not be read or written
        └── SpoolDamaged   what stands in the file cannot be right

Each message says what happened and what to do; the command line prints it as one sentence.
"""


class EdgeAgentError(Exception):
    """Root of the tree; its text is meant for a person."""


class SettingsError(EdgeAgentError):
    """The configuration cannot be read or makes no sense."""


class FolderLocked(EdgeAgentError):
    """Another process holds the data folder."""


class NotEnrolled(EdgeAgentError):
    """The agent does not know its store yet."""


class EnrolmentFailed(EdgeAgentError):
    """The server refused the code, or could not be reached."""


class AgentDown(EdgeAgentError):
    """No agent answers on the loopback port."""


class AgentRefused(EdgeAgentError):
    """The running agent refused what a command asked of it."""


class FileUnreadable(EdgeAgentError):
    """A file that was handed over cannot be read."""


class SpoolError(EdgeAgentError):
    """The durable queue failed."""


class SpoolUnsafe(SpoolError):
    """The file's guarantees are not what durability needs; the agent does not start on it."""


class SpoolFull(SpoolError):
    """The disk took no more; nothing of the request was kept."""


class SpoolFault(SpoolError):
    """The file could not be read or written."""


class SpoolDamaged(SpoolFault):
    """What stands in the file cannot be right: it is set aside, and what can be read of it is taken over."""
