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

const operandStart = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/** What the parser found wrong, in the words of cel-go's. */
export function syntaxIssue(source: string, code: string, at: number, summary: string): Issue {
  const rest = source.slice(at);
  const token = rest.trim() === '' ? '<EOF>' : (/^(?:\w+|==|!=|<=|>=|&&|\|\||.)/s.exec(rest)?.[0] ?? '<EOF>');
  const place = token === '<EOF>' ? source.length : at;
  switch (code) {
    case 'reserved_identifier':
      return { at, message: `reserved identifier: ${token}` };
    case 'unexpected_token':
      return { at: place, message: `Syntax error: mismatched input '${token}' expecting ${operandStart}` };
    case 'expected_token':
      if (/Expected IDENTIFIER/.test(summary))
        return { at: place, message: `Syntax error: no viable alternative at input '.${token === '<EOF>' ? '' : token}'` };
      return { at: place, message: `Syntax error: mismatched input '${token}' expecting ${wantedToken(summary)}` };
    case 'unexpected_character':
      if (/^[@#$^~`;|&=]/.test(rest))
        return { at, message: `Syntax error: token recognition error at: '${rest.slice(0, /^[|&=]/.test(rest) ? 2 : 1)}'` };
      return { at: place, message: `Syntax error: mismatched input '${token}' expecting <EOF>` };
    case 'unterminated_string':
    case 'unterminated_triple_quoted_string':
      return { at, message: `Syntax error: token recognition error at: '${rest}'` };
    case 'invalid_macro_argument':
      return { at, message: 'argument must be a simple name' };
    default:
      return { at, message: /^Invalid (integer|hex)/.test(summary) ? 'invalid int literal' : `Syntax error: ${summary}` };
  }
}

const signs: Readonly<Record<string, string>> = { RPAREN: "')'", RBRACKET: "']'", RBRACE: "'}'", COLON: "':'" };
const wantedToken = (summary: string) => signs[/Expected (\w+)/.exec(summary)?.[1] ?? ''] ?? '<EOF>';
