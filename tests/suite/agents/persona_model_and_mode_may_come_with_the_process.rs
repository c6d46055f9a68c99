//! Where an agent takes who it is from a file or an argument, each persona and model has a process; its mode is set in each session.

use super::kit::{Bench, FAKE, LIMITS};
use eyas::{
    agents::{
        acp::{Manner, Opening, Permit},
        pool::{Berth, Launch, Pool},
    },
    domain::{
        agent::{
            AgentDefinition, AgentSource, EnvRules, Launch as Program, McpScope, SessionRules,
            Transport,
        },
        policy::{Grounds, Policy},
        run::{PersonaRoute, Warning},
    },
    stdx::Pause,
};
use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _};
use tokio::sync::mpsc;

fn launch(bench: &Bench, args: &[&str], session: SessionRules) -> Launch {
    let command = bench.command(FAKE, args);
    let definition = AgentDefinition {
        id: "fake".to_owned(),
        name: "Fake".to_owned(),
        launch: Program {
            command: FAKE.to_owned(),
            args: command.args,
            env: BTreeMap::new(),
        },
        env: EnvRules::default(),
        transport: Transport::default(),
        session,
        limits: LIMITS,
        mcp_scope: McpScope::default(),
        version: None,
        distribution: eyas::domain::distribution::Distribution::default(),
        capabilities: eyas::domain::agent::AgentCapabilities::default(),
        install: None,
        turn: None,
        source: AgentSource::User,
    };
    Launch {
        definition,
        program: command.program,
        env: command.env,
        own_env: BTreeMap::new(),
        root: command.cwd,
        equipment: None,
        manner: Manner::default(),
    }
}

struct Open {
    berth: Berth,
    session: String,
    route: Option<PersonaRoute>,
    warnings: Vec<Warning>,
}

async fn open(pool: &Pool, launch: Launch, persona: Option<&str>, model: Option<&str>) -> Open {
    let opening = Opening {
        cwd: launch.root.clone(),
        persona: persona.map(str::to_owned),
        model: model.map(str::to_owned),
        reporting: None,
    };
    let mut berth = pool.checkout(launch.fitted(persona, model)).await.unwrap();
    let opened = berth.open(&opening).await.unwrap();
    Open {
        session: opened.session,
        route: opened.route,
        warnings: opened.warnings,
        berth,
    }
}

impl Open {
    async fn say(&self, prompt: &str) -> String {
        let permit = Permit {
            policy: Policy::default(),
            petitions: None,
            touches: None,
            pause: Pause::default(),
            grounds: Grounds {
                cwd: "/".into(),
                workspace: None,
            },
        };
        let (send, _events) = mpsc::unbounded_channel();
        let link = self.berth.contact();
        let turn = link.prompt(&self.session, prompt.to_owned(), permit, send);
        turn.await.unwrap().text
    }
}

#[tokio::test]
async fn a_file_for_each_persona_which_goes_with_the_process() {
    let bench = Bench::new();
    let pool = Pool::start(bench.launcher.clone(), 60_000);
    let rules = || SessionRules {
        persona_file: Some("FAKE_SYSTEM_MD".to_owned()),
        ..SessionRules::default()
    };
    let of = |persona| open(&pool, launch(&bench, &[], rules()), persona, None);
    let hawk = of(Some("You are a hawk.")).await;
    assert_eq!(hawk.route, Some(PersonaRoute::EnvironmentFile));
    assert_eq!(hawk.say("!file FAKE_SYSTEM_MD").await, "You are a hawk.");
    // It is told once.
    assert_eq!(hawk.say("!system").await, "(none)");
    let path = hawk.say("!env FAKE_SYSTEM_MD").await;
    assert!(!path.contains("project") && path.starts_with(&*bench.path().to_string_lossy()));
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let owl = of(Some("You are an owl.")).await;
    assert_eq!(owl.say("!file FAKE_SYSTEM_MD").await, "You are an owl.");
    let again = of(Some("You are a hawk.")).await;
    assert!(again.berth.is_reused() && !owl.berth.is_reused());
    let nobody = of(None).await;
    assert_eq!(nobody.route, None);
    assert_eq!(nobody.say("!env FAKE_SYSTEM_MD").await, "(unset)");
    assert_eq!(pool.rows().await.len(), 3);
    drop((hawk, owl, again, nobody));
    pool.close().await;
    super::kit::until(std::time::Duration::from_secs(5), || {
        !std::path::Path::new(&path).exists()
    })
    .await;
}

#[tokio::test]
async fn what_a_dead_hub_left_of_them_is_swept() {
    let bench = Bench::new();
    let file = bench.launcher.set_aside("You are a hawk.").unwrap();
    let path = file.path().to_owned();
    std::mem::forget(file);
    assert!(path.exists());
    let swept = bench.launcher.sweep().await;
    assert!(!path.exists() && swept.ended.is_empty());
}

#[tokio::test]
async fn a_model_by_argument() {
    let bench = Bench::new();
    let pool = Pool::start(bench.launcher.clone(), 60_000);
    let rules = || SessionRules {
        model_args: vec!["--model".to_owned(), "{model}".to_owned()],
        ..SessionRules::default()
    };
    let of = |model| {
        open(
            &pool,
            launch(&bench, &["--no-models"], rules()),
            None,
            model,
        )
    };
    let large = of(Some("large")).await;
    assert_eq!(large.say("!args").await, "--no-models --model large");
    assert_eq!(large.warnings, []);
    let small = of(Some("small")).await;
    assert_eq!(small.say("!args").await, "--no-models --model small");
    assert!(of(Some("large")).await.berth.is_reused());
    assert_eq!(of(None).await.say("!args").await, "--no-models");
    pool.close().await;
}

#[tokio::test]
async fn a_mode_by_option_or_by_the_older_method_or_a_warning() {
    for (args, mode, used, warned) in [
        (&["--mode-option"][..], "plan", "plan", false),
        (&["--mode-option"], "Act", "act", false),
        (&["--modes"], "plan", "plan", false),
        (&["--modes"], "Plan", "plan", false),
        // It would take any word.
        (&["--modes"], "nonsense", "act", true),
        (&[], "plan", "act", true),
    ] {
        let bench = Bench::new();
        let pool = Pool::start(bench.launcher.clone(), 60_000);
        let rules = SessionRules {
            mode: Some(mode.to_owned()),
            ..SessionRules::default()
        };
        let opened = open(&pool, launch(&bench, args, rules), None, None).await;
        assert_eq!(opened.say("!mode").await, used, "{args:?} {mode}");
        let kinds: Vec<_> = opened
            .warnings
            .iter()
            .map(|one| one.kind.as_str())
            .collect();
        let expected: &[&str] = if warned { &["mode_not_set"] } else { &[] };
        assert_eq!(kinds, expected, "{args:?} {mode}");
        pool.close().await;
    }
}
