// SPDX-License-Identifier: EUPL-1.2
//! Mail authentication: what can be known of whether a mail comes from the domain that it names as its
//! author's (SPF: RFC 7208, DKIM: RFC 6376, DMARC: RFC 9989).

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whether the server that brought a mail may send for the domain of its reverse path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpfResult {
    /// It may.
    Pass,
    /// It may not.
    Fail,
    /// It probably may not.
    SoftFail,
    /// The domain says nothing about this server.
    Neutral,
    /// The domain says nothing at all.
    None,
    /// The names could not be looked up now.
    TemporaryError,
    /// What the domain says makes no sense.
    PermanentError,
    /// Which server sent it is not known here: it was fetched from a mailbox, or came over a server of the
    /// operator's own.
    NotChecked,
}

/// Whether a signature holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DkimResult {
    /// It holds.
    Pass,
    /// The body is not the one that was signed.
    BodyChanged,
    /// It is not that of the domain's key over these fields.
    Wrong,
    /// Its time has passed.
    Expired,
    /// The domain has no such key, or took it back.
    NoKey,
    /// It cannot be used: malformed, too weak, or it does not cover the author.
    Unusable,
    /// The key could not be looked up now.
    TemporaryError,
}

/// Whether the author's domain stands for the mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DmarcResult {
    /// It does: by a signature of its own, or by a server that may send for it.
    Pass,
    /// It publishes how its mails can be recognised, and this is none of them.
    Fail,
    /// It publishes nothing.
    None,
    /// The names could not be looked up now.
    TemporaryError,
    /// What the domain says makes no sense.
    PermanentError,
    /// It cannot be told here: the mail has no signature that holds, and which server sent it is not known.
    NotChecked,
}

/// What a domain asks others to do with mails that fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DmarcPolicy {
    /// Nothing.
    None,
    /// To be wary of them.
    Quarantine,
    /// To refuse them.
    Reject,
}

/// The word for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderVerdict {
    /// The mail comes from the author's domain.
    Verified,
    /// Nobody can tell.
    Unverified,
    /// The domain says that it is none of its mails.
    Disowned,
}

/// The stored and spoken names of closed sets.
macro_rules! named {
    ($($name:ident { $($variant:ident = $text:literal),+ $(,)? })+) => {$(
        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stored and spoken name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    )+};
}

named! {
    SpfResult {
        Pass = "pass",
        Fail = "fail",
        SoftFail = "soft_fail",
        Neutral = "neutral",
        None = "none",
        TemporaryError = "temporary_error",
        PermanentError = "permanent_error",
        NotChecked = "not_checked",
    }
    DkimResult {
        Pass = "pass",
        BodyChanged = "body_changed",
        Wrong = "wrong",
        Expired = "expired",
        NoKey = "no_key",
        Unusable = "unusable",
        TemporaryError = "temporary_error",
    }
    DmarcResult {
        Pass = "pass",
        Fail = "fail",
        None = "none",
        TemporaryError = "temporary_error",
        PermanentError = "permanent_error",
        NotChecked = "not_checked",
    }
    DmarcPolicy {
        None = "none",
        Quarantine = "quarantine",
        Reject = "reject",
    }
    SenderVerdict {
        Verified = "verified",
        Unverified = "unverified",
        Disowned = "disowned",
    }
}

/// What SPF says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpfCheck {
    /// The result.
    pub result: SpfResult,
    /// The domain that was asked: of the reverse path, or for a bounce the name of the server. Empty when
    /// none was.
    #[serde(default)]
    pub domain: String,
}

/// What one signature says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DkimCheck {
    /// The result.
    pub result: DkimResult,
    /// The domain that signed.
    #[serde(default)]
    pub domain: String,
    /// Which of its keys.
    #[serde(default)]
    pub selector: String,
}

/// What DMARC says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DmarcCheck {
    /// The result.
    pub result: DmarcResult,
    /// What the domain asks for, as far as it says anything.
    pub policy: Option<DmarcPolicy>,
}

/// What was found out about a mail when it came. All names of domains are in ASCII and lower case.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailAuthentication {
    /// The word for people.
    pub verdict: SenderVerdict,
    /// The domain of the author's address; empty when there is none, or more than one.
    #[serde(default)]
    pub author: String,
    /// By the server that brought it.
    pub spf: SpfCheck,
    /// By its signatures, in their order.
    #[serde(default)]
    pub dkim: Vec<DkimCheck>,
    /// By the author's domain.
    pub dmarc: DmarcCheck,
}

/// Domains tell with whom somebody corresponds: shows only that it is one.
impl fmt::Debug for MailAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailAuthentication(..)")
    }
}

impl MailAuthentication {
    /// What these checks say together of a mail whose author's domain is `author`.
    #[must_use]
    pub fn new(author: String, spf: SpfCheck, dkim: Vec<DkimCheck>, dmarc: DmarcCheck) -> Self {
        let mut all = Self { verdict: SenderVerdict::Unverified, author, spf, dkim, dmarc };
        all.verdict = all.decide();
        all
    }

    /// Of a mail of which nothing could be found out: `spf` and `dmarc` say why.
    #[must_use]
    pub const fn unknown(spf: SpfResult, dmarc: DmarcResult) -> Self {
        Self {
            verdict: SenderVerdict::Unverified,
            author: String::new(),
            spf: SpfCheck { result: spf, domain: String::new() },
            dkim: Vec::new(),
            dmarc: DmarcCheck { result: dmarc, policy: None },
        }
    }

    /// A domain that asks for nothing (`p=none`) watches, and knows that mails of its own fail; it disowns none.
    /// A domain without a DMARC record is verified by a signature of its own or of a domain above it, and by a
    /// server that may send for exactly this domain.
    fn decide(&self) -> SenderVerdict {
        if self.author.is_empty() {
            return SenderVerdict::Unverified;
        }
        match (self.dmarc.result, self.dmarc.policy) {
            (DmarcResult::Pass, _) => SenderVerdict::Verified,
            (DmarcResult::Fail, Some(DmarcPolicy::Quarantine | DmarcPolicy::Reject)) => {
                SenderVerdict::Disowned
            }
            (DmarcResult::Fail, Some(DmarcPolicy::None) | None) => SenderVerdict::Unverified,
            (DmarcResult::None, _) if self.stands_alone() => SenderVerdict::Verified,
            (
                DmarcResult::None
                | DmarcResult::TemporaryError
                | DmarcResult::PermanentError
                | DmarcResult::NotChecked,
                _,
            ) => SenderVerdict::Unverified,
        }
    }

    fn stands_alone(&self) -> bool {
        let signed = |check: &DkimCheck| {
            check.result == DkimResult::Pass
                && check.domain.contains('.')
                && is_within(&self.author, &check.domain)
        };
        let sent = self.spf.result == SpfResult::Pass && self.spf.domain == self.author;
        sent || self.dkim.iter().any(signed)
    }

    /// The same for a mail whose author is shown as one of `domain`. Two programs may read a malformed field in
    /// two ways, and what was checked must be what people see: of another domain nothing is known.
    #[must_use]
    pub fn of_author(mut self, domain: &str) -> Self {
        if self.author != domain {
            self.author.clear();
            self.verdict = SenderVerdict::Unverified;
        }
        self
    }

    /// Takes the domains out, for who does not see addresses; the word stays.
    pub fn hide_domains(&mut self) {
        self.author.clear();
        self.spf.domain.clear();
        for check in &mut self.dkim {
            check.domain.clear();
            check.selector.clear();
        }
    }
}

/// Whether `domain` is `other` or lies below it.
#[must_use]
pub fn is_within(domain: &str, other: &str) -> bool {
    domain.strip_suffix(other).is_some_and(|below| below.is_empty() || below.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(author: &str, spf: &str, dkim: Vec<DkimCheck>, dmarc: DmarcCheck) -> MailAuthentication {
        let spf = match spf {
            "" => SpfCheck { result: SpfResult::Fail, domain: "elsewhere.example".to_owned() },
            domain => SpfCheck { result: SpfResult::Pass, domain: domain.to_owned() },
        };
        MailAuthentication::new(author.to_owned(), spf, dkim, dmarc)
    }

    fn signed(domain: &str, result: DkimResult) -> DkimCheck {
        DkimCheck { result, domain: domain.to_owned(), selector: "s1".to_owned() }
    }

    const SILENT: DmarcCheck = DmarcCheck { result: DmarcResult::None, policy: None };

    #[test]
    fn names_are_those_that_are_stored() {
        fn same<T: Serialize + Copy>(all: &[T], name: fn(T) -> &'static str) {
            for one in all {
                assert_eq!(serde_json::to_value(one).expect("json"), name(*one));
            }
        }
        same(SpfResult::ALL, SpfResult::as_str);
        same(DkimResult::ALL, DkimResult::as_str);
        same(DmarcResult::ALL, DmarcResult::as_str);
        same(DmarcPolicy::ALL, DmarcPolicy::as_str);
        same(SenderVerdict::ALL, SenderVerdict::as_str);
    }

    #[test]
    fn only_a_domain_that_asks_for_it_disowns_a_mail() {
        for (result, policy, verdict) in [
            (DmarcResult::Pass, Some(DmarcPolicy::Reject), SenderVerdict::Verified),
            (DmarcResult::Fail, Some(DmarcPolicy::Reject), SenderVerdict::Disowned),
            (DmarcResult::Fail, Some(DmarcPolicy::Quarantine), SenderVerdict::Disowned),
            (DmarcResult::Fail, Some(DmarcPolicy::None), SenderVerdict::Unverified),
            (DmarcResult::TemporaryError, None, SenderVerdict::Unverified),
            (DmarcResult::NotChecked, Some(DmarcPolicy::Reject), SenderVerdict::Unverified),
            (DmarcResult::None, None, SenderVerdict::Unverified),
        ] {
            let mail = checked("bank.example", "", Vec::new(), DmarcCheck { result, policy });
            assert_eq!(mail.verdict, verdict, "{result:?} {policy:?}");
        }
    }

    #[test]
    fn without_a_record_a_signature_of_the_domain_or_above_it_verifies() {
        for (author, signer, result, verdict) in [
            ("bank.example", "bank.example", DkimResult::Pass, SenderVerdict::Verified),
            ("news.bank.example", "bank.example", DkimResult::Pass, SenderVerdict::Verified),
            ("bank.example", "bank.example", DkimResult::Wrong, SenderVerdict::Unverified),
            ("bank.example", "notbank.example", DkimResult::Pass, SenderVerdict::Unverified),
            ("bank.example", "news.bank.example", DkimResult::Pass, SenderVerdict::Unverified),
            ("bank.example", "example", DkimResult::Pass, SenderVerdict::Unverified),
            ("", "bank.example", DkimResult::Pass, SenderVerdict::Unverified),
        ] {
            let dkim = vec![signed("other.example", DkimResult::Pass), signed(signer, result)];
            assert_eq!(checked(author, "", dkim, SILENT).verdict, verdict, "{author} {signer} {result:?}");
        }
        let by_server = |domain| checked("bank.example", domain, Vec::new(), SILENT).verdict;
        assert_eq!(by_server("bank.example"), SenderVerdict::Verified);
        assert_eq!(by_server("news.bank.example"), SenderVerdict::Unverified);
    }

    #[test]
    fn what_was_checked_is_what_people_see() {
        let dmarc = || DmarcCheck { result: DmarcResult::Pass, policy: Some(DmarcPolicy::Reject) };
        let mail = checked("bank.example", "", Vec::new(), dmarc());
        assert_eq!(mail.clone().of_author("bank.example").verdict, SenderVerdict::Verified);
        assert_eq!(mail.of_author("evil.example").verdict, SenderVerdict::Unverified);
    }

    #[test]
    fn it_shows_no_domain_in_debug_output_and_the_word_without_one() {
        let dmarc = DmarcCheck { result: DmarcResult::Pass, policy: None };
        let mut mail = checked("bank.example", "", vec![signed("bank.example", DkimResult::Pass)], dmarc);
        assert!(!format!("{mail:?}").contains("bank"));
        mail.hide_domains();
        assert_eq!(mail.verdict, SenderVerdict::Verified);
        assert!(!serde_json::to_string(&mail).expect("json").contains("example"));
    }
}
