// SPDX-License-Identifier: EUPL-1.2
//! People as a table (RFC 4180) that spreadsheets open, and in which none of them finds something to carry out.

use belofte_model::{FieldValue, Language};
use belofte_store::{Field, ListedContact};
use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Separator;
use crate::http::{HEADINGS, word};

/// Says that what follows is UTF-8: spreadsheets take it for something else without it.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// How a table is written.
#[derive(Clone, Copy, Debug)]
pub struct Sheet {
    /// What stands between cells, and with it which decimal mark there is.
    pub separator: Separator,
    /// The language of headings and options.
    pub language: Language,
}

/// What a spreadsheet takes for something to carry out when a cell begins with it (OWASP, CSV injection), also as it is
/// written full-width.
const CARRIED_OUT: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// `text` as a cell that is nothing but text. A number with its sign stays what it is: nothing is in it. A program that
/// takes another separator than was meant begins a cell within it, so that those count as well.
fn harmless(text: &str) -> String {
    let number = |rest: &str| {
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | ' '))
    };
    if text.strip_prefix(['+', '-']).is_some_and(number) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 1);
    let (mut first, mut begins) = (true, true);
    for c in text.chars() {
        let separates = matches!(c, ',' | ';' | '\t' | '\r' | '\n');
        if begins && CARRIED_OUT.contains(&c) && (first || !separates) {
            // A spreadsheet shows it, and takes what follows for text.
            out.push('\'');
        }
        out.push(c);
        begins = separates || (begins && matches!(c, ' ' | '"'));
        first = false;
    }
    out
}

fn moment(at: belofte_model::Timestamp) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at.as_micros().div_euclid(1_000_000)).ok();
    at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default()
}

impl Sheet {
    fn writer(self) -> Writer<Vec<u8>> {
        let delimiter = match self.separator {
            Separator::Comma => b',',
            Separator::Semicolon => b';',
        };
        let style = QuoteStyle::Necessary;
        WriterBuilder::new()
            .delimiter(delimiter)
            .terminator(Terminator::CRLF)
            .quote_style(style)
            .from_writer(Vec::new())
    }

    fn lines(self, lines: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
        let mut writer = self.writer();
        for line in lines {
            // The name of a field, too, is whatever somebody wrote.
            let cells = line.iter().map(|cell| harmless(cell));
            writer.write_record(cells).expect("memory takes it, and all lines have as many cells");
        }
        writer.into_inner().expect("memory takes it")
    }

    /// The first line.
    #[must_use]
    pub fn head(self, fields: &[Field]) -> Vec<u8> {
        let own = HEADINGS.iter().map(|key| word(self.language, key));
        let labels = fields.iter().map(|field| field.settings.label.of(self.language).to_owned());
        [MARK, &self.lines(std::iter::once(own.chain(labels).collect()))].concat()
    }

    /// A line for each of `people`.
    #[must_use]
    pub fn rows(self, fields: &[Field], people: &[ListedContact]) -> Vec<u8> {
        self.lines(people.iter().map(|one| {
            let addresses: Vec<&str> =
                one.addresses.iter().map(|address| address.expose().as_str()).collect();
            let mut cells = vec![
                one.name.expose().clone(),
                addresses.join(", "),
                moment(one.created_at),
                one.conversations.to_string(),
                one.last_message_at.map(moment).unwrap_or_default(),
            ];
            cells.extend(fields.iter().map(|field| {
                let value = one.fields.iter().find(|(id, _)| *id == field.id).map(|(_, value)| value);
                value.map(|value| self.cell(field, value)).unwrap_or_default()
            }));
            cells
        }))
    }

    fn cell(self, field: &Field, value: &FieldValue) -> String {
        let words = value.words(&field.settings.options, self.language);
        match (value, self.separator) {
            (FieldValue::Decimal(_) | FieldValue::Money(_), Separator::Semicolon) => words.replace('.', ","),
            _ => words,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_cell_is_carried_out() {
        for dangerous in
            ["=1+1", "+31 6 =cmd", "-2+3+cmd|' /C calc'!A0", "@SUM(A1)", " =1+1", "＝1+1", "+", "--1"]
        {
            let expected = match dangerous.strip_prefix(' ') {
                Some(rest) => format!(" '{rest}"),
                None => format!("'{dangerous}"),
            };
            assert_eq!(harmless(dangerous), expected);
        }
        // Where another separator than was meant begins a cell.
        for (dangerous, expected) in [
            ("Jan;=cmd|' /C calc'!A0", "Jan;'=cmd|' /C calc'!A0"),
            ("Jan, \"=1+1", "Jan, \"'=1+1"),
            ("een\n@SUM(A1)", "een\n'@SUM(A1)"),
            ("een\t\r\n;,+1", "een\t\r\n;,'+1"),
            ("\n=1", "'\n'=1"),
        ] {
            assert_eq!(harmless(dangerous), expected, "{dangerous:?}");
        }
        for harmless_itself in [
            "+31612345678",
            "-12.50",
            "-12,5",
            "a=1",
            "els@klant.example, jan@klant.example",
            "EUR 12,50",
            "'=1",
            "",
            "  Els",
            "1-2",
        ] {
            assert_eq!(harmless(harmless_itself), harmless_itself);
        }
    }

    #[test]
    fn cells_stay_apart_whatever_stands_in_them() {
        let sheet = Sheet { separator: Separator::Semicolon, language: Language::Nl };
        let line = ["a;b", "zei \"ja\"", "twee\nregels", "gewoon, toch", ""].map(str::to_owned).to_vec();
        let bytes = sheet.lines(std::iter::once(line.clone()));
        let text = String::from_utf8(bytes.clone()).expect("text");
        assert_eq!(text, "\"a;b\";\"zei \"\"ja\"\"\";\"twee\nregels\";gewoon, toch;\r\n");
        let mut reader = csv::ReaderBuilder::new().delimiter(b';').has_headers(false).from_reader(&bytes[..]);
        let read: Vec<String> = reader
            .records()
            .next()
            .expect("a line")
            .expect("well-formed")
            .iter()
            .map(str::to_owned)
            .collect();
        assert_eq!(read, line);
    }
}
