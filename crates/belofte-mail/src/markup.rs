// SPDX-License-Identifier: EUPL-1.2
//! The tokens of HTML, cut in one pass: enough to weigh, rewrite and read it as text.
//!
//! This is no sanitiser. What people see goes through `ammonia`; here its output is rewritten,
//! and its input is weighed before it.

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// Text between tags, with its character references.
    Text(&'a str),
    /// A start tag: the name as written, and everything between it and the `>`.
    Open { name: &'a str, attributes: &'a str },
    /// An end tag: the name as written.
    Close { name: &'a str },
    /// A comment, a declaration, or the content of an element that holds no markup.
    Hidden,
}

/// Elements whose content is no markup (HTML, section 13.1.2) and is never shown as text.
const RAW_TEXT: [&str; 9] =
    ["script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "plaintext"];

/// Cuts `html` into tokens. An unfinished tag or comment reaches to the end, as in browsers.
pub(crate) struct Tokens<'a> {
    html: &'a str,
    at: usize,
    raw: Option<&'a str>,
}

impl<'a> Tokens<'a> {
    pub(crate) const fn new(html: &'a str) -> Self {
        Self { html, at: 0, raw: None }
    }

    /// The end of the content of raw-text element `name`, which began at the present place.
    fn raw_end(&self, name: &str) -> usize {
        let rest = &self.html.as_bytes()[self.at..];
        memchr::memmem::find_iter(rest, b"</")
            .find(|found| {
                rest.get(found + 2..found + 2 + name.len())
                    .is_some_and(|tail| tail.eq_ignore_ascii_case(name.as_bytes()))
            })
            .map_or(self.html.len(), |found| self.at + found)
    }

    /// The place after the `>` that ends a tag begun before `from`, minding quoted values.
    fn tag_end(&self, from: usize) -> usize {
        let bytes = self.html.as_bytes();
        let mut at = from;
        let mut after_equals = false;
        while let Some(&octet) = bytes.get(at) {
            match octet {
                b'>' => return at + 1,
                b'"' | b'\'' if after_equals => {
                    match memchr::memchr(octet, &bytes[at + 1..]) {
                        Some(found) => at += found + 2,
                        None => return bytes.len(),
                    }
                    after_equals = false;
                    continue;
                }
                b'=' => after_equals = true,
                _ if octet.is_ascii_whitespace() => {}
                _ => after_equals = false,
            }
            at += 1;
        }
        bytes.len()
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if self.at >= self.html.len() {
            return None;
        }
        if let Some(name) = self.raw.take() {
            let end = self.raw_end(name);
            if end > self.at {
                self.at = end;
                return Some(Token::Hidden);
            }
        }
        let (html, bytes, start) = (self.html, self.html.as_bytes(), self.at);
        let mut lt = start;
        // The next `<` that begins something.
        loop {
            match memchr::memchr(b'<', &bytes[lt..]) {
                None => {
                    self.at = html.len();
                    return Some(Token::Text(&html[start..]));
                }
                Some(found) => lt += found,
            }
            match bytes.get(lt + 1) {
                Some(b'/' | b'!' | b'?') => break,
                Some(octet) if octet.is_ascii_alphabetic() => break,
                _ => lt += 1,
            }
        }
        if lt > start {
            self.at = lt;
            return Some(Token::Text(&html[start..lt]));
        }
        if bytes[lt..].starts_with(b"<!--") {
            self.at =
                memchr::memmem::find(&bytes[lt + 4..], b"-->").map_or(html.len(), |end| lt + 4 + end + 3);
            return Some(Token::Hidden);
        }
        let closing = bytes[lt + 1] == b'/';
        let name_from = lt + 1 + usize::from(closing);
        if matches!(bytes[lt + 1], b'!' | b'?') || !bytes.get(name_from).is_some_and(u8::is_ascii_alphabetic)
        {
            self.at = memchr::memchr(b'>', &bytes[lt..]).map_or(html.len(), |end| lt + end + 1);
            return Some(Token::Hidden);
        }
        let name_length = bytes[name_from..]
            .iter()
            .position(|octet| octet.is_ascii_whitespace() || matches!(octet, b'>' | b'/'))
            .unwrap_or(bytes.len() - name_from);
        let name = &html[name_from..name_from + name_length];
        self.at = self.tag_end(name_from + name_length);
        let inner_end = if html[..self.at].ends_with('>') { self.at - 1 } else { self.at };
        let attributes = html.get(name_from + name_length..inner_end).unwrap_or("");
        if closing {
            return Some(Token::Close { name });
        }
        if RAW_TEXT.iter().any(|raw| raw.eq_ignore_ascii_case(name)) {
            self.raw = Some(name);
        }
        Some(Token::Open { name, attributes })
    }
}

/// The attributes of a start tag written by a serialiser: each ` name="value"`, values with
/// character references.
pub(crate) fn written_attributes(attributes: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = attributes;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let equals = rest.find("=\"")?;
        let name = rest[..equals].trim();
        let value = &rest[equals + 2..];
        let end = value.find('"')?;
        rest = &value[end + 1..];
        Some((name, &value[..end]))
    })
}

/// Replaces character references.
pub(crate) fn unescape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        // The longest name is 31 letters; most are three.
        let end = rest.bytes().take(34).position(|octet| octet == b';');
        match end {
            Some(end) if rest[1..end].bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'#') => {
                reference(&rest[..=end], out);
                rest = &rest[end + 1..];
            }
            _ => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
}

fn reference(reference: &str, out: &mut String) {
    match reference {
        "&amp;" => out.push('&'),
        "&lt;" => out.push('<'),
        "&gt;" => out.push('>'),
        "&quot;" => out.push('"'),
        "&nbsp;" => out.push('\u{a0}'),
        _ => mail_parser::decoders::html::add_html_token(out, reference.as_bytes(), false),
    }
}

/// Text as HTML: markup characters escaped, lines kept.
pub(crate) fn text_as_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    out.push_str("<div style=\"white-space:pre-wrap\">");
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out.push_str("</div>");
    out
}
