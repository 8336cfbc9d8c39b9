// SPDX-License-Identifier: EUPL-1.2
//! The fields that a tenant defines for itself (promises S9 and S10): on what, of what kind, who reads
//! and who writes them, and which data nobody stores without having said why.

use std::fmt;

use regex::RegexBuilder;
use serde::{Deserialize, Serialize};

use crate::{Decimal, FieldOption, FieldValue, GivenValue, Language, QueueId, Role, Timestamp, ValueFault};

/// So many fields one kind of record has at most, archived ones included.
pub const MOST_FIELDS: usize = 250;
/// The longest label, in characters …
pub const LABEL_MOST: usize = 80;
/// … help, …
pub const HELP_MOST: usize = 500;
/// … purpose or legal basis, …
pub const REASON_MOST: usize = 1_000;
/// … and pattern.
pub const PATTERN_MOST: usize = 200;
/// An override of a refusal holds for so many days at most: who still needs it says so again.
pub const OVERRIDE_DAYS_MOST: u64 = 366;

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stored and spoken name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The one of a stored name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == name)
            }
        }
    };
}

pub(crate) use names;

names! {
    /// What a field is on.
    RecordKind {
        /// A person.
        Contact = "contact",
        /// A case.
        Conversation = "conversation",
    }
}

names! {
    /// What a field holds.
    FieldKind {
        /// One line of text.
        Text = "text",
        /// Several lines of text.
        LongText = "long_text",
        /// A whole number.
        Integer = "integer",
        /// A number.
        Decimal = "decimal",
        /// An amount with its currency.
        Money = "money",
        /// A day.
        Date = "date",
        /// An instant.
        DateTime = "date_time",
        /// Yes or no.
        Boolean = "boolean",
        /// One of some options.
        Choice = "choice",
        /// Any of some options.
        MultipleChoice = "multiple_choice",
        /// One of some options that lie within each other.
        TreeChoice = "tree_choice",
        /// A telephone number with its country.
        Phone = "phone",
        /// An address of internet mail.
        Email = "email",
        /// A bank account.
        Iban = "iban",
        /// An address of the web.
        Url = "url",
        /// An address of the post.
        PostalAddress = "postal_address",
    }
}

impl FieldKind {
    /// Whether a field of this kind has options.
    #[must_use]
    pub const fn has_options(self) -> bool {
        matches!(self, Self::Choice | Self::MultipleChoice | Self::TreeChoice)
    }
}

names! {
    /// How much harm a value can do in the wrong hands. The last four are data that the agreement does not
    /// provide for (promise S12): GDPR articles 9, 10 and 87.
    Sensitivity {
        /// As any.
        Ordinary = "ordinary",
        /// More than most: money, family, behaviour.
        Sensitive = "sensitive",
        /// A national identification number, such as the Dutch BSN (article 87).
        NationalIdentifier = "national_identifier",
        /// About health (article 9).
        Health = "health",
        /// About convictions and offences (article 10).
        Criminal = "criminal",
        /// Another special category: descent, conviction, union, sexual life, genes, biometry (article 9).
        OtherSpecial = "other_special",
    }
}

impl Sensitivity {
    /// Whether such data is refused unless somebody signed for it.
    #[must_use]
    pub const fn is_refused(self) -> bool {
        matches!(self, Self::NationalIdentifier | Self::Health | Self::Criminal | Self::OtherSpecial)
    }
}

names! {
    /// Who reads or writes a field, by what they are in the tenant.
    Audience {
        /// Who answers customers.
        Agent = "agent",
        /// Who watches queues and quality.
        Supervisor = "supervisor",
        /// Who sets up.
        Admin = "admin",
        /// A program with a key.
        Program = "program",
    }
}

impl From<Role> for Audience {
    fn from(role: Role) -> Self {
        match role {
            Role::Agent => Self::Agent,
            Role::Supervisor => Self::Supervisor,
            Role::Admin => Self::Admin,
        }
    }
}

/// Words of the tenant's own in both languages; one of them may be empty.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnWords {
    /// In Dutch.
    #[serde(default)]
    pub nl: String,
    /// In English.
    #[serde(default)]
    pub en: String,
}

impl OwnWords {
    /// Those of `language`, or the other ones where there are none.
    #[must_use]
    pub fn of(&self, language: Language) -> &str {
        let (first, second) = match language {
            Language::Nl => (&self.nl, &self.en),
            Language::En => (&self.en, &self.nl),
        };
        if first.is_empty() { second } else { first }
    }

    /// The Dutch ones, or the English ones where there are none.
    #[must_use]
    pub fn any(&self) -> &str {
        self.of(Language::Nl)
    }

    /// Whether `text` is what they say in either language, capitals aside.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        [&self.nl, &self.en].into_iter().any(|words| !words.is_empty() && words.to_lowercase() == text)
    }

    pub(crate) fn trimmed(&self) -> Self {
        Self { nl: self.nl.trim().to_owned(), en: self.en.trim().to_owned() }
    }

    pub(crate) fn check(&self, path: &str, least: usize, most: usize, faults: &mut Faults) {
        if least > 0 && self.nl.trim().is_empty() && self.en.trim().is_empty() {
            faults.push(path, FieldFault::Required);
        }
        for (language, words) in [("nl", &self.nl), ("en", &self.en)] {
            let path = format!("{path}.{language}");
            if words.chars().count() > most {
                faults.push(&path, FieldFault::TooLong);
            }
            if words.chars().any(|c| c.is_control() && c != '\n') {
                faults.push(&path, FieldFault::Invalid);
            }
        }
    }
}

impl fmt::Debug for OwnWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnWords(..)")
    }
}

/// What a value must be beyond its kind. What was kept before a rule came stays as it is.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldRules {
    /// So many characters at least, or so many options.
    #[serde(default)]
    pub least_length: Option<u32>,
    /// So many characters at most, or so many options.
    #[serde(default)]
    pub most_length: Option<u32>,
    /// The smallest number or amount.
    #[serde(default)]
    pub least: Option<Decimal>,
    /// The largest number or amount.
    #[serde(default)]
    pub most: Option<Decimal>,
    /// A regular expression that the whole text matches.
    #[serde(default)]
    pub pattern: Option<String>,
}

impl fmt::Debug for FieldRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FieldRules(..)")
    }
}

/// What somebody signed who has a field hold data that is refused otherwise.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldOverride {
    /// Which data; another kind of data needs another signature.
    pub sensitivity: Sensitivity,
    /// The kind that the field had.
    pub kind: FieldKind,
    /// On what ground of the law.
    pub legal_basis: String,
    /// What for.
    pub purpose: String,
    /// From when on it holds no more.
    pub ends_at: Timestamp,
    /// When it was signed.
    pub signed_at: Timestamp,
}

impl FieldOverride {
    /// Whether `other` says the same, whenever it was signed.
    #[must_use]
    pub fn says(&self, other: &Self) -> bool {
        let words = |one: &Self| [one.legal_basis.trim().to_owned(), one.purpose.trim().to_owned()];
        self.ends_at == other.ends_at
            && self.sensitivity == other.sensitivity
            && self.kind == other.kind
            && words(self) == words(other)
    }

    fn check(&self, faults: &mut Faults) {
        for (path, words) in
            [("override.legal_basis", &self.legal_basis), ("override.purpose", &self.purpose)]
        {
            if words.trim().is_empty() {
                faults.push(path, FieldFault::Required);
            }
            if words.chars().count() > REASON_MOST {
                faults.push(path, FieldFault::TooLong);
            }
        }
    }
}

impl fmt::Debug for FieldOverride {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FieldOverride(..)")
    }
}

/// How a field is set up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldSettings {
    /// What it holds.
    pub kind: FieldKind,
    /// What it is called.
    pub label: OwnWords,
    /// What to fill in; may be empty.
    #[serde(default)]
    pub help: OwnWords,
    /// What it is kept for (GDPR article 5(1)(b)).
    pub purpose: String,
    /// How much harm it can do.
    pub sensitivity: Sensitivity,
    /// What was signed for data that is refused otherwise.
    #[serde(default)]
    pub signed: Option<FieldOverride>,
    /// What can be chosen.
    #[serde(default)]
    pub options: Vec<FieldOption>,
    /// The number of the next option.
    #[serde(default)]
    pub next_option: u32,
    /// What a value must be.
    #[serde(default)]
    pub rules: FieldRules,
    /// Whether somebody who fills in a form cannot leave it empty. No message is ever refused for it.
    #[serde(default)]
    pub required: bool,
    /// What a form begins with.
    #[serde(default)]
    pub default: Option<FieldValue>,
    /// On the forms of which queues it stands; on all of them when empty.
    #[serde(default)]
    pub queues: Vec<QueueId>,
    /// Who reads it.
    pub readers: Vec<Audience>,
    /// Who writes it; whoever writes it reads it.
    pub writers: Vec<Audience>,
}

/// What is wrong with a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldFault {
    /// It is missing or empty.
    Required,
    /// It is not what it should be.
    Invalid,
    /// Too long, or too many.
    TooLong,
    /// A number or time outside what is allowed.
    OutOfRange,
    /// Another one has it already.
    Taken,
    /// What it names is not there.
    NotFound,
}

/// What is wrong, each with the place.
#[derive(Debug, Default)]
pub struct Faults(pub Vec<(String, FieldFault)>);

impl Faults {
    pub(crate) fn push(&mut self, path: &str, fault: FieldFault) {
        self.0.push((path.to_owned(), fault));
    }
}

impl FieldRules {
    fn check(&self, kind: FieldKind, faults: &mut Faults) {
        let text = matches!(kind, FieldKind::Text | FieldKind::LongText);
        let counted = text || matches!(kind, FieldKind::MultipleChoice);
        let number = matches!(kind, FieldKind::Integer | FieldKind::Decimal | FieldKind::Money);
        if !counted && (self.least_length.is_some() || self.most_length.is_some()) {
            faults.push("rules.most_length", FieldFault::Invalid);
        }
        if !number && (self.least.is_some() || self.most.is_some()) {
            faults.push("rules.most", FieldFault::Invalid);
        }
        if let (Some(least), Some(most)) = (self.least_length, self.most_length)
            && least > most
        {
            faults.push("rules.most_length", FieldFault::OutOfRange);
        }
        if let (Some(least), Some(most)) = (self.least, self.most)
            && least > most
        {
            faults.push("rules.most", FieldFault::OutOfRange);
        }
        if let Some(pattern) = &self.pattern {
            if pattern.chars().count() > PATTERN_MOST {
                faults.push("rules.pattern", FieldFault::TooLong);
            } else if !text || whole(pattern).is_none() {
                faults.push("rules.pattern", FieldFault::Invalid);
            }
        }
    }
}

/// The expression that the whole of a text matches. Matching takes time in proportion to the text, and
/// the size of what a pattern becomes has a limit.
fn whole(pattern: &str) -> Option<regex::Regex> {
    let built = |pattern: &str| {
        RegexBuilder::new(pattern).size_limit(256 * 1024).dfa_size_limit(256 * 1024).build().ok()
    };
    // By itself first: a bracket that closes what stands around it is no pattern.
    built(pattern)?;
    built(&format!("^(?:{pattern})$"))
}

impl FieldSettings {
    /// Brings the words into one form, and each list into order.
    pub fn tidy(&mut self) {
        self.label = self.label.trimmed();
        self.help = self.help.trimmed();
        self.purpose = self.purpose.trim().to_owned();
        for option in &mut self.options {
            option.label = option.label.trimmed();
        }
        for list in [&mut self.readers, &mut self.writers] {
            list.sort_unstable();
            list.dedup();
        }
        self.queues.sort_unstable();
        self.queues.dedup();
    }

    /// What does not hold of these settings by themselves, at `now`. Whether queues are there is asked by who can.
    #[must_use]
    pub fn faults(&self, now: Timestamp) -> Vec<(String, FieldFault)> {
        let mut faults = Faults::default();
        self.label.check("label", 1, LABEL_MOST, &mut faults);
        self.help.check("help", 0, HELP_MOST, &mut faults);
        if self.purpose.trim().is_empty() {
            faults.push("purpose", FieldFault::Required);
        }
        if self.purpose.chars().count() > REASON_MOST {
            faults.push("purpose", FieldFault::TooLong);
        }
        self.rules.check(self.kind, &mut faults);
        self.check_options(&mut faults);
        if self.writers.iter().any(|one| !self.readers.contains(one)) {
            faults.push("writers", FieldFault::Invalid);
        }
        if self.sensitivity.is_refused() && !self.holds(now) {
            faults.push("override", FieldFault::Required);
        }
        if let Some(signed) = &self.signed {
            signed.check(&mut faults);
        }
        if let Some(default) = &self.default
            && (default.kind() != self.kind || self.check(default).is_err())
        {
            faults.push("default", FieldFault::Invalid);
        }
        faults.0
    }

    /// Whether data of this sensitivity may be kept and read at `now`: any that is not refused, and what somebody
    /// signed for, for as long as that holds.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        if !self.sensitivity.is_refused() {
            return true;
        }
        self.signed.as_ref().is_some_and(|signed| {
            signed.sensitivity == self.sensitivity && signed.kind == self.kind && now < signed.ends_at
        })
    }

    /// Whether `audience` reads it.
    #[must_use]
    pub fn is_read_by(&self, audience: Option<Audience>) -> bool {
        audience.is_some_and(|audience| self.readers.contains(&audience))
    }

    /// Whether `audience` writes it.
    #[must_use]
    pub fn is_written_by(&self, audience: Option<Audience>) -> bool {
        self.is_read_by(audience) && audience.is_some_and(|audience| self.writers.contains(&audience))
    }

    /// Reads what was given, and asks of it what this field asks of a value. An option that `standing` has is still one,
    /// also when it was archived since.
    ///
    /// # Errors
    /// [`ValueFault`].
    pub fn read(&self, given: GivenValue, standing: Option<&FieldValue>) -> Result<FieldValue, ValueFault> {
        let value = FieldValue::read(self.kind, &self.options, given)?;
        self.check_beside(&value, standing)?;
        Ok(value)
    }

    /// Whether a value of this kind can be given.
    ///
    /// # Errors
    /// [`ValueFault`] of the rule that it breaks.
    pub fn check(&self, value: &FieldValue) -> Result<(), ValueFault> {
        self.check_beside(value, None)
    }

    fn check_beside(&self, value: &FieldValue, standing: Option<&FieldValue>) -> Result<(), ValueFault> {
        let stands = |no: u32| standing.is_some_and(|standing| standing.options().contains(&no));
        let open = |no: &u32| {
            let found =
                self.options.iter().any(|option| option.no == *no && (!option.archived || stands(*no)));
            if found { Ok(()) } else { Err(ValueFault::NotFound) }
        };
        match value {
            FieldValue::Text(text) | FieldValue::LongText(text) => {
                self.counted(text.chars().count())?;
                let matches =
                    self.rules.pattern.as_deref().is_none_or(|pattern| {
                        whole(pattern).is_some_and(|expression| expression.is_match(text))
                    });
                if matches { Ok(()) } else { Err(ValueFault::Invalid) }
            }
            FieldValue::Integer(number) => self.ranged(Decimal::whole(*number)),
            FieldValue::Decimal(number) => self.ranged(Some(*number)),
            FieldValue::Money(money) => self.ranged(Some(money.amount)),
            FieldValue::Choice(no) | FieldValue::TreeChoice(no) => open(no),
            FieldValue::MultipleChoice(all) => {
                self.counted(all.len())?;
                all.iter().try_for_each(open)
            }
            FieldValue::Date(_)
            | FieldValue::DateTime(_)
            | FieldValue::Boolean(_)
            | FieldValue::Phone(_)
            | FieldValue::Email(_)
            | FieldValue::Iban(_)
            | FieldValue::Url(_)
            | FieldValue::PostalAddress(_) => Ok(()),
        }
    }

    fn counted(&self, count: usize) -> Result<(), ValueFault> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if self.rules.least_length.is_some_and(|least| count < least) {
            return Err(ValueFault::TooShort);
        }
        if self.rules.most_length.is_some_and(|most| count > most) {
            Err(ValueFault::TooLong)
        } else {
            Ok(())
        }
    }

    fn ranged(&self, number: Option<Decimal>) -> Result<(), ValueFault> {
        let FieldRules { least, most, .. } = &self.rules;
        if least.is_none() && most.is_none() {
            return Ok(());
        }
        // A number that no rule can name lies outside of every rule.
        let number = number.ok_or(ValueFault::OutOfRange)?;
        let within = least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most);
        if within { Ok(()) } else { Err(ValueFault::OutOfRange) }
    }
}

#[cfg(test)]
impl FieldSettings {
    /// Ordinary ones with these options, which agents write.
    pub(crate) fn of_test(kind: FieldKind, options: Vec<FieldOption>) -> Self {
        Self {
            kind,
            label: OwnWords { nl: "Klantnummer".to_owned(), en: String::new() },
            help: OwnWords::default(),
            purpose: "Terugvinden".to_owned(),
            sensitivity: Sensitivity::Ordinary,
            signed: None,
            options,
            next_option: 1,
            rules: FieldRules::default(),
            required: false,
            default: None,
            queues: Vec::new(),
            readers: vec![Audience::Agent, Audience::Admin],
            writers: vec![Audience::Agent],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn words(nl: &str) -> OwnWords {
        OwnWords { nl: nl.to_owned(), en: String::new() }
    }

    fn settings(kind: FieldKind) -> FieldSettings {
        FieldSettings::of_test(kind, Vec::new())
    }

    fn option(no: u32, nl: &str, within: Option<u32>) -> FieldOption {
        FieldOption { no, label: words(nl), within, archived: false, former: Vec::new() }
    }

    fn places(settings: &FieldSettings) -> Vec<String> {
        settings.faults(NOW).into_iter().map(|(place, _)| place).collect()
    }

    #[test]
    fn settings_that_do_not_hold_say_where() {
        assert_eq!(places(&settings(FieldKind::Text)), Vec::<String>::new());
        let mut wrong = settings(FieldKind::Text);
        wrong.label = OwnWords::default();
        wrong.purpose = " ".to_owned();
        wrong.rules.least = Some(Decimal::default());
        wrong.rules.pattern = Some("(".to_owned());
        wrong.writers = vec![Audience::Supervisor];
        wrong.default = Some(FieldValue::Integer(1));
        assert_eq!(places(&wrong), ["label", "purpose", "rules.most", "rules.pattern", "writers", "default"]);
        let mut tree = settings(FieldKind::TreeChoice);
        assert_eq!(places(&tree), ["options"]);
        tree.options =
            vec![option(1, "Fiets", Some(2)), option(2, "Band", Some(1)), option(3, "band", Some(1))];
        assert_eq!(
            places(&tree),
            ["options[0].within", "options[1].within", "options[2].label", "options[2].within"]
        );
        tree.options = vec![option(1, "Fiets", None), option(2, "Band", Some(1)), option(3, "Band", None)];
        assert_eq!(places(&tree), Vec::<String>::new());
    }

    #[test]
    fn a_pattern_asks_for_the_whole_text_and_has_a_size() {
        let mut field = settings(FieldKind::Text);
        field.rules.pattern = Some("[0-9]{4}|x".to_owned());
        let text = |text: &str| field.check(&FieldValue::Text(text.to_owned()));
        assert_eq!(text("1234"), Ok(()));
        for wrong in ["12345", "1234x", "yx", ""] {
            assert_eq!(text(wrong), Err(ValueFault::Invalid), "{wrong}");
        }
        let mut loose = settings(FieldKind::Text);
        loose.rules.pattern = Some("a)|(?:b".to_owned());
        assert_eq!(places(&loose), ["rules.pattern"], "it would match a part");
        let mut large = settings(FieldKind::Text);
        large.rules.pattern = Some("((a{100}){100}){100}".to_owned());
        assert_eq!(places(&large), ["rules.pattern"]);
    }

    #[test]
    fn a_rule_holds_for_what_comes_in() {
        let mut number = settings(FieldKind::Integer);
        number.rules.least = Decimal::whole(1);
        number.rules.most = Decimal::whole(10);
        assert_eq!(number.check(&FieldValue::Integer(10)), Ok(()));
        for wrong in [0, 11, i64::MAX] {
            assert_eq!(number.check(&FieldValue::Integer(wrong)), Err(ValueFault::OutOfRange), "{wrong}");
        }
        let mut choice = settings(FieldKind::Choice);
        choice.options =
            vec![option(1, "Rood", None), FieldOption { archived: true, ..option(2, "Oud", None) }];
        assert_eq!(choice.check(&FieldValue::Choice(1)), Ok(()));
        assert_eq!(choice.check(&FieldValue::Choice(2)), Err(ValueFault::NotFound), "archived");
        // What was chosen once can stay beside what is chosen now.
        let mut several = FieldSettings { kind: FieldKind::MultipleChoice, ..choice };
        several.options.push(option(3, "Geel", None));
        let given = || GivenValue::Numbers(vec![2, 3]);
        assert_eq!(several.read(given(), None), Err(ValueFault::NotFound));
        let stands = FieldValue::MultipleChoice(vec![1, 2]);
        assert_eq!(several.read(given(), Some(&stands)), Ok(FieldValue::MultipleChoice(vec![2, 3])));
    }

    #[test]
    fn what_is_refused_holds_as_long_as_somebody_signed_for_it() {
        let mut health = settings(FieldKind::Text);
        health.sensitivity = Sensitivity::Health;
        assert_eq!(places(&health), ["override"]);
        let ends_at = NOW + crate::Duration::from_secs(60);
        let signed = FieldOverride {
            sensitivity: Sensitivity::Health,
            kind: FieldKind::Text,
            legal_basis: "Artikel 9, lid 2, onder a".to_owned(),
            purpose: "Hulp ter plaatse".to_owned(),
            ends_at,
            signed_at: NOW,
        };
        health.signed = Some(signed.clone());
        assert!(places(&health).is_empty() && health.holds(NOW) && !health.holds(ends_at));
        // For other data, or data of another form, it was not signed.
        let other = FieldSettings { sensitivity: Sensitivity::Criminal, ..health.clone() };
        let longer = FieldSettings { kind: FieldKind::LongText, ..health.clone() };
        assert!(!other.holds(NOW) && !longer.holds(NOW));
        let empty = FieldOverride { legal_basis: " ".to_owned(), ..signed };
        assert_eq!(places(&FieldSettings { signed: Some(empty), ..health }), ["override.legal_basis"]);
    }
}
