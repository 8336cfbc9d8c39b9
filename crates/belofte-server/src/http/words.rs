// SPDX-License-Identifier: EUPL-1.2
//! The words of answers, from the catalogue that the desk uses as well.

use std::collections::HashMap;
use std::sync::LazyLock;

use belofte_model::Language;

use super::{ApiError, Problem};

/// The headings of tables of people.
pub const HEADINGS: [&str; 5] = [
    "contacts.name",
    "contacts.addresses",
    "contact_subject.created_at",
    "contacts.conversations",
    "contacts.last_message",
];

type Catalogue = HashMap<String, String>;

static NL: LazyLock<Catalogue> = LazyLock::new(|| read(include_str!("../../../../catalogue/nl.json")));
static EN: LazyLock<Catalogue> = LazyLock::new(|| read(include_str!("../../../../catalogue/en.json")));

fn read(text: &str) -> Catalogue {
    let all: Catalogue = serde_json::from_str(text).expect("the catalogue is checked by a test");
    let of_answers = |key: &str| key.starts_with("error.") || key.starts_with("field_error.");
    all.into_iter().filter(|(key, _)| of_answers(key) || HEADINGS.contains(&key.as_str())).collect()
}

/// The words of `key` in `language`; the key itself where the catalogue lacks it.
#[must_use]
pub fn word(language: Language, key: &str) -> String {
    let catalogue = match language {
        Language::Nl => &NL,
        Language::En => &EN,
    };
    catalogue.get(key).cloned().unwrap_or_else(|| key.to_owned())
}

/// The problem details of `error` for the request `request`.
#[must_use]
pub fn problem(error: &ApiError, language: Language, request: uuid::Uuid) -> Problem {
    let code = error.code;
    let retry_after_s = error.retry_after.map(|wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
    let wait = retry_after_s.unwrap_or_default().to_string();
    Problem {
        kind: format!("/errors/{}", code.as_str()),
        title: word(language, &format!("error.{}.title", code.as_str())),
        status: code.status().as_u16(),
        code,
        detail: word(language, &format!("error.{}.detail", code.as_str())).replace("{seconds}", &wait),
        request,
        fields: error.fields.clone(),
        retry_after_s,
        organisations: error.organisations.clone(),
    }
}

/// All codes have words in both languages, and the catalogue holds words for no others.
#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::http::{Code, FieldCode};

    #[test]
    fn codes_and_catalogue_agree_both_ways() {
        let expected: BTreeSet<String> = Code::ALL
            .iter()
            .flat_map(|code| ["title", "detail"].map(|part| format!("error.{}.{part}", code.as_str())))
            .chain(FieldCode::ALL.iter().map(|code| format!("field_error.{}", code.as_str())))
            .chain(HEADINGS.map(str::to_owned))
            .collect();
        for (language, catalogue) in [("nl", &NL), ("en", &EN)] {
            let present: BTreeSet<String> = catalogue.keys().cloned().collect();
            let missing: Vec<_> = expected.difference(&present).collect();
            let needless: Vec<_> = present.difference(&expected).collect();
            assert!(
                missing.is_empty() && needless.is_empty(),
                "{language}: missing {missing:?}, needless {needless:?}"
            );
            assert!(catalogue.values().all(|words| !words.trim().is_empty()));
        }
    }

    #[test]
    fn a_wait_is_said_in_whole_seconds_rounded_up() {
        let error = ApiError::too_many_tries(std::time::Duration::from_millis(29_001));
        let problem = problem(&error, Language::En, uuid::Uuid::nil());
        assert_eq!(problem.retry_after_s, Some(30));
        assert!(problem.detail.contains("30"), "{}", problem.detail);
        assert!(!problem.detail.contains('{'), "{}", problem.detail);
    }
}
