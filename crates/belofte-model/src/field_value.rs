// SPDX-License-Identifier: EUPL-1.2
//! Values of the tenant's own fields: what each kind holds, how it is read, and what it becomes
//! when its field gets another kind.

use std::fmt;

use chrono::{DateTime, NaiveDate, SecondsFormat};
use iban::IbanLike as _;
use serde::{Deserialize, Serialize};

use crate::{Decimal, FieldKind, FieldOption, Language, OptionNames, Timestamp};

/// The longest text, in characters …
pub const TEXT_MOST: usize = 500;
/// … the longest one of several lines …
pub const LONG_TEXT_MOST: usize = 10_000;
/// … and the longest part of an address.
pub const ADDRESS_PART_MOST: usize = 120;
/// The largest whole number that every program with numbers of RFC 8259 (section 6) reads exactly.
pub const INTEGER_MOST: i64 = 9_007_199_254_740_991;

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// How much.
    pub amount: Decimal,
    /// In what: three capitals (ISO 4217).
    pub currency: String,
}

/// A postal address; every part may be empty, but not all of them.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostalAddress {
    /// The street, or the first line.
    #[serde(default)]
    pub street: String,
    /// The number in the street, with what is added to it.
    #[serde(default)]
    pub number: String,
    /// The postal code.
    #[serde(default)]
    pub postal_code: String,
    /// The town.
    #[serde(default)]
    pub city: String,
    /// The country: two capitals (ISO 3166-1).
    #[serde(default)]
    pub country: String,
}

impl PostalAddress {
    fn parts(&self) -> [&str; 5] {
        [&self.street, &self.number, &self.postal_code, &self.city, &self.country]
    }

    fn line(&self) -> String {
        let pair = |a: &str, b: &str| format!("{a} {b}").trim().to_owned();
        let parts =
            [pair(&self.street, &self.number), pair(&self.postal_code, &self.city), self.country.clone()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Debug for PostalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostalAddress(..)")
    }
}

/// A value as it is kept: in the form of its kind, with the kind that it was given for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum FieldValue {
    /// One line.
    Text(String),
    /// Several lines.
    LongText(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Decimal(Decimal),
    /// An amount.
    Money(Money),
    /// A day, `2026-11-30`.
    Date(NaiveDate),
    /// An instant.
    DateTime(Timestamp),
    /// Yes or no.
    Boolean(bool),
    /// One of the options, by its number.
    Choice(u32),
    /// Some of the options, in the order of their numbers.
    MultipleChoice(Vec<u32>),
    /// One of the options of a tree.
    TreeChoice(u32),
    /// A telephone number (E.164).
    Phone(String),
    /// An address of internet mail.
    Email(String),
    /// A bank account (ISO 13616), without spaces.
    Iban(String),
    /// An address of the web.
    Url(String),
    /// An address of the post.
    PostalAddress(PostalAddress),
}

impl fmt::Debug for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FieldValue::{:?}(..)", self.kind())
    }
}

/// A value as it goes over the wire: in the plainest form that JSON has for it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum GivenValue {
    /// Yes or no.
    Boolean(bool),
    /// A whole number, or the number of an option.
    Number(i64),
    /// Text, and everything that is written as text.
    Text(String),
    /// The numbers of options.
    Numbers(Vec<u32>),
    /// An amount.
    Money(Money),
    /// An address of the post.
    PostalAddress(PostalAddress),
}

impl fmt::Debug for GivenValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GivenValue(..)")
    }
}

/// Why a value was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueFault {
    /// It is not of the kind of its field, or not of the form of its kind.
    Invalid,
    /// Fewer characters or members than asked for.
    TooShort,
    /// More characters or members than allowed.
    TooLong,
    /// A number or day outside what is allowed.
    OutOfRange,
    /// No option of this number can be chosen.
    NotFound,
}

fn line(text: &str, most: usize) -> Result<String, ValueFault> {
    let text = text.trim();
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(ValueFault::Invalid);
    }
    if text.chars().count() > most { Err(ValueFault::TooLong) } else { Ok(text.to_owned()) }
}

fn lines(text: &str) -> Result<String, ValueFault> {
    let text = text.trim().replace("\r\n", "\n");
    if text.is_empty() || text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(ValueFault::Invalid);
    }
    if text.chars().count() > LONG_TEXT_MOST { Err(ValueFault::TooLong) } else { Ok(text) }
}

/// A telephone number with its country code, as people write it: `+31 6 1234 5678`, `0031-6…`. One without is
/// refused: nobody but the one who gave it knows the country.
fn phone(text: &str) -> Result<String, ValueFault> {
    let kept: String =
        text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}')).collect();
    let digits = kept.strip_prefix('+').or_else(|| kept.strip_prefix("00")).ok_or(ValueFault::Invalid)?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    if plain && (7..=15).contains(&digits.len()) {
        Ok(format!("+{digits}"))
    } else {
        Err(ValueFault::Invalid)
    }
}

/// An address of internet mail (RFC 5321, section 4.1.2), without the forms in quotes and brackets.
fn email(text: &str) -> Result<String, ValueFault> {
    let text = line(text, 254)?;
    let (local, domain) = text.rsplit_once('@').ok_or(ValueFault::Invalid)?;
    let odd = |c: char| c.is_whitespace() || "\"(),:;<>[\\]@".contains(c);
    let label = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && !part.contains(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && c != '-')
    };
    let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
    let fits = !local.is_empty() && local.len() <= 64 && !local.contains(odd) && !dots;
    if fits && domain.contains('.') && domain.split('.').all(label) {
        Ok(text)
    } else {
        Err(ValueFault::Invalid)
    }
}

fn iban(text: &str) -> Result<String, ValueFault> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let found: iban::Iban = compact.to_ascii_uppercase().parse().map_err(|_| ValueFault::Invalid)?;
    Ok(found.electronic_str().to_owned())
}

/// An address of the web that a browser may be sent to.
fn web_address(text: &str) -> Result<String, ValueFault> {
    let text = line(text, 2_000)?;
    let url = url::Url::parse(&text).map_err(|_| ValueFault::Invalid)?;
    let named = url.host_str().is_some_and(|host| !host.is_empty());
    // A name and password in an address is how people are led astray.
    let bare = url.username().is_empty() && url.password().is_none();
    if matches!(url.scheme(), "http" | "https") && named && bare {
        Ok(text)
    } else {
        Err(ValueFault::Invalid)
    }
}

fn money(given: Money) -> Result<Money, ValueFault> {
    let named = given.currency.len() == 3 && given.currency.bytes().all(|byte| byte.is_ascii_uppercase());
    if named && given.amount.fits(4) { Ok(given) } else { Err(ValueFault::Invalid) }
}

fn postal_address(given: &PostalAddress) -> Result<PostalAddress, ValueFault> {
    if given.parts().iter().all(|part| part.trim().is_empty()) {
        return Err(ValueFault::Invalid);
    }
    let part =
        |text: &str| if text.trim().is_empty() { Ok(String::new()) } else { line(text, ADDRESS_PART_MOST) };
    let country = part(&given.country)?;
    let known = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    if !known && !country.is_empty() {
        return Err(ValueFault::Invalid);
    }
    Ok(PostalAddress {
        street: part(&given.street)?,
        number: part(&given.number)?,
        postal_code: part(&given.postal_code)?,
        city: part(&given.city)?,
        country,
    })
}

fn instant(text: &str) -> Result<Timestamp, ValueFault> {
    let at = DateTime::parse_from_rfc3339(text.trim()).map_err(|_| ValueFault::Invalid)?;
    Ok(Timestamp::from_micros(at.timestamp_micros()))
}

/// A day of the years 1 to 9999: what every program that reads dates has.
fn day(text: &str) -> Result<NaiveDate, ValueFault> {
    let text = text.trim();
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| ValueFault::Invalid)?;
    if text.len() == 10 && day >= NaiveDate::from_ymd_opt(1, 1, 1).unwrap_or_default() {
        Ok(day)
    } else {
        Err(ValueFault::Invalid)
    }
}

fn known(options: &[FieldOption], no: u32) -> Result<u32, ValueFault> {
    let there = options.iter().any(|option| option.no == no);
    if there { Ok(no) } else { Err(ValueFault::NotFound) }
}

impl FieldValue {
    /// The kind that it is of.
    #[must_use]
    pub const fn kind(&self) -> FieldKind {
        match self {
            Self::Text(_) => FieldKind::Text,
            Self::LongText(_) => FieldKind::LongText,
            Self::Integer(_) => FieldKind::Integer,
            Self::Decimal(_) => FieldKind::Decimal,
            Self::Money(_) => FieldKind::Money,
            Self::Date(_) => FieldKind::Date,
            Self::DateTime(_) => FieldKind::DateTime,
            Self::Boolean(_) => FieldKind::Boolean,
            Self::Choice(_) => FieldKind::Choice,
            Self::MultipleChoice(_) => FieldKind::MultipleChoice,
            Self::TreeChoice(_) => FieldKind::TreeChoice,
            Self::Phone(_) => FieldKind::Phone,
            Self::Email(_) => FieldKind::Email,
            Self::Iban(_) => FieldKind::Iban,
            Self::Url(_) => FieldKind::Url,
            Self::PostalAddress(_) => FieldKind::PostalAddress,
        }
    }

    /// Reads what was given for a field of `kind` with these options, and brings it into one form: spaces around it
    /// go, a telephone number and a bank account lose theirs within.
    ///
    /// # Errors
    /// [`ValueFault`]: it is of another kind, or not of the form of this one. An option that is archived can be
    /// read; whether it can be chosen is asked by [`FieldSettings::check`](crate::FieldSettings::check).
    pub fn read(kind: FieldKind, options: &[FieldOption], given: GivenValue) -> Result<Self, ValueFault> {
        let number = |no: i64| u32::try_from(no).map_err(|_| ValueFault::NotFound);
        Ok(match (kind, given) {
            (FieldKind::Text, GivenValue::Text(text)) => Self::Text(line(&text, TEXT_MOST)?),
            (FieldKind::LongText, GivenValue::Text(text)) => Self::LongText(lines(&text)?),
            (FieldKind::Integer, GivenValue::Number(number)) => {
                if number.unsigned_abs() > INTEGER_MOST.unsigned_abs() {
                    return Err(ValueFault::OutOfRange);
                }
                Self::Integer(number)
            }
            (FieldKind::Decimal, GivenValue::Text(text)) => {
                Self::Decimal(text.trim().parse().map_err(|_| ValueFault::Invalid)?)
            }
            (FieldKind::Money, GivenValue::Money(given)) => Self::Money(money(given)?),
            (FieldKind::Date, GivenValue::Text(text)) => Self::Date(day(&text)?),
            (FieldKind::DateTime, GivenValue::Text(text)) => Self::DateTime(instant(&text)?),
            (FieldKind::Boolean, GivenValue::Boolean(yes)) => Self::Boolean(yes),
            (FieldKind::Choice, GivenValue::Number(no)) => Self::Choice(known(options, number(no)?)?),
            (FieldKind::TreeChoice, GivenValue::Number(no)) => Self::TreeChoice(known(options, number(no)?)?),
            (FieldKind::MultipleChoice, GivenValue::Numbers(mut all)) => {
                all.sort_unstable();
                all.dedup();
                if all.is_empty() {
                    return Err(ValueFault::TooShort);
                }
                for no in &all {
                    known(options, *no)?;
                }
                Self::MultipleChoice(all)
            }
            (FieldKind::Phone, GivenValue::Text(text)) => Self::Phone(phone(&text)?),
            (FieldKind::Email, GivenValue::Text(text)) => Self::Email(email(&text)?),
            (FieldKind::Iban, GivenValue::Text(text)) => Self::Iban(iban(&text)?),
            (FieldKind::Url, GivenValue::Text(text)) => Self::Url(web_address(&text)?),
            (FieldKind::PostalAddress, GivenValue::PostalAddress(given)) => {
                Self::PostalAddress(postal_address(&given)?)
            }
            _ => return Err(ValueFault::Invalid),
        })
    }

    /// It as it goes over the wire; [`read`](Self::read) takes it back.
    #[must_use]
    pub fn given(&self) -> GivenValue {
        match self {
            Self::Text(text)
            | Self::LongText(text)
            | Self::Phone(text)
            | Self::Email(text)
            | Self::Iban(text)
            | Self::Url(text) => GivenValue::Text(text.clone()),
            Self::Integer(number) => GivenValue::Number(*number),
            Self::Decimal(number) => GivenValue::Text(number.to_string()),
            Self::Money(amount) => GivenValue::Money(amount.clone()),
            Self::Date(day) => GivenValue::Text(day.format("%Y-%m-%d").to_string()),
            Self::DateTime(at) => GivenValue::Text(written(*at)),
            Self::Boolean(yes) => GivenValue::Boolean(*yes),
            Self::Choice(no) | Self::TreeChoice(no) => GivenValue::Number(i64::from(*no)),
            Self::MultipleChoice(all) => GivenValue::Numbers(all.clone()),
            Self::PostalAddress(address) => GivenValue::PostalAddress(address.clone()),
        }
    }

    /// It in words, for who reads `language`. Options by their labels.
    #[must_use]
    pub fn words(&self, options: &[FieldOption], language: Language) -> String {
        let label = |no: &u32| {
            let option = options.iter().find(|option| option.no == *no);
            option.map_or_else(|| no.to_string(), |option| option.label.of(language).to_owned())
        };
        match self {
            Self::Text(text)
            | Self::LongText(text)
            | Self::Phone(text)
            | Self::Email(text)
            | Self::Iban(text)
            | Self::Url(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Decimal(number) => number.to_string(),
            Self::Money(Money { amount, currency }) => format!("{currency} {amount}"),
            Self::Date(day) => day.format("%Y-%m-%d").to_string(),
            Self::DateTime(at) => written(*at),
            Self::Boolean(yes) => match (language, yes) {
                (Language::Nl, true) => "ja",
                (Language::Nl, false) => "nee",
                (Language::En, true) => "yes",
                (Language::En, false) => "no",
            }
            .to_owned(),
            Self::Choice(no) | Self::TreeChoice(no) => label(no),
            Self::MultipleChoice(all) => all.iter().map(label).collect::<Vec<_>>().join(", "),
            Self::PostalAddress(address) => address.line(),
        }
    }

    /// What it becomes in a field of `kind` with these options, or nothing: then it stays what it was, beside the
    /// field. Nothing that it says is lost on the way, and nothing is guessed: a number with a separator that
    /// could be either, a day without an hour and a telephone number without a country do not become another kind.
    #[must_use]
    pub fn into_kind(self, kind: FieldKind, names: &OptionNames<'_>) -> Option<Self> {
        let options = names.options();
        if self.kind() == kind {
            return self.still_there(options);
        }
        let alone = |all: Vec<u32>| if let [no] = all[..] { Some(no) } else { None };
        match (kind, self) {
            (FieldKind::Choice, Self::TreeChoice(no)) => known(options, no).ok().map(Self::Choice),
            (FieldKind::TreeChoice, Self::Choice(no)) => known(options, no).ok().map(Self::TreeChoice),
            (FieldKind::MultipleChoice, Self::Choice(no) | Self::TreeChoice(no)) => {
                known(options, no).ok().map(|no| Self::MultipleChoice(vec![no]))
            }
            (FieldKind::Choice, Self::MultipleChoice(all)) => {
                known(options, alone(all)?).ok().map(Self::Choice)
            }
            (FieldKind::TreeChoice, Self::MultipleChoice(all)) => {
                known(options, alone(all)?).ok().map(Self::TreeChoice)
            }
            (FieldKind::Decimal, Self::Integer(number)) => Decimal::whole(number).map(Self::Decimal),
            (FieldKind::Integer, Self::Decimal(number)) => number.to_whole().map(Self::Integer),
            // In the first language, whoever reads it: it is the same for everybody.
            (FieldKind::Text, value) => {
                line(&value.words(options, Language::Nl), TEXT_MOST).ok().map(Self::Text)
            }
            (FieldKind::LongText, value) => {
                lines(&value.words(options, Language::Nl)).ok().map(Self::LongText)
            }
            (kind, Self::Text(text) | Self::LongText(text)) => Self::from_words(kind, &text, names),
            _ => None,
        }
    }

    /// The numbers of the options that it names.
    #[must_use]
    pub fn options(&self) -> &[u32] {
        match self {
            Self::Choice(no) | Self::TreeChoice(no) => std::slice::from_ref(no),
            Self::MultipleChoice(all) => all,
            _ => &[],
        }
    }

    fn still_there(self, options: &[FieldOption]) -> Option<Self> {
        let there = match &self {
            Self::Choice(no) | Self::TreeChoice(no) => known(options, *no).is_ok(),
            Self::MultipleChoice(all) => all.iter().all(|no| known(options, *no).is_ok()),
            _ => true,
        };
        there.then_some(self)
    }

    fn from_words(kind: FieldKind, text: &str, names: &OptionNames<'_>) -> Option<Self> {
        let text = text.trim();
        let option = |label: &str| names.named(label);
        match kind {
            FieldKind::Integer => {
                let number = text.parse::<i64>().ok().filter(|_| !text.starts_with('+'))?;
                // Zeros in front are of a code, not of a number.
                (number.to_string() == text && number.unsigned_abs() <= INTEGER_MOST.unsigned_abs())
                    .then_some(Self::Integer(number))
            }
            FieldKind::Decimal => number_in(text).map(Self::Decimal),
            FieldKind::Money => {
                let currency = text.get(..3)?;
                let amount = number_in(text.get(3..)?.trim())?;
                money(Money { amount, currency: currency.to_owned() }).ok().map(Self::Money)
            }
            FieldKind::Boolean => match text.to_lowercase().as_str() {
                "ja" | "yes" | "true" => Some(Self::Boolean(true)),
                "nee" | "no" | "false" => Some(Self::Boolean(false)),
                _ => None,
            },
            FieldKind::Choice => option(text).map(Self::Choice),
            FieldKind::TreeChoice => option(text).map(Self::TreeChoice),
            FieldKind::MultipleChoice => {
                let whole = option(text).map(|no| vec![no]);
                let parts = || {
                    // More parts than there are options name one twice, or none.
                    let most = names.options().len();
                    let few = text.split([',', ';']).nth(most).is_none();
                    let all = text.split([',', ';']).map(|part| option(part.trim()));
                    few.then(|| all.collect::<Option<Vec<u32>>>()).flatten()
                };
                let mut all = whole.or_else(parts)?;
                all.sort_unstable();
                all.dedup();
                Some(Self::MultipleChoice(all))
            }
            FieldKind::Text
            | FieldKind::LongText
            | FieldKind::Date
            | FieldKind::DateTime
            | FieldKind::Phone
            | FieldKind::Email
            | FieldKind::Iban
            | FieldKind::Url => Self::read(kind, names.options(), GivenValue::Text(text.to_owned())).ok(),
            FieldKind::PostalAddress => None,
        }
    }
}

fn written(at: Timestamp) -> String {
    let at = DateTime::from_timestamp_micros(at.as_micros()).unwrap_or_default();
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The number that `text` is in the Netherlands as in Britain; none where the two read it as different ones.
fn number_in(text: &str) -> Option<Decimal> {
    let separators = text.matches([',', '.']).count();
    if separators == 0 {
        return text.parse().ok();
    }
    // `1.234` is a thousand and some here and one and some there.
    let behind = text.rsplit([',', '.']).next().map_or(0, str::len);
    if separators > 1 || behind == 3 { None } else { text.replace(',', ".").parse().ok() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::OwnWords;

    fn option(no: u32, nl: &str, en: &str, archived: bool) -> FieldOption {
        let label = OwnWords { nl: nl.to_owned(), en: en.to_owned() };
        FieldOption { no, label, within: None, archived, former: Vec::new() }
    }

    fn colours() -> Vec<FieldOption> {
        vec![option(1, "Rood", "Red", false), option(2, "Blauw", "Blue", false), option(7, "Oud", "", true)]
    }

    fn text(text: &str) -> GivenValue {
        GivenValue::Text(text.to_owned())
    }

    fn read(kind: FieldKind, given: GivenValue) -> Result<FieldValue, ValueFault> {
        FieldValue::read(kind, &colours(), given)
    }

    #[test]
    fn each_kind_takes_its_own_form_and_gives_it_back() {
        for (kind, given, kept) in [
            (FieldKind::Text, " Els ", "Els"),
            (FieldKind::LongText, "een\r\ntwee\n", "een\ntwee"),
            (FieldKind::Decimal, "12.50", "12.5"),
            (FieldKind::Date, "2026-11-30", "2026-11-30"),
            (FieldKind::DateTime, "2026-11-30T12:00:00+01:00", "2026-11-30T11:00:00Z"),
            (FieldKind::Phone, "0031 (6) 12-34.56 78", "+31612345678"),
            (FieldKind::Email, "els@klant.example", "els@klant.example"),
            (FieldKind::Iban, "nl91 abna 0417 1643 00", "NL91ABNA0417164300"),
            (FieldKind::Url, "https://klant.example/a?b#c", "https://klant.example/a?b#c"),
        ] {
            let value = read(kind, text(given)).expect(given);
            assert_eq!((value.kind(), value.given()), (kind, text(kept)), "{given}");
        }
        let amount = Money { amount: "12.5".parse().expect("a number"), currency: "EUR".to_owned() };
        let address =
            PostalAddress { city: "Delft".to_owned(), country: "NL".to_owned(), ..PostalAddress::default() };
        for (kind, given) in [
            (FieldKind::Integer, GivenValue::Number(-12)),
            (FieldKind::Boolean, GivenValue::Boolean(false)),
            (FieldKind::Choice, GivenValue::Number(2)),
            (FieldKind::TreeChoice, GivenValue::Number(1)),
            (FieldKind::MultipleChoice, GivenValue::Numbers(vec![1, 2])),
            (FieldKind::Money, GivenValue::Money(amount)),
            (FieldKind::PostalAddress, GivenValue::PostalAddress(address)),
        ] {
            assert_eq!(read(kind, given.clone()).expect("taken").given(), given, "{kind:?}");
        }
    }

    #[test]
    fn what_is_not_of_the_form_of_its_kind_is_refused() {
        for (kind, wrong) in [
            (FieldKind::Text, ""),
            (FieldKind::Text, "een\ntwee"),
            (FieldKind::Integer, "12"),
            (FieldKind::Decimal, "12,50"),
            (FieldKind::Date, "2026-02-29"),
            (FieldKind::Date, "30-11-2026"),
            (FieldKind::Date, "+12026-11-30"),
            (FieldKind::DateTime, "2026-11-30T12:00:00"),
            (FieldKind::Phone, "06 12345678"),
            (FieldKind::Phone, "+31 6 12345678 x"),
            (FieldKind::Phone, "+0123456789"),
            (FieldKind::Email, "els@klant"),
            (FieldKind::Email, "Els <els@klant.example>"),
            (FieldKind::Email, "a..b@klant.example"),
            (FieldKind::Iban, "NL91ABNA0417164301"),
            (FieldKind::Url, "javascript:alert(1)"),
            (FieldKind::Url, "https://els:geheim@klant.example"),
            (FieldKind::Url, "klant.example"),
            (FieldKind::Boolean, "ja"),
            (FieldKind::PostalAddress, "Markt 1, Delft"),
        ] {
            assert_eq!(read(kind, text(wrong)), Err(ValueFault::Invalid), "{kind:?} {wrong:?}");
        }
        assert_eq!(read(FieldKind::Text, text(&"a".repeat(501))), Err(ValueFault::TooLong));
        assert_eq!(
            read(FieldKind::Integer, GivenValue::Number(INTEGER_MOST + 1)),
            Err(ValueFault::OutOfRange)
        );
        assert_eq!(read(FieldKind::Integer, GivenValue::Number(i64::MIN)), Err(ValueFault::OutOfRange));
        assert_eq!(read(FieldKind::Choice, GivenValue::Number(3)), Err(ValueFault::NotFound));
        assert_eq!(read(FieldKind::Choice, GivenValue::Number(-1)), Err(ValueFault::NotFound));
        assert_eq!(read(FieldKind::MultipleChoice, GivenValue::Numbers(vec![])), Err(ValueFault::TooShort));
        let odd = Money { amount: "1.00001".parse().expect("a number"), currency: "EUR".to_owned() };
        assert_eq!(read(FieldKind::Money, GivenValue::Money(odd.clone())), Err(ValueFault::Invalid));
        let unnamed = Money { amount: Decimal::default(), currency: "eur".to_owned() };
        assert_eq!(read(FieldKind::Money, GivenValue::Money(unnamed)), Err(ValueFault::Invalid));
        let empty = GivenValue::PostalAddress(PostalAddress::default());
        assert_eq!(read(FieldKind::PostalAddress, empty), Err(ValueFault::Invalid));
    }

    #[test]
    fn text_is_an_option_that_alone_is_or_was_called_so() {
        let text = |text: &str| FieldValue::Text(text.to_owned());
        let mut before = crate::FieldSettings::of_test(FieldKind::Choice, colours());
        let read = |settings: &crate::FieldSettings, kept: &str| {
            text(kept)
                .into_kind(FieldKind::Choice, &OptionNames::of(&settings.options))
                .map(|value| value.options()[0])
        };
        assert_eq!((read(&before, "rood"), read(&before, "BLUE")), (Some(1), Some(2)));
        // Renamed: what was kept under the old name is still that option.
        let mut after = before.clone();
        after.options[0].label = OwnWords { nl: "Vuurrood".to_owned(), en: "Red".to_owned() };
        after.remember_labels(Some(&before));
        assert_eq!(after.options[0].former, ["Rood"]);
        assert_eq!(
            (read(&after, "rood"), read(&after, "vuurrood"), read(&after, "red")),
            (Some(1), Some(1), Some(1))
        );
        // Exchanged: nobody can tell any more which one is meant.
        before = after.clone();
        (after.options[0].label, after.options[1].label) =
            (after.options[1].label.clone(), after.options[0].label.clone());
        after.remember_labels(Some(&before));
        assert_eq!(
            (read(&after, "blauw"), read(&after, "vuurrood"), read(&after, "rood")),
            (None, None, Some(1))
        );
        // Who calls it as before has it called so, and no caller says what it was.
        let mut back = before.clone();
        back.options[2].former = vec!["Rood".to_owned()];
        back.remember_labels(Some(&after));
        assert_eq!(back.options[2].former, Vec::<String>::new());
        // A long list of names is not looked through for each of a long list of options.
        let many: Vec<FieldOption> =
            (1..=500).map(|no| option(no, &format!("Optie {no}"), "", false)).collect();
        let long = text(&"Optie 1,".repeat(1_200));
        assert_eq!(long.into_kind(FieldKind::MultipleChoice, &OptionNames::of(&many)), None);
    }

    #[test]
    fn another_kind_takes_what_can_be_nothing_else() {
        let become_ = |from: FieldValue, kind| {
            from.into_kind(kind, &OptionNames::of(&colours())).map(|value| value.given())
        };
        let words = |text: &str| FieldValue::Text(text.to_owned());
        for (from, kind, to) in [
            ("12", FieldKind::Integer, GivenValue::Number(12)),
            ("12,5", FieldKind::Decimal, text("12.5")),
            (
                "EUR 3,50",
                FieldKind::Money,
                GivenValue::Money(Money {
                    amount: "3.5".parse().expect("a number"),
                    currency: "EUR".to_owned(),
                }),
            ),
            ("Nee", FieldKind::Boolean, GivenValue::Boolean(false)),
            ("blauw", FieldKind::Choice, GivenValue::Number(2)),
            ("red; Blue", FieldKind::MultipleChoice, GivenValue::Numbers(vec![1, 2])),
            ("2026-11-30", FieldKind::Date, text("2026-11-30")),
            ("+31 6 12345678", FieldKind::Phone, text("+31612345678")),
        ] {
            assert_eq!(become_(words(from), kind), Some(to), "{from}");
        }
        for (from, kind) in [
            ("007", FieldKind::Integer),
            ("1.234", FieldKind::Decimal),
            ("1.234,56", FieldKind::Decimal),
            ("€ 3", FieldKind::Money),
            ("soms", FieldKind::Boolean),
            ("groen", FieldKind::Choice),
            ("Rood, groen", FieldKind::MultipleChoice),
            ("06 12345678", FieldKind::Phone),
            ("Markt 1", FieldKind::PostalAddress),
        ] {
            assert_eq!(become_(words(from), kind), None, "{from}");
        }
        assert_eq!(become_(FieldValue::Boolean(true), FieldKind::Text), Some(text("ja")));
        assert_eq!(become_(FieldValue::MultipleChoice(vec![1, 2]), FieldKind::Choice), None);
        assert_eq!(become_(FieldValue::Choice(9), FieldKind::Choice), None, "no option of this number");
        assert_eq!(become_(FieldValue::Boolean(true), FieldKind::Integer), None);
    }

    fn values() -> impl Strategy<Value = FieldValue> {
        prop_oneof![
            "[ -~é]{1,40}"
                .prop_filter_map("empty", |text| { line(&text, TEXT_MOST).ok().map(FieldValue::Text) }),
            (-INTEGER_MOST..=INTEGER_MOST).prop_map(FieldValue::Integer),
            "-?[0-9]{1,9}\\.[0-9]{1,6}".prop_map(|text| FieldValue::Decimal(text.parse().expect("a number"))),
            (0_i64..4_000_000_000_000_000).prop_map(|at| FieldValue::DateTime(Timestamp::from_micros(at))),
            any::<bool>().prop_map(FieldValue::Boolean),
            prop_oneof![Just(1_u32), Just(2), Just(7)].prop_map(FieldValue::Choice),
            Just(FieldValue::MultipleChoice(vec![1, 7])),
        ]
    }

    proptest! {
        #[test]
        fn what_is_kept_is_read_again(value in values()) {
            let json = serde_json::to_string(&value).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<FieldValue>(&json).expect("read"), value.clone());
            let again = FieldValue::read(value.kind(), &colours(), value.given());
            prop_assert_eq!(again, Ok(value));
        }

        #[test]
        fn nothing_is_guessed(value in values(), place in 0..FieldKind::ALL.len()) {
            let kind = FieldKind::ALL[place];
            let words = value.words(&colours(), Language::Nl).to_lowercase();
            if let Some(other) = value.into_kind(kind, &OptionNames::of(&colours())) {
                prop_assert_eq!(other.kind(), kind);
                // Whoever reads either knows the same: the digits and letters are there, or one word for another.
                let told = other.words(&colours(), Language::Nl).to_lowercase();
                let digits = |text: &str| {
                    let kept: String = text.chars().filter(char::is_ascii_digit).collect();
                    kept.trim_end_matches('0').to_owned()
                };
                let named = matches!(kind, FieldKind::Boolean | FieldKind::Choice | FieldKind::MultipleChoice | FieldKind::TreeChoice | FieldKind::DateTime);
                prop_assert!(named || digits(&told) == digits(&words), "{} {}", words, told);
            }
        }
    }
}
