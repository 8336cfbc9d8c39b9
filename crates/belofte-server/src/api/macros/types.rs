// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about macros.

use belofte_model::{ConversationStatus, Language, MacroId, QueueId, TagId, UserId};
use belofte_store::{self as store, MacroAssignee, MacroStanding, SnoozeFor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::conversations::AssigneeFilter;
use crate::api::names::Names;
use crate::api::schema;
use crate::api::time::Time;
use crate::api::users::UserState;
use crate::http::{Checks, FieldCode};

/// The longest text, in characters.
const TEXT: usize = 10_000;
/// The longest markup, in octets.
const HTML: usize = 100_000;
/// The most tags that are given, and that are taken.
const TAGS: usize = 20;
/// The longest time that a case is put off, in days.
const DAYS: u32 = 366;

/// What somebody keeps under a name.
#[derive(Serialize, ToSchema)]
pub struct Macro {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: MacroId,
    /// What it is called.
    pub name: String,
    /// Whether everybody has it.
    pub shared: bool,
    /// Whether the asking user made it.
    pub own: bool,
    /// What it does.
    pub actions: MacroActions,
    /// The languages that it has words in.
    #[schema(value_type = Vec<schema::Language>)]
    pub languages: Vec<Language>,
    /// What it says; only where one macro is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub texts: Option<MacroTexts>,
    /// How often it was used. By whom is kept nowhere.
    pub uses: i64,
    /// The day on which it was used last, as its first moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_on: Option<Time>,
    /// Goes up by one with each change.
    pub version: i64,
}

impl Macro {
    /// How `kept` is told to the user `user`.
    #[must_use]
    pub fn of(kept: store::Macro, user: Option<UserId>, names: &Names) -> Self {
        Self {
            id: kept.id,
            name: kept.name,
            shared: kept.shared,
            own: user == Some(kept.owner),
            actions: MacroActions::of(kept.actions, names),
            languages: kept.languages,
            texts: None,
            uses: kept.uses,
            used_on: kept.used_on.map(Into::into),
            version: kept.version,
        }
    }
}

/// What a macro does with a conversation: one change, so that no two parts of it contradict each other.
/// Everything may be left out.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MacroActions {
    /// Where it is to stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::ConversationStatus>)]
    pub status: Option<ConversationStatus>,
    /// For how long it is put off; with the status `snoozed`, and only with that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snooze: Option<MacroSnooze>,
    /// Whose it is to be: `me` (who uses it), `none` or the id of a user; `any` leaves it as it is.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^(me|none|any|[0-9a-fA-F-]{36})$")]
    pub assignee: AssigneeFilter,
    /// The queue that it is to lie in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub queue_id: Option<QueueId>,
    /// Tags that it is to have.
    #[serde(default)]
    #[schema(value_type = Vec<Uuid>, max_items = 20)]
    pub add_tag_ids: Vec<TagId>,
    /// Tags that it is not to have.
    #[serde(default)]
    #[schema(value_type = Vec<Uuid>, max_items = 20)]
    pub remove_tag_ids: Vec<TagId>,
}

/// For how long: either hours, or days with a time.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MacroSnooze {
    /// So many hours from the moment of use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 8784)]
    pub hours: Option<u32>,
    /// So many days from the day of use; one is tomorrow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 366)]
    pub days: Option<u32>,
    /// With `days`: the time on that day, on the clock of who uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub time: Option<String>,
}

/// The minute of the day that `time` names.
fn minute(time: &str) -> Option<u32> {
    let (hours, minutes) = time.split_once(':')?;
    let plain = |part: &str| part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_digit());
    let number = |part: &str| part.parse::<u32>().ok().filter(|_| plain(part));
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

impl MacroSnooze {
    fn checked(&self) -> Result<SnoozeFor, FieldCode> {
        match (self.hours, self.days, self.time.as_deref()) {
            (Some(hours @ 1..), None, None) if hours <= DAYS * 24 => Ok(SnoozeFor::Hours(hours)),
            (None, Some(days @ 1..=DAYS), Some(time)) => {
                minute(time).map(|minute| SnoozeFor::Days { days, minute }).ok_or(FieldCode::Invalid)
            }
            (Some(_), None, None) | (None, Some(_), Some(_)) => Err(FieldCode::OutOfRange),
            _ => Err(FieldCode::Invalid),
        }
    }

    fn of(length: SnoozeFor) -> Self {
        match length {
            SnoozeFor::Hours(hours) => Self { hours: Some(hours), ..Self::default() },
            SnoozeFor::Days { days, minute } => {
                let time = format!("{:02}:{:02}", minute / 60, minute % 60);
                Self { days: Some(days), time: Some(time), ..Self::default() }
            }
        }
    }
}

impl MacroActions {
    /// How `kept` is told. A tag that was merged into another one is that other one.
    #[must_use]
    pub fn of(kept: store::MacroActions, names: &Names) -> Self {
        let (status, snooze) = match kept.standing {
            None => (None, None),
            Some(MacroStanding::Open) => (Some(ConversationStatus::Open), None),
            Some(MacroStanding::Waiting) => (Some(ConversationStatus::Waiting), None),
            Some(MacroStanding::Resolved) => (Some(ConversationStatus::Resolved), None),
            Some(MacroStanding::Snoozed(length)) => {
                (Some(ConversationStatus::Snoozed), Some(MacroSnooze::of(length)))
            }
        };
        let in_force = |tags: Vec<TagId>| tags.into_iter().map(|tag| names.tag_in_force(tag)).collect();
        Self {
            status,
            snooze,
            assignee: match kept.assignee {
                None => AssigneeFilter::Any,
                Some(MacroAssignee::Me) => AssigneeFilter::Me,
                Some(MacroAssignee::Nobody) => AssigneeFilter::Nobody,
                Some(MacroAssignee::User(user)) => AssigneeFilter::User(user),
            },
            queue_id: kept.queue,
            add_tag_ids: in_force(kept.add_tags),
            remove_tag_ids: in_force(kept.remove_tags),
        }
    }

    /// What is kept of it, as far as it holds.
    pub(super) fn checked(self, checks: &mut Checks, names: &Names) -> store::MacroActions {
        let snooze = self.snooze.as_ref().map(MacroSnooze::checked);
        let standing = match (self.status, snooze) {
            (Some(ConversationStatus::Snoozed), Some(Ok(length))) => Some(MacroStanding::Snoozed(length)),
            (Some(ConversationStatus::Snoozed), Some(Err(code))) => {
                checks.that(false, "actions.snooze", code);
                None
            }
            (Some(ConversationStatus::Snoozed), None) => {
                checks.that(false, "actions.snooze", FieldCode::Required);
                None
            }
            (status, snooze) => {
                checks.that(snooze.is_none(), "actions.snooze", FieldCode::Invalid);
                match status {
                    Some(ConversationStatus::Open) => Some(MacroStanding::Open),
                    Some(ConversationStatus::Waiting) => Some(MacroStanding::Waiting),
                    Some(ConversationStatus::Resolved) => Some(MacroStanding::Resolved),
                    Some(ConversationStatus::Snoozed) | None => None,
                }
            }
        };
        let assignee = match self.assignee {
            AssigneeFilter::Any => None,
            AssigneeFilter::Me => Some(MacroAssignee::Me),
            AssigneeFilter::Nobody => Some(MacroAssignee::Nobody),
            AssigneeFilter::User(user) => {
                let known = names.user(user).is_some_and(|user| user.state == UserState::Active);
                checks.that(known, "actions.assignee", FieldCode::NotFound);
                Some(MacroAssignee::User(user))
            }
        };
        if let Some(queue) = self.queue_id {
            checks.that(names.queue_in_use(queue), "actions.queue_id", FieldCode::NotFound);
        }
        for (field, tags) in [("add_tag_ids", &self.add_tag_ids), ("remove_tag_ids", &self.remove_tag_ids)] {
            checks.that(tags.len() <= TAGS, &format!("actions.{field}"), FieldCode::TooLong);
            for (place, tag) in tags.iter().take(TAGS).enumerate() {
                let known = names.tag(*tag).is_some_and(|tag| field == "remove_tag_ids" || !tag.archived);
                checks.that(known, &format!("actions.{field}[{place}]"), FieldCode::NotFound);
            }
        }
        let both = self.add_tag_ids.iter().any(|tag| self.remove_tag_ids.contains(tag));
        checks.that(!both, "actions.remove_tag_ids", FieldCode::Invalid);
        store::MacroActions {
            standing,
            assignee,
            queue: self.queue_id,
            add_tags: self.add_tag_ids,
            remove_tags: self.remove_tag_ids,
        }
    }
}

/// What a macro says in one language. `{{contact.first_name|there}}` stands for a first name, and for
/// `there` where there is none; docs/agent lists what can stand there. Who uses the macro fills it in.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MacroText {
    /// The words. Made of the mark-up when empty.
    #[serde(default)]
    #[schema(max_length = 10_000)]
    pub text: String,
    /// The same with mark-up; it is sanitised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100_000)]
    pub html: Option<String>,
}

impl MacroText {
    fn checked(self, checks: &mut Checks, at: &str) -> store::MacroText {
        let fits = self.html.as_ref().is_none_or(|html| html.len() <= HTML);
        checks.that(fits, &format!("{at}.html"), FieldCode::TooLong);
        let html = self.html.filter(|_| fits).map(|html| belofte_mail::sanitise(&html));
        checks.that(html.as_ref().is_none_or(Option::is_some), &format!("{at}.html"), FieldCode::Invalid);
        let html = html.flatten().map(|sanitised| sanitised.html);
        // Always of the markup where there is some: what is shown in a list is what is inserted.
        let text = html.as_deref().map_or(self.text, belofte_mail::alternative_text);
        checks.text(&text, &format!("{at}.text"), 1, TEXT);
        store::MacroText { text, html }
    }
}

/// What a macro says. One language is enough, and none where it only does something.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MacroTexts {
    /// In Dutch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nl: Option<MacroText>,
    /// In English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub en: Option<MacroText>,
}

impl MacroTexts {
    pub(super) fn checked(self, checks: &mut Checks) -> store::MacroTexts {
        store::MacroTexts {
            nl: self.nl.map(|text| text.checked(checks, "texts.nl")),
            en: self.en.map(|text| text.checked(checks, "texts.en")),
        }
    }
}

impl From<store::MacroTexts> for MacroTexts {
    fn from(kept: store::MacroTexts) -> Self {
        let told = |text: store::MacroText| MacroText { text: text.text, html: text.html };
        Self { nl: kept.nl.map(told), en: kept.en.map(told) }
    }
}

/// A macro to keep, or what is to become of one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveMacro {
    /// What it is called.
    #[schema(min_length = 1, max_length = 80)]
    pub name: String,
    /// Whether everybody has it; who may decide that is told by the permission `share_views`.
    #[serde(default)]
    pub shared: bool,
    /// What it does.
    #[serde(default)]
    pub actions: MacroActions,
    /// What it says.
    #[serde(default)]
    pub texts: MacroTexts,
    /// The version that the change was made on; a later one is a conflict.
    #[serde(default)]
    pub version: Option<i64>,
}

/// The macros.
#[derive(Serialize, ToSchema)]
pub struct MacroList {
    /// Those that everybody has first.
    pub items: Vec<Macro>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_and_written_alike() {
        for (time, expected) in
            [("09:00", Some(540)), ("00:00", Some(0)), ("23:59", Some(1_439)), ("24:00", None)]
        {
            assert_eq!(minute(time), expected, "{time}");
        }
        for odd in ["9:00", "09:60", "+9:00", "09:0a", "", ":", "09:00:00"] {
            assert_eq!(minute(odd), None, "{odd}");
        }
        let length = SnoozeFor::Days { days: 3, minute: 545 };
        assert_eq!(MacroSnooze::of(length).time.as_deref(), Some("09:05"));
        assert_eq!(MacroSnooze::of(length).checked(), Ok(length));
        let none = MacroSnooze { hours: Some(0), ..MacroSnooze::default() };
        assert_eq!(none.checked(), Err(FieldCode::OutOfRange));
        let both = MacroSnooze { hours: Some(1), days: Some(1), time: None };
        assert_eq!(both.checked(), Err(FieldCode::Invalid));
    }
}
