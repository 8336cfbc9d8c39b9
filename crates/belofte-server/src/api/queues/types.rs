// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about queues.

use belofte_model::{
    BusinessHours as Calendar, Holiday, HoursException as Exception, HoursFault, HoursSettings,
    MOST_EXCEPTIONS, OpenSpan as Span, QueueId, Timestamp,
};
use belofte_store::{self as store, Opening, QueueSetUp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::schema;
use crate::api::time::Time;
use crate::http::{Checks, FieldCode};

/// A queue by its name.
#[derive(Clone, Serialize, ToSchema)]
pub struct Queue {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: QueueId,
    /// Its name.
    pub name: String,
}

/// A queue in the list.
#[derive(Serialize, ToSchema)]
pub struct ListedQueue {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: QueueId,
    /// Its name.
    pub name: String,
    /// Whether conversations begin here when nothing says otherwise.
    pub is_default: bool,
    /// Whether nothing comes into it any more.
    pub archived: bool,
    /// Whether it is open at this moment.
    pub open_now: bool,
    /// When it opens, where it is closed and that is in sight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_opening: Option<Time>,
}

impl ListedQueue {
    /// How `queue` is told, with what is known of its calendar; one without is always open.
    #[must_use]
    pub fn of(queue: store::Queue, opening: Option<&Opening>) -> Self {
        let open_now = opening.is_none_or(|opening| opening.open);
        let next = opening.filter(|opening| !opening.open).and_then(|opening| opening.changes_at);
        Self {
            id: queue.id,
            name: queue.name,
            is_default: queue.is_default,
            archived: queue.archived,
            open_now,
            next_opening: next.map(Into::into),
        }
    }
}

/// The queues.
#[derive(Serialize, ToSchema)]
pub struct QueueList {
    /// In the order of the organisation.
    pub items: Vec<ListedQueue>,
}

/// Which queues are asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQueues {
    /// Whether archived ones are told too.
    #[serde(default)]
    pub archived: bool,
}

/// From when to when on a day; the end is not part of it.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenSpan {
    /// As `HH:MM`.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub from: String,
    /// As `HH:MM`; `24:00` is midnight.
    #[schema(pattern = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
    pub to: String,
}

/// A day that is not as its day of the week is. It goes before a holiday.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoursException {
    /// The day, as `YYYY-MM-DD`.
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    pub date: String,
    /// When it is open; closed when empty.
    #[serde(default)]
    #[schema(max_items = 4)]
    pub hours: Vec<OpenSpan>,
}

/// When a queue is open, by what the clock shows in a place.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BusinessHours {
    /// The zone of time, by its name in the database of the IANA.
    #[serde(default = "zone")]
    #[schema(max_length = 64)]
    pub zone: String,
    /// The hours of Monday to Sunday; on a day without any it is closed.
    #[schema(min_items = 7, max_items = 7)]
    pub week: Vec<Vec<OpenSpan>>,
    /// The Dutch holidays on which it is closed.
    #[serde(default)]
    #[schema(value_type = Vec<schema::Holiday>, max_items = 12)]
    pub holidays: Vec<Holiday>,
    /// Days that are otherwise.
    #[serde(default)]
    #[schema(max_items = 400)]
    pub exceptions: Vec<HoursException>,
}

fn zone() -> String {
    belofte_model::DEFAULT_ZONE.to_owned()
}

fn read(spans: Vec<OpenSpan>) -> Vec<Span> {
    spans.into_iter().map(|span| Span { from: span.from, to: span.to }).collect()
}

fn written(spans: Vec<Span>) -> Vec<OpenSpan> {
    spans.into_iter().map(|span| OpenSpan { from: span.from, to: span.to }).collect()
}

impl BusinessHours {
    /// The calendar, where it holds; notes under `hours` what does not.
    pub(super) fn checked(self, checks: &mut Checks) -> Option<HoursSettings> {
        let week: Vec<Vec<Span>> = self.week.into_iter().take(8).map(read).collect();
        let Ok(week) = week.try_into() else {
            checks.that(false, "hours.week", FieldCode::Invalid);
            return None;
        };
        // One too many is enough to be refused.
        let exceptions = self.exceptions.into_iter().take(MOST_EXCEPTIONS + 1);
        let exceptions = exceptions.map(|one| Exception { date: one.date, hours: read(one.hours) }).collect();
        let settings = HoursSettings { zone: self.zone, week, holidays: self.holidays, exceptions };
        match settings.check() {
            Ok(_) => Some(settings),
            Err(problems) => {
                for problem in problems.into_iter().take(20) {
                    let code = match problem.fault {
                        HoursFault::Invalid => FieldCode::Invalid,
                        HoursFault::TooMany => FieldCode::TooLong,
                        HoursFault::Twice => FieldCode::Taken,
                    };
                    checks.that(false, &format!("hours.{}", problem.at), code);
                }
                None
            }
        }
    }
}

impl From<HoursSettings> for BusinessHours {
    fn from(kept: HoursSettings) -> Self {
        let exceptions = kept.exceptions.into_iter();
        Self {
            zone: kept.zone,
            week: kept.week.into_iter().map(written).collect(),
            holidays: kept.holidays,
            exceptions: exceptions
                .map(|one| HoursException { date: one.date, hours: written(one.hours) })
                .collect(),
        }
    }
}

/// When a holiday comes.
#[derive(Serialize, ToSchema)]
pub struct HolidayDate {
    /// Which.
    #[schema(value_type = schema::Holiday)]
    pub holiday: Holiday,
    /// Its next date, as `YYYY-MM-DD`.
    pub date: String,
}

/// What is on its way out of an archived queue, or back into a restored one.
#[derive(Serialize, ToSchema)]
pub struct QueueMoving {
    /// So many conversations are left; counted up to 100,000.
    pub left: i64,
    /// So many have gone out of it and can come back.
    pub moved: i64,
    /// Whether the work failed for good; it waits among the dead letters, and archiving or restoring begins it anew.
    pub failed: bool,
}

/// A queue with how it is set up.
#[derive(Serialize, ToSchema)]
pub struct QueueDetails {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: QueueId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether conversations begin here when nothing says otherwise.
    pub is_default: bool,
    /// Whether nothing comes into it any more.
    pub archived: bool,
    /// Where its conversations were to go.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub archived_into_id: Option<QueueId>,
    /// What is on its way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moving: Option<QueueMoving>,
    /// When it is open; always when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<BusinessHours>,
    /// Whether it is open at this moment.
    pub open_now: bool,
    /// When it opens, where it is closed and that is in sight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_opening: Option<Time>,
    /// When each of the holidays comes that a queue can be closed on.
    pub holidays: Vec<HolidayDate>,
    /// Goes up by one with each change.
    pub version: i64,
}

impl QueueDetails {
    /// How `set_up` is told at `now`.
    #[must_use]
    pub fn of(set_up: QueueSetUp, now: Timestamp) -> Self {
        let calendar: Option<Calendar> = set_up.hours.as_ref().and_then(|hours| hours.check().ok());
        let open_now = calendar.as_ref().is_none_or(|calendar| calendar.is_open(now));
        let next = calendar.filter(|_| !open_now).and_then(|calendar| calendar.next_opening(now));
        let dates = Holiday::ALL.into_iter();
        let store::Queue { id, name, is_default, archived, version } = set_up.queue;
        Self {
            id,
            name,
            description: set_up.description,
            is_default,
            archived,
            archived_into_id: set_up.archived_into,
            moving: set_up.moving.map(|moving| QueueMoving {
                left: moving.left,
                moved: moving.moved,
                failed: moving.failed,
            }),
            hours: set_up.hours.map(Into::into),
            open_now,
            next_opening: next.map(Into::into),
            holidays: dates
                .filter_map(|holiday| holiday.next(now).map(|date| HolidayDate { holiday, date }))
                .collect(),
            version,
        }
    }
}

/// A queue to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateQueue {
    /// What it is called.
    #[schema(min_length = 1, max_length = 80)]
    pub name: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub description: String,
}

/// A change of a queue; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateQueue {
    /// The version that the change was made on; a later one is a conflict.
    #[serde(default)]
    pub version: Option<i64>,
    /// What it is called.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 80)]
    pub name: Option<String>,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub description: Option<String>,
    /// That conversations begin here from now on when nothing says otherwise.
    #[serde(default)]
    pub make_default: bool,
}

/// When a queue is to be open.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetBusinessHours {
    /// The version that the change was made on; a later one is a conflict.
    #[serde(default)]
    pub version: Option<i64>,
    /// The calendar; always open when left out.
    #[serde(default)]
    pub hours: Option<BusinessHours>,
}

/// An order of queues.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderQueues {
    /// Every queue in use, once.
    #[schema(value_type = Vec<Uuid>, min_items = 1, max_items = 200)]
    pub ids: Vec<QueueId>,
}

/// Where to go with what lies in a queue.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchiveQueue {
    /// The queue that takes its open conversations, and what its channel accounts receive. Needed where there are any.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub into_id: Option<QueueId>,
}
