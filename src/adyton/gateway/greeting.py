"""``GET /health``, where clients of other systems look whether there is a server: always 200.

One answer for TEE-Rex's and for Provenclave's. Whether questions can be answered, ``/v1/health``
says.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from adyton.errors import UnavailableError
from adyton.gateway.exchange import json_response
from adyton.gateway.routes import Operation, Route
from adyton.gateway.tee_rex import forms
from adyton.gateway.tee_rex.service import versions_of, with_pages
from adyton.gateway.worker import Worker

__all__ = ["Greeting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """Says that the server runs, and what it is."""

    worker: Worker

    def routes(self) -> Sequence[Route]:
        """Return the one path, for pages of any origin."""
        operation = Operation(
            summary="Whether this server runs",
            text="For clients of TEE-Rex and Provenclave. `enclave`: whether there is a worker.",
            answer=forms.TeeRexHealth,
            is_open=True,
        )
        route = Route(method="GET", path="/health", handler=self.health, operation=operation)
        return with_pages((route,))

    async def health(self, _request: Request) -> Response:
        """Return what there is to say of this server, whether or not there is a worker."""
        enclave, mode, versions = "ok", "unknown", list[dict[str, str]]()
        try:
            found = await self.worker.openpgp()
            mode, versions = found.mode, versions_of(found)
        except UnavailableError:
            enclave = "unreachable"
        cores = os.cpu_count() or 1
        return json_response(
            {
                "ok": True,
                "status": "ok",
                "api_version": 1,
                "available_versions": [each["version"] for each in versions],
                "bb_hashes": versions,
                "enclave": enclave,
                "runtime": {
                    "hardware_concurrency": cores,
                    "available_parallelism": cores,
                    "cpu_count": cores,
                    "tee_mode": mode,
                    "node_env": "production",
                    # A path of the worker's machine is nobody's business.
                    "crs_path": None,
                },
            }
        )
