// A sale's live stock, by server-sent events.

import { useEffect, useState } from "preact/hooks";

import { stockEvents } from "./routes";
import type { Stock } from "./types";

export type Line = "connecting" | "live" | "reconnecting" | "over";

export interface Seen {
  at_ms: number;
  stock: Stock;
}

/** Older ones are thinned out, so that a page may stay open for days. */
const SEEN_MAX = 1_200;
const RECONNECT_MS = 5_000;

/** A sale that `isOver` has no events to come. */
export function useStock(sale: string, isOver: boolean): { line: Line; seen: Seen[] } {
  const [line, setLine] = useState<Line>("connecting");
  const [seen, setSeen] = useState<Seen[]>([]);
  useEffect(() => setSeen([]), [sale]);
  useEffect(() => {
    if (isOver) return setLine("over");
    let source: EventSource;
    let timer: number | undefined;
    setLine("connecting");
    const connect = () => {
      source = new EventSource(stockEvents(sale));
      source.onopen = () => setLine("live");
      source.addEventListener("stock", (event) => {
        const stock = JSON.parse((event as MessageEvent<string>).data) as Stock;
        setLine(stock.phase === "ended" ? "over" : "live");
        setSeen((seen) => add(seen, { at_ms: Date.now(), stock }));
      });
      source.onerror = () => {
        setLine((line) => (line === "over" ? "over" : "reconnecting"));
        // The browser tries again by itself, unless it was refused: that, too, may pass.
        if (source.readyState !== EventSource.CLOSED) return;
        timer = window.setTimeout(connect, RECONNECT_MS);
      };
    };
    connect();
    return () => {
      clearTimeout(timer);
      source.close();
    };
  }, [sale, isOver]);
  return { line, seen };
}

function add(seen: Seen[], one: Seen): Seen[] {
  const newest = seen.at(-1);
  if (newest && newest.stock.epoch === one.stock.epoch && newest.stock.seq > one.stock.seq) return seen;
  const all = [...seen, one];
  if (all.length <= SEEN_MAX) return all;
  const half = all.length / 2;
  return all.filter((_, at) => at > half || at % 2 === 0);
}
