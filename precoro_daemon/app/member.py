"""one company among others in a process: served, started again when it fails, ended alone"""

from __future__ import annotations

from dataclasses import replace

import anyio

from precoro_daemon.app.served import ServedCompany, Surroundings, other_fixed
from precoro_daemon.app.state import address
from precoro_daemon.app.tenure import Tenure
from precoro_daemon.errors import DaemonError, Deposed, StoreHeld, leaves, most_severe
from precoro_daemon.runtime.backoff import LONGEST_PAUSE_S, pause_of_company
from precoro_daemon.runtime.lifecycle import Services
from precoro_daemon.runtime.ports import Unsupervised
from precoro_daemon.runtime.start_gate import StartGate
from precoro_daemon.settings import Settings
from precoro_daemon.status.companies import Standing
from precoro_daemon.telemetry import bind, get_logger

_log = get_logger()

_HANGS_AFTER_S = 30.0
"""Real seconds that a company which was ended may take before it counts as one that hangs in a thread."""


class CompanyStuck(DaemonError):
    """A part of a company gave no sign of life. The company is ended and started again."""


class Member:
    """A company's life in a process. Whatever befalls it is logged here, and ends no other company."""

    def __init__(
        self, name: str, settings: Settings, tenure: Tenure, surroundings: Surroundings, starts: StartGate
    ) -> None:
        """`surroundings`: of its services, but for supervisor and settings · `starts`: of the process"""
        self.name = name
        self.standing: Standing = "starting"
        self.leaving = False
        self._settings = settings
        self._tenure = tenure
        self._given = surroundings
        self._starts = starts
        self._refused = self._trouble = ""
        self._setbacks = 0
        self._prodded = anyio.Event()
        self._served: ServedCompany | None = None
        self._services: Services | None = None
        self._scope: anyio.CancelScope | None = None
        self._stuck: CompanyStuck | None = None
        self._ended_at = 0.0

    @property
    def reason(self) -> str:
        """Why it is not served, or not by its file as it is; "" if all is well."""
        pulse = self._served and self._served.pulse
        return self._trouble or self._refused or (pulse.refused if pulse else "")

    async def serve(self, delay: float) -> None:
        """From `delay` on (real seconds), until `leave`. Raises Deposed once it is another worker's to serve."""
        bind(company=self.name)
        await self._rest(delay)
        while not self.leaving:
            began = anyio.current_time()
            failure = await self._term()
            if failure is not None and not self.leaving:
                if (deposed := _deposed(failure)) is not None:
                    raise deposed
                ran = anyio.current_time() - began
                await self._rest(self._set_back(failure, ran))
        _log.info("company_ended")

    async def reload(self, fresh: Settings) -> None:
        """Go by these settings: at once where it is served, or when it is tried next, which is now."""
        self._settings, self._refused = fresh, ""
        if self._served is None or self._services is None:
            self._prodded.set()
        elif self._served.settings == fresh:
            if self._served.pulse is not None:
                self._served.pulse.refused = ""
        elif other_fixed(self._served.settings, fresh):
            self._services.stop()  # another state is opened by another term
        else:
            await self._services.reload()

    def refuse(self, reason: str) -> None:
        """Its file cannot be used as it is now: go on by the former settings."""
        self._refused = reason

    def leave(self) -> None:
        """Finish what is in flight, and end."""
        self.leaving, self.standing = True, "stopping"
        self._prodded.set()
        if self._services is not None and self._served is not None:
            self._served.announce_end()
            self._services.stop()
        elif self._scope is not None:
            self._scope.cancel()

    def end_if_stuck(self) -> None:
        """Check for parts that give no sign of life; with one of them the company is ended, and started again."""
        pulse = self._served and self._served.pulse
        stuck = next((part.name for part in pulse.parts if part.stuck), "") if pulse else ""
        if self._stuck is None and stuck and self._scope is not None:
            _log.error("company_stalled", company=self.name, part=stuck)
            self._stuck = CompanyStuck(f"{stuck} gave no sign of life")
            self._trouble, self._ended_at = str(self._stuck), anyio.current_time()
            self._scope.cancel()
        elif self._stuck is not None and anyio.current_time() - self._ended_at > _HANGS_AFTER_S:
            self._trouble = f"{self._stuck} and hangs in a thread; only a restart of the whole process ends it"

    async def _term(self) -> Exception | None:
        """Serve it once; gives why that failed, None if it was meant to end."""
        failure: Exception | None = None
        with anyio.CancelScope() as self._scope:
            try:
                await self._starts.enter(self)
                async with self._tenure.hold(self._settings) as store:
                    self._served = ServedCompany(self._settings, self._surroundings(), store)
                    self._services = Services(self._served.build, self._served.reread, Unsupervised())
                    await self._services.run()
            except Exception as error:  # noqa: BLE001 - whatever it is, the other companies go on
                failure = error
            finally:
                self._starts.leave(self)
        self._scope = self._served = self._services = None
        failure, self._stuck = self._stuck or failure, None
        return failure

    def _surroundings(self) -> Surroundings:
        return replace(self._given, supervisor=_Announcing(self), reread=lambda: self._settings)

    def note_ready(self) -> None:
        """Its service works."""
        self._starts.leave(self)
        if self.standing != "running" and not self.leaving:
            _log.info("company_started", state=address(self._settings))
            self.standing, self._trouble = "running", ""

    def _set_back(self, error: Exception, ran: float) -> float:
        """Say why it failed; gives the real seconds until it is tried again."""
        self._setbacks = 1 if ran > LONGEST_PAUSE_S else self._setbacks + 1
        failure = most_severe(leaves(error)) if isinstance(error, ExceptionGroup) else error
        pause = pause_of_company(self._setbacks)
        foreseen = isinstance(failure, DaemonError)
        reason = str(failure) if foreseen else f"unexpected: {type(failure).__name__}: {failure}"
        if not (isinstance(failure, StoreHeld) and reason == self._trouble):
            write = _log.warning if isinstance(failure, StoreHeld) else _log.error
            write("company_failed", reason=reason, again_in=round(pause), **({} if foreseen else {"exc_info": error}))
        self.standing, self._trouble = "waiting", reason
        return pause

    async def _rest(self, seconds: float) -> None:
        self._prodded = anyio.Event()
        with anyio.move_on_after(seconds):
            await self._prodded.wait()


def _deposed(failure: Exception) -> Deposed | None:
    found = leaves(failure) if isinstance(failure, ExceptionGroup) else [failure]
    return next((one for one in found if isinstance(one, Deposed)), None)


class _Announcing(Unsupervised):
    """The supervisor of one company's services: the process that serves others too."""

    def __init__(self, member: Member) -> None:
        self._member = member

    def ready(self, status: str) -> None:  # noqa: ARG002 - the process has a status of its own
        self._member.note_ready()
