// SPDX-License-Identifier: EUPL-1.2
//! Calendars against a clock that is read minute by minute.

use proptest::prelude::*;

use super::*;

fn span(from: &str, to: &str) -> OpenSpan {
    OpenSpan { from: from.to_owned(), to: to.to_owned() }
}

fn office() -> HoursSettings {
    let day = || vec![span("09:00", "12:30"), span("13:00", "17:00")];
    HoursSettings {
        zone: DEFAULT_ZONE.to_owned(),
        week: [day(), day(), day(), day(), day(), Vec::new(), Vec::new()],
        holidays: Holiday::ALL.into_iter().filter(|day| *day != Holiday::LiberationDay).collect(),
        exceptions: vec![
            HoursException { date: "2026-12-24".to_owned(), hours: vec![span("09:00", "15:00")] },
            HoursException { date: "2026-12-26".to_owned(), hours: vec![span("10:00", "12:00")] },
            HoursException { date: "2026-06-01".to_owned(), hours: Vec::new() },
        ],
    }
}

fn at(written: &str) -> Timestamp {
    Timestamp::from_secs(DateTime::parse_from_rfc3339(written).expect("a moment").timestamp())
}

#[test]
fn an_office_in_the_netherlands() {
    let hours = office().check().expect("holds");
    for (moment, open, next) in [
        // A Monday, by both clocks of the year.
        ("2026-01-12T08:59:59+01:00", false, "2026-01-12T09:00:00+01:00"),
        ("2026-01-12T09:00:00+01:00", true, "2026-01-12T09:00:00+01:00"),
        ("2026-07-06T08:59:59+02:00", false, "2026-07-06T09:00:00+02:00"),
        ("2026-07-06T12:30:00+02:00", false, "2026-07-06T13:00:00+02:00"),
        // A Friday evening.
        ("2026-07-10T17:00:00+02:00", false, "2026-07-13T09:00:00+02:00"),
        // Over Easter: from Thursday to Tuesday, and the clock was put forward the week before.
        ("2026-04-02T17:00:00+02:00", false, "2026-04-07T09:00:00+02:00"),
        ("2026-03-27T17:00:00+01:00", false, "2026-03-30T09:00:00+02:00"),
        ("2026-10-23T17:00:00+02:00", false, "2026-10-26T09:00:00+01:00"),
        // An exception goes before the week and before a holiday.
        ("2026-06-01T10:00:00+02:00", false, "2026-06-02T09:00:00+02:00"),
        ("2026-12-24T15:00:00+01:00", false, "2026-12-26T10:00:00+01:00"),
    ] {
        assert_eq!(hours.is_open(at(moment)), open, "{moment}");
        assert_eq!(hours.next_opening(at(moment)), Some(at(next)), "{moment}");
    }
    assert_eq!(hours.next_change(at("2026-07-06T10:00:00+02:00")), Some(at("2026-07-06T12:30:00+02:00")));
}

#[test]
fn the_hour_that_is_not_there_and_the_one_that_is_twice() {
    let night = HoursSettings {
        week: std::array::from_fn(|_| vec![span("02:15", "02:45")]),
        holidays: Vec::new(),
        exceptions: Vec::new(),
        ..office()
    };
    let hours = night.check().expect("holds");
    // On 29 March 2026 the clock goes from 02:00 to 03:00.
    assert_eq!(hours.next_opening(at("2026-03-28T03:00:00+01:00")), Some(at("2026-03-30T02:15:00+02:00")));
    // On 25 October 2026 it goes from 03:00 back to 02:00.
    assert!(hours.is_open(at("2026-10-25T02:15:00+02:00")));
    assert_eq!(hours.next_opening(at("2026-10-25T02:45:00+02:00")), Some(at("2026-10-25T02:15:00+01:00")));
    let over = HoursSettings { week: std::array::from_fn(|_| vec![span("02:30", "04:00")]), ..night };
    let hours = over.check().expect("holds");
    assert_eq!(hours.next_opening(at("2026-03-29T01:59:59+01:00")), Some(at("2026-03-29T03:00:00+02:00")));
}

#[test]
fn what_never_opens_says_so_and_what_never_closes_too() {
    let empty = HoursSettings { week: Default::default(), exceptions: Vec::new(), ..office() };
    let never = empty.check().expect("holds");
    assert_eq!(never.next_opening(at("2026-01-12T09:00:00Z")), None);
    let always = HoursSettings {
        week: std::array::from_fn(|_| vec![span("00:00", "24:00")]),
        holidays: Vec::new(),
        ..empty
    };
    let always = always.check().expect("holds");
    assert!(always.is_open(at("2026-10-25T00:59:59Z")));
    assert_eq!(always.next_change(at("2026-01-12T09:00:00Z")), None);
}

#[test]
fn what_does_not_hold_is_named() {
    let mut bad = office();
    bad.zone = "Europe/Utrecht".to_owned();
    bad.week[2] = vec![span("09:00", "09:00"), span("9:00", "17:00")];
    bad.week[3] = vec![span("09:00", "13:00"), span("12:00", "17:00")];
    bad.week[4] = vec![span("23:00", "24:01")];
    bad.holidays.push(Holiday::Easter);
    bad.exceptions = vec![
        HoursException { date: "2026-02-29".to_owned(), hours: Vec::new() },
        HoursException { date: "2026-03-01".to_owned(), hours: Vec::new() },
        HoursException { date: "2026-03-01".to_owned(), hours: Vec::new() },
    ];
    let told: Vec<_> = bad.check().expect_err("not").into_iter().map(|one| (one.at, one.fault)).collect();
    let expected = [
        ("zone", HoursFault::Invalid),
        ("week[2][0]", HoursFault::Invalid),
        ("week[2][1]", HoursFault::Invalid),
        ("week[3]", HoursFault::Twice),
        ("week[4][0]", HoursFault::Invalid),
        ("holidays[11]", HoursFault::Twice),
        ("exceptions[0].date", HoursFault::Invalid),
        ("exceptions[2].date", HoursFault::Twice),
    ];
    assert_eq!(told, expected.map(|(at, fault)| (at.to_owned(), fault)));
    let day =
        |no: usize| HoursException { date: format!("20{:02}-01-{:02}", no / 28, no % 28 + 1), hours: vec![] };
    let many = |count| HoursSettings { exceptions: (0..count).map(day).collect(), ..office() };
    assert!(many(MOST_EXCEPTIONS).check().is_ok());
    assert!(many(MOST_EXCEPTIONS + 1).check().is_err());
}

/// A day of the week with at most two spans.
fn some_day() -> impl Strategy<Value = Vec<OpenSpan>> {
    let written = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    proptest::collection::btree_set(0..=96_u16, 0..=4).prop_map(move |quarters| {
        let quarters: Vec<_> = quarters.into_iter().collect();
        let pairs = quarters.chunks_exact(2);
        pairs.map(|pair| OpenSpan { from: written(pair[0] * 15), to: written(pair[1] * 15) }).collect()
    })
}

/// Moments around both changes of summer time, in places that change by an hour, by half an hour and at midnight.
const ZONES: [(&str, [&str; 2]); 5] = [
    ("Europe/Amsterdam", ["2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"]),
    ("America/New_York", ["2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"]),
    ("Australia/Lord_Howe", ["2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z"]),
    ("America/Asuncion", ["2023-03-26T03:00:00Z", "2023-10-01T04:00:00Z"]),
    ("Asia/Kathmandu", ["2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"]),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn each_answer_is_what_a_clock_shows(
        (zone, turn) in (0..ZONES.len(), 0..2_usize),
        week in proptest::array::uniform7(some_day()),
        other in some_day(),
        shift in -2_880_i64..1_440,
    ) {
        let (zone, turns) = ZONES[zone];
        let around = at(turns[turn]);
        let written = HoursSettings {
            zone: zone.to_owned(),
            week: week.clone(),
            holidays: Vec::new(),
            exceptions: vec![HoursException { date: turns[turn][..10].to_owned(), hours: other.clone() }],
        };
        let hours = written.check().expect("holds");
        let zone: Tz = zone.parse().expect("a zone");
        // Read from the settings as they are written, by the clock alone.
        let shows = |secs: i64| {
            let local = zone.timestamp_opt(secs, 0).single().expect("a moment");
            let time = format!("{:02}:{:02}", local.hour(), local.minute());
            let day = if local.date_naive().to_string() == turns[turn][..10] {
                &other
            } else {
                &week[local.weekday().num_days_from_monday() as usize]
            };
            day.iter().any(|span| span.from <= time && time < span.to)
        };
        let from = around.as_secs() + shift * 60;
        let minutes = || (0..12 * 1_440).map(|minute| from + minute * 60);
        let expected = minutes().find(|secs| shows(*secs));
        for secs in minutes().take(3 * 1_440) {
            prop_assert_eq!(hours.is_open(Timestamp::from_secs(secs)), shows(secs), "{}", secs);
        }
        let found = hours.next_opening(Timestamp::from_secs(from)).map(Timestamp::as_secs);
        prop_assert_eq!(found.filter(|secs| *secs < from + 12 * 86_400), expected);
        let now = shows(from);
        let changed = minutes().find(|secs| shows(*secs) != now);
        let found = hours.next_change(Timestamp::from_secs(from)).map(Timestamp::as_secs);
        prop_assert_eq!(found.filter(|secs| *secs < from + 12 * 86_400), changed);
    }
}
