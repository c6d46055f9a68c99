//! The file that starts a hub at login, in the words of systemd and of launchd.

use crate::{
    domain::fault::{ErrorKind, Fault},
    faces::cli::context::CliContext,
};
use sha2::{Digest as _, Sha256};
use std::{fmt::Write as _, path::Path};

/// What decides where the hub lies; and where it finds agents, as the one who starts it at login knows few folders.
const KEPT: [&str; 3] = ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "PATH"];

/// Who starts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manager {
    Systemd,
    Launchd,
}

/// A hub to be started.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) manager: Manager,
    /// Of the file; one for each home.
    pub(super) name: String,
    /// Absolute path of the binary.
    program: String,
    env: Vec<(String, String)>,
}

impl Unit {
    pub(super) fn of(context: &CliContext) -> Self {
        let given = context.settings.given_home.as_deref();
        let manager = if cfg!(target_os = "macos") {
            Manager::Launchd
        } else {
            Manager::Systemd
        };
        let home = given.map(|home| ("EYAS_HOME".to_owned(), home.to_string_lossy().into_owned()));
        let kept = KEPT.iter().filter_map(|name| {
            let value = context.env.var(name)?;
            Some(((*name).to_owned(), value.to_owned()))
        });
        Self {
            manager,
            name: name(manager, given),
            program: context.program.to_string_lossy().into_owned(),
            env: home.into_iter().chain(kept).collect(),
        }
    }

    /// What the file says.
    ///
    /// # Errors
    /// `invalid_params` for a path or a value that neither can hold.
    pub(super) fn text(&self) -> Result<String, Fault> {
        let values = self.env.iter().map(|(_, value)| value);
        for text in values.chain([&self.program]) {
            if text.chars().any(char::is_control) {
                let detail = format!("{text:?} cannot stand in a file that starts a hub");
                return Err(Fault::new(ErrorKind::InvalidParams, detail));
            }
        }
        Ok(match self.manager {
            Manager::Systemd => self.systemd(),
            Manager::Launchd => self.launchd(),
        })
    }

    /// What a person types instead of us.
    pub(super) fn by_hand(&self, path: &Path) -> String {
        match self.manager {
            Manager::Systemd => format!("systemctl --user enable {}", self.name),
            Manager::Launchd => format!("launchctl load -w '{}'", path.display()),
        }
    }

    fn systemd(&self) -> String {
        let quoted = |text: &str| {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{}\"", text.replace('%', "%%"))
        };
        let program = quoted(&self.program).replace('$', "$$");
        let env: String = self
            .env
            .iter()
            .map(|(name, value)| format!("Environment={}\n", quoted(&format!("{name}={value}"))))
            .collect();
        // A hub that ends for want of anything to do ends well, and is started by whoever needs it; one that finds its home taken tries again.
        format!(
            "[Unit]\nDescription=Eyas hub\n\n[Service]\nExecStart={program} hub run\n{env}Restart=on-failure\nRestartSec=60\nKillMode=mixed\n\n\
             [Install]\nWantedBy=default.target\n"
        )
    }

    fn launchd(&self) -> String {
        let plain = |text: &str| {
            text.replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
        };
        let env: String = self
            .env
            .iter()
            .fold(String::new(), |mut text, (name, value)| {
                // Writing to a string cannot fail.
                write!(
                    text,
                    "    <key>{name}</key>\n    <string>{}</string>\n",
                    plain(value)
                )
                .ok();
                text
            });
        let label = self.name.trim_end_matches(".plist");
        let program = plain(&self.program);
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
             <plist version=\"1.0\">\n<dict>\n  <key>Label</key>\n  <string>{label}</string>\n  <key>ProgramArguments</key>\n  <array>\n    \
             <string>{program}</string>\n    <string>hub</string>\n    <string>run</string>\n  </array>\n  \
             <key>EnvironmentVariables</key>\n  <dict>\n{env}  </dict>\n  <key>RunAtLoad</key>\n  <true/>\n  \
             <key>KeepAlive</key>\n  <dict>\n    <key>SuccessfulExit</key>\n    <false/>\n  </dict>\n  \
             <key>ThrottleInterval</key>\n  <integer>60</integer>\n</dict>\n</plist>\n"
        )
    }
}

fn name(manager: Manager, given: Option<&Path>) -> String {
    let which = given.map_or_else(String::new, |home| {
        let digest = Sha256::digest(home.as_os_str().as_encoded_bytes());
        let short = digest.iter().take(4).map(|byte| format!("{byte:02x}"));
        format!("-{}", short.collect::<String>())
    });
    match manager {
        Manager::Systemd => format!("eyas-hub{which}.service"),
        Manager::Launchd => format!("dev.eyas.hub{which}.plist"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Manager, Unit, name};
    use std::path::Path;

    fn unit(manager: Manager) -> Unit {
        Unit {
            manager,
            name: name(manager, None),
            program: "/opt/a $b%/eyas".to_owned(),
            env: vec![
                ("EYAS_HOME".to_owned(), "/h/<a> & \"b\"".to_owned()),
                ("PATH".to_owned(), "/bin:/usr/bin".to_owned()),
            ],
        }
    }

    #[test]
    fn systemd_reads_every_path_as_it_is() {
        let text = unit(Manager::Systemd).text().expect("plain");
        for line in [
            "ExecStart=\"/opt/a $$b%%/eyas\" hub run\n",
            "Environment=\"EYAS_HOME=/h/<a> & \\\"b\\\"\"\n",
            "Environment=\"PATH=/bin:/usr/bin\"\n",
            "WantedBy=default.target\n",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }

    #[test]
    fn launchd_reads_every_path_as_it_is() {
        let text = unit(Manager::Launchd).text().expect("plain");
        for part in [
            "<string>dev.eyas.hub</string>",
            "<string>/opt/a $b%/eyas</string>",
            "<string>/h/&lt;a&gt; &amp; \"b\"</string>",
            "<key>RunAtLoad</key>",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn a_line_within_a_value_is_refused() {
        let mut unit = unit(Manager::Systemd);
        unit.env[0].1 = "/h\nExecStart=/bin/sh".to_owned();
        unit.text()
            .expect_err("it would be another line of the file");
    }

    #[test]
    fn each_home_has_a_file_of_its_own() {
        let of = |home| name(Manager::Systemd, home);
        assert_eq!(of(None), "eyas-hub.service");
        assert_ne!(of(Some(Path::new("/a"))), of(Some(Path::new("/b"))));
        assert_eq!(of(Some(Path::new("/a"))), of(Some(Path::new("/a"))));
    }
}
