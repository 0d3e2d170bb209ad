// Looking at something again and again, and saying how fresh what is seen is.

import { useEffect, useRef, useState } from "preact/hooks";

import { Failure } from "./failure";

const RETRY_MS_MAX = 30_000;

export interface Look<T> {
  /** What was seen last; undefined: nothing yet. */
  value: T | undefined;
  /** Why the last look failed; then `value` is what was seen before it. */
  failure: Failure | undefined;
  /** Looks again at once. */
  again: () => void;
}

/**
 * Looks at once, then every `everyMs` (once, if it is 0), while the page is in sight. What passes is tried again, less and
 * less often; what does not pass waits for another key, other `inputs`, or `again`.
 */
export function useLook<T>(look: (signal: AbortSignal) => Promise<T>, inputs: unknown[], everyMs = 0): Look<T> {
  const [seen, setSeen] = useState<Omit<Look<T>, "again">>({ value: undefined, failure: undefined });
  const [turn, setTurn] = useState(0);
  const latest = useRef({ look, everyMs });
  latest.current = { look, everyMs };

  useEffect(() => setSeen({ value: undefined, failure: undefined }), inputs);
  useEffect(() => {
    const leave = new AbortController();
    let timer: number | undefined;
    let failures = 0;
    let isOwed = false;

    const plan = (afterMs: number) => {
      timer = window.setTimeout(() => void round(), afterMs);
    };
    const round = async () => {
      isOwed = document.hidden;
      if (isOwed) return;
      try {
        const value = await latest.current.look(leave.signal);
        if (leave.signal.aborted) return;
        failures = 0;
        setSeen({ value, failure: undefined });
        if (latest.current.everyMs > 0) plan(latest.current.everyMs);
      } catch (error) {
        if (leave.signal.aborted) return;
        const failure = error instanceof Failure ? error : new Failure(null, false);
        setSeen(({ value }) => ({ value, failure }));
        failures += 1;
        if (failure.passes) plan(Math.min(1_000 * 2 ** failures, RETRY_MS_MAX));
      }
    };
    const shown = () => {
      if (!document.hidden && isOwed) plan(0);
    };
    const unlocked = () => setTurn((turn) => turn + 1);
    document.addEventListener("visibilitychange", shown);
    window.addEventListener("flash-key", unlocked);
    plan(0);
    return () => {
      leave.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", shown);
      window.removeEventListener("flash-key", unlocked);
    };
  }, [...inputs, turn]);
  return { ...seen, again: () => setTurn((turn) => turn + 1) };
}
