import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rewriteHtml, rewriteUrl } from './proxy-links.ts';

const pathPrepend = '/api/v1/namespaces/a/pods/p:80/proxy';
const context = { pathPrepend, targetHost: '10.1.2.3:80', requestHost: 'localhost:8001' };

test('absolute paths on the proxied server lead through the proxy, and nothing else changes', () => {
  for (const [url, expected] of [
    ['/x', `${pathPrepend}/x`],
    ['/x/', `${pathPrepend}/x/`],
    ['/', `${pathPrepend}/`],
    ['/x?q=/y#/z', `${pathPrepend}/x?q=/y#/z`],
    ['/a/../b//c', `${pathPrepend}/b/c`],
    ['http://10.1.2.3:80/x', `${pathPrepend}/x`],
    ['//10.1.2.3:80/x', `${pathPrepend}/x`],
    ['http://localhost:8001/x', `http://localhost:8001${pathPrepend}/x`],
    [`http://localhost:8001${pathPrepend}/x`, `http://localhost:8001${pathPrepend}/x`],
    [`${pathPrepend}/x`, `${pathPrepend}/x`],
    ['http://elsewhere/x', 'http://elsewhere/x'],
    ['//elsewhere/x', '//elsewhere/x'],
    ['x/y', 'x/y'],
    ['../x', '../x'],
    ['?q=/x', '?q=/x'],
    ['#x', '#x'],
    ['', ''],
    ['mailto:a@b/c', 'mailto:a@b/c'],
    ['javascript:void(0)', 'javascript:void(0)'],
  ] as const)
    assert.equal(rewriteUrl(url, context), expected, url);
});

test('links of a page are rewritten where HTML has links', () => {
  for (const [page, expected] of [
    ['<a href="/rewriteme">test</a>', `<a href="${pathPrepend}/rewriteme">test</a>`],
    ["<A class=x HREF='/x'>", `<A class=x HREF="${pathPrepend}/x">`],
    ['<img src=/x.png alt=/y>', `<img src="${pathPrepend}/x.png" alt=/y>`],
    ['<form action = "/x?a=1&amp;b=2">', `<form action = "${pathPrepend}/x?a=1&amp;b=2">`],
    ['<link rel="s" href="/s.css"/>', `<link rel="s" href="${pathPrepend}/s.css"/>`],
    ['<p href="/x">', '<p href="/x">'],
    ['<a href="y">', '<a href="y">'],
    ['<!-- <a href="/x"> --><a href="/y">', `<!-- <a href="/x"> --><a href="${pathPrepend}/y">`],
    [
      '<script src="/s">"<a href=\\"/x\\">"</script><a href="/y">',
      `<script src="${pathPrepend}/s">"<a href=\\"/x\\">"</script><a href="${pathPrepend}/y">`,
    ],
    ['<textarea><a href="/x"></TEXTAREA>', '<textarea><a href="/x"></TEXTAREA>'],
    ['<a title="a > b" href="/x">', `<a title="a > b" href="${pathPrepend}/x">`],
    ['1 < 2 <a href="/x', '1 < 2 <a href="/x'],
  ] as const)
    assert.equal(rewriteHtml(page, context), expected, page);
});

test('a page without links stays as it is, whatever is in it', () => {
  const piece = fc.constantFrom('<', '>', '"', "'", '<!--', '-->', '<p ', 'x=', '</script', '<script>', '<a ', '&amp;', ' ', '\n', 'é');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const page = pieces.join('');
      assert.equal(rewriteHtml(page, context), page);
    }),
  );
});
