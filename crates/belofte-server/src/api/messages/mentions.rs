// SPDX-License-Identifier: EUPL-1.2
//! Who is named in a note. Over the wire places are counted in UTF-16 units, as JavaScript does; what is kept counts
//! octets.

use belofte_model::UserId;
use belofte_store as store;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::names::Names;
use crate::api::users::UserRef;
use crate::http::{Checks, FieldCode};

/// So many names a note holds at most.
pub const MANY: usize = 20;

/// A colleague who is to be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Naming {
    /// Who.
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
    /// Where in the text the `@` before the name stands, in UTF-16 units.
    pub starts_at: u32,
    /// Where the name ends, in UTF-16 units.
    pub ends_at: u32,
}

/// A colleague who is named.
#[derive(Serialize, ToSchema)]
pub struct Mention {
    /// Who, under the name that they have by now; the text holds the one that they had then.
    pub user: UserRef,
    /// Where in the text the `@` before the name stands, in UTF-16 units.
    pub starts_at: u32,
    /// Where the name ends, in UTF-16 units.
    pub ends_at: u32,
}

/// The octets before the UTF-16 unit `at` of `text`; none in the middle of a character or beyond the end.
fn octets(text: &str, at: u32) -> Option<usize> {
    let at = usize::try_from(at).ok()?;
    let mut units = 0;
    for (place, c) in text.char_indices() {
        if units >= at {
            return (units == at).then_some(place);
        }
        units += c.len_utf16();
    }
    (units == at).then_some(text.len())
}

fn units(text: &str, octets: usize) -> u32 {
    u32::try_from(belofte_mail::utf16_offset(text, octets)).unwrap_or(u32::MAX)
}

/// Who is named in `text`, as it is kept; none for what does not stand at an `@` of the text, with a name behind it and
/// behind the one before.
fn fitting(text: &str, named: &[Naming]) -> Vec<Option<store::Mention>> {
    let mut free = 0;
    let mut fit = |one: &Naming| {
        let (from, to) = octets(text, one.starts_at).zip(octets(text, one.ends_at))?;
        let words = (from >= free).then(|| text.get(from..to)).flatten()?;
        words.strip_prefix('@').filter(|name| !name.trim().is_empty())?;
        free = to;
        Some(store::Mention { user: one.user_id, from, to })
    };
    named.iter().map(&mut fit).collect()
}

/// Who is named in the `text` of a note, as it is kept; all have to fit, and those `who` may be named alone.
pub fn checked(
    checks: &mut Checks,
    text: &str,
    named: &[Naming],
    who: impl Fn(UserId) -> bool,
) -> Vec<store::Mention> {
    if named.len() > MANY {
        checks.that(false, "mentions", FieldCode::TooLong);
        return Vec::new();
    }
    let mut all = Vec::with_capacity(named.len());
    for (at, fits) in fitting(text, named).into_iter().enumerate() {
        let field = format!("mentions[{at}]");
        checks.that(fits.is_some(), &field, FieldCode::Invalid);
        checks.that(fits.is_none_or(|one| who(one.user)), &field, FieldCode::NotFound);
        all.extend(fits);
    }
    all
}

/// Who is named in the `text` of a draft: those that fit. Nothing else is looked at before it is sent.
pub fn to_draft(text: &str, named: &[Naming]) -> Vec<store::Mention> {
    fitting(text, named).into_iter().flatten().take(MANY).collect()
}

/// Those of a draft, as its writer gets them back.
pub fn of_draft(text: &str, kept: &[store::Mention]) -> Vec<Naming> {
    let naming = |one: &store::Mention| Naming {
        user_id: one.user,
        starts_at: units(text, one.from),
        ends_at: units(text, one.to),
    };
    kept.iter().map(naming).collect()
}

/// Those of a note, under the names of now.
pub fn shown(names: &Names, text: &str, kept: &[store::Mention]) -> Vec<Mention> {
    let mention = |one: &store::Mention| {
        let user = names.user(one.user)?.clone();
        Some(Mention { user, starts_at: units(text, one.from), ends_at: units(text, one.to) })
    };
    kept.iter().filter_map(mention).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const SANNE: UserId = UserId(Uuid::from_u128(1));

    fn naming(starts_at: u32, ends_at: u32) -> Naming {
        Naming { user_id: SANNE, starts_at, ends_at }
    }

    #[test]
    fn places_are_those_of_javascript_whatever_stands_before() {
        // A letter of two octets, and a sign of two units and four octets.
        let text = "é🙂 @Sanne kijk";
        let mut checks = Checks::default();
        let kept = checked(&mut checks, text, &[naming(4, 10)], |_| true);
        checks.done().expect("it holds");
        assert_eq!(&text[kept[0].from..kept[0].to], "@Sanne");
        assert_eq!(of_draft(text, &kept), [naming(4, 10)]);
    }

    #[test]
    fn a_name_stands_at_its_sign_and_behind_the_one_before() {
        let text = "@Sanne @Piet 🙂";
        for wrong in [
            vec![naming(1, 6)],                // no sign
            vec![naming(0, 1)],                // no name
            vec![naming(6, 0)],                // backwards
            vec![naming(7, 40)],               // beyond the end
            vec![naming(7, 14)],               // within a character
            vec![naming(0, 8), naming(7, 12)], // one within the other
            vec![naming(7, 12), naming(0, 6)], // not in the order of the text
            vec![naming(0, 6); MANY + 1],      // too many
        ] {
            let mut checks = Checks::default();
            checked(&mut checks, text, &wrong, |_| true);
            assert!(checks.done().is_err(), "{wrong:?}");
        }
        let mut checks = Checks::default();
        assert_eq!(checked(&mut checks, text, &[naming(0, 6), naming(7, 12)], |_| true).len(), 2);
        checks.done().expect("they hold");
        checked(&mut checks, text, &[naming(0, 6)], |user| user != SANNE);
        assert!(checks.done().is_err(), "somebody who may not be named");
        assert_eq!(to_draft(text, &[naming(1, 6), naming(7, 12)]).len(), 1, "a draft keeps what fits");
    }
}
