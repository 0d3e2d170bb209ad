"""The requests of the API, as both clients send them."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from .types import Item, Json, Payment


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: Json = None


def of_reservation(sale: str, reservation: str) -> str:
    return f"/v1/sales/{quote(sale, safe='')}/reservations/{quote(reservation, safe='')}"


def reserve(
    sale: str,
    buyer: str | None,
    quantity: int | None,
    items: Sequence[Item] | None,
    data: Json,
    idempotency_key: str | None,
) -> Request:
    given = {"buyer": buyer, "quantity": quantity, "items": items, "data": data}
    body = {name: value for name, value in given.items() if value is not None}
    headers = {"idempotency-key": idempotency_key or secrets.token_hex(16)}
    return Request("POST", f"/v1/sales/{quote(sale, safe='')}/reservations", headers, body)


def show(sale: str, reservation: str) -> Request:
    return Request("GET", of_reservation(sale, reservation))


def confirm(sale: str, reservation: str, payment: Payment | None) -> Request:
    return Request("POST", f"{of_reservation(sale, reservation)}/confirm", body=payment)


def release(sale: str, reservation: str) -> Request:
    return Request("DELETE", of_reservation(sale, reservation))
