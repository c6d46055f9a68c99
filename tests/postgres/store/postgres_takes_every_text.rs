//! No text that somebody may write is refused.

use super::kit::{Home, run, says};
use eyas::store::NewRun;

#[tokio::test]
async fn a_zero_and_all_else_that_unicode_has() {
    let home = Home::new().await;
    let id = home
        .accept(NewRun {
            prompt: "a\0b 🦅 \u{202e} \\u0000 '; DROP TABLE run; --".to_owned(),
            label: Some("\0".to_owned()),
            ..run()
        })
        .await;
    let lease = home.claim_one().await;
    home.store
        .runs
        .append(lease, says("step\0 with \"quotes\" and \u{1}"))
        .await
        .unwrap();
    let run = home.store.runs.get(id).await.unwrap();
    assert_eq!(
        run.prompt,
        "a\u{fffd}b 🦅 \u{202e} \\u0000 '; DROP TABLE run; --"
    );
    assert_eq!(run.label.as_deref(), Some("\u{fffd}"));
    assert_eq!(home.events(id).await.len(), 3);
}
