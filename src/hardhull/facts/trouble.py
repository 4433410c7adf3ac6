"""What can go wrong with a look-up, as people need to hear it."""

from __future__ import annotations


class RegistryError(Exception):
    """Why an image could not be looked up, and what to do about it.

    Neither text ever holds what a server sent or what a request carried: a token in it would end
    up in reports. `lasting` says that asking again can't help, `down` that nothing else can be
    asked of that host either, `gone` that the registry has nothing of this name.
    """

    def __init__(
        self,
        reason: str,
        advice: str = "",
        *,
        lasting: bool = True,
        down: bool = False,
        gone: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice
        self.lasting = lasting
        self.down = down
        self.gone = gone
