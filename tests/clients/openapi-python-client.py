"""Buys with a client that openapi-python-client makes from the document."""

import sys

from flash_generated import AuthenticatedClient
from flash_generated.api.reservations import confirm, reserve
from flash_generated.api.sales import create_sale, list_sales
from flash_generated.models import CreatedSale, NewSale, Problem, ProblemType, Reservation, SaleList, Wish
from flash_generated.types import UNSET, Unset

# `flash dev` asks for no token.
client = AuthenticatedClient(base_url=sys.argv[1], token="none", headers={"Flash-Request": "1"})


def create(body: NewSale) -> str:
    made = create_sale.sync(client=client, body=body)
    assert isinstance(made, CreatedSale), made
    return made.sale


sale = create(NewSale(total=2, limit=1, hold_ms=600_000))


def ask(buyer: str, quantity: int | Unset = UNSET) -> Reservation | Problem | None:
    return reserve.sync(sale, client=client, body=Wish(buyer=buyer, quantity=quantity), idempotency_key=buyer)


ada = ask("ada")
assert isinstance(ada, Reservation), ada
confirmed = confirm.sync(sale, ada.id, client=client)
assert isinstance(confirmed, Reservation) and confirmed.state == "confirmed", confirmed
assert isinstance(ask("bob"), Reservation)
refused = ask("eve")
assert isinstance(refused, Problem) and refused.type_ is ProblemType.SOLD_OUT, refused
invalid = ask("eve", 0)
assert isinstance(invalid, Problem) and invalid.type_ is ProblemType.INVALID, invalid
assert not isinstance(invalid.errors, Unset) and invalid.errors[0].pointer == "/quantity"

more = create(NewSale(total=1))
ids: list[str] = []
while True:
    page = list_sales.sync(client=client, limit=1, after=ids[-1] if ids else UNSET)
    assert isinstance(page, SaleList), page
    if not page.sales:
        break
    ids.append(page.sales[-1].sale)
assert {sale, more} <= set(ids), ids
print("openapi-python-client: bought, was refused, and paged through", len(ids), "sales")
