//! `eyas hub install|uninstall`: a hub of this home that starts when its person logs in, so that schedules fire after a reboot.

mod unit;

use super::context::CliContext;
use crate::{
    domain::fault::{ErrorKind, Fault},
    stdx::atomic,
};
use clap::Args;
use serde_json::json;
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};
use unit::{Manager, Unit};

/// What `install` and `uninstall` are told.
#[derive(Clone, Copy, Debug, Args)]
pub struct InstallArgs {
    /// Only show what would be written, and where
    #[arg(long)]
    pub dry_run: bool,
}

pub(super) fn install(args: InstallArgs, context: &CliContext) -> Result<ExitCode, Fault> {
    let (unit, path) = planned(context)?;
    let text = unit.text()?;
    let shown = path.display().to_string();
    if args.dry_run {
        let answer = json!({"path": shown, "text": text, "changed": false});
        context.show(&answer, || format!("# {shown}\n{text}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let changed = !fs::read_to_string(&path).is_ok_and(|found| found == text);
    if changed {
        written(&path, &text).map_err(|error| failed("write", &path, &error))?;
    }
    let enabled = match unit.manager {
        Manager::Systemd => told(&["daemon-reload"]) && told(&["enable", &unit.name]),
        Manager::Launchd => false,
    };
    let answer = json!({"path": shown, "changed": changed, "enabled": enabled});
    context.show(&answer, || {
        let done = if changed {
            "wrote"
        } else {
            "nothing changed in"
        };
        let then = if enabled {
            "the hub starts when you log in".to_owned()
        } else {
            format!("to start the hub when you log in: {}", unit.by_hand(&path))
        };
        format!("{done} {shown}\n{then}")
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn uninstall(args: InstallArgs, context: &CliContext) -> Result<ExitCode, Fault> {
    let (unit, path) = planned(context)?;
    let shown = path.display().to_string();
    let there = path.exists();
    if there && !args.dry_run {
        // Before the file goes: it says what is to be undone. A running hub is left to its work.
        if unit.manager == Manager::Systemd && !told(&["disable", &unit.name]) {
            tracing::info!("systemctl --user is not there: nothing was enabled by it");
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("remove", &path, &error));
            }
            Ok(()) | Err(_) => {}
        }
        if unit.manager == Manager::Systemd && !told(&["daemon-reload"]) {
            tracing::info!("systemctl --user is not there: nothing to reload");
        }
    }
    let removed = there && !args.dry_run;
    let answer = json!({"path": shown, "removed": removed});
    context.show(&answer, || match (there, removed) {
        (true, true) => format!("removed {shown}"),
        (true, false) => format!("would remove {shown}"),
        (false, _) => format!("not installed: there is no {shown}"),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// For this binary and this home, and where it belongs.
fn planned(context: &CliContext) -> Result<(Unit, PathBuf), Fault> {
    let unit = Unit::of(context);
    let env = &context.env;
    let home = env.home_dir.as_deref().ok_or_else(|| {
        Fault::new(ErrorKind::EnvironmentMissing, "HOME is not set").hint("set it to your home")
    })?;
    let folder = match unit.manager {
        Manager::Systemd => env
            .var("XDG_CONFIG_HOME")
            .map_or_else(|| home.join(".config"), PathBuf::from)
            .join("systemd/user"),
        Manager::Launchd => home.join("Library/LaunchAgents"),
    };
    let path = folder.join(&unit.name);
    Ok((unit, path))
}

fn written(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // Its PATH and its home are nobody else's business.
    atomic::write(path, text.as_bytes(), 0o600)
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Fault {
    Fault::new(
        ErrorKind::Forbidden,
        format!("failed to {what} {}: {error}", path.display()),
    )
    .hint("--dry-run shows what belongs there")
}

/// Whether `systemctl --user` is there and did it. What it says is for nobody: the answer tells what to do by hand.
fn told(words: &[&str]) -> bool {
    Command::new("systemctl")
        .args(["--user", "--no-ask-password", "--quiet"])
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
