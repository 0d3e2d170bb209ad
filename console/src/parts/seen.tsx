// What a page shows while it has nothing to show yet, has seen nothing, or sees nothing any more.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import type { Failure } from "../api/failure";
import type { Look } from "../api/use_look";
import { clock } from "../words";

interface Props<T> {
  look: Look<T>;
  /** What is looked at, in the plural or with an article. */
  what: string;
  children: (value: T) => ComponentChildren;
}

export function Seen<T>({ look, what, children }: Props<T>) {
  const { value, failure, again } = look;
  if (value === undefined) {
    return failure === undefined ? <Loading what={what} /> : <Trouble failure={failure} what={what} again={again} />;
  }
  return (
    <>
      {failure && <Stale failure={failure} again={again} />}
      {children(value)}
    </>
  );
}

/** Says nothing for a moment: what is there at once need not be announced. */
export function Loading({ what }: { what: string }) {
  return (
    <div class="state loading" role="status" aria-busy="true">
      <span class="bone" /><span class="bone" /><span class="bone" />
      <span class="unseen">Looking for {what} …</span>
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="state">
      <p class="title">{title}</p>
      {children}
    </div>
  );
}

export function Trouble({ failure, what, again }: { failure: Failure; what: string; again: () => void }) {
  if (failure.isAbsent) {
    return <Empty title={`This gateway does not tell of ${what}.`}><p>A newer one may.</p></Empty>;
  }
  if (failure.isLocked) {
    return (
      <Empty title={failure.problem?.title ?? ""}>
        <p>{failure.message}. <a href="#/key">Use another key</a></p>
      </Empty>
    );
  }
  return (
    <div class="state trouble" role="alert">
      <p class="title">{failure.problem?.title ?? "The gateway does not answer"}</p>
      <p>
        {failure.problem?.detail ?? `So nothing is known of ${what}.`}
        {failure.passes && " It is tried again."}
      </p>
      <button type="button" onClick={again}>Try now</button>
    </div>
  );
}

/** What is shown is what was seen before. */
function Stale({ failure, again }: { failure: Failure; again: () => void }) {
  const [since] = useState(() => Date.now());
  return (
    <p class="stale" role="status">
      Reconnecting: {failure.problem?.title ?? "no answer came"}. What you see is from before {clock(since)}.{" "}
      <button type="button" class="plain" onClick={again}>Try now</button>
    </p>
  );
}

/** The time, each second: for what grows old in sight. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
