use super::{Case, Class, Retry, SIDE_EFFECTS_UNKNOWN, Verdict, decide};
use crate::domain::{
    fault::ErrorKind::{self, *},
    time::Timestamp,
};

fn case(kind: ErrorKind) -> Case {
    Case {
        retry: Retry {
            jitter: false,
            ..Retry::default()
        },
        attempt: 1,
        kind,
        retry_at: None,
        parks: 0,
        touched: false,
        confined: false,
        may_ask: true,
        counts: true,
        now: Timestamp(1_000_000),
        roll: 0,
    }
}

const FAIL: Verdict = Verdict::Fail { warning: None };
const NOW: Verdict = Verdict::Again { delay_ms: 0 };

fn is_unknown(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Fail { warning: Some(warning) } if warning.kind == SIDE_EFFECTS_UNKNOWN)
}

#[test]
fn the_kind_of_failure_decides() {
    for kind in [
        AgentDied,
        AgentSpawn,
        HandshakeTimeout,
        HandshakeMalformed,
        DialTimeout,
        HubLost,
        Stalled,
        Internal,
        DatabaseUnavailable,
    ] {
        assert_eq!(decide(&case(kind)), NOW, "{kind}");
    }
    for kind in [
        Refused,
        MaxTokens,
        InvalidParams,
        PolicyDenied,
        BudgetReached,
        TimedOut,
        AgentAuth,
        AgentNotFound,
    ] {
        assert_eq!(decide(&case(kind)), FAIL, "{kind}");
        assert_eq!(Class::of(kind), Class::Never);
    }
    assert_eq!(
        decide(&case(RateLimited)),
        Verdict::Park { delay_ms: 30_000 }
    );
    assert_eq!(
        decide(&case(Overloaded)),
        Verdict::Again { delay_ms: 5_000 }
    );
}

#[test]
fn what_may_have_left_half_of_its_changes_is_not_repeated_unasked() {
    for kind in [AgentDied, HubLost, RateLimited, Overloaded] {
        // touched, confined, regardless, may ask
        for (bits, expected) in [
            ((false, false, false, true), "go"),
            ((false, false, false, false), "go"),
            ((true, false, false, true), "ask"),
            ((true, false, false, false), "unknown"),
            ((true, true, false, true), "go"),
            ((true, true, false, false), "go"),
            ((true, false, true, true), "go"),
            ((true, false, true, false), "go"),
        ] {
            let (touched, confined, regardless, may_ask) = bits;
            let mut one = Case {
                touched,
                confined,
                may_ask,
                ..case(kind)
            };
            one.retry.regardless = regardless;
            let verdict = decide(&one);
            let said = match &verdict {
                Verdict::Again { .. } | Verdict::Park { .. } => "go",
                Verdict::Ask => "ask",
                Verdict::Fail { .. } if is_unknown(&verdict) => "unknown",
                Verdict::Fail { .. } => "fail",
            };
            assert_eq!(said, expected, "{kind} {bits:?}");
        }
    }
}

#[test]
fn attempts_are_used_up_by_failures_alone() {
    let last = |kind| Case {
        attempt: 2,
        ..case(kind)
    };
    assert_eq!(decide(&last(AgentDied)), FAIL);
    let touched = Case {
        touched: true,
        ..last(AgentDied)
    };
    assert_eq!(decide(&touched), FAIL);
    assert!(matches!(decide(&last(RateLimited)), Verdict::Park { .. }));
    let interrupted = Case {
        counts: false,
        ..last(HubLost)
    };
    assert_eq!(decide(&interrupted), NOW);
    let mut once = case(AgentDied);
    once.retry.max_attempts = 1;
    assert_eq!(decide(&once), FAIL);
}

#[test]
fn delays_grow_and_are_drawn_from_their_upper_half() {
    let mut one = case(AgentDied);
    one.retry.max_attempts = 20;
    one.retry.delay_ms = 1_000;
    for (attempt, delay_ms) in [(1, 1_000), (2, 2_000), (4, 8_000), (19, 86_400_000)] {
        one.attempt = attempt;
        assert_eq!(decide(&one), Verdict::Again { delay_ms });
    }
    one.retry.jitter = true;
    one.attempt = 1;
    for roll in [0, 1, 499, 500, 501, u64::MAX] {
        one.roll = roll;
        let Verdict::Again { delay_ms } = decide(&one) else {
            panic!("it goes on");
        };
        assert!((500..=1_000).contains(&delay_ms), "{delay_ms}");
    }
}

#[test]
fn a_limit_is_waited_for_until_its_end_or_longer_each_time() {
    let mut one = case(RateLimited);
    let parked = |one: &Case| {
        let Verdict::Park { delay_ms } = decide(one) else {
            panic!("it is parked");
        };
        delay_ms
    };
    one.retry_at = Some(Timestamp(1_090_000));
    assert_eq!(parked(&one), 90_000);
    one.retry_at = Some(Timestamp(0));
    one.parks = 3;
    assert_eq!(parked(&one), 8_000, "it was said to be over, three times");
    one.retry_at = Some(Timestamp(i64::MAX));
    assert_eq!(parked(&one), 240_000, "that is not believed");
    one.retry_at = None;
    one.parks = u32::MAX;
    assert_eq!(parked(&one), 1_800_000);
}

#[test]
fn numbers_that_make_no_sense_are_refused_by_name() {
    let with = |change: fn(&mut Retry)| {
        let mut retry = Retry::default();
        change(&mut retry);
        retry.check().err().and_then(|fault| fault.field)
    };
    assert_eq!(with(|_| {}), None);
    let field = Some("retry.max_attempts".to_owned());
    assert_eq!(with(|retry| retry.max_attempts = 0), field);
    let field = Some("retry.delay_ms".to_owned());
    assert_eq!(with(|retry| retry.delay_ms = u64::MAX), field);
    let field = Some("retry.backoff".to_owned());
    assert_eq!(with(|retry| retry.backoff = 0), field);
    let read: Retry = serde_json::from_str(r#"{"unsafe":true}"#).expect("defaults");
    assert!(read.regardless && read.max_attempts == 2);
}
