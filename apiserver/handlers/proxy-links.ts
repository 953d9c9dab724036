// What a proxied server says about itself leads back through the proxy: Location headers and the links of HTML pages, as
// far as they are absolute paths on that server (k8s.io/apimachinery/pkg/util/proxy/transport.go).

import { posix } from 'node:path';

/** Where the links of one answer lie, and where they are to lead. */
export interface LinkContext {
  /** The path under which the proxied server's root appears to the client. */
  pathPrepend: string;
  /** The host of the proxied server, and what the client called the proxy. */
  targetHost: string;
  requestHost: string;
}

/** `scheme:`, `//host`, path, and the rest; a URL that is none matches with an empty path. */
const urlPattern = /^([a-zA-Z][a-zA-Z0-9+.-]*:)?(\/\/[^/?#]*)?([^?#]*)(.*)$/s;

/** The URL as it leads through the proxy: a path. One that leads elsewhere, or is relative, stays. */
export function rewriteUrl(url: string, { pathPrepend, targetHost, requestHost }: LinkContext): string {
  const [, , authority = '', path = '', rest = ''] = urlPattern.exec(url) ?? [];
  const host = authority.slice(2);
  const isElsewhere = host !== '' && host !== targetHost && host !== requestHost;
  if (isElsewhere || !path.startsWith('/')) return url;
  if (path.startsWith(pathPrepend)) return host === requestHost ? url : path + rest;
  const joined = posix.join(pathPrepend, path) + rest;
  return host === requestHost && host !== '' ? url.slice(0, url.indexOf('//')) + authority + joined : joined;
}

/** Attributes that hold URLs, by element. */
const urlAttributes: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['src', 'usemap', 'formaction'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  video: ['poster', 'src'],
};

/** Elements whose content is text, whatever it looks like. */
const rawTextElements = new Set(['iframe', 'noembed', 'noframes', 'noscript', 'script', 'style', 'textarea', 'title', 'xmp']);
const startTag = /<([a-zA-Z][^\s/>]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/y;
/** Only where a name can begin, so that no text is looked at twice. */
const attribute = /(?<![^\s/"'])([^\s=/>"']+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s>]+)/g;

/** The page with its links rewritten; everything else stays as it is, byte for byte. Takes time in proportion to the page. */
export function rewriteHtml(page: string, context: LinkContext): string {
  let out = '';
  let at = 0;
  for (let open = page.indexOf('<'); open !== -1; open = page.indexOf('<', Math.max(at, open + 1))) {
    if (page.startsWith('<!--', open)) {
      const end = page.indexOf('-->', open);
      if (end === -1) break;
      out += page.slice(at, end);
      at = end;
    } else if (/[a-zA-Z]/.test(page[open + 1] ?? '')) {
      startTag.lastIndex = open;
      const [whole, tag = '', attributes = ''] = startTag.exec(page) ?? [];
      // Nothing that follows a tag without an end is markup.
      if (whole === undefined) break;
      const name = tag.toLowerCase();
      out += `${page.slice(at, open)}<${tag}${rewriteAttributes(attributes, urlAttributes[name], context)}>`;
      at = open + whole.length;
      if (!rawTextElements.has(name)) continue;
      const endTag = new RegExp(`</${name}`, 'gi');
      endTag.lastIndex = at;
      const end = endTag.exec(page)?.index ?? page.length;
      out += page.slice(at, end);
      at = end;
    }
  }
  return out + page.slice(at);
}

function rewriteAttributes(text: string, names: readonly string[] | undefined, context: LinkContext): string {
  if (!names) return text;
  return text.replace(attribute, (whole, name: string, equals: string, value: string) => {
    if (!names.includes(name.toLowerCase())) return whole;
    const isQuoted = value.startsWith('"') || value.startsWith("'");
    const url = unescapeHtml(isQuoted ? value.slice(1, -1) : value);
    const rewritten = rewriteUrl(url, context);
    return rewritten === url ? whole : `${name}${equals}"${escapeHtml(rewritten)}"`;
  });
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeHtml(text: string): string {
  return text.replace(/&(?:#(\d{1,6})|#[xX]([0-9a-fA-F]{1,5})|(amp|lt|gt|quot|apos));/g, (_, decimal, hexadecimal, name) =>
    name ? (named[name as string] as string) : String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hexadecimal as string, 16)),
  );
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' };
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => escapes[character] as string);
