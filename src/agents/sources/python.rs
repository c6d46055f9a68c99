//! A Python that a package can live with, and an environment of its own made by it.

use super::{Site, is_file, unavailable};
use crate::domain::fault::Fault;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

const ASK: Duration = Duration::from_mins(1);
/// uv may have to download a Python.
const MAKE: Duration = Duration::from_mins(10);
/// As they are called, newest first; the plain name last, which may be any.
const NAMES: [&str; 6] = [
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
    "python3",
];
const VERSION: &str = "import sys; print('.'.join(map(str, sys.version_info[:3])))";

/// Makes a virtual environment with pip in it, by the first Python on PATH that `needs` allows, or by uv, which may bring one.
///
/// # Errors
/// `store_unavailable` saying which were there.
pub(super) async fn environment(
    site: &Site,
    whole: &str,
    needs: &str,
    at: &Path,
    venv: &Path,
) -> Result<(), Fault> {
    let mut seen = Vec::new();
    let mut failed = None;
    for python in pythons(site) {
        let done = site
            .tools
            .run(&python, &["-c", VERSION], at, None, ASK)
            .await?;
        let version = String::from_utf8_lossy(&done.out).trim().to_owned();
        if !done.ok || version.is_empty() {
            continue;
        }
        if !suits(needs, &version) {
            seen.push(format!("{version} ({})", python.display()));
            continue;
        }
        let venv = venv.to_string_lossy();
        let done = site
            .tools
            .run(&python, &["-m", "venv", &venv], at, None, MAKE)
            .await?;
        if done.ok {
            return Ok(());
        }
        failed = Some(done.fault());
        break;
    }
    if let Some(uv) = site.tools.find("uv") {
        match by_uv(site, &uv, needs, at, venv).await? {
            None => return Ok(()),
            Some(fault) => failed = failed.or(Some(fault)),
        }
    }
    if let Some(fault) = failed {
        return Err(
            fault.hint("Python's own `venv` is a package apart on some systems; or install uv")
        );
    }
    let found = if seen.is_empty() {
        "there is none on PATH".to_owned()
    } else {
        format!("there is {}", seen.join(", "))
    };
    Err(
        unavailable(format!("{whole} needs Python {needs}; {found}")).hint(
            "put a Python that fits on PATH and install again; or install uv, which brings one",
        ),
    )
}

/// Answers why it could not.
async fn by_uv(
    site: &Site,
    uv: &Path,
    needs: &str,
    at: &Path,
    venv: &Path,
) -> Result<Option<Fault>, Fault> {
    let wanted = if needs.is_empty() { ">=3.10" } else { needs };
    let folder = venv.to_string_lossy();
    let words = [
        "venv",
        "--seed",
        "--clear",
        "--no-project",
        "--python",
        wanted,
        &folder,
    ];
    let done = site.tools.run(uv, &words, at, None, MAKE).await?;
    let is_made = done.ok && is_file(&venv.join("bin/python"));
    Ok((!is_made).then(|| done.fault()))
}

fn pythons(site: &Site) -> Vec<PathBuf> {
    NAMES.iter().flat_map(|name| site.tools.all(name)).collect()
}

/// Whether a version fits what a package says in the words of PEP 440. What cannot be read keeps nobody out: pip looks again.
pub(super) fn suits(needs: &str, version: &str) -> bool {
    let Some(version) = numbers(version) else {
        return false;
    };
    needs
        .split(',')
        .map(str::trim)
        .filter(|one| !one.is_empty())
        .all(|one| {
            let operators = ["===", "~=", "==", "!=", "<=", ">=", "<", ">"];
            let Some(operator) = operators
                .iter()
                .find(|operator| one.starts_with(**operator))
            else {
                return true;
            };
            let text = one[operator.len()..].trim();
            let (text, is_open) = text
                .strip_suffix(".*")
                .map_or((text, false), |text| (text, true));
            let Some(bound) = numbers(text) else {
                return true;
            };
            let padded = |of: &[u64]| {
                let mut of = of.to_vec();
                of.resize(3.max(of.len()), 0);
                of
            };
            let (have, want) = (padded(&version), padded(&bound));
            let same = if is_open {
                version.starts_with(&bound)
            } else {
                have == want
            };
            match *operator {
                "==" | "===" => same,
                "!=" => !same,
                "<=" => have <= want,
                ">=" => have >= want,
                "<" => have < want,
                ">" => have > want,
                _ => have >= want && version.starts_with(&bound[..bound.len().saturating_sub(1)]),
            }
        })
}

fn numbers(text: &str) -> Option<Vec<u64>> {
    text.trim()
        .split('.')
        .map(|part| part.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::suits;

    #[test]
    fn what_a_package_asks_of_python_is_understood() {
        for (needs, version, fits) in [
            (">=3.12", "3.12.0", true),
            (">=3.12", "3.11.7", false),
            (">=3.11,<3.14", "3.14.0", false),
            (">=3.11, <3.14", "3.13.5", true),
            ("~=3.11", "3.13.0", true),
            ("~=3.11.2", "3.12.0", false),
            ("==3.12.*", "3.12.7", true),
            ("!=3.12.*,>=3.10", "3.12.7", false),
            (">3.9", "3.9.0", false),
            ("<=3.12", "3.12.1", false),
            ("", "3.8.0", true),
            ("something", "3.8.0", true),
            (">=3", "x", false),
        ] {
            assert_eq!(suits(needs, version), fits, "{needs} {version}");
        }
    }
}
