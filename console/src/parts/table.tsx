// Tables that a phone can show, and pages of them.

import type { ComponentChildren } from "preact";

interface Column<T> {
  head: string;
  cell: (row: T) => ComponentChildren;
  isNumber?: boolean;
}

interface Props<T> {
  label: string;
  columns: Column<T>[];
  rows: T[];
  keyOf: (row: T) => string | number;
}

/** On a narrow screen each row becomes a card; its cells say what they are. */
export function Table<T>({ label, columns, rows, keyOf }: Props<T>) {
  return (
    <table aria-label={label}>
      <thead>
        <tr>{columns.map(({ head, isNumber }) => <th key={head} scope="col" class={isNumber ? "number" : ""}>{head}</th>)}</tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map(({ head, cell, isNumber }) => (
              <td key={head} data-head={head} class={isNumber ? "number" : ""}>{cell(row)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface PagesProps {
  isFirst: boolean;
  /** Where the next page begins; none: this is the last. */
  next: string | undefined;
  first: string;
}

export function Pages({ isFirst, next, first }: PagesProps) {
  if (isFirst && next === undefined) return null;
  return (
    <nav class="row" aria-label="Pages">
      {!isFirst && <a class="button" href={first}>First page</a>}
      {next !== undefined && <a class="button" href={next}>Next page</a>}
    </nav>
  );
}
