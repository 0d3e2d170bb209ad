import { useState } from "preact/hooks";

import { discard, quarantine, quarantined, replay } from "../api/routes";
import type { Quarantined } from "../api/types";
import { useAct } from "../api/use_act";
import { useLook } from "../api/use_look";
import { useOffers } from "../api/use_offers";
import { Dialog, Do, Refused } from "../parts/form";
import { Empty, Seen } from "../parts/seen";
import { Pages } from "../parts/table";
import { to } from "../route";
import { count } from "../words";

const EVERY_MS = 5_000;
const PAGE_ROWS = 25;
const SHOW = "/v1/quarantine/{id}";
const REPLAY = "/v1/quarantine/{id}/replay";

/** What could not be read or written, until an operator decides. */
export function Quarantine({ query }: { query: URLSearchParams }) {
  const after = query.get("after") ?? "";
  const offers = useOffers();
  const look = useLook((signal) => quarantine(after, PAGE_ROWS, signal), [after], EVERY_MS);
  return (
    <section aria-labelledby="quarantine">
      <h2 id="quarantine">Quarantine</h2>
      <Seen look={look} what="the quarantine">
        {({ rows }) => rows.length === 0 ? <Empty title={after === "" ? "Nothing waits in the quarantine." : "Nothing more waits in the quarantine."} /> : (
          <>
            <ul class="cards">{rows.map((row) => <Row key={row.id} row={row} again={look.again} canShow={offers?.("get", SHOW) ?? false} canEnd={offers?.("post", REPLAY) ?? false} />)}</ul>
            <Pages isFirst={after === ""} first={to(["flow"])} next={rows.length < PAGE_ROWS ? undefined : to(["flow"], { after: String(rows.at(-1)?.id ?? "") })} />
          </>
        )}
      </Seen>
    </section>
  );
}

function Row({ row, again, canShow, canEnd }: { row: Quarantined; again: () => void; canShow: boolean; canEnd: boolean }) {
  const [open, setOpen] = useState(false);
  const [said, setSaid] = useState("");
  const [asked, setAsked] = useState(false);
  const replaying = useAct(() => replay(row.id), ({ outcome, reason }) => {
    setSaid(reason === undefined ? outcome : `${outcome}: ${reason}`);
    again();
  });
  const discarding = useAct(() => discard(row.id), () => {
    setAsked(false);
    again();
  });
  return (
    <li class="card">
      <div class="row">
        <strong>{count(row.id)}</strong>
        <span>{row.sale === undefined ? "an unreadable message" : <>event {count(row.seq)} of <a href={to(["sales", row.sale])}>{row.sale}</a></>}</span>
        <span class="hint">{row.at}, {count(row.bytes)} bytes</span>
        <span class="fill" />
        {canShow && <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>{open ? "Hide" : "Show"}</button>}
        {canEnd && <Do act={replaying}>Replay</Do>}
        {canEnd && <button type="button" onClick={() => setAsked(true)}>Discard</button>}
        {!canShow && <code>flash quarantine show {row.id}</code>}
      </div>
      <p class="reason">{row.reason}</p>
      {open && <Body id={row.id} />}
      <p role="status">{said}</p>
      <Refused failure={replaying.failure} />
      {asked && (
        <Dialog title={`Discard ${row.id}?`} act={discarding} verb="Discard it" kind="danger" close={() => setAsked(false)}>
          <p>It is never written: what it says is not in PostgreSQL then. The row stays, with your name.</p>
        </Dialog>
      )}
    </li>
  );
}

/** What it holds: the message as it came. */
function Body({ id }: { id: number }) {
  const look = useLook((signal) => quarantined(id, signal), [id]);
  return <Seen look={look} what="what it holds">{({ body }) => <pre tabIndex={0}>{body}</pre>}</Seen>;
}
