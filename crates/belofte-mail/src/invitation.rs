// SPDX-License-Identifier: EUPL-1.2
//! Appointments in mails (iCalendar, RFC 5545; iMIP, RFC 6047): read to be shown, never carried out.

use belofte_model::{CalendarTime, Invitation, InvitationMethod, Timestamp};
use calcard::common::{PartialDateTime, timezone::Tz};
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarDuration, ICalendarEntry,
    ICalendarMethod, ICalendarParameterName, ICalendarProperty, ICalendarValue,
};
use calcard::{Entry, Parser};

use crate::{
    charset,
    names::{display_name, one_line},
    problem::Problems,
    structure::Part,
};

/// The largest calendar that is read, in octets; one with more in it is a file as any other.
const MAX_CALENDAR: usize = 256 * 1024;
/// In seconds.
const DAY: i64 = 24 * 3_600;
/// The longest words of an appointment that are kept, in characters.
const MAX_WORDS: usize = 300;

/// The appointment that a mail with these parts speaks of: the first one in its first calendar that can be read.
pub(crate) fn invitation(parts: &[Part<'_>]) -> Option<Invitation> {
    // Many mailers send the same calendar twice, for readers that know only one place.
    parts.iter().filter(|part| is_calendar(part)).take(4).find_map(of_part)
}

fn is_calendar(part: &Part<'_>) -> bool {
    let header = &part.header;
    let named = |name: &String| name.to_ascii_lowercase().ends_with(".ics");
    header.is("text", "calendar")
        || header.is("application", "ics")
        || (header.is("application", "octet-stream") && header.file_name.as_ref().is_some_and(named))
}

fn of_part(part: &Part<'_>) -> Option<Invitation> {
    let header = &part.header;
    let (bytes, _) = header.encoding.decode(part.body);
    if bytes.len() > MAX_CALENDAR {
        return None;
    }
    // A calendar is in UTF-8 unless something else is said (RFC 5545, section 3.1.4).
    let text = charset::decode(header.charset.as_deref(), &bytes, &mut Problems::default());
    read(&text, header.method.as_deref())
}

/// Reads the first appointment of a calendar; `said` is the method that its header names.
pub(crate) fn read(text: &str, said: Option<&str>) -> Option<Invitation> {
    let start = text.trim_start_matches(['\u{feff}', '\r', '\n', ' ', '\t']);
    if !start.get(..15).is_some_and(|head| head.eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        return None;
    }
    let Entry::ICalendar(calendar) = Parser::new(start).entry() else { return None };
    let events = calendar.components.iter().filter(|one| {
        matches!(one.component_type, ICalendarComponentType::VEvent | ICalendarComponentType::VTodo)
    });
    // A change of one meeting of a series comes beside the series.
    let mut events: Vec<&ICalendarComponent> = events.collect();
    events.sort_by_key(|one| one.has_property(&ICalendarProperty::RecurrenceId));
    let event = *events.first()?;
    let identity = event.uid();
    let others = events[1..].iter().filter(|one| identity.is_none() || one.uid() != identity).count();
    let starts = time(&calendar, event, &ICalendarProperty::Dtstart);
    let ends = match time(&calendar, event, &ICalendarProperty::Dtend) {
        // The end of whole days is the day after the last one (RFC 5545, section 3.6.1).
        Some(CalendarTime::Day(_)) => last_day(event, starts.as_ref()),
        Some(end) => Some(end),
        None => starts.as_ref().and_then(|start| after(start, event)),
    };
    let organiser = event.property(&ICalendarProperty::Organizer);
    let address = organiser.and_then(ICalendarEntry::calendar_address).unwrap_or_default();
    let address = one_line(address, MAX_WORDS);
    let name = organiser
        .and_then(|one| one.parameter(&ICalendarParameterName::Cn))
        .and_then(|name| name.as_text())
        .map(|name| display_name(name, &address))
        .unwrap_or_default();
    Some(Invitation {
        method: method(&calendar, event, said),
        summary: words(event, &ICalendarProperty::Summary),
        location: words(event, &ICalendarProperty::Location),
        starts,
        ends,
        recurs: event.has_property(&ICalendarProperty::Rrule),
        more: u32::try_from(others).unwrap_or(u32::MAX),
        organiser_name: name,
        organiser_address: if address.contains('@') { address } else { String::new() },
    })
}

fn words(event: &ICalendarComponent, property: &ICalendarProperty) -> String {
    let text =
        event.property(property).and_then(|entry| entry.values.first()).and_then(|value| value.as_text());
    one_line(text.unwrap_or_default(), MAX_WORDS)
}

fn method(calendar: &ICalendar, event: &ICalendarComponent, said: Option<&str>) -> InvitationMethod {
    use calcard::icalendar::ICalendarStatus;
    // Also one that does not say so in its method is off when its state says so.
    if event.status() == Some(&ICalendarStatus::Cancelled) {
        return InvitationMethod::Cancel;
    }
    let own = calendar
        .components
        .first()
        .and_then(|root| root.property(&ICalendarProperty::Method))
        .and_then(|entry| entry.values.first());
    match (own, said) {
        (Some(ICalendarValue::Method(method)), _) => match method {
            ICalendarMethod::Request | ICalendarMethod::Add => InvitationMethod::Request,
            ICalendarMethod::Cancel => InvitationMethod::Cancel,
            ICalendarMethod::Reply | ICalendarMethod::Refresh => InvitationMethod::Reply,
            ICalendarMethod::Counter | ICalendarMethod::Declinecounter => InvitationMethod::Counter,
            ICalendarMethod::Publish => InvitationMethod::Publish,
        },
        (_, Some("request" | "add")) => InvitationMethod::Request,
        (_, Some("cancel")) => InvitationMethod::Cancel,
        (_, Some("reply" | "refresh")) => InvitationMethod::Reply,
        (_, Some("counter" | "declinecounter")) => InvitationMethod::Counter,
        _ => InvitationMethod::Publish,
    }
}

fn time(
    calendar: &ICalendar,
    event: &ICalendarComponent,
    property: &ICalendarProperty,
) -> Option<CalendarTime> {
    let entry = event.property(property)?;
    let value = plausible(entry)?;
    if !value.has_time() {
        return day(naive(value)?).map(CalendarTime::Day);
    }
    let at = |zone: Tz| {
        let time = value.to_date_time_with_tz(zone)?;
        Some(CalendarTime::At(Timestamp::from_secs(time.timestamp())))
    };
    if value.has_zone() {
        return at(Tz::UTC);
    }
    let zone = entry.parameter(&ICalendarParameterName::Tzid).and_then(|zone| zone.as_text());
    match zone.and_then(|zone| calendar.build_tz_resolver().resolve(zone)) {
        // An hour that the clock skips or repeats has no one instant: it is told as it is written.
        Some(zone) if !zone.is_floating() => at(zone).or_else(|| local(naive(value)?)),
        _ => local(naive(value)?),
    }
}

/// The time of a property, when it lies in a year that people plan in.
fn plausible(entry: &ICalendarEntry) -> Option<&PartialDateTime> {
    let value = entry.values.first()?.as_partial_date_time()?;
    value.year.is_some_and(|year| (1900..=2200).contains(&year)).then_some(value)
}

/// The seconds that a clock on the wall counts since 1970.
fn naive(value: &PartialDateTime) -> Option<i64> {
    Some(value.to_date_time()?.date_time.and_utc().timestamp())
}

fn local(seconds: i64) -> Option<CalendarTime> {
    let time = PartialDateTime::from_naive_timestamp(seconds).to_date_time()?.date_time;
    Some(CalendarTime::Local(format!("{}T{}", time.date(), time.time())))
}

fn day(seconds: i64) -> Option<String> {
    Some(PartialDateTime::from_naive_timestamp(seconds).to_date_time()?.date_time.date().to_string())
}

/// The last whole day of an appointment whose end names the day after it.
fn last_day(event: &ICalendarComponent, starts: Option<&CalendarTime>) -> Option<CalendarTime> {
    let end = day(naive(plausible(event.property(&ICalendarProperty::Dtend)?)?)? - DAY)?;
    // Some name the day itself.
    match starts {
        Some(CalendarTime::Day(first)) if *first > end => starts.cloned(),
        _ => Some(CalendarTime::Day(end)),
    }
}

/// When an appointment ends that says how long it takes.
fn after(starts: &CalendarTime, event: &ICalendarComponent) -> Option<CalendarTime> {
    let Some(ICalendarValue::Duration(length)) = event.property(&ICalendarProperty::Duration)?.values.first()
    else {
        return None;
    };
    let length = seconds(length)?;
    match starts {
        CalendarTime::At(start) => Some(CalendarTime::At(Timestamp::from_secs(start.as_secs() + length))),
        CalendarTime::Day(_) | CalendarTime::Local(_) => {
            let start = naive(plausible(event.property(&ICalendarProperty::Dtstart)?)?)?;
            match starts {
                CalendarTime::Day(_) => day(start + (length - DAY).max(0)).map(CalendarTime::Day),
                _ => local(start + length),
            }
        }
    }
}

/// A length of less than ten years.
fn seconds(length: &ICalendarDuration) -> Option<i64> {
    let ICalendarDuration { neg, weeks, days, hours, minutes, seconds } = *length;
    let days = i64::from(weeks) * 7 + i64::from(days);
    let all = days * DAY + i64::from(hours) * 3_600 + i64::from(minutes) * 60 + i64::from(seconds);
    (!neg && all < 3_660 * DAY).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(lines: &str) -> String {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    }

    fn at(text: &str) -> CalendarTime {
        let date = crate::header::date(format!("{text} +0000\n").as_bytes());
        CalendarTime::At(date.expect("a date"))
    }

    #[test]
    fn an_invitation_is_read() {
        let lines = "DTSTART;TZID=Europe/Amsterdam:20261201T100000\r\nDTEND;TZID=Europe/Amsterdam:20261201T113000\r\n\
            SUMMARY:Overleg\\, met \r\n koffie\r\nLOCATION:Zaal 3\r\n\
            ORGANIZER;CN=\"Joost Appelwaard\":mailto:joost@appelwaard.example\r\nRRULE:FREQ=WEEKLY\r\n";
        let read = read(&event(lines), None).expect("an invitation");
        assert_eq!(read.method, InvitationMethod::Request);
        assert_eq!(read.summary, "Overleg, met koffie");
        assert_eq!(read.location, "Zaal 3");
        assert_eq!(read.starts, Some(at("Tue, 1 Dec 2026 09:00:00")));
        assert_eq!(read.ends, Some(at("Tue, 1 Dec 2026 10:30:00")));
        assert_eq!(read.organiser_name, "Joost Appelwaard");
        assert_eq!(read.organiser_address, "joost@appelwaard.example");
        assert!(read.recurs && read.more == 0);
    }

    #[test]
    fn times_in_every_form() {
        let start = |line: &str| read(&event(line), None).expect("an invitation").starts;
        assert_eq!(start("DTSTART:20260701T080000Z\r\n"), Some(at("Wed, 1 Jul 2026 08:00:00")));
        let windows = start("DTSTART;TZID=W. Europe Standard Time:20260701T100000\r\n");
        assert_eq!(windows, Some(at("Wed, 1 Jul 2026 08:00:00")));
        let day = start("DTSTART;VALUE=DATE:20260701\r\n");
        assert_eq!(day, Some(CalendarTime::Day("2026-07-01".to_owned())));
        for floating in ["DTSTART:20260701T100000\r\n", "DTSTART;TZID=Nergens:20260701T100000\r\n"] {
            assert_eq!(start(floating), Some(CalendarTime::Local("2026-07-01T10:00:00".to_owned())));
        }
        for nonsense in ["DTSTART:99991399T990000\r\n", "DTSTART:\r\n", "DTSTART:morgen\r\n", ""] {
            assert_eq!(start(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn whole_days_end_on_their_last_day_and_lengths_are_added() {
        let end = |lines: &str| read(&event(lines), None).expect("an invitation").ends;
        let day = |text: &str| Some(CalendarTime::Day(text.to_owned()));
        assert_eq!(end("DTSTART;VALUE=DATE:20261230\r\nDTEND;VALUE=DATE:20270102\r\n"), day("2027-01-01"));
        assert_eq!(end("DTSTART;VALUE=DATE:20261230\r\nDTEND;VALUE=DATE:20261230\r\n"), day("2026-12-30"));
        assert_eq!(end("DTSTART;VALUE=DATE:20261230\r\nDURATION:P2D\r\n"), day("2026-12-31"));
        assert_eq!(
            end("DTSTART:20261230T230000Z\r\nDURATION:PT2H\r\n"),
            Some(at("Thu, 31 Dec 2026 01:00:00"))
        );
        assert_eq!(end("DTSTART:20261230T230000Z\r\n"), None);
    }

    #[test]
    fn what_is_off_says_so_and_what_is_no_calendar_is_none() {
        let off = event("STATUS:CANCELLED\r\nSUMMARY:x\r\n");
        assert_eq!(read(&off, None).map(|one| one.method), Some(InvitationMethod::Cancel));
        let silent = event("").replace("METHOD:REQUEST\r\n", "");
        assert_eq!(read(&silent, Some("cancel")).map(|one| one.method), Some(InvitationMethod::Cancel));
        assert_eq!(read(&silent, None).map(|one| one.method), Some(InvitationMethod::Publish));
        for none in ["", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "BEGIN:VCARD\r\nEND:VCARD\r\n", "hallo"] {
            assert!(read(none, None).is_none(), "{none}");
        }
    }

    #[test]
    fn names_cannot_hide_what_they_are() {
        let lines = "SUMMARY:Betaal \u{202e}gnp.exe\r\nORGANIZER;CN=bank\u{200b}@bank.example:mailto:dief@evil.example\r\n";
        let read = read(&event(lines), None).expect("an invitation");
        assert_eq!(read.summary, "Betaal gnp.exe");
        assert_eq!(
            (read.organiser_name.as_str(), read.organiser_address.as_str()),
            ("bank@bank.example", "dief@evil.example")
        );
    }
}
