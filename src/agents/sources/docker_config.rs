//! Who we are to a registry, as `docker login` wrote it down.

use super::Site;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use oci_client::secrets::RegistryAuth;
use serde::Deserialize;
use std::{collections::BTreeMap, fs, path::PathBuf};

#[derive(Debug, Default, Deserialize)]
struct Config {
    #[serde(default)]
    auths: BTreeMap<String, Auth>,
}

#[derive(Debug, Default, Deserialize)]
struct Auth {
    #[serde(default)]
    auth: String,
    #[serde(default)]
    registrytoken: String,
}

/// What `$DOCKER_CONFIG/config.json` or `~/.docker/config.json` says of a registry. A credential helper is not asked.
pub(super) fn auth(site: &Site, registry: &str) -> RegistryAuth {
    let folder = site.tools.value("DOCKER_CONFIG").map(PathBuf::from);
    let home = || {
        site.tools
            .value("HOME")
            .map(|home| PathBuf::from(home).join(".docker"))
    };
    let text = folder
        .or_else(home)
        .and_then(|folder| fs::read(folder.join("config.json")).ok());
    let config: Config = text
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    read(&config, registry).unwrap_or(RegistryAuth::Anonymous)
}

fn read(config: &Config, registry: &str) -> Option<RegistryAuth> {
    let host = |name: &str| {
        let name = name.split_once("://").map_or(name, |(_, rest)| rest);
        name.split('/').next().unwrap_or_default().to_owned()
    };
    let (_, auth) = config
        .auths
        .iter()
        .find(|(name, _)| host(name) == registry)?;
    if !auth.registrytoken.is_empty() {
        return Some(RegistryAuth::Bearer(auth.registrytoken.clone()));
    }
    let plain = String::from_utf8(STANDARD.decode(auth.auth.trim()).ok()?).ok()?;
    let (user, password) = plain.split_once(':')?;
    Some(RegistryAuth::Basic(
        user.to_owned(),
        password.trim_end_matches('\0').to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::{Config, read};
    use oci_client::secrets::RegistryAuth;

    #[test]
    fn a_registry_is_found_by_its_host_and_no_other_gets_the_password() {
        let text = r#"{"auths":{"https://one.example/v1/":{"auth":"bWU6c2VjcmV0"},"two.example:5000":{"registrytoken":"t"},"three.example":{"auth":"%"}},"credsStore":"x"}"#;
        let config: Config = serde_json::from_str(text).expect("json");
        assert_eq!(
            read(&config, "one.example"),
            Some(RegistryAuth::Basic("me".to_owned(), "secret".to_owned()))
        );
        assert_eq!(
            read(&config, "two.example:5000"),
            Some(RegistryAuth::Bearer("t".to_owned()))
        );
        for other in ["two.example", "three.example", "evil-one.example", ""] {
            assert_eq!(read(&config, other), None, "{other}");
        }
    }
}
