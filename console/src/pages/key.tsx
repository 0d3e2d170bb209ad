import { useState } from "preact/hooks";

import { key } from "../api/client";
import { whoami } from "../api/routes";
import { type Look, useLook } from "../api/use_look";
import type { Caller } from "../api/types";
import { Field } from "../parts/form";

/** Which key the console shows to the gateway, and whom the gateway takes it for. */
export function Key() {
  const [has, setHas] = useState(key.get() !== "");
  // A new key is asked for at once: the look is made again with each.
  const look = useLook(whoami, [has]);
  const use = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    key.set(String(new FormData(form).get("key") ?? "").trim());
    form.reset();
    setHas(key.get() !== "");
  };
  const forget = () => {
    key.set("");
    setHas(false);
  };
  return (
    <>
      <h1 tabIndex={-1}>Key</h1>
      <p>
        The console may do what your API key may do: <code>read</code> looks, <code>sell</code> runs sales too, <code>pay</code> confirms
        and records refunds, <code>admin</code> does everything. What it changes is in the audit log under the key's holder. The key is
        kept until this tab is closed.
      </p>
      <p role="status">{said(look, has)}</p>
      <form class="narrow" onSubmit={use}>
        <Field name="key" label="API key" hint={has ? "Another one takes the place of the key that is kept." : "flash keys create makes one."}>
          {(attributes) => <input {...attributes} type="password" autocomplete="off" spellcheck={false} required />}
        </Field>
        <p class="row">
          <button type="submit" class="main">Use it</button>
          {has && <button type="button" onClick={forget}>Forget the key</button>}
        </p>
      </form>
    </>
  );
}

/** What the gateway says of the key. */
function said({ value, failure }: Look<Caller>, has: boolean): string {
  if (failure?.isAbsent) return has ? "A key is kept. This gateway does not say whether it is good." : "";
  if (failure?.isLocked) return has ? `The key is refused: ${failure.problem?.detail ?? failure.problem?.title ?? ""}` : "You are not signed in.";
  if (failure) return "The gateway does not say now whether the key is good. It is asked again.";
  if (value === undefined) return "";
  if (value.holder === undefined) return "No key is needed: this gateway lets anyone do everything.";
  return `Signed in as ${value.holder} with the role ${value.role}.`;
}
