use super::kit::Linked;
use eyas::{
    agents::acp::Opening,
    domain::{
        fault::ErrorKind,
        run::{Continuity, PersonaRoute},
    },
};

fn persona(linked: &Linked) -> Opening {
    Opening {
        persona: Some("You are a hawk.\nFly.".to_owned()),
        ..linked.opening()
    }
}

#[tokio::test]
async fn the_persona_by_the_best_route() {
    for (args, route, system) in [
        (&[][..], PersonaRoute::SystemPrompt, "You are a hawk.\nFly."),
        (
            &["--no-system-prompt", "--name", "@a/claude-agent"],
            PersonaRoute::Meta,
            "meta: You are a hawk.\nFly.",
        ),
        (&["--no-system-prompt"], PersonaRoute::PromptBlock, "(none)"),
    ] {
        let linked = Linked::new(args).await;
        let opened = linked.link.open(persona(&linked)).await.unwrap();
        assert_eq!(opened.route, Some(route));
        assert_eq!(linked.say(&opened.session, "!system").await, system);
        assert_eq!(
            linked.link.open(linked.opening()).await.unwrap().route,
            None
        );
    }
}

#[tokio::test]
async fn the_directory_and_the_environment() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    assert_eq!(
        linked.say(&session, "!cwd").await,
        linked.bench.path().to_string_lossy()
    );
    assert_eq!(linked.say(&session, "!env HOME").await, "(unset)");
}

#[tokio::test]
async fn the_model_or_a_warning() {
    for (args, model, used, warned) in [
        (&[][..], "other", "other", false),
        (&[], "o", "other", false),
        (&[], "default", "default", false),
        (&[], "nonsense", "default", true),
        (&["--set-model"], "other", "other", false),
        (&["--set-model"], "nonsense", "default", true),
        (&["--no-models"], "other", "default", true),
    ] {
        let linked = Linked::new(args).await;
        let opening = Opening {
            model: Some(model.to_owned()),
            ..linked.opening()
        };
        let opened = linked.link.open(opening).await.unwrap();
        assert_eq!(
            linked.say(&opened.session, "!model").await,
            used,
            "{args:?} {model}"
        );
        let kinds: Vec<&str> = opened
            .warnings
            .iter()
            .map(|warning| warning.kind.as_str())
            .collect();
        assert_eq!(
            kinds,
            if warned {
                vec!["model_not_set"]
            } else {
                vec![]
            },
            "{args:?} {model}"
        );
    }
}

#[tokio::test]
async fn one_that_wants_a_login_says_so() {
    let linked = Linked::new(&["--auth-required"]).await;
    let fault = linked.link.open(linked.opening()).await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::AgentAuth);
    assert!(fault.hint.is_some());
}

#[tokio::test]
async fn an_earlier_session_is_resumed_else_loaded_without_its_replay_else_not_found() {
    for (args, continuity) in [
        (&["--load", "--resume"][..], Some(Continuity::Resumed)),
        (&["--load"], Some(Continuity::Loaded)),
        (&[], None),
    ] {
        let linked = Linked::new(args).await;
        let reopened = linked.link.reopen("of-yore", persona(&linked)).await;
        let Some(continuity) = continuity else {
            assert_eq!(reopened.unwrap_err().kind, ErrorKind::NotFound);
            continue;
        };
        let (how, opened) = reopened.unwrap();
        assert_eq!((how, opened.session.as_str()), (continuity, "of-yore"));
        assert_eq!(
            linked.say("of-yore", "!system").await,
            "You are a hawk.\nFly."
        );
        let fault = linked
            .link
            .reopen("unknown", linked.opening())
            .await
            .unwrap_err();
        assert_eq!(fault.kind, ErrorKind::NotFound);
    }
}

#[tokio::test]
async fn a_closed_session_is_gone_and_others_are_not() {
    let linked = Linked::new(&[]).await;
    let (one, two) = (linked.session().await, linked.session().await);
    linked.link.close_session(&one).await;
    assert_eq!(
        linked.prompt(&one, "hello").await.unwrap_err().kind,
        ErrorKind::NotFound
    );
    assert_eq!(linked.say(&two, "hello").await, "echo: hello");
}
