// Scenarios as readable transcripts: what a person types and what they see. One scenario per file:
//
//   # A sentence: prose, ignored.
//   $ kubectl get ns default          must succeed with the output below it
//   ? kubectl get pod web             is tried until it succeeds with that output (30 s; `?60` for 60 s)
//   ! kubectl get pod absent          must fail with that output
//   $ kubectl get ... => NAME         keeps the trimmed output as $NAME for later commands; nothing is compared
//
// In expected lines `{{...}}` holds a regular expression and a line `...` stands for any lines, or none. A command may
// go on over several lines ending in `\`, or feed lines between `<<EOF` and `EOF`.

export interface TranscriptCommand {
  line: number;
  mode: 'succeeds' | 'eventually' | 'fails';
  /** For `eventually`. */
  deadlineSeconds: number;
  command: string;
  captureAs: string | undefined;
  /** undefined: nothing was written below it, so any output will do. */
  expected: string[] | undefined;
}

/** @throws Error naming the line that cannot be read */
export function parseTranscript(text: string): TranscriptCommand[] {
  const lines = text.split('\n');
  const commands: TranscriptCommand[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string;
    if (line.trim() === '' || line.startsWith('#')) continue;
    const match = /^(\$|!|\?(\d*)) (.*)$/.exec(line);
    if (!match) throw new Error(`line ${at + 1}: want a command ($, ? or !), a comment or an empty line, got: ${line}`);
    const first = at + 1;
    let command = match[3] as string;
    while (command.endsWith('\\') && at + 1 < lines.length) command += `\n${lines[++at]}`;
    const heredoc = /<<\s*'?(\w+)'?/.exec(command);
    if (heredoc) {
      do command += `\n${lines[++at] ?? ''}`;
      while (lines[at] !== heredoc[1] && at < lines.length);
    }
    const capture = /^([\s\S]*\S)\s+=> ([A-Z_][A-Z0-9_]*)$/.exec(command);
    const expected: string[] = [];
    while (at + 1 < lines.length && lines[at + 1] !== '' && !/^(\$|!|\?\d*) |^#/.test(lines[at + 1] as string))
      expected.push(lines[++at] as string);
    commands.push({
      line: first,
      mode: match[1] === '$' ? 'succeeds' : match[1] === '!' ? 'fails' : 'eventually',
      deadlineSeconds: Number(match[2] || 30),
      command: capture ? (capture[1] as string) : command,
      captureAs: capture?.[2],
      expected: expected.length > 0 ? expected : undefined,
    });
  }
  return commands;
}

/** Why `output` is not what was expected; undefined when it is. */
export function outputProblem(expected: readonly string[] | undefined, output: string): string | undefined {
  if (!expected) return undefined;
  const actual = output.replace(/\n+$/, '').split('\n');
  return matchesFrom(expected, 0, actual, 0) ? undefined : `expected:\n${indent(expected)}\nactual:\n${indent(actual)}`;
}

function matchesFrom(expected: readonly string[], e: number, actual: readonly string[], a: number): boolean {
  if (e === expected.length) return a === actual.length || (a === 0 && actual.length === 1 && actual[0] === '');
  if (expected[e] === '...') {
    for (let skip = a; skip <= actual.length; skip++) if (matchesFrom(expected, e + 1, actual, skip)) return true;
    return false;
  }
  return a < actual.length && linePattern(expected[e] as string).test(actual[a] as string) && matchesFrom(expected, e + 1, actual, a + 1);
}

/** Runs of spaces match runs of spaces: columns move with the width of names. */
function linePattern(line: string): RegExp {
  const parts = line.trimEnd().split(/(\{\{.*?\}\})/);
  const source = parts
    .map((part) => (part.startsWith('{{') ? part.slice(2, -2) : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/ +/g, ' +')))
    .join('');
  return new RegExp(`^${source} *$`);
}

const indent = (lines: readonly string[]) => lines.map((line) => `  | ${line}`).join('\n');

export interface CommandResult {
  status: number;
  /** stdout and stderr as they came. */
  output: string;
}

export interface TranscriptHost {
  /** Runs a command in a shell with these variables beside its own. */
  run(command: string, variables: Record<string, string>): Promise<CommandResult>;
  /** Waits before an `eventually` command is tried again. */
  pause(): Promise<void>;
  /** Monotonic. */
  nowMs(): number;
  /** Told each command as it passes. */
  passed?(command: TranscriptCommand): void;
}

/** @throws Error with the line, the command, and the expected and the actual output of the first that fails */
export async function playTranscript(name: string, text: string, host: TranscriptHost): Promise<void> {
  const variables: Record<string, string> = {};
  for (const command of parseTranscript(text)) {
    const result = await playCommand(name, command, variables, host);
    if (command.captureAs) variables[command.captureAs] = result.output.trim();
    host.passed?.(command);
  }
}

async function playCommand(
  name: string,
  command: TranscriptCommand,
  variables: Record<string, string>,
  host: TranscriptHost,
): Promise<CommandResult> {
  const deadlineMs = host.nowMs() + command.deadlineSeconds * 1000;
  for (;;) {
    const result = await host.run(command.command, variables);
    const problem = resultProblem(command, result);
    if (!problem) return result;
    if (command.mode !== 'eventually' || host.nowMs() > deadlineMs) {
      throw new Error(`${name}:${command.line}: ${command.command}\n${problem}`);
    }
    await host.pause();
  }
}

function resultProblem(command: TranscriptCommand, { status, output }: CommandResult): string | undefined {
  if (command.mode === 'fails' && status === 0) return `succeeded, but should fail:\n${indent(output.split('\n'))}`;
  if (command.mode !== 'fails' && status !== 0) return `exit status ${status}:\n${indent(output.split('\n'))}`;
  return command.captureAs ? undefined : outputProblem(command.expected, output);
}
