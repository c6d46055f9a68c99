//! The one policy of a run, out of what person, project, call and parent say.

use super::{Asking, Policy, PolicyWish, Security};
use crate::domain::run::Warning;
use serde::Serialize;

/// A day: nobody is waited for longer.
const LONGEST_MS: u64 = 86_400_000;

/// What nothing but the person's own configuration may go beyond: `policy.max_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceiling {
    pub security: Security,
    pub ask: Asking,
}

impl Default for Ceiling {
    fn default() -> Self {
        Self {
            security: Security::Full,
            ask: Asking::OnMiss,
        }
    }
}

impl Ceiling {
    /// Whether a policy stays as it is under it.
    #[must_use]
    pub fn bears(self, policy: Policy) -> bool {
        policy.security <= self.security && policy.ask.is_within(self.ask)
    }
}

/// Who wishes what, weakest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Of the project's file.
    pub project: PolicyWish,
    /// A person trusts the file as it is: without, it only narrows.
    pub project_trusted: bool,
    /// Of the delegation itself.
    pub call: PolicyWish,
    /// Of the run whose agent delegates: never exceeded.
    pub parent: Option<Policy>,
}

impl Asking {
    /// Whether nothing happens under `self` that would not under `bound`.
    fn is_within(self, bound: Self) -> bool {
        self == bound || bound == Self::OnMiss
    }
}

/// The policy of a run, and a warning for everything that was asked for and is not so: `policy_ignored` or `policy_capped`.
#[must_use]
pub fn effective(base: Policy, wishes: &Wishes, ceiling: Ceiling) -> (Policy, Vec<Warning>) {
    let mut made = Made {
        policy: base,
        warnings: Vec::new(),
    };
    if wishes.project_trusted {
        made.set(&wishes.project);
    } else {
        made.narrow(&wishes.project);
    }
    made.set(&wishes.call);
    let highest = Policy {
        security: ceiling.security,
        ask: ceiling.ask,
        ask_timeout_ms: LONGEST_MS,
    };
    made.bound(&highest, "policy.max_");
    if let Some(parent) = &wishes.parent {
        made.bound(parent, "the policy of the run that delegates: ");
    }
    (made.policy, made.warnings)
}

struct Made {
    policy: Policy,
    warnings: Vec<Warning>,
}

impl Made {
    fn set(&mut self, wish: &PolicyWish) {
        let policy = &mut self.policy;
        policy.security = wish.security.unwrap_or(policy.security);
        policy.ask = wish.ask.unwrap_or(policy.ask);
        policy.ask_timeout_ms = wish.ask_timeout_ms.unwrap_or(policy.ask_timeout_ms);
    }

    /// Takes what narrows, and says what does not.
    fn narrow(&mut self, wish: &PolicyWish) {
        let policy = &mut self.policy;
        let mut ignored = Vec::new();
        match wish.security {
            Some(security) if security <= policy.security => policy.security = security,
            Some(security) => ignored.push(format!("security {}", word(security))),
            None => {}
        }
        match wish.ask {
            Some(ask) if ask.is_within(policy.ask) => policy.ask = ask,
            Some(ask) => ignored.push(format!("ask {}", word(ask))),
            None => {}
        }
        match wish.ask_timeout_ms {
            Some(ms) if ms <= policy.ask_timeout_ms => policy.ask_timeout_ms = ms,
            Some(ms) => ignored.push(format!("ask_timeout_ms {ms}")),
            None => {}
        }
        self.warnings.extend(ignored.into_iter().map(|what| {
            let detail = format!(
                "the project's .eyas.toml wants {what}, which does not narrow the policy; a person may trust the file"
            );
            Warning::new("policy_ignored", detail)
        }));
    }

    /// Brings what goes beyond `highest` down to it.
    fn bound(&mut self, highest: &Policy, whose: &str) {
        let policy = &mut self.policy;
        let mut capped = Vec::new();
        if policy.security > highest.security {
            capped.push(("security", word(policy.security), word(highest.security)));
            policy.security = highest.security;
        }
        if !policy.ask.is_within(highest.ask) {
            capped.push(("ask", word(policy.ask), word(highest.ask)));
            policy.ask = highest.ask;
        }
        if policy.ask_timeout_ms > highest.ask_timeout_ms {
            let (from, to) = (policy.ask_timeout_ms, highest.ask_timeout_ms);
            capped.push(("ask_timeout_ms", from.to_string(), to.to_string()));
            policy.ask_timeout_ms = to;
        }
        self.warnings
            .extend(capped.into_iter().map(|(field, from, to)| {
                let detail = format!("{field} {from} was asked for; {whose}{field} is {to}");
                Warning::new("policy_capped", detail)
            }));
    }
}

/// As it is written in a file.
fn word(value: impl Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Asking, Ceiling, Policy, PolicyWish, Security, Wishes, effective};

    fn wish(security: Security, ask: Asking) -> PolicyWish {
        PolicyWish {
            security: Some(security),
            ask: Some(ask),
            ask_timeout_ms: None,
        }
    }

    fn kinds(wishes: &Wishes, ceiling: Ceiling) -> (Security, Asking, Vec<String>) {
        let (policy, warnings) = effective(Policy::default(), wishes, ceiling);
        let kinds = warnings.into_iter().map(|warning| warning.kind).collect();
        (policy.security, policy.ask, kinds)
    }

    #[test]
    fn an_untrusted_project_only_narrows_and_a_trusted_one_sets() {
        let loose = Wishes {
            project: wish(Security::Full, Asking::OnMiss),
            ..Wishes::default()
        };
        let ignored = vec!["policy_ignored".to_owned()];
        let free = Ceiling::default();
        assert_eq!(
            kinds(&loose, free),
            (Security::Allowlist, Asking::OnMiss, ignored)
        );
        let trusted = Wishes {
            project_trusted: true,
            ..loose
        };
        assert_eq!(
            kinds(&trusted, free),
            (Security::Full, Asking::OnMiss, vec![])
        );
        let narrow = Wishes {
            project: wish(Security::Deny, Asking::Always),
            ..Wishes::default()
        };
        assert_eq!(
            kinds(&narrow, free),
            (Security::Deny, Asking::Always, vec![])
        );
    }

    #[test]
    fn no_wish_goes_beyond_the_ceiling_and_no_child_beyond_its_parent() {
        let wishes = Wishes {
            call: PolicyWish {
                ask_timeout_ms: Some(u64::MAX),
                ..wish(Security::Full, Asking::OnMiss)
            },
            ..Wishes::default()
        };
        let low = Ceiling {
            security: Security::Allowlist,
            ask: Asking::Off,
        };
        let (policy, warnings) = effective(Policy::default(), &wishes, low);
        assert_eq!(
            (policy.security, policy.ask),
            (Security::Allowlist, Asking::Off)
        );
        assert_eq!(policy.ask_timeout_ms, 86_400_000);
        assert_eq!(warnings.len(), 3, "{warnings:?}");
        assert_eq!(
            warnings[0].detail,
            "security full was asked for; policy.max_security is allowlist"
        );
        let child = Wishes {
            parent: Some(Policy {
                security: Security::Deny,
                ask: Asking::Always,
                ask_timeout_ms: 5,
            }),
            ..wishes
        };
        let (policy, warnings) = effective(Policy::default(), &child, Ceiling::default());
        assert_eq!(Some(policy), child.parent);
        assert_eq!(warnings.len(), 4);
    }

    #[test]
    fn what_must_be_asked_is_not_done_unasked_by_asking_nobody() {
        for (bound, asked) in [(Asking::Always, Asking::Off), (Asking::Off, Asking::Always)] {
            let wishes = Wishes {
                call: wish(Security::Allowlist, asked),
                parent: Some(Policy {
                    ask: bound,
                    ..Policy::default()
                }),
                ..Wishes::default()
            };
            let (policy, warnings) = effective(Policy::default(), &wishes, Ceiling::default());
            assert_eq!((policy.ask, warnings.len()), (bound, 1));
        }
    }
}
