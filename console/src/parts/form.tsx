// Fields, buttons that change something, and dialogs.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import type { Failure } from "../api/failure";
import type { Act } from "../api/use_act";

interface FieldProps {
  name: string;
  label: string;
  hint?: string;
  failure?: Failure | undefined;
  children: (attributes: { id: string; name: string; "aria-describedby": string; "aria-invalid": boolean }) => ComponentChildren;
}

/** A label, what goes with it, and what was wrong with it. */
export function Field({ name, label, hint, failure, children }: FieldProps) {
  const error = failure?.fields().get(name);
  const id = `field-${name}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, name, "aria-describedby": `${id}-hint`, "aria-invalid": error !== undefined })}
      <span id={`${id}-hint`} class={error ? "error" : "hint"}>{error ?? hint}</span>
    </div>
  );
}

/** Why a change was not made, or that its outcome is unknown. */
export function Refused({ failure, shown = [] }: { failure: Failure | undefined; shown?: string[] }) {
  if (!failure) return null;
  if (failure.isAbsent) return <div class="refused" role="alert"><strong>This gateway does not do that.</strong></div>;
  const elsewhere = [...failure.fields()].filter(([name]) => !shown.includes(name));
  return (
    <div class="refused" role="alert">
      <strong>{failure.isUnknown ? "Outcome unknown" : failure.problem?.title}</strong>
      {failure.isUnknown && <p>Press again: it is the same request, and is not done twice.</p>}
      {!failure.isUnknown && failure.problem?.detail && <p>{failure.problem.detail}</p>}
      {elsewhere.map(([name, detail]) => <p key={name}>{detail}</p>)}
      {failure.isLocked && <p><a href="#/key">Use another key</a></p>}
      {failure.problem?.trace_id && <p class="hint">Trace {failure.problem.trace_id}</p>}
    </div>
  );
}

export function Do({ act, children, kind = "" }: { act: Act; children: ComponentChildren; kind?: string }) {
  return (
    <button type="button" class={kind} disabled={act.busy} aria-busy={act.busy} onClick={() => void act.run()}>
      {children}
    </button>
  );
}

interface DialogProps {
  title: string;
  act: Act;
  /** What the button says. */
  verb: string;
  kind?: string;
  shown?: string[];
  close: () => void;
  children?: ComponentChildren;
}

/** Asks before something is changed. Escape closes it. */
export function Dialog({ title, act, verb, kind = "main", shown = [], close, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  // The element that opened it gets the focus back.
  useEffect(() => {
    const at = dialog.current;
    at?.showModal();
    return () => at?.close();
  }, []);
  const submit = (event: Event) => {
    event.preventDefault();
    void act.run();
  };
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" onClose={close}>
      <form onSubmit={submit}>
        <h2 id="dialog-title">{title}</h2>
        {children}
        <Refused failure={act.failure} shown={shown} />
        <p class="row end">
          <button type="button" onClick={close}>Cancel</button>
          <button type="submit" class={kind} disabled={act.busy} aria-busy={act.busy}>{verb}</button>
        </p>
      </form>
    </dialog>
  );
}
