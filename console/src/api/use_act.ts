// Changing something, once, however often the button is pressed.

import { useRef, useState } from "preact/hooks";

import { Failure } from "./failure";

export interface Act {
  run: () => Promise<void>;
  busy: boolean;
  failure: Failure | undefined;
}

/**
 * While it is not known whether a change was made, the next try goes under the same Idempotency-Key: it is the same request.
 * Once it is known, the next one is another.
 */
export function useAct<T>(change: (idempotencyKey: string) => Promise<T>, done: (value: T) => void): Act {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const key = useRef("");
  const run = async () => {
    if (busy) return;
    if (key.current === "") key.current = newKey();
    setBusy(true);
    setFailure(undefined);
    try {
      const value = await change(key.current);
      key.current = "";
      done(value);
    } catch (error) {
      const failure = error instanceof Failure ? error : new Failure(null, true);
      if (!failure.isUnknown) key.current = "";
      setFailure(failure);
    } finally {
      setBusy(false);
    }
  };
  return { run, busy, failure };
}

/** Not `crypto.randomUUID`: that is not there over plain HTTP. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
