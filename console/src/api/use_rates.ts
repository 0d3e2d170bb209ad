// How fast syncers write, from what they say of themselves.

import { useMemo, useRef } from "preact/hooks";

import type { Syncer } from "./types";

/** A syncer says what it has written about once a second. What is seen sooner than this is what it said before. */
const SAID_MS_MIN = 500;

export interface Said {
  at_ms: number;
  written: number;
  /** Events a second; undefined: it has not been heard twice. */
  rate: number | undefined;
}

/** What is known of a syncer after it was heard again. One that has begun anew counts from nothing. */
export function heard(last: Said | undefined, at_ms: number, written: number): Said {
  if (last === undefined || written < last.written) return { at_ms, written, rate: undefined };
  if (at_ms - last.at_ms < SAID_MS_MIN) return last;
  return { at_ms, written, rate: (1_000 * (written - last.written)) / (at_ms - last.at_ms) };
}

/** Events a second, by a syncer's name. */
export function useRates(syncers: Syncer[] | undefined): (syncer: Syncer) => number | undefined {
  const known = useRef(new Map<string, Said>());
  useMemo(() => {
    const now = Date.now();
    const said = (syncers ?? []).flatMap(({ name, written, said_ms_ago }): [string, Said][] =>
      written === undefined ? [] : [[name, heard(known.current.get(name), now - said_ms_ago, written)]]);
    known.current = new Map(said);
  }, [syncers]);
  return ({ name }) => known.current.get(name)?.rate;
}
