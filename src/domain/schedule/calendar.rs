//! The times that a cron expression means in a zone.
//!
//! Where the clocks are set ahead, a fixed time that is left out comes at the first moment after the gap; ticks of a step or a `*` in the gap are
//! left out. Where they are set back, a fixed time comes once, at its first; ticks of a step or a `*` come in both. Zones are those that the
//! binary has: all hubs of one version agree.

use crate::domain::{fault::Fault, time::Timestamp};
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use jiff::{Timestamp as Jiff, Zoned, tz::TimeZone};
use std::iter;

/// Longer than any expression that somebody can read.
const LONGEST: usize = 256;
const FORMS: [&str; 7] = [
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
];

/// A cron expression in a zone.
#[derive(Clone, Debug)]
pub struct Calendar {
    cron: Cron,
    zone: TimeZone,
}

impl Calendar {
    /// Reads both.
    ///
    /// # Errors
    /// `invalid_params` naming `cron` or `zone`, with what is right.
    pub fn new(cron: &str, zone: &str) -> Result<Self, Fault> {
        Ok(Self {
            cron: expression(cron)?,
            zone: named(zone)?,
        })
    }

    /// The name of the zone as the database of zones writes it.
    #[must_use]
    pub fn zone(&self) -> String {
        self.zone.iana_name().unwrap_or("UTC").to_owned()
    }

    /// The first tick after a moment; `None` when there is none any more.
    #[must_use]
    pub fn after(&self, moment: Timestamp) -> Option<Timestamp> {
        let from = self.at(moment)?;
        let next = self.cron.find_next_occurrence(&from, false).ok()?;
        Some(ours(&next))
    }

    /// The last tick at or before a moment.
    #[must_use]
    pub fn before(&self, moment: Timestamp) -> Option<Timestamp> {
        let from = self.at(moment)?;
        let last = self.cron.find_previous_occurrence(&from, true).ok()?;
        Some(ours(&last))
    }

    /// This tick and those after it.
    pub fn from(&self, tick: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        iter::successors(Some(tick), |tick| self.after(*tick))
    }

    /// To the second: ticks are whole minutes.
    pub(super) fn at(&self, moment: Timestamp) -> Option<Zoned> {
        let moment = Jiff::from_second(moment.0.div_euclid(1000)).ok()?;
        Some(moment.to_zoned(self.zone.clone()))
    }
}

pub(super) fn ours(at: &Zoned) -> Timestamp {
    Timestamp(at.timestamp().as_millisecond())
}

fn expression(text: &str) -> Result<Cron, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Fault::required("cron").hint("minute, hour, day, month and weekday"));
    }
    if text.len() > LONGEST {
        let detail = format!("has {} bytes, at most {LONGEST} are taken", text.len());
        return Err(Fault::invalid("cron", detail));
    }
    let lower = text.to_ascii_lowercase();
    let text = match (text.starts_with('@'), text.split_whitespace().count()) {
        (true, _) if lower == "@midnight" => "@daily",
        (true, _) if FORMS.contains(&lower.as_str()) => text,
        (true, _) => {
            return Err(Fault::invalid("cron", format!("cannot be {text:?}"))
                .hint(format!("one of: {}", FORMS.join(", "))));
        }
        (false, 5) => text,
        (false, fields) => {
            let hint = if fields == 6 {
                "there is no field for seconds; leave it out"
            } else {
                "such as \"30 8 * * mon-fri\": minute, hour, day of the month, month, weekday"
            };
            let detail = format!("has {fields} fields instead of five");
            return Err(Fault::invalid("cron", detail).hint(hint));
        }
    };
    let parser = CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build();
    parser.parse(text).map_err(|error| {
        Fault::invalid("cron", format!("cannot be read: {error}"))
            .hint("such as \"30 8 * * mon-fri\": minute, hour, day of the month, month, weekday")
    })
}

fn named(name: &str) -> Result<TimeZone, Fault> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Fault::invalid("zone", "is empty").hint("leave it out for UTC"));
    }
    TimeZone::get(name).map_err(|_unknown| {
        let shown = crate::stdx::text::head(name, 64);
        let near = near(name);
        let hint = if near.is_empty() {
            "an IANA name such as Europe/Berlin, or UTC".to_owned()
        } else {
            format!("did you mean {}?", near.join(" or "))
        };
        Fault::invalid("zone", format!("{shown:?} is not a time zone")).hint(hint)
    })
}

/// Zones of that city, else the nearest name.
fn near(name: &str) -> Vec<String> {
    let city = |zone: &str| zone.rsplit('/').next().unwrap_or(zone).to_ascii_lowercase();
    let known: Vec<String> = jiff::tz::db()
        .available()
        .map(|zone| zone.to_string())
        .collect();
    let wanted = city(&name.replace(' ', "_"));
    let same = known.iter().filter(|zone| city(zone) == wanted);
    let same: Vec<String> = same.take(3).cloned().collect();
    if !same.is_empty() {
        return same;
    }
    let nearest = crate::stdx::nearest(name, known.iter().map(String::as_str));
    nearest.map(str::to_owned).into_iter().collect()
}

#[cfg(test)]
mod tests;
