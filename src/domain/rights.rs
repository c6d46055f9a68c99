//! Who may do what: the hierarchy as one table.
//!
//! | deed | commander | captain | talon, no role |
//! | --- | --- | --- | --- |
//! | register a project | yes | | |
//! | create an instance | captains | talons of its project | |
//! | replace a captain, said explicitly | yes | | |
//! | delegate | whoever stands below it | whoever stands below it, of and in its project | |
//! | continue or cancel a run, say something to it | those it began | those it began | those it began |
//! | anything else that changes something | | | |
//!
//! A person may do everything, a stray nothing. Reading is nobody's deed.

use super::{
    fault::{ErrorKind, Fault},
    ids::ProjectId,
    instance::Role,
};

/// Who wants to do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    Person,
    /// An agent whose run is being worked on.
    Agent(Standing),
    /// Below an agent of ours, and of no run.
    Stray,
}

/// Where an agent stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Its instance's, or of a persona that works without an instance.
    pub role: Option<Role>,
    /// The project it leads or works in.
    pub project: Option<ProjectId>,
    /// Name of its instance, if it has one.
    pub instance: Option<String>,
}

/// Something that changes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Makes a directory a project.
    RegisterProject,
    CreateInstance {
        role: Option<Role>,
        project: Option<ProjectId>,
    },
    /// Puts another captain in the place of the one that a project has.
    ReplaceCaptain,
    Delegate {
        /// Of whoever is to work.
        role: Option<Role>,
        /// The project of the instance that is to work; without an instance, where it is to work.
        of: Option<ProjectId>,
        /// Where it is to work.
        project: Option<ProjectId>,
    },
    /// Goes on with the conversation of an earlier run.
    ContinueRun {
        begun_by_it: bool,
    },
    CancelRun {
        begun_by_it: bool,
    },
    /// Gives a run an input.
    InputRun {
        begun_by_it: bool,
    },
    /// Everything else.
    Change,
}

/// Decides one deed.
///
/// # Errors
/// `forbidden`, with what to do instead.
pub fn may(who: &Who, deed: &Deed) -> Result<(), Fault> {
    match who {
        Who::Person => Ok(()),
        Who::Stray => Err(stray()),
        Who::Agent(standing) => agent_may(standing, deed),
    }
}

/// What a stray is told, whatever it wants to do.
#[must_use]
pub fn stray() -> Fault {
    forbidden("a process below an agent, of no run that is being worked on, may only read")
        .hint("ask the person to do it")
}

/// The role of what an agent creates when nobody says which.
#[must_use]
pub fn creates(role: Option<Role>) -> Option<Role> {
    match role {
        Some(Role::Commander) => Some(Role::Captain),
        Some(Role::Captain) => Some(Role::Talon),
        Some(Role::Talon) | None => None,
    }
}

fn agent_may(standing: &Standing, deed: &Deed) -> Result<(), Fault> {
    match *deed {
        Deed::RegisterProject | Deed::ReplaceCaptain if standing.role == Some(Role::Commander) => {
            Ok(())
        }
        Deed::RegisterProject => Err(refused(standing, "register a project", "a commander does")),
        Deed::CreateInstance { role, project } => may_create(standing, role, project),
        Deed::ReplaceCaptain => Err(refused(standing, "replace a captain", "a commander does")),
        Deed::Delegate { role, of, project } => may_delegate(standing, role, of, project),
        Deed::ContinueRun { begun_by_it: true }
        | Deed::CancelRun { begun_by_it: true }
        | Deed::InputRun { begun_by_it: true } => Ok(()),
        Deed::ContinueRun { .. } => Err(refused(
            standing,
            "continue a run that it did not begin",
            "delegate without `previous`",
        )),
        Deed::InputRun { .. } => Err(refused(
            standing,
            "say something to a run that it did not begin",
            "ask the person to do it",
        )),
        Deed::CancelRun { .. } => Err(refused(
            standing,
            "cancel a run that it did not begin",
            "ask the person to do it",
        )),
        Deed::Change => Err(refused(
            standing,
            "change this",
            "ask the person to do it, or put it into follow_up of the conclusion",
        )),
    }
}

fn may_create(
    standing: &Standing,
    role: Option<Role>,
    project: Option<ProjectId>,
) -> Result<(), Fault> {
    match standing.role {
        Some(Role::Commander) if role == Some(Role::Captain) => Ok(()),
        Some(Role::Captain)
            if role == Some(Role::Talon) && is_its_own(standing.project, project) =>
        {
            Ok(())
        }
        Some(Role::Commander) => Err(refused(
            standing,
            &format!("create {}", an_instance(role)),
            "it creates captains, and a captain creates talons for its project",
        )
        .field("role")),
        Some(Role::Captain) => Err(refused(
            standing,
            &format!("create {} there", an_instance(role)),
            "it creates talons for its own project",
        )
        .field("role")),
        Some(Role::Talon) | None => Err(refused(
            standing,
            "create an instance",
            "ask the person, or put it into follow_up of the conclusion",
        )),
    }
}

fn may_delegate(
    standing: &Standing,
    role: Option<Role>,
    of: Option<ProjectId>,
    project: Option<ProjectId>,
) -> Result<(), Fault> {
    let stands_below = rank(role) < rank(standing.role);
    match standing.role {
        Some(Role::Commander) if stands_below => Ok(()),
        Some(Role::Captain) if stands_below => {
            if is_its_own(standing.project, of) && is_its_own(standing.project, project) {
                return Ok(());
            }
            Err(refused(
                standing,
                "delegate outside of its project",
                "name an instance of its own project, or a persona",
            ))
        }
        Some(Role::Commander | Role::Captain) => Err(refused(
            standing,
            &format!("delegate to {}", an_instance(role)),
            "it delegates to those below it: a commander to captains, a captain to talons of its project",
        )),
        Some(Role::Talon) | None => Err(refused(
            standing,
            "delegate",
            "do it yourself, or put it into follow_up of the conclusion",
        )),
    }
}

/// Nobody leads the project that is none.
fn is_its_own(own: Option<ProjectId>, other: Option<ProjectId>) -> bool {
    own.is_some() && own == other
}

/// An instance without a role works as a talon does.
fn rank(role: Option<Role>) -> u8 {
    match role {
        Some(Role::Commander) => 3,
        Some(Role::Captain) => 2,
        Some(Role::Talon) | None => 1,
    }
}

fn word(role: Option<Role>) -> &'static str {
    match role {
        Some(Role::Commander) => "a commander",
        Some(Role::Captain) => "a captain",
        Some(Role::Talon) => "a talon",
        None => "an agent without a role",
    }
}

fn an_instance(role: Option<Role>) -> &'static str {
    match role {
        None => "an instance without a role",
        Some(Role::Commander | Role::Captain | Role::Talon) => word(role),
    }
}

fn refused(standing: &Standing, deed: &str, hint: &str) -> Fault {
    forbidden(format!("{} may not {deed}", word(standing.role))).hint(hint)
}

fn forbidden(detail: impl Into<String>) -> Fault {
    Fault::new(ErrorKind::Forbidden, detail)
}

#[cfg(test)]
mod tests {
    use super::{Deed, Role, Standing, Who, creates, may};
    use crate::domain::{
        fault::ErrorKind,
        ids::ProjectId,
        instance::Role::{Captain, Commander, Talon},
    };

    const ROLES: [Option<Role>; 4] = [Some(Commander), Some(Captain), Some(Talon), None];

    fn project(n: u8) -> ProjectId {
        let text = format!("018f0000-0000-7000-8000-0000000000{n:02}");
        ProjectId(text.parse().unwrap())
    }

    /// Whether an agent of each role, in the first project, may do it.
    fn who_may(deed: &Deed) -> [bool; 4] {
        ROLES.map(|role| {
            let standing = Standing {
                role,
                project: Some(project(1)),
                instance: None,
            };
            let said = may(&Who::Agent(standing), deed);
            if let Err(fault) = &said {
                assert_eq!(fault.kind, ErrorKind::Forbidden);
                assert!(fault.hint.is_some(), "{fault}");
            }
            said.is_ok()
        })
    }

    fn create(role: Option<Role>, n: u8) -> Deed {
        let project = Some(project(n));
        Deed::CreateInstance { role, project }
    }

    fn delegate(role: Option<Role>, of: u8, at: u8) -> Deed {
        let (of, project) = (Some(project(of)), Some(project(at)));
        Deed::Delegate { role, of, project }
    }

    #[test]
    fn the_table_holds() {
        let nobody = [false; 4];
        let (top, second) = ([true, false, false, false], [false, true, false, false]);
        let both = [true, true, false, false];
        for (deed, expected) in [
            (Deed::RegisterProject, top),
            (create(Some(Commander), 1), nobody),
            (create(Some(Captain), 1), top),
            (create(Some(Captain), 2), top),
            (create(Some(Talon), 1), second),
            (create(Some(Talon), 2), nobody),
            (create(None, 1), nobody),
            (Deed::ReplaceCaptain, top),
            (delegate(Some(Commander), 1, 1), nobody),
            (delegate(Some(Captain), 1, 1), top),
            (delegate(Some(Captain), 2, 2), top),
            (delegate(Some(Talon), 1, 1), both),
            (delegate(Some(Talon), 2, 1), top),
            (delegate(Some(Talon), 1, 2), top),
            (delegate(None, 1, 1), both),
            (delegate(None, 2, 2), top),
            (Deed::ContinueRun { begun_by_it: true }, [true; 4]),
            (Deed::ContinueRun { begun_by_it: false }, nobody),
            (Deed::CancelRun { begun_by_it: true }, [true; 4]),
            (Deed::CancelRun { begun_by_it: false }, nobody),
            (Deed::InputRun { begun_by_it: true }, [true; 4]),
            (Deed::InputRun { begun_by_it: false }, nobody),
            (Deed::Change, nobody),
        ] {
            assert_eq!(who_may(&deed), expected, "{deed:?}");
            assert!(may(&Who::Person, &deed).is_ok(), "{deed:?}");
            assert!(may(&Who::Stray, &deed).is_err(), "{deed:?}");
        }
    }

    #[test]
    fn a_captain_of_no_project_has_no_talons() {
        let captain = Who::Agent(Standing {
            role: Some(Captain),
            ..Standing::default()
        });
        for deed in [
            Deed::CreateInstance {
                role: Some(Talon),
                project: None,
            },
            Deed::Delegate {
                role: Some(Talon),
                of: None,
                project: None,
            },
        ] {
            assert!(may(&captain, &deed).is_err(), "{deed:?}");
        }
    }

    #[test]
    fn what_is_created_unasked_may_be_created() {
        for role in ROLES {
            let created = creates(role);
            let standing = Standing {
                role,
                project: Some(project(1)),
                instance: None,
            };
            let said = may(&Who::Agent(standing), &create(created, 1));
            assert_eq!(said.is_ok(), created.is_some(), "{role:?}");
        }
    }
}
