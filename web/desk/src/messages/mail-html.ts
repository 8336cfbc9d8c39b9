// SPDX-License-Identifier: EUPL-1.2
//! From the sanitised fragment of the server to the document in the frame. The
//! server has cleaned it already; what could act is taken out once more here,
//! because this side also decides in which surroundings it is shown.

export interface PreparedMail {
  /** The fragment to show, history folded or not. */
  html: string;
  /** Hosts of images that were not fetched, each once, and how many images. */
  blocked: { count: number; hosts: string[] };
  hasSignature: boolean;
  /** Content ids of inline images, without angle brackets. */
  inline: string[];
  hasQuoted: boolean;
  /** The mail brings colours of its own and expects white paper. */
  designed: boolean;
}

const RASTER = /^data:image\/(png|jpe?g|gif|webp);/i;
const SAFE_LINK = /^(https?:|mailto:|tel:)/i;
const ACTIVE = "script,iframe,frame,object,embed,applet,base,meta,link,form,input,button,textarea,select,style,svg,math";

export const cidOf = (source: string): string => decodeURIComponentSafe(source.replace(/^cid:/i, "")).replace(/^<|>$/g, "");

function decodeURIComponentSafe(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * @param fragment the sanitised HTML of a message
 * @param pictures data: addresses of inline images by content id, as far as fetched
 * @param showQuoted whether quoted history is shown
 * @param remote data: addresses of remote images by their own address, as far as somebody had them fetched
 * @param showSignature whether the signature is shown
 */
export function prepareMail(
  fragment: string,
  pictures: ReadonlyMap<string, string>,
  showQuoted: boolean,
  remote: ReadonlyMap<string, string> = new Map(),
  showSignature = true,
): PreparedMail {
  const document = new DOMParser().parseFromString(`<body>${fragment}</body>`, "text/html");
  const body = document.body;
  for (const element of body.querySelectorAll(ACTIVE)) element.remove();
  let count = 0;
  const hosts = new Set<string>();
  const inline: string[] = [];
  for (const element of body.querySelectorAll("*")) {
    for (const { name, value } of [...element.attributes]) {
      const lower = name.toLowerCase();
      if (lower.startsWith("on") || ["srcset", "background", "ping", "formaction", "target"].includes(lower)) {
        element.removeAttribute(name);
      } else if (lower === "style" && /url\s*\(|expression|@import|position\s*:\s*fixed/i.test(value)) {
        element.removeAttribute(name);
      } else if (lower === "href" && !SAFE_LINK.test(value.trim())) {
        element.removeAttribute(name);
      }
    }
  }
  for (const link of body.querySelectorAll("a[href],area[href]")) {
    link.setAttribute("target", "_blank");
    link.setAttribute("rel", "noopener noreferrer nofollow");
  }
  for (const image of body.querySelectorAll("img,[data-remote-src]")) {
    const source = image.getAttribute("data-remote-src") ?? image.getAttribute("src") ?? "";
    if (/^cid:/i.test(source)) {
      const id = cidOf(source);
      inline.push(id);
      const data = pictures.get(id);
      if (data) image.setAttribute("src", data);
      else image.removeAttribute("src");
      continue;
    }
    if (RASTER.test(source)) continue;
    image.removeAttribute("src");
    image.removeAttribute("data-remote-src");
    if (!/^https?:/i.test(source)) continue;
    const fetched = remote.get(source);
    if (fetched && RASTER.test(fetched)) {
      image.setAttribute("src", fetched);
      continue;
    }
    count += 1;
    try {
      hosts.add(new URL(source).hostname);
    } catch {
      // An address that cannot be read has no host to name.
    }
    // Its description stands where the picture was; a pixel that only counts readers leaves nothing.
    const alt = (image.getAttribute("alt") ?? "").trim();
    if (image.localName !== "img") continue;
    if (alt === "") image.remove();
    else {
      const words = document.createElement("span");
      words.setAttribute("data-blocked", "");
      words.textContent = alt;
      image.replaceWith(words);
    }
  }
  const quoted = findQuoted(body);
  const designed = body.querySelector('[bgcolor],[style*="background"],[style*="color"],font[color]') !== null;
  if (!showQuoted) for (const node of quoted) node.remove();
  const signature = findSignature(body);
  if (!showSignature) for (const node of signature) node.remove();
  return {
    html: body.innerHTML,
    blocked: { count, hosts: [...hosts] },
    inline,
    hasQuoted: quoted.length > 0,
    hasSignature: signature.length > 0,
    designed,
  };
}

const ATTRIBUTION = /(schreef|wrote|schrieb|a écrit)[^:]{0,80}:\s*$/i;

/** How desktop mailers head the earlier mail: its author in bold, under a line. */
const HEADED = /^(van|from|von)\s*:/i;
/** Marks that the server left of the names that mailers give. */
const QUOTED = "blockquote,.belofte-quoted,#belofte-quoted";
const HISTORY = ".belofte-history,#belofte-history";
const SIGNATURE = ".belofte-signature,#belofte-signature";

const wordsOf = (node: Node | null | undefined) => (node?.textContent ?? "").trim();

/** Whether nothing but white space follows `last` within the mail. */
function endsMail(last: Node, body: HTMLElement): boolean {
  for (let node: Node = last; node !== body && node.parentNode; node = node.parentNode) {
    for (let next = node.nextSibling; next; next = next.nextSibling) if (wordsOf(next) !== "") return false;
  }
  return true;
}

/** The quotation that ends a mail, with the line that announces it. */
function findQuoted(body: HTMLElement): ChildNode[] {
  const enough = (found: ChildNode[]) => {
    const left = (body.textContent ?? "").length - found.reduce((sum, one) => sum + (one.textContent ?? "").length, 0);
    return left > 8 ? found : [];
  };
  const history = findHistory(body);
  if (history.length > 0) return enough(history);
  const all = [...body.querySelectorAll(QUOTED)];
  const last = all.filter((one) => !all.some((other) => other !== one && other.contains(one))).at(-1);
  if (!last || !endsMail(last, body)) return [];
  const before = last.previousElementSibling;
  return enough(before && ATTRIBUTION.test(wordsOf(before)) ? [before, last] : [last]);
}

/** All that follows a mark of the beginning of earlier mail, wherever in the tree it stands. */
function findHistory(body: HTMLElement): ChildNode[] {
  const headed = [...body.querySelectorAll<HTMLElement>("div[style],p[style]")].find(
    (one) => /border-top\s*:\s*solid/i.test(one.getAttribute("style") ?? "") && HEADED.test(wordsOf(one)),
  );
  const marked = body.querySelector(HISTORY);
  const begin = headed && (!marked || headed.compareDocumentPosition(marked) & 4) ? headed : marked;
  if (!begin) return [];
  const found: ChildNode[] = [begin];
  for (let node: Node = begin; node !== body && node.parentNode; node = node.parentNode) {
    for (let next = node.nextSibling; next; next = next.nextSibling) found.push(next);
  }
  return found;
}

/** The signature that ends what is left of a mail. */
function findSignature(body: HTMLElement): Element[] {
  const last = [...body.querySelectorAll(SIGNATURE)].at(-1);
  if (!last || wordsOf(last) === "" || !endsMail(last, body)) return [];
  return (body.textContent ?? "").trim().length > wordsOf(last).length + 1 ? [last] : [];
}

/** The whole document of the frame; `sheet` is the address of its own style sheet. */
export function frameDocument(html: string, sheet: string, look: "paper" | "light" | "dark", language: string): string {
  // Stricter than the policy of the desk, which the frame inherits as well.
  const policy = "default-src 'none'; img-src data:; style-src 'self'; style-src-attr 'unsafe-inline'; form-action 'none'; base-uri 'none'";
  return `<!doctype html><html lang="${language}" data-look="${look}"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><meta name="referrer" content="no-referrer"><link rel="stylesheet" href="${sheet}"></head><body>${html}</body></html>`;
}
