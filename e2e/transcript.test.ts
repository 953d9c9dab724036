import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outputProblem, parseTranscript, playTranscript, type TranscriptHost } from './transcript.ts';

const host = (answers: Record<string, [number, string][]>): TranscriptHost & { seen: [string, Record<string, string>][] } => {
  let nowMs = 0;
  const seen: [string, Record<string, string>][] = [];
  return {
    seen,
    async run(command, variables) {
      seen.push([command, { ...variables }]);
      const queue = answers[command] ?? [[127, 'not found']];
      const [status, output] = (queue.length > 1 ? queue.shift() : queue[0]) as [number, string];
      return { status, output };
    },
    async pause() {
      nowMs += 1000;
    },
    nowMs: () => nowMs,
  };
};

test('commands, their modes and their expected output are read', () => {
  const [a, b, c] = parseTranscript('# prose\n$ one\nout 1\nout 2\n\n?60 two \\\n  three\n! four <<EOF\nx\nEOF\nbad\n');
  assert.deepEqual([a?.mode, a?.command, a?.expected], ['succeeds', 'one', ['out 1', 'out 2']]);
  assert.deepEqual([b?.mode, b?.deadlineSeconds, b?.command, b?.expected], ['eventually', 60, 'two \\\n  three', undefined]);
  assert.deepEqual([c?.mode, c?.command, c?.expected], ['fails', 'four <<EOF\nx\nEOF', ['bad']]);
});

test('a line that is none of these is refused', () => {
  assert.throws(() => parseTranscript('kubectl get pods'), /line 1/);
});

test('expected lines match literally, by pattern and over any lines', () => {
  assert.equal(outputProblem(['NAME   AGE', 'a{{\\d+}}  1.5s'], 'NAME AGE\na12   1.5s\n'), undefined);
  assert.match(outputProblem(['a  1.5s'], 'a 1x5s') ?? '', /expected/);
  assert.equal(outputProblem(['first', '...', 'last'], 'first\nx\ny\nlast'), undefined);
  assert.match(outputProblem(['first', '...', 'last'], 'first\nx') ?? '', /actual/);
  assert.match(outputProblem(['one'], 'one\ntwo') ?? '', /two/);
});

test('an eventual command is tried until it matches, and a captured output is handed on', async () => {
  const h = host({
    poll: [
      [0, 'no'],
      [1, 'yes'],
      [0, 'yes'],
    ],
    id: [[0, ' 42\n']],
    use: [[0, '']],
  });
  await playTranscript('t', '? poll\nyes\n$ id => ID\n$ use\n', h);
  assert.equal(h.seen.length, 5);
  assert.deepEqual(h.seen[4], ['use', { ID: '42' }]);
});

test('a failure names its line, its command and both outputs', async () => {
  await assert.rejects(
    playTranscript('t', '\n$ one\nright\n', host({ one: [[0, 'wrong']] })),
    /t:2: one\nexpected:\n {2}\| right\nactual:\n {2}\| wrong/,
  );
  await assert.rejects(playTranscript('t', '! one\n', host({ one: [[0, '']] })), /should fail/);
  await assert.rejects(playTranscript('t', '$ one\n', host({ one: [[3, '']] })), /exit status 3/);
  await assert.rejects(playTranscript('t', '?2 one\nx\n', host({ one: [[0, 'y']] })), /actual/);
});
