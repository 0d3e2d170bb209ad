"""What the API takes and answers."""

from typing import Any, Literal, NotRequired, Required, TypedDict


class Item(TypedDict):
    sku: str
    quantity: NotRequired[int]


class Reservation(TypedDict):
    sale: str
    id: str
    state: Literal["held", "confirmed", "released", "expired", "rejected"]
    expires_at_ms: NotRequired[int]
    expires_in_ms: NotRequired[int]
    available: NotRequired[int]
    buyer: NotRequired[str]
    items: NotRequired[list[Item]]
    reason: NotRequired[str]
    persisted: NotRequired[bool]


class Payment(TypedDict, total=False):
    payment: Required[Literal["balance", "external"]]
    reference: str
    amount: int
    currency: str
    buyer: str


class FieldError(TypedDict):
    pointer: str
    detail: str


class Problem(TypedDict):
    """An error of the API (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: NotRequired[str]
    errors: NotRequired[list[FieldError]]
    reservation: NotRequired[str]
    opens_at_ms: NotRequired[int]
    retry_after_ms: NotRequired[int]
    trace_id: NotRequired[str]


Json = Any
