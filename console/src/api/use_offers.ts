// Which routes this listener has, by its own OpenAPI document: what it does not have is not asked for.

import { useEffect, useState } from "preact/hooks";

import { Failure } from "./failure";
import { type Told, document } from "./routes";

/** Undefined: it is not known yet. */
export type Offers = ((method: "get" | "post", path: string) => boolean) | undefined;

const NOTHING: Told = { info: { version: "" }, paths: {} };
let asked: Promise<Told> | undefined;

/** Asked once; again, where no answer came. */
function ask(): Promise<Told> {
  asked ??= document(new AbortController().signal).catch((error: unknown) => {
    asked = undefined;
    if (error instanceof Failure && error.isAbsent) return NOTHING;
    throw error;
  });
  return asked;
}

export function useOffers(): Offers {
  const [told, setTold] = useState<Told>();
  useEffect(() => {
    ask().then(setTold, () => undefined);
  }, []);
  return told && ((method, path) => told.paths[path]?.[method] !== undefined);
}
