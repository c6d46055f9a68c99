use super::Calendar;
use crate::domain::time::Timestamp;

fn moment(text: &str) -> Timestamp {
    serde_json::from_value(text.into()).expect("RFC 3339")
}

/// The first ticks after a moment, in the zone's own time.
fn ticks(cron: &str, zone: &str, after: &str, many: usize) -> Vec<String> {
    let calendar = Calendar::new(cron, zone).expect("both can be read");
    let first = calendar.after(moment(after)).expect("there is a tick");
    let zone = jiff::tz::TimeZone::get(zone).expect("known");
    calendar
        .from(first)
        .take(many)
        .map(|tick| {
            let at = jiff::Timestamp::from_millisecond(tick.0).expect("in range");
            at.to_zoned(zone.clone())
                .strftime("%m-%d %H:%M %z")
                .to_string()
        })
        .collect()
}

#[test]
fn a_fixed_time_in_a_gap_comes_after_it_and_one_that_is_twice_comes_once() {
    for (zone, cron, before_gap, gap, before_back, back) in [
        (
            "Europe/Berlin",
            "30 2 * * *",
            "2026-03-28T12:00:00Z",
            ["03-29 03:00 +0200", "03-30 02:30 +0200"],
            "2026-10-24T12:00:00Z",
            ["10-25 02:30 +0200", "10-26 02:30 +0100"],
        ),
        (
            "America/New_York",
            "30 2 * * *",
            "2026-03-07T12:00:00Z",
            ["03-08 03:00 -0400", "03-09 02:30 -0400"],
            "2026-10-31T12:00:00Z",
            ["11-01 02:30 -0500", "11-02 02:30 -0500"],
        ),
        (
            "Australia/Lord_Howe",
            "15 2 * * *",
            "2026-10-03T12:00:00Z",
            ["10-04 02:30 +1100", "10-05 02:15 +1100"],
            "2026-04-04T12:00:00Z",
            ["04-05 02:15 +1030", "04-06 02:15 +1030"],
        ),
    ] {
        assert_eq!(ticks(cron, zone, before_gap, 2), gap, "{zone}");
        assert_eq!(ticks(cron, zone, before_back, 2), back, "{zone}");
    }
    let twice = ticks(
        "45 1 * * *",
        "Australia/Lord_Howe",
        "2026-04-04T12:00:00Z",
        2,
    );
    assert_eq!(twice, ["04-05 01:45 +1100", "04-06 01:45 +1030"]);
}

#[test]
fn steps_leave_a_gap_out_and_come_in_both_of_two_hours() {
    let gap = ticks("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:15:00Z", 3);
    assert_eq!(
        gap,
        [
            "03-29 01:30 +0100",
            "03-29 03:00 +0200",
            "03-29 03:30 +0200"
        ]
    );
    let back = ticks("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:15:00Z", 4);
    let both = [
        "10-25 02:30 +0200",
        "10-25 02:00 +0100",
        "10-25 02:30 +0100",
        "10-25 03:00 +0100",
    ];
    assert_eq!(back, both);
}

#[test]
fn names_and_forms_are_read() {
    let from = "2026-01-02T10:00:00.500Z";
    for (cron, first) in [
        ("@daily", "01-03 00:00 +0000"),
        ("@midnight", "01-03 00:00 +0000"),
        ("@hourly", "01-02 11:00 +0000"),
        ("0 9 * feb mon", "02-02 09:00 +0000"),
        ("30 8 * * MON-FRI", "01-05 08:30 +0000"),
        ("0 0 1,15 * *", "01-15 00:00 +0000"),
        ("0 0 29 2 *", "02-29 00:00 +0000"),
    ] {
        assert_eq!(ticks(cron, "UTC", from, 1), [first], "{cron}");
    }
}

#[test]
fn the_last_tick_is_at_or_before_a_moment() {
    let calendar = Calendar::new("0 * * * *", "UTC").expect("right");
    for at in ["2026-01-02T10:00:00Z", "2026-01-02T10:59:59.999Z"] {
        let last = calendar.before(moment(at));
        assert_eq!(last, Some(moment("2026-01-02T10:00:00Z")), "{at}");
    }
}

#[test]
fn what_cannot_be_read_is_taught() {
    for (cron, zone, field, said) in [
        ("0 0 8 * * *", "UTC", "cron", "seconds"),
        ("8 * *", "UTC", "cron", "five"),
        ("", "UTC", "cron", "required"),
        ("61 * * * *", "UTC", "cron", "such as"),
        ("@dayly", "UTC", "cron", "@daily"),
        ("0 8 * * foo", "UTC", "cron", "weekday"),
        ("0 8 * * *", "Europe/Berln", "zone", "Europe/Berlin"),
        ("0 8 * * *", "new york", "zone", "America/New_York"),
        ("0 8 * * *", "", "zone", "UTC"),
    ] {
        let fault = Calendar::new(cron, zone).expect_err(cron);
        let text = format!("{} {}", fault.detail, fault.hint.unwrap_or_default());
        assert_eq!(fault.field.as_deref(), Some(field), "{cron} {zone}: {text}");
        assert!(text.contains(said), "{cron} {zone}: {text}");
    }
    let calendar = Calendar::new("0 0 * * *", "europe/berlin").expect("letters do not matter");
    assert_eq!(calendar.zone(), "Europe/Berlin");
}

#[test]
fn a_day_that_never_comes_has_no_tick() {
    let calendar = Calendar::new("0 0 30 2 *", "UTC").expect("it can be read");
    assert_eq!(calendar.after(moment("2026-01-01T00:00:00Z")), None);
}
