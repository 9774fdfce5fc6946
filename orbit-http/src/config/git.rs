//! Where the GitOps repository lies.

use std::collections::BTreeSet;
use std::path::PathBuf;

use orbit_core::Environment;
use orbit_gitops::{Access, ArgoSettings, RemoteUrl, UrlFault};

use super::ConfigFault;
use super::keys::Keys;

/// Where the GitOps repository lies.
#[derive(Debug, Clone)]
pub enum GitIn {
    /// In the data directory.
    Directory,
    /// On a server.
    Remote {
        /// Its address.
        url: RemoteUrl,
        /// Who connects.
        access: Access,
        /// What the manifests for Argo CD say.
        argo: Box<ArgoSettings>,
    },
}

/// The user of a token that needs none, by GitLab's custom.
const TOKEN_USER: &str = "oauth2";
/// The user that git servers take keys of.
const KEY_USER: &str = "git";

/// Reads the repository's place; `protected` are the environments in which Argo CD deletes nothing that
/// was not confirmed.
pub(super) fn git(keys: &mut Keys, protected: BTreeSet<Environment>) -> Result<GitIn, ConfigFault> {
    let Some(text) = keys.text("git.url")? else {
        return match protected.first() {
            None => Ok(GitIn::Directory),
            Some(_) => Err(keys.unused("environments.protected", "git.url")),
        };
    };
    let url: RemoteUrl = text.parse().map_err(ConfigFault::GitUrl)?;
    let access = if url.is_web() { token(keys)? } else { key(keys)? };
    let argo = Box::new(argo(keys, &url, protected)?);
    Ok(GitIn::Remote { url, access, argo })
}

fn token(keys: &mut Keys) -> Result<Access, ConfigFault> {
    let Some((token, file)) = keys.secret_in("git.token", "git.token_file")? else {
        return Ok(Access::Open);
    };
    let username = keys.text("git.username")?.unwrap_or_else(|| TOKEN_USER.to_owned());
    Ok(match file {
        Some(token_file) => Access::TokenFile { username, token_file },
        None => Access::Token { username, token: token.0.into() },
    })
}

fn key(keys: &mut Keys) -> Result<Access, ConfigFault> {
    let mut file = |key: &'static str| -> Result<PathBuf, ConfigFault> {
        let path = keys.text(key)?;
        path.map(PathBuf::from).ok_or_else(|| keys.missing(key))
    };
    let (private_key, known_hosts) = (file("git.private_key_file")?, file("git.known_hosts_file")?);
    let passphrase = keys.secret("git.passphrase", "git.passphrase_file")?;
    let passphrase = passphrase.map(|secret| secret.0.into());
    let username = keys.text("git.username")?.unwrap_or_else(|| KEY_USER.to_owned());
    Ok(Access::Key { username, private_key, passphrase, known_hosts })
}

fn argo(
    keys: &mut Keys,
    url: &RemoteUrl,
    protected: BTreeSet<Environment>,
) -> Result<ArgoSettings, ConfigFault> {
    let default = ArgoSettings::of(url);
    let repository = keys.text("argocd.repository")?.unwrap_or(default.repository);
    if matches!(RemoteUrl::unencrypted(&repository), Err(UrlFault::Secret(_))) {
        return Err(ConfigFault::ArgoSecret);
    }
    Ok(ArgoSettings {
        namespace: keys.text("argocd.namespace")?.unwrap_or(default.namespace),
        project: keys.text("argocd.project")?.unwrap_or(default.project),
        destination: keys.text("argocd.destination")?.unwrap_or(default.destination),
        repository,
        webhook: keys.text("argocd.webhook")?,
        protected,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::config::tests::secret_file;

    fn read(text: &str) -> Result<Config, ConfigFault> {
        Config::read(Some(("orbit.toml", text)), [])
    }

    #[test]
    fn what_has_no_effect_or_is_missing_is_refused_with_its_place() {
        let cases = [
            (
                "git.token = 'glpat-1'",
                "sets git.token, which is a secret: set git.token_file, or the variable ORBIT_GIT__TOKEN",
            ),
            (
                "git.username = 'orbit'",
                "sets git.username, which has an effect only with a git.url, and one of SSH if it is \
                 about keys",
            ),
            (
                "git.url = 'ssh://gitlab.example.com/a.git'",
                "sets git.private_key_file to nothing, expected a text",
            ),
            (
                "argocd.project = 'orbit'",
                "sets argocd.project, which has an effect only with git.url",
            ),
            (
                "[[environments]]\nname = 'production'\nprotected = true",
                "sets environments.protected, which has an effect only with git.url",
            ),
        ];
        for (text, expected) in cases {
            let said = read(text).unwrap_err().to_string();
            assert_eq!(said, format!("orbit.toml {expected}"), "{text}");
        }
    }

    #[test]
    fn a_token_belongs_to_https_and_is_not_shown() {
        let (_folder, path) = secret_file("glpat-s3cr3t\n");
        let text = format!(
            "[git]\nurl = 'https://gitlab.example.com/a.git'\ntoken_file = '{path}'\n\
             [argocd]\nproject = 'orbit'\n\
             [[environments]]\nname = 'production'\nprotected = true"
        );
        let config = read(&text).unwrap();
        let GitIn::Remote { url, access, argo } = &config.git else { panic!("{config:?}") };
        assert_eq!(url.to_string(), "https://gitlab.example.com/a.git");
        assert!(matches!(access, Access::TokenFile { username, .. } if username == "oauth2"));
        assert_eq!((argo.project.as_str(), argo.namespace.as_str()), ("orbit", "argocd"));
        assert!(argo.protected.contains(&"production".parse().unwrap()));
        assert!(!format!("{config:?}").contains("s3cr3t"));
    }

    #[test]
    fn a_key_belongs_to_ssh() {
        let keyed = "git.url = 'git@gitlab.example.com:orbit/a.git'\n\
                     git.private_key_file = '/k'\ngit.known_hosts_file = '/h'";
        let GitIn::Remote { access, .. } = read(keyed).unwrap().git else { panic!("{keyed}") };
        assert!(matches!(&access, Access::Key { username, .. } if username == "git"), "{access:?}");
    }

    #[test]
    fn a_secret_in_the_url_is_refused_and_not_repeated() {
        let secret = "git.url = 'https://oauth2:glpat-s3cr3t@gitlab.example.com/a.git'";
        let fault = read(secret).unwrap_err().to_string();
        assert!(fault.starts_with("git.url: the repository's URL holds a "), "{fault}");
        assert!(!fault.contains("s3cr3t"), "{fault}");
    }

    #[test]
    fn no_secret_of_argo_cd_is_committed_or_shown() {
        let with = |repository: &str| {
            let git = "git.url = 'https://gitlab.example.com/a.git'";
            read(&format!("{git}\nargocd.repository = '{repository}'"))
        };
        for odd in ["https://argo:s3cr3t@gitlab/a.git", "ssh://argo:s3cr3t@gitlab/a.git"] {
            let fault = with(odd).unwrap_err().to_string();
            assert!(fault.starts_with("argocd.repository holds a user"), "{fault}");
            assert!(!fault.contains("s3cr3t"), "{fault}");
        }
        for fine in ["http://gitlab.gitlab.svc/a.git", "git@gitlab:a.git"] {
            let GitIn::Remote { argo, .. } = with(fine).unwrap().git else { panic!("{fine}") };
            assert_eq!(argo.repository, fine);
        }
    }
}
