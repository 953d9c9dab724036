// What is wrong with an expression, printed as cel-go prints it: the line, the column, the source and a caret below it.

export interface Issue {
  /** In the source, in UTF-16 units. */
  readonly at: number;
  readonly message: string;
}

/** As Kubernetes reports them: in the source's order, one below the other. */
export function formatIssues(source: string, issues: readonly Issue[]): string {
  return [...issues]
    .sort((a, b) => a.at - b.at)
    .map((issue) => formatIssue(source, issue))
    .join('\n');
}

/** Longer lines are not shown. */
const snippetLengthMax = 16_384;

function formatIssue(source: string, { at, message }: Issue): string {
  const before = source.slice(0, at).split('\n');
  const line = before.length;
  const column = [...(before.at(-1) ?? '')].length;
  const head = `ERROR: <input>:${line}:${column + 1}: ${message}`;
  const snippet = (source.split('\n')[line - 1] ?? '').replaceAll('\t', ' ');
  if (snippet.length > snippetLengthMax) return head;
  const chars = [...snippet];
  const dots = chars.slice(0, column).map((char) => (isWide(char) ? '．' : '.'));
  return `${head}\n | ${snippet}\n | ${dots.join('')}${isWide(chars[column] ?? '') ? '＾' : '^'}`;
}

const isWide = (char: string) => (char.codePointAt(0) ?? 0) > 0x7f;
