// Prints the server's Tables as columns, as kubectl does: three spaces between them, the header once.

export interface Table {
  columnDefinitions: { name: string; priority?: number }[];
  rows: {
    cells: (string | number | boolean | null)[];
    object?: { metadata?: { name?: string; namespace?: string; labels?: Record<string, string> } };
  }[];
}

export interface TableOptions {
  wide: boolean;
  withHeader: boolean;
  withNamespace: boolean;
  withLabels: boolean;
  /** Put before each name: `pod/`. */
  namePrefix: string;
}

export function renderTable(table: Table, options: TableOptions): string {
  const shown = table.columnDefinitions
    .map((column, index) => ({ column, index }))
    .filter(({ column }) => options.wide || !column.priority);
  const header = [
    ...(options.withNamespace ? ['NAMESPACE'] : []),
    ...shown.map(({ column }) => column.name.toUpperCase()),
    ...(options.withLabels ? ['LABELS'] : []),
  ];
  const rows = table.rows.map((row) => {
    const { namespace = '', labels } = row.object?.metadata ?? {};
    const cells = shown.map(({ index, column }) => {
      const text = cellText(row.cells[index]);
      return column.name === 'Name' ? options.namePrefix + text : text;
    });
    return [...(options.withNamespace ? [namespace] : []), ...cells, ...(options.withLabels ? [labelText(labels)] : [])];
  });
  return renderColumns(options.withHeader ? [header, ...rows] : rows);
}

/** Lines with their columns aligned. */
export function renderColumns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd((widths[column] as number) + 3)))
          .join('')
          .trimEnd()}\n`,
    )
    .join('');
}

const cellText = (cell: string | number | boolean | null | undefined): string =>
  cell === null || cell === undefined ? '<none>' : String(cell);

function labelText(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {})
    .sort()
    .map(([key, value]) => `${key}=${value}`);
  return pairs.length > 0 ? pairs.join(',') : '<none>';
}
