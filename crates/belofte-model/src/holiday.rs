// SPDX-License-Identifier: EUPL-1.2
//! The holidays of the Netherlands, computed for any year.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Weekday};
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A holiday on which a queue can be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holiday {
    /// 1 January.
    NewYear,
    /// Two days before Easter; many work on it.
    GoodFriday,
    /// Easter Sunday.
    Easter,
    /// The day after Easter.
    EasterMonday,
    /// 27 April; the day before when that is a Sunday.
    KingsDay,
    /// 5 May of every year.
    LiberationDay,
    /// 5 May of every fifth year only.
    LiberationLustrum,
    /// 39 days after Easter.
    Ascension,
    /// 49 days after Easter.
    Whitsun,
    /// The day after that.
    WhitMonday,
    /// 25 December.
    ChristmasDay,
    /// 26 December.
    BoxingDay,
}

impl Holiday {
    /// All of them, in the order of the year.
    pub const ALL: [Self; 12] = [
        Self::NewYear,
        Self::GoodFriday,
        Self::Easter,
        Self::EasterMonday,
        Self::KingsDay,
        Self::LiberationDay,
        Self::LiberationLustrum,
        Self::Ascension,
        Self::Whitsun,
        Self::WhitMonday,
        Self::ChristmasDay,
        Self::BoxingDay,
    ];

    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NewYear => "new_year",
            Self::GoodFriday => "good_friday",
            Self::Easter => "easter",
            Self::EasterMonday => "easter_monday",
            Self::KingsDay => "kings_day",
            Self::LiberationDay => "liberation_day",
            Self::LiberationLustrum => "liberation_lustrum",
            Self::Ascension => "ascension",
            Self::Whitsun => "whitsun",
            Self::WhitMonday => "whit_monday",
            Self::ChristmasDay => "christmas_day",
            Self::BoxingDay => "boxing_day",
        }
    }

    /// Its date in `year`; none in a year that does not have it, and in one that is no year of the calendar.
    #[must_use]
    pub(crate) fn date(self, year: i32) -> Option<NaiveDate> {
        let fixed = |month, day| NaiveDate::from_ymd_opt(year, month, day);
        let from_easter = |days| easter(year)?.checked_add_signed(TimeDelta::try_days(days)?);
        match self {
            Self::NewYear => fixed(1, 1),
            Self::GoodFriday => from_easter(-2),
            Self::Easter => from_easter(0),
            Self::EasterMonday => from_easter(1),
            Self::KingsDay => {
                let day = fixed(4, 27)?;
                if day.weekday() == Weekday::Sun { day.pred_opt() } else { Some(day) }
            }
            Self::LiberationDay => fixed(5, 5),
            Self::LiberationLustrum => fixed(5, 5).filter(|_| year % 5 == 0),
            Self::Ascension => from_easter(39),
            Self::Whitsun => from_easter(49),
            Self::WhitMonday => from_easter(50),
            Self::ChristmasDay => fixed(12, 25),
            Self::BoxingDay => fixed(12, 26),
        }
    }

    /// Its first date from the day of `at` in UTC on, as ISO 8601 writes it.
    #[must_use]
    pub fn next(self, at: Timestamp) -> Option<String> {
        let today = DateTime::from_timestamp(at.as_secs(), 0)?.date_naive();
        // One of them comes every fifth year.
        let dates = (today.year()..=today.year() + 5).filter_map(|year| self.date(year));
        dates.into_iter().find(|date| *date >= today).map(|date| date.to_string())
    }
}

/// Easter Sunday in the Gregorian calendar (the anonymous algorithm of 1876 in the form of New Scientist, 30 March
/// 1961; another form of it stands in J. Meeus, Astronomical Algorithms, chapter 8).
fn easter(year: i32) -> Option<NaiveDate> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 19 * l) / 433;
    let n = h + l - 7 * m;
    let month = (n + 90) / 25;
    let day = (n + 33 * month + 19) % 32;
    NaiveDate::from_ymd_opt(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easter_is_where_the_tables_have_it() {
        // The earliest and the latest possible, and years that simpler rules get wrong (1954, 1981, 2049, 2076).
        for (year, date) in [
            (1818, "1818-03-22"),
            (1943, "1943-04-25"),
            (1954, "1954-04-18"),
            (1981, "1981-04-19"),
            (2000, "2000-04-23"),
            (2008, "2008-03-23"),
            (2024, "2024-03-31"),
            (2025, "2025-04-20"),
            (2026, "2026-04-05"),
            (2027, "2027-03-28"),
            (2038, "2038-04-25"),
            (2049, "2049-04-18"),
            (2076, "2076-04-19"),
            (2285, "2285-03-22"),
        ] {
            assert_eq!(Holiday::Easter.date(year).map(|day| day.to_string()).as_deref(), Some(date));
        }
    }

    #[test]
    fn the_days_of_2025_and_2026() {
        let of = |year| Holiday::ALL.map(|day| day.date(year).map(|day| day.to_string()).unwrap_or_default());
        assert_eq!(
            of(2025),
            [
                "2025-01-01",
                "2025-04-18",
                "2025-04-20",
                "2025-04-21",
                // The 27th is a Sunday.
                "2025-04-26",
                "2025-05-05",
                "2025-05-05",
                "2025-05-29",
                "2025-06-08",
                "2025-06-09",
                "2025-12-25",
                "2025-12-26"
            ]
        );
        let next = of(2026);
        assert_eq!((next[4].as_str(), next[6].as_str(), next[7].as_str()), ("2026-04-27", "", "2026-05-14"));
    }

    #[test]
    fn the_next_one_may_be_years_away() {
        // 1 May 2026, and the day of Christmas itself.
        let at = Timestamp::from_secs(1_777_593_600);
        assert_eq!(Holiday::LiberationLustrum.next(at).as_deref(), Some("2030-05-05"));
        assert_eq!(Holiday::KingsDay.next(at).as_deref(), Some("2027-04-27"));
        assert_eq!(
            Holiday::ChristmasDay.next(Timestamp::from_secs(1_798_200_000)).as_deref(),
            Some("2026-12-25")
        );
    }

    #[test]
    fn what_follows_easter_falls_on_its_day_of_the_week_in_every_year() {
        for year in 1583..=4_099 {
            let day = |holiday: Holiday| holiday.date(year).expect("a date").weekday();
            assert_eq!(day(Holiday::Easter), Weekday::Sun, "{year}");
            assert_eq!(day(Holiday::Ascension), Weekday::Thu, "{year}");
            assert_eq!(day(Holiday::WhitMonday), Weekday::Mon, "{year}");
            assert_ne!(day(Holiday::KingsDay), Weekday::Sun, "{year}");
            let easter = Holiday::Easter.date(year).expect("a date").ordinal();
            assert!((81..=116).contains(&easter), "{year}");
        }
    }
}
