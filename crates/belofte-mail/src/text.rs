// SPDX-License-Identifier: EUPL-1.2
//! The text of a mail: out of HTML, out of format=flowed; where the quoted history begins.

use crate::{
    markup::{Token, Tokens, unescape, written_attributes},
    names::{is_hidden, one_line},
    signature::signature_from,
};

/// The length of a snippet, in characters.
const SNIPPET: usize = 160;

/// The first words of a text in one line, without signature and quoted history: at most 160 characters,
/// cut between words with an ellipsis.
#[must_use]
pub fn snippet(text: &str) -> String {
    let own = quoted_from(text).map_or(text, |at| &text[..at]);
    let own = signature_from(own).map_or(own, |at| &own[..at]);
    let start = &own[..floor(own, 4_000)];
    let line = one_line(start, SNIPPET + 1);
    if line.chars().count() <= SNIPPET {
        return line;
    }
    let cut: String = line.chars().take(SNIPPET - 1).collect();
    let cut = match cut.rfind(' ') {
        Some(space) if space > SNIPPET / 2 => &cut[..space],
        _ => &cut,
    };
    format!("{}…", cut.trim_end_matches([',', ';', ':', ' ']))
}

/// A place in `text` counted as browsers count it, in UTF-16 units, given in octets.
#[must_use]
pub fn utf16_offset(text: &str, octets: usize) -> usize {
    text[..floor(text, octets)].encode_utf16().count()
}

fn floor(text: &str, octets: usize) -> usize {
    text.floor_char_boundary(octets)
}

/// The bytes at which a character may stand that [`normalise`] does not take over as it is: controls, and the
/// first bytes of those beyond ASCII (C1 controls, U+2028 and U+2029).
const TOUCHED: [bool; 256] = {
    let mut touched = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        touched[byte] = byte != b'\n' as usize && byte != b'\t' as usize;
        byte += 1;
    }
    (touched[0x7f], touched[0xc2], touched[0xe2]) = (true, true, true);
    touched
};

/// Line breaks as `\n`, without NUL and other control characters.
pub(crate) fn normalise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| TOUCHED[byte as usize]) {
        out.push_str(&rest[..at]);
        let mut chars = rest[at..].chars();
        match chars.next().unwrap_or_default() {
            '\r' if chars.as_str().starts_with('\n') => {}
            '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push('\n'),
            c if c.is_control() => {}
            c => out.push(c),
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.truncate(out.trim_end().len());
    // Blank lines at the start go; the indent of the first line stays.
    let blank: usize =
        out.split_inclusive('\n').take_while(|line| line.trim().is_empty()).map(str::len).sum();
    out.drain(..blank);
    out
}

/// Joins flowed lines (RFC 3676, section 4): one that ends in a space continues in the next of
/// the same quote depth, except the signature mark.
pub(crate) fn unflow(text: &str, del_sp: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut flowing: Option<usize> = None;
    for line in text.split('\n') {
        let depth = line.bytes().take_while(|octet| *octet == b'>').count();
        let content = &line[depth..];
        let content = content.strip_prefix(' ').unwrap_or(content);
        let signature = content == "-- ";
        match flowing {
            Some(before) if before == depth && !signature => {}
            _ => {
                if !out.is_empty() || flowing.is_some() {
                    out.push('\n');
                }
                if depth > 0 {
                    out.extend(std::iter::repeat_n('>', depth));
                    out.push(' ');
                }
            }
        }
        let flows = content.ends_with(' ') && !signature;
        out.push_str(if flows && del_sp { &content[..content.len() - 1] } else { content });
        flowing = flows.then_some(depth);
        if !flows && out.is_empty() {
            // An empty first line must still be followed by a break.
            flowing = None;
            out.push('\n');
        }
    }
    out
}

/// How an element of HTML breaks the lines of its text.
enum Break {
    None,
    Line,
    Paragraph,
}

fn breaks(name: &str) -> Break {
    match name {
        "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote" | "ul" | "ol" | "dl" | "table"
        | "pre" | "figure" => Break::Paragraph,
        "div" | "tr" | "li" | "dt" | "dd" | "address" | "article" | "aside" | "section" | "header"
        | "footer" | "main" | "center" | "caption" | "figcaption" | "hr" | "details" | "summary" | "body"
        | "html" | "form" => Break::Line,
        _ => Break::None,
    }
}

/// The text of HTML as a person would type it: paragraphs and lines kept, items marked, quotes
/// behind `>`, images by their description. Meant for sanitised markup; bears any.
#[must_use]
pub fn html_to_text(html: &str) -> String {
    write_text(html, false)
}

/// The text of markup of our own, to go out beside it (RFC 2046, section 5.1.4): as [`html_to_text`], and
/// besides with the numbers of items, each item in its lines, and links followed by where they lead, so
/// that who reads the text alone misses nothing.
#[must_use]
pub fn alternative_text(html: &str) -> String {
    write_text(html, true)
}

/// What the writer of an alternative keeps of lists and links.
#[derive(Default)]
struct Places {
    /// The lists around: the number of the next item, or none where items have no numbers.
    lists: Vec<Option<u64>>,
    /// Whether nothing follows the mark of an item yet.
    begins_item: bool,
    /// Where the links around lead, and where their text begins.
    links: Vec<(String, usize)>,
}

impl Places {
    fn open(&mut self, name: &str, attributes: &str, writer: &mut Writer) {
        let written = |wanted: &str| {
            let found = written_attributes(attributes).find(|(name, _)| *name == wanted);
            found.map(|(_, value)| {
                let mut decoded = String::new();
                unescape(value, &mut decoded);
                decoded
            })
        };
        match name {
            "ul" => self.lists.push(None),
            "ol" => {
                let first = written("start").and_then(|start| start.trim().parse().ok());
                self.lists.push(Some(first.unwrap_or(1)));
            }
            "li" => {
                let indent = "  ".repeat(self.lists.len().saturating_sub(1).min(10));
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let mark = format!("{indent}{number}.");
                        *number = number.saturating_add(1);
                        mark
                    }
                    _ => format!("{indent}-"),
                };
                writer.word(&mark);
                writer.space = true;
                self.begins_item = true;
            }
            // Links do not nest; what is tangled all the same is looked through a few times at most.
            "a" if self.links.len() < 8 => {
                self.links.push((written("href").unwrap_or_default(), writer.out.len()));
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str, writer: &mut Writer) {
        match name {
            "ul" | "ol" => drop(self.lists.pop()),
            "a" => {
                let Some((href, from)) = self.links.pop() else { return };
                let href = one_line(&href, 2_000);
                let bare = href.strip_prefix("mailto:").unwrap_or(&href);
                let said = writer.out.get(from..).unwrap_or_default().trim();
                let leads = ["https://", "http://", "mailto:"].iter().any(|scheme| href.starts_with(scheme));
                if leads && !said.contains(bare.trim_end_matches('/')) {
                    writer.space |= !said.is_empty();
                    writer.word(&format!("<{bare}>"));
                }
            }
            _ => {}
        }
    }

    /// How `name` breaks lines here: what stands in an item stays in its lines.
    fn breaks(&mut self, name: &str, opens: bool) -> Break {
        let inside = !self.lists.is_empty();
        match name {
            "p" | "div" if opens && std::mem::take(&mut self.begins_item) => Break::None,
            "p" if inside => Break::Line,
            "ul" | "ol" if inside => Break::Line,
            _ => breaks(name),
        }
    }
}

fn write_text(html: &str, alternative: bool) -> String {
    let mut writer = Writer::default();
    let mut decoded = String::new();
    let mut places = alternative.then(Places::default);
    for token in Tokens::new(html) {
        match token {
            Token::Text(text) => {
                if let Some(places) = &mut places {
                    places.begins_item &= text.trim().is_empty();
                }
                decoded.clear();
                unescape(text, &mut decoded);
                writer.text(&decoded);
            }
            Token::Open { name, attributes } => {
                let name = name.to_ascii_lowercase();
                match name.as_str() {
                    "br" => writer.line_break(),
                    "img" => {
                        let alt = written_attributes(attributes).find(|(name, _)| *name == "alt");
                        if let Some((_, alt)) = alt.filter(|(_, alt)| !alt.trim().is_empty()) {
                            decoded.clear();
                            unescape(alt, &mut decoded);
                            writer.text(&format!("[{}]", one_line(&decoded, 200)));
                        }
                    }
                    "td" | "th" => writer.text(" "),
                    "pre" => writer.pre += 1,
                    _ => {}
                }
                writer.boundary(&match &mut places {
                    Some(places) => places.breaks(&name, true),
                    None => breaks(&name),
                });
                match (name.as_str(), &mut places) {
                    ("blockquote", _) => writer.quote = (writer.quote + 1).min(20),
                    ("li", None) => writer.text("- "),
                    (name, Some(places)) => places.open(name, attributes, &mut writer),
                    _ => {}
                }
            }
            Token::Close { name } => {
                let name = name.to_ascii_lowercase();
                if let Some(places) = &mut places {
                    places.close(&name, &mut writer);
                }
                writer.boundary(&match &mut places {
                    Some(places) => places.breaks(&name, false),
                    None => breaks(&name),
                });
                match name.as_str() {
                    "blockquote" => writer.quote = writer.quote.saturating_sub(1),
                    "pre" => writer.pre = writer.pre.saturating_sub(1),
                    _ => {}
                }
            }
            Token::Hidden => {}
        }
    }
    normalise(&writer.out)
}

/// Builds lines; breaks wait until something follows, so that no run of them piles up.
#[derive(Default)]
struct Writer {
    out: String,
    pending: usize,
    space: bool,
    fresh: bool,
    quote: usize,
    pre: usize,
}

impl Writer {
    fn text(&mut self, text: &str) {
        if self.pre > 0 {
            for (index, line) in text.split('\n').enumerate() {
                if index > 0 {
                    self.line_break();
                }
                if !line.is_empty() {
                    self.word(line);
                }
            }
            return;
        }
        let mut rest = text;
        while !rest.is_empty() {
            let collapsible = |c: char| c.is_ascii_whitespace();
            let trimmed = rest.trim_start_matches(collapsible);
            if trimmed.len() < rest.len() {
                self.space = true;
            }
            let end = trimmed.find(collapsible).unwrap_or(trimmed.len());
            if end > 0 {
                self.word(&trimmed[..end]);
            }
            rest = &trimmed[end..];
        }
    }

    fn word(&mut self, word: &str) {
        // Zero-width fillers of newsletters ("preheaders") are no text.
        if word.chars().all(|c| is_hidden(c) || c == '\u{34f}') {
            return;
        }
        if self.pending > 0 && !self.out.is_empty() {
            for _ in 0..self.pending.min(2) {
                self.out.truncate(self.out.trim_end_matches(' ').len());
                self.out.push('\n');
                if self.quote > 0 {
                    self.out.extend(std::iter::repeat_n('>', self.quote));
                    self.out.push(' ');
                }
            }
            self.fresh = true;
        } else if self.out.is_empty() && self.quote > 0 {
            self.out.extend(std::iter::repeat_n('>', self.quote));
            self.out.push(' ');
            self.fresh = true;
        }
        self.pending = 0;
        if self.space && !self.fresh && !self.out.is_empty() && !self.out.ends_with([' ', '\n']) {
            self.out.push(' ');
        }
        (self.space, self.fresh) = (false, false);
        self.out.extend(
            word.chars()
                .map(|c| if c == '\u{a0}' { ' ' } else { c })
                .filter(|c| !is_hidden(*c) || *c == '\t'),
        );
    }

    fn line_break(&mut self) {
        self.pending += 1;
        self.space = false;
    }

    fn boundary(&mut self, kind: &Break) {
        let least = match kind {
            Break::None => return,
            Break::Line => 1,
            Break::Paragraph => 2,
        };
        self.pending = self.pending.max(least);
        self.space = false;
    }
}

/// Where the quoted history of a text begins, in octets: everything from there to the end is
/// earlier mail, and something stands before it. None when there is no history, when answers
/// stand between or below the quotes, or when nothing else was written (a forwarded mail is
/// what its sender wants to show).
#[must_use]
pub fn quoted_from(text: &str) -> Option<usize> {
    let mut lines: Vec<(usize, &str)> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        lines.push((at, line.trim()));
        at += line.len();
    }
    let trailing = trailing_quotes(&lines);
    let marked = (0..lines.len()).find(|index| begins_history(&lines, *index));
    let index = match (marked, trailing) {
        (Some(marked), trailing) => {
            let after = after_introduction(&lines, marked);
            let quoted = lines.get(after).is_some_and(|(_, line)| line.starts_with('>'));
            // Quotes marked by `>` that do not reach the end have an answer below or between.
            match trailing {
                Some(trailing) if quoted && trailing > after => introduction_of(&lines, trailing),
                None if quoted => return None,
                _ => marked,
            }
        }
        (None, Some(trailing)) => introduction_of(&lines, trailing),
        (None, None) => return None,
    };
    let offset = lines[index].0;
    (!text[..offset].trim().is_empty()).then_some(offset)
}

/// The first line of the block of `>` lines that reaches the end of the text; a signature may
/// follow it.
fn trailing_quotes(lines: &[(usize, &str)]) -> Option<usize> {
    let mut end = lines.len();
    if let Some(signature) = lines.iter().rposition(|(_, line)| *line == "--")
        && lines.len() - signature <= 12
    {
        end = signature;
    }
    let mut first = None;
    for (index, (_, line)) in lines[..end].iter().enumerate().rev() {
        if line.starts_with('>') {
            first = Some(index);
        } else if !line.is_empty() {
            break;
        }
    }
    first
}

/// The line that introduces the quotes that begin at `index`, or that place itself.
fn introduction_of(lines: &[(usize, &str)], index: usize) -> usize {
    (index.saturating_sub(5)..index).find(|before| begins_history(lines, *before)).unwrap_or(index)
}

/// The first line with content after the introduction at `index`.
fn after_introduction(lines: &[(usize, &str)], index: usize) -> usize {
    let mut next = index;
    // An introduction may be wrapped over some lines; it ends with a colon.
    while next < lines.len().min(index + 4) && !lines[next].1.ends_with(':') {
        next += 1;
    }
    let from = if next < lines.len() && lines[next].1.ends_with(':') { next + 1 } else { index + 1 };
    (from..lines.len()).find(|line| !lines[*line].1.is_empty()).unwrap_or(lines.len())
}

/// Whether the line at `index` begins quoted history.
fn begins_history(lines: &[(usize, &str)], index: usize) -> bool {
    let line = lines[index].1;
    if line.is_empty() || line.len() > 400 {
        return false;
    }
    is_separator(line) || is_introduction(lines, index) || is_header_block(lines, index)
}

/// Lines such as "-----Oorspronkelijk bericht-----".
fn is_separator(line: &str) -> bool {
    let inner = line.trim_matches(|c: char| matches!(c, '-' | '_' | '=' | ' ' | '—'));
    if inner.len() == line.len() || !line.starts_with(['-', '_', '=', '—']) {
        return false;
    }
    const TITLES: [&str; 9] = [
        "oorspronkelijk bericht",
        "oorspronkelijke bericht",
        "origineel bericht",
        "original message",
        "original email",
        "original appointment",
        "oorspronkelijke afspraak",
        "reply message",
        "ursprüngliche nachricht",
    ];
    let inner = inner.to_lowercase();
    TITLES.iter().any(|title| inner == *title)
}

/// "Op … schreef …:", "On … wrote:" and their kin, on one line or wrapped over three.
fn is_introduction(lines: &[(usize, &str)], index: usize) -> bool {
    let first = lines[index].1.trim_start_matches(['>', ' ', '*', '_']);
    // "Jan Jansen <jan@…> schreef op 3 mei 2026 om 10:00 het volgende:"
    if first.ends_with(':') {
        let lower = first.to_lowercase();
        if lower.contains(" schreef op ") || lower.contains(" wrote on ") {
            return lower.len() < 300 && lower.chars().any(|c| c.is_ascii_digit());
        }
    }
    // No letter outside ASCII has one of these as its small letter.
    let starts = |start: &str| first.get(..start.len()).is_some_and(|at| at.eq_ignore_ascii_case(start));
    let dated = ["op ", "on ", "le ", "am "].into_iter().any(starts);
    if !dated {
        return false;
    }
    let mut joined = String::new();
    for (_, line) in lines.iter().skip(index).take(4) {
        if line.is_empty() || joined.len() + line.len() > 500 {
            return false;
        }
        joined.push_str(&line.to_lowercase());
        if line.ends_with(':') {
            break;
        }
        joined.push(' ');
    }
    const VERBS: [&str; 7] =
        [" schreef", " wrote", " geschreven:", " writes:", " a écrit", " schrieb", " het volgende:"];
    joined.ends_with(':')
        && joined.chars().any(|c| c.is_ascii_digit())
        && VERBS.iter().any(|verb| joined.contains(verb))
}

/// The block of header lines that desktop mailers put above the earlier mail.
fn is_header_block(lines: &[(usize, &str)], index: usize) -> bool {
    let label = |line: &str| -> Option<String> {
        let line = line.trim_start_matches(['>', ' ', '*', '_']);
        let (label, _) = line.split_once(':')?;
        (label.len() <= 20).then(|| label.trim_matches(['*', '_', ' ']).to_lowercase())
    };
    let is =
        |found: &Option<String>, known: &[&str]| found.as_deref().is_some_and(|found| known.contains(&found));
    // A rule of underscores or hyphens above the block belongs to it.
    let line = lines[index].1;
    let rule = line.len() >= 5 && line.chars().all(|c| matches!(c, '_' | '-'));
    let from = if rule {
        (index + 1..lines.len().min(index + 4)).find(|at| !lines[*at].1.is_empty())
    } else {
        Some(index)
    };
    let Some(from) = from else { return false };
    if !is(&label(lines[from].1), &["van", "from", "von"]) {
        return false;
    }
    let (mut sent, mut to, mut subject) = (false, false, false);
    for (_, line) in lines.iter().skip(from + 1).take(9) {
        let label = label(line);
        sent |= is(&label, &["verzonden", "sent", "datum", "date", "gesendet", "verstuurd"]);
        to |= is(&label, &["aan", "to", "an"]);
        subject |= is(&label, &["onderwerp", "subject", "betreft", "betreff"]);
    }
    // Forwarded mail has the same block; what comes before it decides (see `quoted_from`).
    usize::from(sent) + usize::from(to) + usize::from(subject) >= 2 && !forwarded_above(lines, index)
}

/// Whether the lines above say that what follows was forwarded.
fn forwarded_above(lines: &[(usize, &str)], index: usize) -> bool {
    lines[index.saturating_sub(3)..=index].iter().any(|(_, line)| {
        let line = line.to_lowercase();
        ["doorgestuurd bericht", "forwarded message", "doorgestuurde bericht", "forwarded by"]
            .iter()
            .any(|known| line.contains(known))
    })
}
