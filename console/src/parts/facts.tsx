// A row of numbers, each with its name.

export interface Fact {
  name: string;
  value: string;
  hint?: string;
  isBad?: boolean;
}

export function Facts({ facts }: { facts: Fact[] }) {
  return (
    <dl class="tiles">
      {facts.map(({ name, value, hint, isBad }) => (
        <div key={name} class={isBad ? "bad" : ""}><dt>{name}</dt><dd>{value}</dd>{hint && <dd class="hint">{hint}</dd>}</div>
      ))}
    </dl>
  );
}
