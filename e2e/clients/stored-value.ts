// Prints what an etcd at 127.0.0.1:23790 holds under a key of the cluster, byte for byte: what no API server shows.

const [key = ''] = process.argv.slice(2);
const response = await fetch('http://127.0.0.1:23790/v3/kv/range', {
  method: 'POST',
  body: JSON.stringify({ key: Buffer.from(key).toString('base64') }),
});
const { kvs = [] } = (await response.json()) as { kvs?: { value: string }[] };
if (kvs.length === 0) throw new Error(`there is nothing at ${key}`);
process.stdout.write(Buffer.from(kvs[0]?.value ?? '', 'base64'));
