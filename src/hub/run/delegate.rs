//! From a request to an accepted run: who works, as whom, where, and after which other.

use super::{RunDesk, choice::Preferred, lineage::Origin, policy};
use crate::{
    agents::pool::Digest,
    api::run::Delegate,
    domain::{
        fault::{ErrorKind, Fault},
        host::Host,
        ids::{InstanceId, ProjectId, RunId, SessionId},
        instance::{Instance, InstanceStatus},
        run::{Mode, Run, Warning},
    },
    stdx,
    store::{Accepted, Extras, Idempotency, NewRun, Occasion, SessionKey, SessionRow, StoreError},
};

/// The agent that needs nothing: what is left when no other is there.
pub(super) const LAST_RESORT: &str = "embedded";

impl RunDesk {
    /// Accepts a run; it is on disk when this answers.
    /// `keyed`: the key under which it is accepted, where that is another than its own.
    pub(super) async fn accept(
        &self,
        mut params: Delegate,
        origin: Origin<'_>,
        keyed: Option<Idempotency>,
        occasion: Option<Occasion>,
    ) -> Result<Run, Fault> {
        self.check(&params)?;
        // Before the session is named that its key stands for: the first request and its repetition are one.
        let asked = params.clone();
        let session_key = self.keyed(&mut params, &origin).await?;
        let earlier = self.earlier(&params, &origin).await?;
        if let Some(run) = self.known(&asked, &origin, earlier.as_ref()).await? {
            return Ok(run);
        }
        let instance = self.placed(&params, earlier.as_ref()).await?;
        let values = self.values_of(&origin);
        let mut warnings = Vec::new();
        let (placed, path) = (instance.as_ref(), values.get("PATH").map(String::as_str));
        let told = (path, &mut warnings);
        let (mut session, away) = self
            .conversation(&params, earlier, placed, &origin, told)
            .await?;
        let terms = self.terms_of(session.project).await?;
        warnings.extend(terms.warnings.iter().cloned());
        self.below(&origin, instance.as_ref(), &session)?;
        let own = own_key(&asked, &origin, &session);
        let policy = self.policy(&terms, params.policy, origin.policy(), &mut warnings);
        let id: RunId = stdx::mint().into();
        let at = (id, away.as_ref());
        self.keep(at, values);
        let settled = self.settle(&params, &origin, &mut session, at).await;
        let (spot, tree) = settled.inspect_err(|_| self.values.forget(id))?;
        let run = NewRun {
            id,
            session,
            prompt: params.prompt,
            previous: params.previous,
            label: params.label,
            lane: origin.lane(params.lane),
            mode: spot.mode(params.mode.or(terms.file.mode).unwrap_or_default()),
            timeout_ms: params.timeout_ms.map(saturated),
            tree,
            warnings,
            idempotency: keyed.clone().or(own),
            policy,
            isolation: spot.isolation(),
            worktree: spot.worktree(),
            parent: origin.lease(),
            depth: origin.depth(),
            max_in_project: terms.file.max_concurrent,
            retry: params.retry.unwrap_or_default(),
            budget: params.budget.unwrap_or_default(),
            extras: extras_of(session_key, &asked, away.as_ref()),
            occasion,
        };
        let accepted = self.dispatch.accept(&self.store, run).await;
        if !matches!(&accepted, Ok(accepted) if !accepted.duplicate) {
            self.values.forget(id);
            spot.withdraw();
        }
        // Another delegation has opened the session of this key meanwhile: this one continues it.
        if let Err(StoreError::SessionKeyTaken(_)) = accepted {
            return Box::pin(self.accept(asked, origin, keyed, occasion)).await;
        }
        accepted.map_err(Fault::from).map(shown)
    }

    pub(super) fn check(&self, params: &Delegate) -> Result<(), Fault> {
        if params.prompt.trim().is_empty() {
            return Err(
                Fault::required("prompt").hint("say what is to be done, complete in itself")
            );
        }
        if params.prompt.len() > self.prompt_bytes {
            let detail = format!(
                "the prompt has {} bytes, at most {} are taken",
                params.prompt.len(),
                self.prompt_bytes
            );
            return Err(Fault::new(ErrorKind::TooLarge, detail)
                .field("prompt")
                .hint("put long material in a file of the project and name it"));
        }
        if params.timeout_ms == Some(0) {
            return Err(Fault::invalid("timeout_ms", "must be above 0"));
        }
        if params.session.is_some() && params.previous.is_some() {
            return Err(Fault::invalid(
                "previous",
                "and `session` both say what to continue; give one",
            ));
        }
        if params.policy.and_then(|policy| policy.ask_timeout_ms) == Some(0) {
            return Err(Fault::invalid("policy.ask_timeout_ms", "must be above 0")
                .hint("with ask: off nobody is asked"));
        }
        params.retry.unwrap_or_default().check()?;
        params.budget.unwrap_or_default().check()?;
        for (field, text) in [
            ("label", &params.label),
            ("lane", &params.lane),
            ("idempotency_key", &params.idempotency_key),
            ("session_key", &params.session_key),
        ] {
            check_word(field, text.as_deref())?;
        }
        if params
            .lane
            .as_deref()
            .is_some_and(|lane| lane.contains(['+', '@', '~']))
        {
            // One that named the lane of its own children could take the slots that they wait for.
            return Err(Fault::invalid(
                "lane",
                "must not contain `+`, `@` or `~`: Eyas names lanes of its own so",
            ));
        }
        for (field, text) in [
            ("hook", &params.hook),
            ("extra_system_prompt", &params.extra_system_prompt),
        ] {
            check_text(field, text.as_deref())?;
        }
        Ok(())
    }

    /// The conversation that it goes on with or opens, and the host of it where that is another one.
    async fn conversation(
        &self,
        params: &Delegate,
        earlier: Option<SessionRow>,
        instance: Option<&Instance>,
        origin: &Origin<'_>,
        (path, warnings): (Option<&str>, &mut Vec<Warning>),
    ) -> Result<(SessionRow, Option<Host>), Fault> {
        let found = match earlier {
            Some(session) => self.continued(session, params).await?,
            None => {
                self.opened(params, instance, origin, path, warnings)
                    .await?
            }
        };
        Self::warn_of(found.1.as_ref(), warnings);
        Ok(found)
    }

    /// A session goes on where it is, with the agent it has.
    async fn continued(
        &self,
        session: SessionRow,
        params: &Delegate,
    ) -> Result<(SessionRow, Option<Host>), Fault> {
        let changed = |field: &str| {
            Err(Fault::invalid(
                field,
                "cannot change within a session; leave it out, or open a new session",
            ))
        };
        if params
            .agent
            .as_ref()
            .is_some_and(|agent| *agent != session.agent)
        {
            return changed("agent");
        }
        if params.extra_system_prompt.is_some() {
            return changed("extra_system_prompt");
        }
        if params.persona.is_some() && params.persona != session.persona {
            return changed("persona");
        }
        if let Some(named) = &params.project
            && Some(self.projects.find(named).await?.id) != session.project
        {
            return changed("project");
        }
        let away = self.store.hosts.elsewhere(session.id).await?;
        Ok((session, away))
    }

    /// The session to go on with, if one is named.
    async fn earlier(
        &self,
        params: &Delegate,
        origin: &Origin<'_>,
    ) -> Result<Option<SessionRow>, Fault> {
        self.may_continue(params, origin).await?;
        let session: SessionId = match (params.session, params.previous) {
            (Some(session), _) => session,
            (None, Some(run)) => {
                self.store
                    .runs
                    .get(run)
                    .await
                    .map_err(|error| at_field(error, "previous"))?
                    .session
            }
            (None, None) => return Ok(None),
        };
        let row = self
            .store
            .runs
            .session(session)
            .await
            .map_err(|error| at_field(error, "session"))?;
        Ok(Some(row))
    }

    async fn placed(
        &self,
        params: &Delegate,
        earlier: Option<&SessionRow>,
    ) -> Result<Option<Instance>, Fault> {
        let instance = match (
            &params.instance,
            earlier.and_then(|session| session.instance),
        ) {
            (Some(named), _) => self.instance(named).await?,
            (None, Some(id)) => self.instance(&id.to_string()).await?,
            (None, None) => return Ok(None),
        };
        if earlier.is_some_and(|session| session.instance != Some(instance.id)) {
            return Err(Fault::invalid(
                "instance",
                "is not the one whose session is continued",
            ));
        }
        if instance.status == InstanceStatus::Stopped {
            let name = &instance.name;
            return Err(Fault::new(
                ErrorKind::InstanceNotRunning,
                format!("instance \"{name}\" is stopped"),
            )
            .hint(format!(
                "start it with instance_control {{name: \"{name}\", action: \"start\"}}"
            )));
        }
        Ok(Some(instance))
    }

    async fn opened(
        &self,
        params: &Delegate,
        instance: Option<&Instance>,
        origin: &Origin<'_>,
        path: Option<&str>,
        warnings: &mut Vec<Warning>,
    ) -> Result<(SessionRow, Option<Host>), Fault> {
        let site = self.site(params, instance, origin).await?;
        let away = self.host(site.host.as_deref()).await?;
        let terms = self.terms_of(site.project).await?.file;
        let mut persona = match away {
            Some(_) => Self::persona_away(params, instance)?,
            None => self.persona(params, instance)?,
        };
        if persona.is_none() {
            persona = self.persona_of(&terms, warnings);
        }
        let named = params
            .agent
            .clone()
            .or_else(|| instance.and_then(|instance| instance.agent.clone()));
        let preferred = Preferred {
            persona: persona.as_deref(),
            project: terms.agent,
        };
        let agent = match &away {
            Some(host) => self.agent_away(host, named, persona.as_deref(), warnings)?,
            None => self.choose(named, preferred, path, warnings)?,
        };
        let session = SessionRow {
            id: stdx::mint().into(),
            instance: instance.map(|instance| instance.id),
            persona,
            agent,
            project: site.project,
            cwd: site.cwd.to_string_lossy().into_owned(),
            agent_session: None,
        };
        Ok((session, away))
    }
}

pub(super) fn check_word(field: &str, text: Option<&str>) -> Result<(), Fault> {
    let Some(text) = text else {
        return Ok(());
    };
    if text.is_empty() {
        return Err(Fault::invalid(field, "is empty; leave it out"));
    }
    if text.len() > 256 || text.chars().any(char::is_control) {
        return Err(Fault::invalid(
            field,
            "must be at most 256 bytes of plain text",
        ));
    }
    Ok(())
}

/// Longer is a file's work.
const TEXT_BYTES: usize = 16 * 1024;

fn check_text(field: &str, text: Option<&str>) -> Result<(), Fault> {
    let Some(text) = text else {
        return Ok(());
    };
    if text.trim().is_empty() {
        return Err(Fault::invalid(field, "is empty; leave it out"));
    }
    if text.len() > TEXT_BYTES {
        let detail = format!(
            "`{field}` has {} bytes, at most {TEXT_BYTES} are taken",
            text.len()
        );
        return Err(Fault::new(ErrorKind::TooLarge, detail).field(field));
    }
    Ok(())
}

fn at_field(error: StoreError, field: &str) -> Fault {
    Fault::from(error).field(field)
}

/// Within which a key means one thing.
pub(super) fn scope(instance: Option<InstanceId>, project: Option<ProjectId>, cwd: &str) -> String {
    match (instance, project) {
        (Some(instance), _) => format!("instance/{instance}"),
        (None, Some(project)) => format!("project/{project}"),
        (None, None) => format!("directory/{cwd}"),
    }
}

/// The key that a request brings itself.
fn own_key(asked: &Delegate, origin: &Origin<'_>, session: &SessionRow) -> Option<Idempotency> {
    let key = asked.idempotency_key.clone()?;
    Some(Idempotency {
        scope: origin.scope(scope(session.instance, session.project, &session.cwd)),
        key,
        fingerprint: fingerprint(asked, &session.cwd),
    })
}

fn extras_of(session_key: Option<SessionKey>, asked: &Delegate, away: Option<&Host>) -> Extras {
    Extras {
        session_key,
        extra_system_prompt: asked.extra_system_prompt.clone(),
        hook: asked.hook.clone(),
        host: away.map(|host| host.id),
    }
}

fn saturated(ms: u64) -> i64 {
    ms.try_into().unwrap_or(i64::MAX)
}

fn shown(accepted: Accepted) -> Run {
    let Accepted { mut run, duplicate } = accepted;
    run.duplicate = duplicate.then_some(true);
    run
}

/// Of everything that was asked, and not of what it came to: which agent is there may change between a request and its repetition. Instance
/// and project may be asked for in several ways; they are in the scope, and the directory says the rest.
pub(super) fn fingerprint(params: &Delegate, cwd: &str) -> String {
    let wait = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
    let mode = params.mode.unwrap_or(Mode::Auto);
    // What is not said leaves no trace, so that a fingerprint of before there was such a thing still fits.
    let retry = params.retry.map(|retry| format!("{retry:?}"));
    let budget = params.budget.map(|budget| format!("{budget:?}"));
    let words = [
        params.prompt.as_str(),
        params.persona.as_deref().unwrap_or_default(),
        params.agent.as_deref().unwrap_or_default(),
        cwd,
        &format!(
            "{mode:?} {} {:?} {:?} {:?}",
            params.concurrent,
            params.session,
            params.previous,
            params.isolation.unwrap_or_default()
        ),
        &wait(params.timeout_ms),
        params.label.as_deref().unwrap_or_default(),
        params.lane.as_deref().unwrap_or_default(),
        &policy::words(params.policy),
    ];
    let said = retry.as_deref().into_iter().chain(budget.as_deref());
    Digest::of(words.into_iter().chain(said).chain(extras(params))).hex()
}

/// What may be left out stands for itself only where it is said.
fn extras(params: &Delegate) -> impl Iterator<Item = &str> {
    let named = [
        ("session_key", &params.session_key),
        ("extra_system_prompt", &params.extra_system_prompt),
        ("hook", &params.hook),
    ];
    let said = named.map(|(name, text)| text.as_deref().map(|text| [name, text]));
    said.into_iter().flatten().flatten()
}

#[cfg(test)]
mod tests {
    use super::fingerprint;
    use crate::{
        api::run::Delegate,
        domain::{
            ids::RunId, policy::PolicyWish, retry::Retry, run::Mode, spent::Budget,
            worktree::Isolation,
        },
        stdx::mint,
    };

    /// Each asks for something else than the first, in one way.
    fn others(asked: impl Fn() -> Delegate) -> Vec<Delegate> {
        const CHANGES: [fn(&mut Delegate, String); 16] = [
            |one, text| one.prompt = text,
            |one, text| one.persona = Some(text),
            |one, text| one.agent = Some(text),
            |one, text| one.label = Some(text),
            |one, text| one.lane = Some(text),
            |one, _| one.mode = Some(Mode::Cold),
            |one, _| one.concurrent = true,
            |one, _| one.timeout_ms = Some(1),
            |one, _| one.retry = Some(Retry::default()),
            |one, _| one.budget = Some(Budget::default()),
            |one, _| one.policy = Some(longer()),
            |one, _| one.previous = Some(RunId(mint())),
            |one, _| one.isolation = Some(Isolation::Worktree),
            |one, text| one.session_key = Some(text),
            |one, text| one.extra_system_prompt = Some(text),
            |one, text| one.hook = Some(text),
        ];
        let other = |change: &fn(&mut Delegate, String)| {
            let mut other = asked();
            change(&mut other, "x".to_owned());
            other
        };
        CHANGES.iter().map(other).collect()
    }

    fn longer() -> PolicyWish {
        PolicyWish {
            ask_timeout_ms: Some(1),
            ..PolicyWish::default()
        }
    }

    #[test]
    fn every_part_of_a_request_counts_and_nothing_else() {
        let asked = || Delegate {
            prompt: "look".to_owned(),
            ..Delegate::default()
        };
        let first = fingerprint(&asked(), "/p");
        assert_eq!(first, fingerprint(&asked(), "/p"));
        let waiting = Delegate {
            mode: Some(Mode::Auto),
            ..asked()
        };
        assert_eq!(first, fingerprint(&waiting, "/p"));
        let unchanged = Delegate {
            policy: Some(PolicyWish::default()),
            ..asked()
        };
        assert_eq!(first, fingerprint(&unchanged, "/p"));
        assert_ne!(first, fingerprint(&asked(), "/q"));
        for (n, other) in others(asked).iter().enumerate() {
            assert_ne!(first, fingerprint(other, "/p"), "{n}");
        }
    }
}
