"""The clients against a gateway at FLASH_URL, and against a transport that fails on purpose."""

import asyncio
import os
import unittest

import httpx

from flash_sale import AsyncFlash, Flash, ProblemError, RetryLimits, UnknownOutcomeError

URL = os.environ["FLASH_URL"]


def create(**terms):
    answer = httpx.post(f"{URL}/v1/sales", json=terms)
    answer.raise_for_status()
    return answer.json()["sale"]


class AgainstAGateway(unittest.TestCase):
    def test_a_buyer_reserves_confirms_and_releases(self):
        sale = create(total=2, limit=2, hold_ms=600_000)
        with Flash(URL) as flash:
            held = flash.reserve(sale, buyer="ada")
            self.assertEqual((held["state"], held["available"]), ("held", 1))
            self.assertEqual(flash.confirm(sale, held["id"])["state"], "confirmed")
            other = flash.reserve(sale, buyer="bob", items=[{"sku": "default"}])
            self.assertEqual(flash.release(sale, other["id"])["state"], "released")
            self.assertEqual(flash.show(sale, held["id"])["buyer"], "ada")

    def test_a_key_makes_one_reservation_of_two_requests(self):
        sale = create(total=5, limit=5)
        with Flash(URL) as flash:
            first, second = (flash.reserve(sale, buyer="ada", idempotency_key="order-7") for _ in range(2))
            self.assertEqual(first["id"], second["id"])
            self.assertNotEqual(flash.reserve(sale, buyer="ada")["id"], first["id"])

    def test_a_refusal_is_a_problem_with_its_slug_and_its_fields(self):
        sale = create(total=1)
        with Flash(URL) as flash:
            flash.reserve(sale, buyer="ada")
            with self.assertRaises(ProblemError) as sold_out:
                flash.reserve(sale, buyer="eve")
            self.assertEqual(sold_out.exception.slug, "sold-out")
            with self.assertRaises(ProblemError) as invalid:
                flash.reserve(sale, buyer="eve", quantity=0)
            self.assertEqual(invalid.exception.problem["errors"][0]["pointer"], "/quantity")

    def test_a_hundred_tasks_sell_each_unit_once(self):
        sale = create(total=10)

        async def buy(flash, buyer):
            try:
                return (await flash.reserve(sale, buyer=buyer))["id"]
            except ProblemError as error:
                return error.slug

        async def stampede():
            async with AsyncFlash(URL) as flash:
                return await asyncio.gather(*(buy(flash, f"buyer-{number}") for number in range(100)))

        outcomes = asyncio.run(stampede())
        self.assertEqual(outcomes.count("sold-out"), 90)
        self.assertEqual(len(set(outcomes) - {"sold-out"}), 10)


MADE = {"status_code": 200, "json": {"sale": "s", "id": "1-a", "state": "held"}}


class AgainstFailures(unittest.TestCase):
    def run_both(self, outcomes, check):
        """The same for both clients: these outcomes in turn, and the keys that were sent."""
        for kind in (Flash, AsyncFlash):
            keys = []

            def answer(asked):
                keys.append(asked.headers["idempotency-key"])
                outcome = outcomes[min(len(keys), len(outcomes)) - 1]
                if isinstance(outcome, Exception):
                    raise outcome
                return httpx.Response(**outcome)

            flash = kind("http://flash.invalid", retry=RetryLimits(wait_s_max=2.0))
            of = httpx.Client if kind is Flash else httpx.AsyncClient
            flash._http = of(base_url="http://flash.invalid", transport=httpx.MockTransport(answer))

            def reserve():
                made = flash.reserve("s", buyer="ada")
                return made if kind is Flash else asyncio.run(made)

            with self.subTest(kind=kind.__name__):
                check(reserve, keys)

    def test_a_request_is_repeated_with_its_key(self):
        def check(reserve, keys):
            self.assertEqual(reserve()["id"], "1-a")
            self.assertEqual((len(keys), len(set(keys)), len(keys[0])), (4, 1, 32))

        self.run_both([{"status_code": 503}, {"status_code": 504}, httpx.ReadTimeout("late"), MADE], check)

    def test_retries_have_an_end_and_a_long_wait_is_not_waited_for(self):
        def failing(error, requests):
            def check(reserve, keys):
                with self.assertRaises(error):
                    reserve()
                self.assertEqual(len(keys), requests)

            return check

        self.run_both([httpx.ConnectError("away")], failing(UnknownOutcomeError, 4))
        self.run_both([{"status_code": 503, "headers": {"retry-after": "60"}}], failing(ProblemError, 1))
        self.run_both([{"status_code": 409}], failing(ProblemError, 1))


if __name__ == "__main__":
    unittest.main()
