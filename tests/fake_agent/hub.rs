//! `fake-agent hub REAPER FOLDER PROGRAM ARGS…`: a hub of one agent, to be killed by the suite.

use eyas::agents::process::{Command, Launcher};
use std::{io::Write as _, path::Path, process::ExitCode, sync::Arc};

/// Launches, passes lines on both ways, and lives until it is killed.
pub(crate) fn run(args: &[String]) -> ExitCode {
    let [reaper, folder, program, args @ ..] = args else {
        return ExitCode::FAILURE;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let folder = Path::new(folder);
        let redact = Arc::new(str::to_owned);
        let launcher = Launcher::new(
            reaper.into(),
            folder.join("identities"),
            folder.join("logs"),
            redact,
        );
        let command = Command {
            agent: "fake".to_owned(),
            program: program.into(),
            args: args.to_vec(),
            env: std::env::vars().collect(),
            cwd: folder.to_owned(),
        };
        let mut process = launcher.launch(command).await.unwrap();
        println!("{}", process.handle.pid());
        std::io::stdout().flush().unwrap();
        let to = tokio::spawn(async move {
            tokio::io::copy(&mut tokio::io::stdin(), &mut process.stdin).await
        });
        drop(tokio::io::copy(&mut process.stdout, &mut tokio::io::stdout()).await);
        drop(to);
        process.handle.exited().await;
    });
    ExitCode::SUCCESS
}
