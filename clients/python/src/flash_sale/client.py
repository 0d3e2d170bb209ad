"""The two clients."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Self, cast

import httpx

from . import request
from .request import Request
from .retry import RetryLimits, wait_s
from .types import Item, Json, Payment, Reservation


def _settings(url: str, token: str | None, limits: RetryLimits) -> dict[str, Any]:
    headers = {"flash-request": "1"} | ({"authorization": f"Bearer {token}"} if token else {})
    return {"base_url": url, "headers": headers, "timeout": limits.timeout_s}


def _arguments(asked: Request) -> dict[str, Any]:
    body = {} if asked.body is None else {"json": asked.body}
    return {"method": asked.method, "url": asked.path, "headers": asked.headers} | body


class Flash:
    """A gateway of Flash, for threads. `token` is a buyer's token or an API key."""

    def __init__(self, url: str, token: str | None = None, retry: RetryLimits = RetryLimits()) -> None:
        self._limits = retry
        self._http = httpx.Client(**_settings(url, token, retry))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def reserve(
        self,
        sale: str,
        *,
        buyer: str | None = None,
        quantity: int | None = None,
        items: Sequence[Item] | None = None,
        data: Json = None,
        idempotency_key: str | None = None,
    ) -> Reservation:
        """Reserves all or nothing. Retries carry one idempotency key, so that they reserve once."""
        return self._send(request.reserve(sale, buyer, quantity, items, data, idempotency_key))

    def show(self, sale: str, reservation: str) -> Reservation:
        return self._send(request.show(sale, reservation))

    def confirm(self, sale: str, reservation: str, payment: Payment | None = None) -> Reservation:
        """A sale without a price needs no payment. A repeat gets the same answer."""
        return self._send(request.confirm(sale, reservation, payment))

    def release(self, sale: str, reservation: str) -> Reservation:
        return self._send(request.release(sale, reservation))

    def _send(self, asked: Request) -> Reservation:
        attempt = 1
        while True:
            outcome: httpx.Response | httpx.TransportError
            try:
                outcome = self._http.request(**_arguments(asked))
            except httpx.TransportError as error:
                outcome = error
            wait = wait_s(outcome, attempt, self._limits)
            if wait is None and isinstance(outcome, httpx.Response):
                return cast(Reservation, outcome.json())
            time.sleep(wait or 0)
            attempt += 1


class AsyncFlash:
    """A gateway of Flash, for asyncio. `token` is a buyer's token or an API key."""

    def __init__(self, url: str, token: str | None = None, retry: RetryLimits = RetryLimits()) -> None:
        self._limits = retry
        self._http = httpx.AsyncClient(**_settings(url, token, retry))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def reserve(
        self,
        sale: str,
        *,
        buyer: str | None = None,
        quantity: int | None = None,
        items: Sequence[Item] | None = None,
        data: Json = None,
        idempotency_key: str | None = None,
    ) -> Reservation:
        """Reserves all or nothing. Retries carry one idempotency key, so that they reserve once."""
        return await self._send(request.reserve(sale, buyer, quantity, items, data, idempotency_key))

    async def show(self, sale: str, reservation: str) -> Reservation:
        return await self._send(request.show(sale, reservation))

    async def confirm(self, sale: str, reservation: str, payment: Payment | None = None) -> Reservation:
        """A sale without a price needs no payment. A repeat gets the same answer."""
        return await self._send(request.confirm(sale, reservation, payment))

    async def release(self, sale: str, reservation: str) -> Reservation:
        return await self._send(request.release(sale, reservation))

    async def _send(self, asked: Request) -> Reservation:
        attempt = 1
        while True:
            outcome: httpx.Response | httpx.TransportError
            try:
                outcome = await self._http.request(**_arguments(asked))
            except httpx.TransportError as error:
                outcome = error
            wait = wait_s(outcome, attempt, self._limits)
            if wait is None and isinstance(outcome, httpx.Response):
                return cast(Reservation, outcome.json())
            await asyncio.sleep(wait or 0)
            attempt += 1
