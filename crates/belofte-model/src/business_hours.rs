// SPDX-License-Identifier: EUPL-1.2
//! When a queue is open: hours of the week by the clock of a place, holidays and exceptions (decision 41).
//!
//! What counts is what the clock on the wall says there. In the hour that a clock skips nobody is open, and in the
//! one that it shows twice a queue is open both times or neither.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Offset, TimeDelta, TimeZone, Timelike};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{Holiday, Timestamp};

/// The zone of who names none.
pub const DEFAULT_ZONE: &str = "Europe/Amsterdam";
/// So many exceptions a calendar has at most.
pub const MOST_EXCEPTIONS: usize = 400;
/// So many times a queue opens on one day at most.
pub const MOST_SPANS: usize = 4;
/// So far ahead a change is looked for, in days: longer than all exceptions that there may be.
const AHEAD: i64 = 800;
const DAY: u16 = 24 * 60;

/// From when to when a queue is open on a day, as `HH:MM`; the end is not part of it, and `24:00` is midnight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSpan {
    /// The first minute.
    pub from: String,
    /// The minute after the last.
    pub to: String,
}

/// A day that is not as its day of the week is. It goes before a holiday.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoursException {
    /// The day, as `YYYY-MM-DD`.
    pub date: String,
    /// When it is open; closed when empty.
    pub hours: Vec<OpenSpan>,
}

/// A calendar as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoursSettings {
    /// The zone of time, by its name in the database of the IANA.
    pub zone: String,
    /// The hours of Monday to Sunday.
    pub week: [Vec<OpenSpan>; 7],
    /// The holidays on which it is closed.
    pub holidays: Vec<Holiday>,
    /// Days that are otherwise.
    pub exceptions: Vec<HoursException>,
}

/// What does not hold in a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoursFault {
    /// It is not what it should be.
    Invalid,
    /// There are more than there may be.
    TooMany,
    /// It is there already.
    Twice,
}

/// Where a calendar does not hold, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoursProblem {
    /// The place, as `exceptions[2].date`.
    pub at: String,
    /// What is wrong there.
    pub fault: HoursFault,
}

/// Minutes of a day: the first, and the one after the last.
type Span = (u16, u16);

/// A calendar that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusinessHours {
    zone: Tz,
    week: [Vec<Span>; 7],
    holidays: Vec<Holiday>,
    exceptions: BTreeMap<NaiveDate, Vec<Span>>,
}

fn minute(written: &str) -> Option<u16> {
    let (hours, minutes) = written.split_once(':')?;
    let number = |part: &str| {
        let plain = part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_digit());
        part.parse::<u16>().ok().filter(|_| plain)
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (minutes < 60 && hours * 60 + minutes <= DAY).then_some(hours * 60 + minutes)
}

/// The spans of one day in order; notes what does not hold at `at`.
fn spans(written: &[OpenSpan], at: &str, problems: &mut Vec<HoursProblem>) -> Vec<Span> {
    let mut fault = |at: String, fault| problems.push(HoursProblem { at, fault });
    if written.len() > MOST_SPANS {
        fault(at.to_owned(), HoursFault::TooMany);
        return Vec::new();
    }
    let mut read = Vec::with_capacity(written.len());
    for (place, span) in written.iter().enumerate() {
        match (minute(&span.from), minute(&span.to)) {
            (Some(from), Some(to)) if from < to => read.push((from, to)),
            _ => fault(format!("{at}[{place}]"), HoursFault::Invalid),
        }
    }
    read.sort_unstable();
    if read.windows(2).any(|pair| pair[1].0 < pair[0].1) {
        fault(at.to_owned(), HoursFault::Twice);
    }
    read
}

fn date(written: &str) -> Option<NaiveDate> {
    let plain = written.len() == 10;
    let read = NaiveDate::parse_from_str(written, "%Y-%m-%d").ok().filter(|_| plain)?;
    (1970..=9_000).contains(&read.year()).then_some(read)
}

impl HoursSettings {
    /// The calendar that is written here.
    ///
    /// # Errors
    /// Every place that does not hold.
    pub fn check(&self) -> Result<BusinessHours, Vec<HoursProblem>> {
        let mut problems = Vec::new();
        let zone: Option<Tz> = self.zone.parse().ok();
        if zone.is_none() {
            problems.push(HoursProblem { at: "zone".to_owned(), fault: HoursFault::Invalid });
        }
        let mut week: [Vec<Span>; 7] = Default::default();
        for (day, written) in self.week.iter().enumerate() {
            week[day] = spans(written, &format!("week[{day}]"), &mut problems);
        }
        let mut holidays = Vec::new();
        for (place, holiday) in self.holidays.iter().enumerate() {
            if holidays.contains(holiday) {
                problems.push(HoursProblem { at: format!("holidays[{place}]"), fault: HoursFault::Twice });
                break;
            }
            holidays.push(*holiday);
        }
        let mut exceptions = BTreeMap::new();
        if self.exceptions.len() > MOST_EXCEPTIONS {
            problems.push(HoursProblem { at: "exceptions".to_owned(), fault: HoursFault::TooMany });
        }
        for (place, exception) in self.exceptions.iter().take(MOST_EXCEPTIONS).enumerate() {
            let at = format!("exceptions[{place}]");
            let hours = spans(&exception.hours, &format!("{at}.hours"), &mut problems);
            let fault = match date(&exception.date) {
                None => Some(HoursFault::Invalid),
                Some(day) => exceptions.insert(day, hours).map(|_| HoursFault::Twice),
            };
            problems.extend(fault.map(|fault| HoursProblem { at: format!("{at}.date"), fault }));
        }
        match zone {
            Some(zone) if problems.is_empty() => Ok(BusinessHours { zone, week, holidays, exceptions }),
            _ => Err(problems),
        }
    }
}

impl BusinessHours {
    /// When it is open on a day there: an exception goes before a holiday, and that before the week.
    fn on(&self, day: NaiveDate) -> &[Span] {
        if let Some(hours) = self.exceptions.get(&day) {
            return hours;
        }
        if self.holidays.iter().any(|holiday| holiday.date(day.year()) == Some(day)) {
            return &[];
        }
        &self.week[day.weekday().num_days_from_monday() as usize]
    }

    fn offset(&self, secs: i64) -> i64 {
        let at = DateTime::from_timestamp(secs, 0).unwrap_or_default().naive_utc();
        i64::from(self.zone.offset_from_utc_datetime(&at).fix().local_minus_utc())
    }

    fn open_at(&self, secs: i64) -> bool {
        let Some(local) = DateTime::from_timestamp(secs + self.offset(secs), 0) else { return false };
        let minute = local.hour() * 60 + local.minute();
        self.on(local.date_naive())
            .iter()
            .any(|(from, to)| (u32::from(*from)..u32::from(*to)).contains(&minute))
    }

    /// Whether it is open at `at`.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.open_at(at.as_secs())
    }

    /// The moments at which a clock there shows minute `minute` of `day`: none, one or two.
    fn moments(&self, day: NaiveDate, minute: u16, found: &mut Vec<i64>) {
        let (day, minute) = if minute == DAY { (day.succ_opt(), 0) } else { (Some(day), minute) };
        let time = NaiveTime::from_hms_opt(u32::from(minute / 60), u32::from(minute % 60), 0);
        let (Some(day), Some(time)) = (day, time) else { return };
        let local = self.zone.from_local_datetime(&day.and_time(time));
        found.extend([local.earliest(), local.latest()].into_iter().flatten().map(|at| at.timestamp()));
    }

    /// The moment between `from` and `to` at which the clock there is put forward or back, if there is one.
    fn put(&self, mut from: i64, mut to: i64) -> Option<i64> {
        let before = self.offset(from);
        if before == self.offset(to) {
            return None;
        }
        while to - from > 1 {
            let middle = from + (to - from) / 2;
            if self.offset(middle) == before { from = middle } else { to = middle }
        }
        Some(to)
    }

    /// The first moment after `at` at which it opens or closes; none within the next two years.
    #[must_use]
    pub fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        if self.week.iter().all(Vec::is_empty) && self.exceptions.values().all(Vec::is_empty) {
            return None;
        }
        let at = at.as_secs();
        let now = self.open_at(at);
        let today = DateTime::from_timestamp(at + self.offset(at), 0)?.date_naive();
        let mut first: Option<(i64, i64)> = None;
        for ahead in -1..=AHEAD {
            // What a clock shows of a day can begin before the day before has ended: two more days are looked at.
            if first.is_some_and(|(_, found)| ahead > found + 2) {
                break;
            }
            let Some(day) = TimeDelta::try_days(ahead).and_then(|days| today.checked_add_signed(days)) else {
                break;
            };
            let mut moments = Vec::new();
            for (from, to) in self.on(day) {
                self.moments(day, *from, &mut moments);
                self.moments(day, *to, &mut moments);
            }
            let begins = day.and_time(NaiveTime::MIN).and_utc().timestamp();
            moments.extend(self.put(begins, begins + 86_400));
            for moment in moments {
                let sooner = first.is_none_or(|(known, _)| moment < known);
                if moment > at && sooner && self.open_at(moment) != now {
                    first = Some((moment, first.map_or(ahead, |(_, found)| found)));
                }
            }
        }
        first.map(|(moment, _)| Timestamp::from_secs(moment))
    }

    /// The first moment from `at` on at which it is open: `at` itself when it is; none within the next two years.
    #[must_use]
    pub fn next_opening(&self, at: Timestamp) -> Option<Timestamp> {
        if self.is_open(at) { Some(at) } else { self.next_change(at) }
    }
}

#[cfg(test)]
#[path = "business_hours_tests.rs"]
mod tests;
