// What needs no browser: addresses, metrics, rates, times, a reservation's story.

import assert from "node:assert/strict";
import { test } from "node:test";

import { read as readMetrics, sum } from "../src/api/metrics";
import { heard } from "../src/api/use_rates";
import type { Order, Reservation, Sale } from "../src/api/types";
import { command } from "../src/pages/simulation";
import { story } from "../src/pages/story";
import { read, to } from "../src/route";
import { moment, number, span, time } from "../src/words";

test("an address leads back to what it was made of", () => {
  for (const parts of [[], ["sales"], ["sales", "a.b-c_d"], ["sales", "50% /?#&", "reservations", "7-00ff"]]) {
    const query = { state: "held", buyer: "a&b=c d" };
    const route = read(to(parts, query));
    assert.deepEqual([route.parts, Object.fromEntries(route.query)], [parts, query]);
  }
  assert.deepEqual(read("#/sales/%").parts, ["sales", "%"], "an invalid encoding remains as it is");
});

test("metrics are read by name and label, and what is not told is not zero", () => {
  const metrics = readMetrics('# HELP a A.\na 1\nb{sale="x"} 2.5\nb{sale="y \\"z\\""} 1e1\nnonsense\nc_bucket{le="+Inf"} 3\n');
  assert.deepEqual([sum(metrics, "a"), sum(metrics, "b"), sum(metrics, "none")], [1, 12.5, undefined]);
  assert.deepEqual(metrics.get("b")?.map(({ labels }) => labels["sale"]), ["x", 'y "z"']);
});

test("a syncer's rate is between the last two times that it was heard", () => {
  const first = heard(undefined, 10_000, 500);
  assert.equal(first.rate, undefined);
  const second = heard(first, 12_000, 700);
  assert.equal(second.rate, 100);
  assert.equal(heard(second, 12_030, 700), second, "the same words again");
  assert.equal(heard(second, 13_000, 700).rate, 0);
  assert.equal(heard(second, 13_000, 3).rate, undefined, "it has begun anew");
});

test("a length of time is said in its two largest units", () => {
  const rows: [number | undefined, string][] = [
    [undefined, "–"], [0, "0 ms"], [999, "999 ms"], [1_000, "1 s"], [61_500, "1 min 1 s"], [3_600_000, "1 h"],
    [90_061_000, "1 d 1 h"],
  ];
  for (const [ms, want] of rows) assert.equal(span(ms), want);
  assert.equal(number("1184-00ff"), "1,184");
});

const RESERVATION: Reservation = { sale: "drop", id: "7-00ff", state: "held", buyer: "ada", expires_at_ms: 900 };
const ORDER: Order = { id: "7-00ff", epoch: 1, buyer: "ada", state: "held", items: [], reserved_at_ms: 300, expires_at_ms: 900, published_at_ms: 310, written_at_ms: 350 };
const SALE = { acked: 6, journal_events: 3 } as Sale;

test("a story says where a reservation is, and never that something was done that was not", () => {
  const told = (of: Partial<Reservation>, order: Order | undefined, acked: number) =>
    story({ ...RESERVATION, ...of }, order, { ...SALE, acked }).map(({ place, isDone, at_ms }) => [place, isDone, at_ms]);
  const reserved = ["Redis", true, 300];
  assert.deepEqual(told({}, undefined, 6), [
    ["Redis", true, undefined], ["Journal", false, undefined], ["Queue", false, undefined],
    ["PostgreSQL", false, undefined], ["Redis", false, 900],
  ]);
  assert.deepEqual(told({}, ORDER, 6), [
    reserved, ["Journal", false, undefined], ["Queue", true, 310], ["PostgreSQL", true, 350], ["Redis", false, 900],
  ]);
  assert.deepEqual(told({ state: "confirmed" }, { ...ORDER, state: "confirmed", ended_at_ms: 500 }, 8), [
    reserved, ["Journal", true, undefined], ["Queue", true, 310], ["PostgreSQL", true, 350], ["Redis", true, 500],
    ["PostgreSQL", true, undefined],
  ]);
  const rejected: Order = { id: "7-00ff", epoch: 1, buyer: "ada", state: "rejected", items: [], ended_at_ms: 400 };
  assert.deepEqual(told({ state: "rejected" }, rejected, 8), [["Redis", true, undefined], ["PostgreSQL", true, 400]]);
});

test("PostgreSQL has a hold and its end at a time of their own", () => {
  const rows: [Partial<Order>, [string, number | undefined][]][] = [
    [{ end_written_at_ms: 1_000 }, [["has it as held", 350], ["has it as expired", 1_000]]],
    [{ end_written_at_ms: 350 }, [["has it as expired", 350]]],
    [{}, [["has it as held", 350], ["has it as expired", undefined]]],
    [{ state: "held" }, [["has it as held", 350]]],
  ];
  for (const [of, want] of rows) {
    const order: Order = { ...ORDER, state: "expired", ended_at_ms: 900, ...of };
    const steps = story({ ...RESERVATION, state: order.state }, order, { ...SALE, acked: 9 });
    const told = steps.filter(({ place }) => place === "PostgreSQL").map(({ what, at_ms }) => [what, at_ms]);
    assert.deepEqual(told, want);
    const times = steps.flatMap(({ at_ms, isDone }) => (isDone && at_ms !== undefined ? [at_ms] : []));
    assert.deepEqual(times, [...times].sort((one, two) => one - two), "no step comes before an earlier one");
  }
});

test("a story says how long each part of the way took, and nothing where clocks do not agree", () => {
  const { published_at_ms, ...unpublished } = ORDER;
  const rows: [Order, string][] = [
    [ORDER, "carried it to a syncer: 10 ms from the event to the queue, 40 ms from there to PostgreSQL"],
    [{ ...ORDER, published_at_ms: 290 }, "carried it to a syncer: 60 ms from there to PostgreSQL"],
    [{ ...ORDER, published_at_ms: 360 }, "carried it to a syncer: 60 ms from the event to the queue"],
    [{ ...ORDER, published_at_ms: 360, reserved_at_ms: 370 }, "carried it to a syncer"],
    [unpublished, "carried it to a syncer, or a gateway wrote it past the queue: 50 ms from the event to PostgreSQL"],
    [{ ...unpublished, written_at_ms: 250 }, "carried it to a syncer, or a gateway wrote it past the queue"],
  ];
  for (const [order, want] of rows) assert.equal(story(RESERVATION, order, SALE).find(({ place }) => place === "Queue")?.what, want);
});

test("a moment is a time with its milliseconds", () => {
  const rows: [number, string][] = [[1_796_000_000_000, ".000"], [1_796_000_000_007, ".007"], [1_796_000_000_999, ".999"]];
  for (const [at_ms, rest] of rows) assert.equal(moment(at_ms), time(1_796_000_000_000) + rest);
});

test("a simulation's command gives the same run again: as many of the same buyers, at the same times, over HTTP", () => {
  const settings = { strategies: ["naive", "flash"], buyers: 2_000, units: 100, concurrency: 32, rate: 1_000, seed: 7 };
  assert.equal(command(settings), "flash sim --http --strategy naive,flash --buyers 2000 --units 100 --concurrency 32 --rate 1000 --seed 7");
});
