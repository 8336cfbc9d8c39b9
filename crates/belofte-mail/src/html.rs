// SPDX-License-Identifier: EUPL-1.2
//! Markup of strangers made safe to show: sanitised by `ammonia`, remote images switched off.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use ammonia::{Builder, UrlRelative};

use crate::markup::{Token, Tokens, unescape, written_attributes};

/// The largest markup that is sanitised, in octets; newsletters are below 100 kB because large
/// mail services cut them there.
pub(crate) const MAX_HTML: usize = 1024 * 1024;
/// The deepest nesting, counted by tags that need an end tag.
const MAX_NESTING: usize = 256;
/// What a parser may have to do for unclosed formatting and nesting (see [`weigh`]).
const MAX_CLONES: usize = 100_000;
const MAX_STEPS: usize = 6_000_000;
/// How often content may stand in a table where it may not: each is moved by a search.
const MAX_FOSTERED: usize = 1_000;
/// The longest embedded image, in octets of its URL.
const MAX_DATA_URL: usize = 512 * 1024;

/// Markup that is safe in a sandboxed frame.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sanitised {
    /// A fragment of well-formed HTML. Images of the mail itself have a `cid:` address; remote
    /// ones have theirs in `data-remote-src` and no `src`.
    pub html: String,
    /// Whether remote images were switched off.
    pub has_remote_images: bool,
    /// The content identifiers that images name, decoded, in lower case.
    pub content_ids: Vec<String>,
}

impl std::fmt::Debug for Sanitised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sanitised").field("octets", &self.html.len()).finish_non_exhaustive()
    }
}

/// Sanitises `html`. None when it is over 1 MiB, or so tangled that parsing it would take time
/// out of proportion: then only its text should be shown.
#[must_use]
pub fn sanitise(html: &str) -> Option<Sanitised> {
    if html.len() > MAX_HTML || !weigh(html) {
        return None;
    }
    let clean = BUILDER.clean(&whole_references(html)).to_string();
    if clean.len() > 2 * MAX_HTML {
        return None;
    }
    Some(rewrite(&clean))
}

/// The markup with every `&` that begins no whole character reference escaped: the tokeniser
/// looks further and further back for each of them.
fn whole_references(html: &str) -> Cow<'_, str> {
    let bytes = html.as_bytes();
    let whole = |at: usize| {
        let tail = &bytes[at + 1..bytes.len().min(at + 34)];
        let length = tail.iter().take_while(|octet| octet.is_ascii_alphanumeric() || **octet == b'#').count();
        length > 0 && tail.get(length) == Some(&b';')
    };
    if memchr::memchr_iter(b'&', bytes).all(whole) {
        return Cow::Borrowed(html);
    }
    let mut out = String::with_capacity(html.len() + html.len() / 4);
    let mut from = 0;
    for at in memchr::memchr_iter(b'&', bytes) {
        if !whole(at) {
            out.push_str(&html[from..at]);
            out.push_str("&amp;");
            from = at + 1;
        }
    }
    out.push_str(&html[from..]);
    Cow::Owned(out)
}

/// Elements that are shown; all others go, their content stays.
const TAGS: [&str; 68] = [
    "a",
    "abbr",
    "address",
    "article",
    "aside",
    "b",
    "bdi",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "font",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "main",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
];

/// Elements that go with everything in them.
const WITH_CONTENT: [&str; 21] = [
    "script", "style", "title", "svg", "math", "template", "iframe", "object", "embed", "applet", "noscript",
    "noembed", "noframes", "textarea", "select", "option", "audio", "video", "canvas", "frameset", "xmp",
];

/// Attributes of any element.
const ATTRIBUTES: [&str; 14] = [
    "style", "dir", "lang", "title", "align", "valign", "width", "height", "bgcolor", "border", "alt",
    "role", "class", "id",
];

/// How mailers name what is not the words of this mail, and what is left of such a name: whether it holds
/// earlier mail, begins it (all that follows is earlier mail), or is a signature. No other name is kept.
const PLACES: [(&str, &str); 15] = [
    ("gmail_quote", "belofte-quoted"),
    ("gmail_quote_container", "belofte-quoted"),
    ("yahoo_quoted", "belofte-quoted"),
    ("protonmail_quote", "belofte-quoted"),
    ("mail-editor-reference-message-container", "belofte-quoted"),
    ("moz-cite-prefix", "belofte-history"),
    ("appendonsend", "belofte-history"),
    ("divrplyfwdmsg", "belofte-history"),
    ("outlookmessageheader", "belofte-history"),
    ("gmail_signature", "belofte-signature"),
    ("moz-signature", "belofte-signature"),
    ("signature", "belofte-signature"),
    ("ms-outlook-mobile-signature", "belofte-signature"),
    ("applemailsignature", "belofte-signature"),
    ("protonmail_signature_block", "belofte-signature"),
];

fn place(names: &str) -> Option<&'static str> {
    names.split_ascii_whitespace().take(16).find_map(|name| {
        // Outlook on the web puts a letter before its names, and Apple a number behind its.
        let name = name.to_ascii_lowercase();
        let name = name.strip_prefix("x_").unwrap_or(&name);
        let same = |known: &str| name == known || known == "applemailsignature" && name.starts_with(known);
        PLACES.iter().find(|(known, _)| same(known)).map(|(_, place)| *place)
    })
}

static BUILDER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    let of = |names: &[&'static str]| names.iter().copied().collect::<HashSet<_>>();
    let attributes: HashMap<&str, HashSet<&str>> = HashMap::from([
        ("a", of(&["href", "name"])),
        ("img", of(&["src"])),
        ("table", of(&["cellpadding", "cellspacing", "summary"])),
        ("td", of(&["colspan", "rowspan", "nowrap"])),
        ("th", of(&["colspan", "rowspan", "nowrap", "scope"])),
        ("col", of(&["span"])),
        ("colgroup", of(&["span"])),
        ("ol", of(&["start", "type"])),
        ("ul", of(&["type"])),
        ("font", of(&["color", "face", "size"])),
        ("hr", of(&["size", "color"])),
        ("blockquote", of(&["type"])),
    ]);
    builder
        .tags(of(&TAGS))
        .clean_content_tags(of(&WITH_CONTENT))
        .tag_attributes(attributes)
        .generic_attributes(of(&ATTRIBUTES))
        .url_schemes(of(&["http", "https", "mailto", "tel", "cid", "data"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .set_tag_attribute_value("a", "target", "_blank")
        .strip_comments(true)
        .attribute_filter(filter);
    builder
});

/// What `ammonia` asks for each attribute that it lets through.
fn filter<'u>(element: &str, attribute: &str, value: &'u str) -> Option<Cow<'u, str>> {
    match (element, attribute) {
        (_, "style") => {
            let style = safe_style(value);
            (!style.is_empty()).then_some(Cow::Owned(style))
        }
        (_, "class" | "id") => place(value).map(Cow::Borrowed),
        ("img", "src") => safe_image(value).then_some(Cow::Borrowed(value)),
        (_, "href") => {
            let safe = ["http:", "https:", "mailto:", "tel:"].iter().any(|scheme| has_scheme(value, scheme));
            safe.then_some(Cow::Borrowed(value))
        }
        _ => (value.len() <= 2_000).then_some(Cow::Borrowed(value)),
    }
}

fn has_scheme(url: &str, scheme: &str) -> bool {
    url.trim_start().get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme))
}

/// Images of the mail, embedded raster images and remote ones; never SVG, which can hold script.
fn safe_image(url: &str) -> bool {
    if has_scheme(url, "data:") {
        let raster = ["png", "gif", "jpeg", "jpg", "webp", "bmp"]
            .iter()
            .any(|kind| has_scheme(url, &format!("data:image/{kind};base64,")));
        return raster && url.len() <= MAX_DATA_URL;
    }
    url.len() <= 4_000 && ["cid:", "http:", "https:"].iter().any(|scheme| has_scheme(url, scheme))
}

/// Properties that say how something looks in its own place; nothing that positions, covers,
/// animates or loads.
const PROPERTIES: [&str; 62] = [
    "background",
    "background-color",
    "border",
    "border-bottom",
    "border-bottom-color",
    "border-bottom-style",
    "border-bottom-width",
    "border-collapse",
    "border-color",
    "border-left",
    "border-left-color",
    "border-left-style",
    "border-left-width",
    "border-radius",
    "border-right",
    "border-right-color",
    "border-right-style",
    "border-right-width",
    "border-spacing",
    "border-style",
    "border-top",
    "border-top-color",
    "border-top-style",
    "border-top-width",
    "border-width",
    "caption-side",
    "clear",
    "color",
    "direction",
    "display",
    "float",
    "font",
    "font-family",
    "font-size",
    "font-style",
    "font-variant",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "list-style-type",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-width",
    "min-width",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "table-layout",
    "text-align",
    "text-decoration",
    "text-indent",
    "text-transform",
    "vertical-align",
    "white-space",
    "width",
    "word-break",
];

/// The declarations of an inline style that may stay. A value with anything that could load,
/// escape or compute is dropped whole.
fn safe_style(style: &str) -> String {
    let mut out = String::new();
    if style.len() > 8_000 {
        return out;
    }
    for declaration in style.split(';') {
        let Some((property, value)) = declaration.split_once(':') else { continue };
        let property = property.trim().to_ascii_lowercase();
        let value = value.trim();
        if PROPERTIES.binary_search(&property.as_str()).is_err() || !safe_value(&property, value) {
            continue;
        }
        if !out.is_empty() {
            out.push(';');
        }
        out.push_str(&property);
        out.push(':');
        out.push_str(value);
    }
    out
}

fn safe_value(property: &str, value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    if value.is_empty()
        || value.len() > 300
        || value.chars().any(|c| c.is_control() || "\\<>{}@&".contains(c))
    {
        return false;
    }
    // Only colours may be computed.
    let mut calls = lower.as_str();
    while let Some(open) = calls.find('(') {
        let name =
            calls[..open].rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or("");
        if !matches!(name, "rgb" | "rgba" | "hsl" | "hsla") {
            return false;
        }
        calls = &calls[open + 1..];
    }
    // Content pushed out of its place could cover or hide what the desk shows around it.
    let negative = (property.starts_with("margin") || property == "text-indent") && lower.contains('-');
    !negative && !lower.contains("javascript") && !lower.contains("expression")
}

/// Moves the addresses of remote images out of the way and collects those of the mail's own.
fn rewrite(clean: &str) -> Sanitised {
    let mut out = Sanitised { html: String::with_capacity(clean.len() + 64), ..Sanitised::default() };
    for token in Tokens::new(clean) {
        match token {
            Token::Text(text) => out.html.push_str(text),
            Token::Close { name } => {
                out.html.push_str("</");
                out.html.push_str(name);
                out.html.push('>');
            }
            Token::Open { name: "img", attributes } => image(attributes, &mut out),
            Token::Open { name, attributes } => {
                out.html.push('<');
                out.html.push_str(name);
                out.html.push_str(attributes);
                out.html.push('>');
            }
            Token::Hidden => {}
        }
    }
    out
}

fn image(attributes: &str, out: &mut Sanitised) {
    out.html.push_str("<img");
    for (name, value) in written_attributes(attributes) {
        let mut written = name;
        if name == "src" {
            if has_scheme(value, "cid:") {
                let mut id = String::new();
                unescape(value.trim_start().get(4..).unwrap_or(""), &mut id);
                let id = percent_decoded(&id).to_lowercase();
                if out.content_ids.len() < crate::MAX_PARTS && !out.content_ids.contains(&id) {
                    out.content_ids.push(id);
                }
            } else if !has_scheme(value, "data:") {
                out.has_remote_images = true;
                written = "data-remote-src";
            }
        }
        for piece in [" ", written, "=\"", value, "\""] {
            out.html.push_str(piece);
        }
    }
    out.html.push('>');
}

/// RFC 2392: a content identifier in a URL is percent-encoded.
fn percent_decoded(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    crate::encoding::unescape(text.as_bytes(), b'%', &mut octets);
    String::from_utf8_lossy(&octets).into_owned()
}

/// Elements whose end tag may be left out or that have none: they do not nest without others.
const IMPLIED: [&str; 25] = [
    "area", "base", "basefont", "bgsound", "br", "col", "colgroup", "dd", "dt", "embed", "hr", "img",
    "input", "li", "link", "meta", "option", "p", "param", "source", "tbody", "td", "th", "tr", "wbr",
];

/// Elements that a parser opens again in every following block until they are closed
/// (HTML, section 13.2.4.3).
const FORMATTING: [&str; 14] =
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// Whether parsing `html` takes time in proportion to its size. A tree builder searches its
/// open elements at every tag, opens unclosed formatting again in every block, and moves what
/// a table may not hold by searching among siblings; each is harmless in real mail and
/// quadratic in made mail. Counts without being misled by stray end tags: an end tag takes
/// away one start tag of its own name, no other.
fn weigh(html: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    let (mut formatting, mut clones, mut steps, mut fostered) = (0_usize, 0_usize, 0_usize, 0_usize);
    // The text since the last start tag.
    let mut run = 0_usize;
    // Whether the last tag of a table's skeleton opened a cell.
    let mut in_skeleton = false;
    for token in Tokens::new(html) {
        steps += open.len() + 1;
        match token {
            Token::Open { name, attributes } => {
                (run, clones) = (0, clones + formatting);
                // Each attribute is compared with those before it.
                let words = attributes.bytes().filter(|octet| b" \t\r\n\x0c/\"'".contains(octet)).count();
                steps += words * words / 8;
                in_skeleton = match skeleton(name) {
                    Some(holds_content) => !holds_content,
                    None => {
                        fostered += usize::from(in_skeleton);
                        in_skeleton
                    }
                };
                if !IMPLIED.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                    formatting += usize::from(is_formatting(name));
                    open.push(name);
                }
            }
            Token::Close { name } => {
                if let Some(at) = open.iter().rposition(|known| known.eq_ignore_ascii_case(name)) {
                    open.remove(at);
                    formatting -= usize::from(is_formatting(name));
                }
                if skeleton(name).is_none() {
                    // An end tag without its start tag can make an element.
                    fostered += usize::from(in_skeleton);
                } else {
                    in_skeleton = !name.eq_ignore_ascii_case("table")
                        || open.iter().any(|known| known.eq_ignore_ascii_case("table")) && fostered > 0;
                }
            }
            Token::Text(text) => {
                // Every line break and character reference is appended for itself, and each
                // time the tree builder copies what the text node has.
                run += text.len();
                let pieces = text.bytes().filter(|octet| b"&\n\r\0".contains(octet)).count() + 1;
                steps += (pieces * run) / 64;
                fostered += usize::from(in_skeleton && !text.trim_ascii().is_empty());
            }
            Token::Hidden => {}
        }
        if steps > MAX_STEPS || clones > MAX_CLONES || open.len() > MAX_NESTING || fostered > MAX_FOSTERED {
            return false;
        }
    }
    true
}

fn is_formatting(name: &str) -> bool {
    FORMATTING.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether `name` is part of a table, and if so whether content may stand in it.
fn skeleton(name: &str) -> Option<bool> {
    let is = |known: &&str| known.eq_ignore_ascii_case(name);
    if ["td", "th", "caption"].iter().any(is) {
        Some(true)
    } else if ["table", "tbody", "thead", "tfoot", "tr", "colgroup"].iter().any(is) {
        Some(false)
    } else {
        None
    }
}
