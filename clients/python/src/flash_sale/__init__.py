"""Reserves and confirms in a Flash sale."""

from .client import AsyncFlash, Flash
from .errors import ProblemError, UnknownOutcomeError
from .retry import RetryLimits
from .types import FieldError, Item, Payment, Problem, Reservation

__all__ = [
    "AsyncFlash", "FieldError", "Flash", "Item", "Payment", "Problem", "ProblemError", "Reservation", "RetryLimits",
    "UnknownOutcomeError",
]
