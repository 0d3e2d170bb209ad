import { useState } from "preact/hooks";

import { key } from "../api/client";
import { Field } from "../parts/form";

/** Which key the console shows to the gateway. */
export function Key() {
  const [has, setHas] = useState(key.get() !== "");
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
        The console may do what your API key may do: <code>read</code> looks, <code>operate</code> changes too, and what it changes
        stands in the audit log under the key's holder. The key is kept until this tab is closed.
      </p>
      <form class="narrow" onSubmit={use}>
        <Field name="key" label="API key" hint={has ? "A key is in use; another one takes its place." : "flash keys create makes one."}>
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
