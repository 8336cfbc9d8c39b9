// SPDX-License-Identifier: EUPL-1.2
//! Conditions on people as they are asked of one after the other, and the order in which they are listed.
//!
//! Nothing of this is an index: what stands in a field is opened to be looked at, and forgotten.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use belofte_model::{
    Condition, Decimal, FieldId, FieldKind, FieldOption, FieldValue, Filter, GivenValue, Language,
    MOST_CONDITIONS, Order, SOUGHT_MOST, Subject, Test, Timestamp, ValueFault,
};
use belofte_vault::fold_text;

use crate::fields::Field;
use crate::visibility::Mask;
use crate::{ListError, StoreError};

/// What a condition or an order is about, once it is known that who asks sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    Name,
    Address,
    CreatedAt,
    /// A field, by its place among those that are read.
    Field(usize),
}

/// What is known of one person. Each thing is opened when it is asked for.
pub(crate) trait Facts {
    /// The name; empty where there is none.
    fn name(&mut self) -> Result<String, StoreError>;
    /// All addresses.
    fn addresses(&mut self) -> Result<Vec<String>, StoreError>;
    /// When they first wrote.
    fn created_at(&self) -> Timestamp;
    /// What stands in a field, by its place among those that are read, as one of its kind.
    fn field(&mut self, place: usize) -> Result<Option<FieldValue>, StoreError>;
}

/// What a value is compared with.
enum Asked {
    Filled,
    Empty,
    /// Text, folded.
    SameText(String),
    Contains(String),
    BeginsWith(String),
    Same(FieldValue),
    Options(HashSet<u32>),
    AtLeast(FieldValue),
    AtMost(FieldValue),
    Not(Box<Self>),
}

/// A filter, read.
#[derive(Default)]
pub(crate) struct Sieve {
    /// Folded.
    words: Vec<String>,
    /// Whether these are looked for in names, …
    in_names: bool,
    /// … and in addresses.
    in_addresses: bool,
    any: bool,
    tests: Vec<(About, Asked)>,
}

/// An order, read.
#[derive(Clone)]
pub(crate) struct Ranking {
    pub(crate) about: About,
    pub(crate) descending: bool,
    /// The places of the options of a field.
    places: HashMap<u32, i64>,
}

/// By what people are put in order. Of one list all are of one variant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OrderKey {
    Number(i64),
    Decimal(Decimal),
    Money(String, Decimal),
    /// Folded, then as it is written.
    Text(String, String),
}

/// The fields that a list reads, each once, by the place that conditions name.
#[derive(Clone, Default)]
pub(crate) struct FieldsRead(Vec<Field>);

impl FieldsRead {
    fn place(&mut self, id: FieldId, readable: &[Field]) -> Option<usize> {
        if let Some(place) = self.0.iter().position(|field| field.id == id) {
            return Some(place);
        }
        self.0.push(readable.iter().find(|field| field.id == id)?.clone());
        Some(self.0.len() - 1)
    }

    pub(crate) fn all(&self) -> &[Field] {
        &self.0
    }

    /// What `subject` is about, when it exists for who asks.
    pub(crate) fn about(&mut self, subject: Subject, mask: Mask, readable: &[Field]) -> Option<About> {
        match subject {
            Subject::Name => mask.shows_name().then_some(About::Name),
            Subject::Address => mask.shows_address().then_some(About::Address),
            Subject::CreatedAt => Some(About::CreatedAt),
            Subject::Field(id) => self.place(id, readable).map(About::Field),
        }
    }

    fn kind(&self, about: About) -> (FieldKind, &[FieldOption]) {
        match about {
            About::Name => (FieldKind::Text, &[]),
            About::Address => (FieldKind::Email, &[]),
            About::CreatedAt => (FieldKind::DateTime, &[]),
            About::Field(place) => {
                let settings = &self.0[place].settings;
                (settings.kind, &settings.options)
            }
        }
    }
}

/// An option with all that lie within it.
fn with_inner(options: &[FieldOption], chosen: &[u32]) -> HashSet<u32> {
    let mut all: HashSet<u32> = chosen.iter().copied().collect();
    loop {
        let before = all.len();
        let inner = options.iter().filter(|option| option.within.is_some_and(|no| all.contains(&no)));
        let inner: Vec<u32> = inner.map(|option| option.no).collect();
        all.extend(inner);
        if all.len() == before {
            return all;
        }
    }
}

fn sought(value: GivenValue) -> Result<String, ValueFault> {
    let GivenValue::Text(text) = value else { return Err(ValueFault::Invalid) };
    if text.chars().count() > SOUGHT_MOST {
        return Err(ValueFault::TooLong);
    }
    let folded = fold_text(text.trim());
    if folded.is_empty() { Err(ValueFault::TooShort) } else { Ok(folded) }
}

fn number_of(value: &GivenValue, options: &[FieldOption]) -> Result<u32, ValueFault> {
    let no = match value {
        GivenValue::Number(no) => u32::try_from(*no).map_err(|_| ValueFault::NotFound)?,
        GivenValue::Numbers(all) if all.len() == 1 => all[0],
        _ => return Err(ValueFault::Invalid),
    };
    let known = options.iter().any(|option| option.no == no);
    if known { Ok(no) } else { Err(ValueFault::NotFound) }
}

impl Asked {
    fn read(
        (kind, options): (FieldKind, &[FieldOption]),
        test: Test,
        value: Option<GivenValue>,
    ) -> Result<Self, ValueFault> {
        if !test.fits(kind) || test.takes_value() != value.is_some() {
            return Err(ValueFault::Invalid);
        }
        let Some(value) = value else {
            return Ok(if test == Test::Empty { Self::Empty } else { Self::Filled });
        };
        let is_text = Test::Contains.fits(kind) && kind != FieldKind::PostalAddress;
        Ok(match test {
            Test::Filled | Test::Empty => return Err(ValueFault::Invalid),
            Test::Is if is_text => Self::SameText(sought(value)?),
            Test::Is if kind.has_options() => Self::Options([number_of(&value, options)?].into()),
            Test::Is => Self::Same(FieldValue::read(kind, options, value)?),
            Test::IsNot => Self::Not(Box::new(Self::read((kind, options), Test::Is, Some(value))?)),
            Test::Contains => Self::Contains(sought(value)?),
            Test::BeginsWith => Self::BeginsWith(sought(value)?),
            Test::AtLeast => Self::AtLeast(FieldValue::read(kind, options, value)?),
            Test::AtMost => Self::AtMost(FieldValue::read(kind, options, value)?),
            Test::AnyOf => {
                let GivenValue::Numbers(all) = value else { return Err(ValueFault::Invalid) };
                if all.is_empty() {
                    return Err(ValueFault::TooShort);
                }
                if all.iter().any(|no| !options.iter().any(|option| option.no == *no)) {
                    return Err(ValueFault::NotFound);
                }
                Self::Options(with_inner(options, &all))
            }
        })
    }

    /// Whether it holds of text, folded.
    fn holds_of_text(&self, text: &str) -> bool {
        match self {
            Self::Filled => !text.is_empty(),
            Self::Empty => text.is_empty(),
            Self::SameText(sought) => text == sought,
            Self::Contains(sought) => text.contains(sought.as_str()),
            Self::BeginsWith(sought) => text.starts_with(sought.as_str()),
            Self::Not(asked) => !asked.holds_of_text(text),
            Self::Same(_) | Self::Options(_) | Self::AtLeast(_) | Self::AtMost(_) => false,
        }
    }

    fn holds(&self, value: Option<&FieldValue>, options: &[FieldOption]) -> bool {
        let Some(value) = value else { return matches!(self, Self::Empty | Self::Not(_)) };
        match self {
            Self::Filled => true,
            Self::Empty => false,
            Self::Not(asked) => !asked.holds(Some(value), options),
            Self::Same(other) => value == other,
            Self::Options(wanted) => value.options().iter().any(|no| wanted.contains(no)),
            Self::AtLeast(other) => compared(value, other).is_some_and(Ordering::is_ge),
            Self::AtMost(other) => compared(value, other).is_some_and(Ordering::is_le),
            Self::SameText(_) | Self::Contains(_) | Self::BeginsWith(_) => {
                self.holds_of_text(&fold_text(&value.words(options, Language::Nl)))
            }
        }
    }

    /// Whether nothing that is empty satisfies it.
    const fn needs_value(&self) -> bool {
        !matches!(self, Self::Empty | Self::Not(_))
    }
}

/// How two values of one kind compare; nothing for amounts of two currencies, and where there is no order.
fn compared(a: &FieldValue, b: &FieldValue) -> Option<Ordering> {
    match (a, b) {
        (FieldValue::Integer(a), FieldValue::Integer(b)) => Some(a.cmp(b)),
        (FieldValue::Decimal(a), FieldValue::Decimal(b)) => Some(a.cmp(b)),
        (FieldValue::Money(a), FieldValue::Money(b)) if a.currency == b.currency => {
            Some(a.amount.cmp(&b.amount))
        }
        (FieldValue::Date(a), FieldValue::Date(b)) => Some(a.cmp(b)),
        (FieldValue::DateTime(a), FieldValue::DateTime(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

impl Sieve {
    /// Reads what was asked for; the fields of it are added to `fields`.
    ///
    /// # Errors
    /// [`ListError`] with the place of the condition that does not hold.
    pub(crate) fn read(
        filter: Filter,
        mask: Mask,
        readable: &[Field],
        fields: &mut FieldsRead,
    ) -> Result<Self, ListError> {
        if filter.conditions.len() > MOST_CONDITIONS {
            return Err(ListError::Condition(MOST_CONDITIONS, ValueFault::TooLong));
        }
        let words = fold_text(filter.words.trim());
        if words.chars().count() > SOUGHT_MOST {
            return Err(ListError::Words);
        }
        let mut tests = Vec::with_capacity(filter.conditions.len());
        for (place, Condition { subject, test, value }) in filter.conditions.into_iter().enumerate() {
            let about = fields.about(subject, mask, readable).ok_or(ListError::NoSuchSubject(place))?;
            let read = Asked::read(fields.kind(about), test, value);
            tests.push((about, read.map_err(|fault| ListError::Condition(place, fault))?));
        }
        // First what costs least: when they came, what one seal holds, what several do.
        tests.sort_by_key(|(about, _)| match about {
            About::CreatedAt => 0,
            About::Name | About::Field(_) => 1,
            About::Address => 2,
        });
        let words = words.split_whitespace().map(str::to_owned).collect();
        let (in_names, in_addresses) = (mask.shows_name(), mask.shows_address());
        Ok(Self { words, in_names, in_addresses, any: filter.any, tests })
    }

    /// A field without which nobody satisfies it: only who has something there needs to be looked at.
    pub(crate) fn led_by(&self) -> Option<usize> {
        if self.any && self.tests.len() > 1 {
            return None;
        }
        let mut leading = self.tests.iter().filter(|(_, asked)| asked.needs_value());
        leading.find_map(|(about, _)| if let About::Field(place) = about { Some(*place) } else { None })
    }

    /// Whether it asks about this.
    pub(crate) fn asks_about(&self, about: About) -> bool {
        let by_words = match about {
            About::Name => self.in_names,
            About::Address => self.in_addresses,
            About::CreatedAt | About::Field(_) => false,
        };
        (by_words && !self.words.is_empty()) || self.tests.iter().any(|(one, _)| *one == about)
    }

    /// Whether somebody satisfies it.
    ///
    /// # Errors
    /// Those of opening what is known of them.
    pub(crate) fn holds(&self, facts: &mut impl Facts, fields: &FieldsRead) -> Result<bool, StoreError> {
        let mut found = self.tests.is_empty() || !self.any;
        for (about, asked) in &self.tests {
            let holds = match about {
                About::CreatedAt => asked.holds(Some(&FieldValue::DateTime(facts.created_at())), &[]),
                About::Name => asked.holds_of_text(&fold_text(&facts.name()?)),
                About::Address => holds_of_one(asked, &facts.addresses()?),
                About::Field(place) => {
                    let options = &fields.0[*place].settings.options;
                    asked.holds(facts.field(*place)?.as_ref(), options)
                }
            };
            if holds == self.any {
                found = holds;
                break;
            }
        }
        Ok(found && self.holds_words(facts)?)
    }

    fn holds_words(&self, facts: &mut impl Facts) -> Result<bool, StoreError> {
        if self.words.is_empty() {
            return Ok(true);
        }
        let name = if self.in_names { fold_text(&facts.name()?) } else { String::new() };
        let mut left: Vec<&str> =
            self.words.iter().map(String::as_str).filter(|word| !name.contains(*word)).collect();
        if !left.is_empty() && self.in_addresses {
            for address in facts.addresses()? {
                let address = fold_text(&address);
                left.retain(|word| !address.contains(*word));
            }
        }
        Ok(left.is_empty())
    }
}

/// Whether it holds of one of several; what is not, of none of them.
fn holds_of_one(asked: &Asked, all: &[String]) -> bool {
    match asked {
        Asked::Empty => all.is_empty(),
        Asked::Not(asked) => !holds_of_one(asked, all),
        _ => all.iter().any(|one| asked.holds_of_text(&fold_text(one))),
    }
}

impl Ranking {
    /// Reads an order; the field of it is added to `fields`. `None` when who asks does not see what it is by.
    pub(crate) fn read(
        order: Order,
        mask: Mask,
        readable: &[Field],
        fields: &mut FieldsRead,
    ) -> Option<Self> {
        let about = fields.about(order.by, mask, readable)?;
        let (_, options) = fields.kind(about);
        let places = (0..).zip(options).map(|(place, option)| (option.no, place)).collect();
        Some(Self { about, descending: order.descending, places })
    }

    /// Whether people stand in it as they came.
    pub(crate) fn is_by_arrival(&self) -> bool {
        self.about == About::CreatedAt
    }

    /// By what somebody is put in order; nothing where there is nothing.
    ///
    /// # Errors
    /// Those of opening what is known of them.
    pub(crate) fn key(
        &self,
        facts: &mut impl Facts,
        fields: &FieldsRead,
    ) -> Result<Option<OrderKey>, StoreError> {
        let text = |text: String| (!text.is_empty()).then(|| OrderKey::Text(fold_text(&text), text));
        Ok(match self.about {
            About::CreatedAt => Some(OrderKey::Number(facts.created_at().as_micros())),
            About::Name => text(facts.name()?),
            About::Address => facts.addresses()?.into_iter().next().and_then(text),
            About::Field(place) => {
                let value = facts.field(place)?;
                value.map(|value| self.key_of(&value, &fields.0[place].settings.options))
            }
        })
    }

    fn key_of(&self, value: &FieldValue, options: &[FieldOption]) -> OrderKey {
        let place = |no: &u32| self.places.get(no).copied().unwrap_or(i64::MAX);
        match value {
            FieldValue::Integer(number) => OrderKey::Number(*number),
            FieldValue::Decimal(number) => OrderKey::Decimal(*number),
            FieldValue::Money(money) => OrderKey::Money(money.currency.clone(), money.amount),
            FieldValue::DateTime(at) => OrderKey::Number(at.as_micros()),
            FieldValue::Boolean(yes) => OrderKey::Number(i64::from(*yes)),
            FieldValue::Choice(_) | FieldValue::TreeChoice(_) | FieldValue::MultipleChoice(_) => {
                OrderKey::Number(value.options().iter().map(place).min().unwrap_or(i64::MAX))
            }
            // Days of the years 1 to 9999 are in the order of their words.
            FieldValue::Date(_)
            | FieldValue::Text(_)
            | FieldValue::LongText(_)
            | FieldValue::Phone(_)
            | FieldValue::Email(_)
            | FieldValue::Iban(_)
            | FieldValue::Url(_)
            | FieldValue::PostalAddress(_) => {
                let words = value.words(options, Language::Nl);
                OrderKey::Text(fold_text(&words), words)
            }
        }
    }
}
