"""Buys with a client of Python that openapi-generator makes from the document."""

import sys

import flash_generated as flash
from flash_generated.exceptions import ApiException

api = flash.ApiClient(flash.Configuration(host=sys.argv[1]))
api.default_headers["Flash-Request"] = "1"
sales, reservations = flash.SalesApi(api), flash.ReservationsApi(api)
sale = sales.create_sale(flash.NewSale(total=2, limit=1, hold_ms=600_000)).sale


def refused(wish: flash.Wish) -> flash.Problem:
    try:
        reservations.reserve(sale, wish)
    except ApiException as error:
        assert isinstance(error.data, flash.Problem), error
        return error.data
    raise AssertionError("it was not refused")


ada = reservations.reserve(sale, flash.Wish(buyer="ada"), idempotency_key="ada")
assert reservations.confirm(sale, ada.id).state == "confirmed"
reservations.reserve(sale, flash.Wish(buyer="bob"))
assert refused(flash.Wish(buyer="eve")).type is flash.ProblemType.SOLD_OUT
# The client itself refuses what the document says is invalid; the server is asked what it says.
invalid = refused(flash.Wish.model_construct(buyer="eve", quantity=0))
assert invalid.type is flash.ProblemType.INVALID and invalid.errors[0].pointer == "/quantity", invalid

more = sales.create_sale(flash.NewSale(total=1)).sale
ids = []
while True:
    page = sales.list_sales(limit=1, after=ids[-1] if ids else None)
    if not page.sales:
        break
    ids.append(page.sales[-1].to_dict()["sale"])
assert {sale, more} <= set(ids), ids
print("openapi-generator, python: bought, was refused, and paged through", len(ids), "sales")
