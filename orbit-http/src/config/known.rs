//! The keys that are known.

/// What Orbit does with a key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Use {
    /// Takes a text.
    Text,
    /// Takes a number above zero.
    Number,
    /// Takes a text that is never shown, from a variable only.
    Secret,
    /// Takes one value; the others are for later.
    Only(&'static str, &'static str),
    /// Is for later.
    Later(&'static str),
}

const REGISTRY: &str = "images are pushed to the data directory";
const NO_CLUSTER: &str = "no cluster is attached";

/// Every key of the configuration. Those of an environment are under `environments`.
pub(super) const KEYS: [(&str, Use); 60] = [
    ("data_dir", Use::Text),
    ("listen", Use::Text),
    ("log", Use::Text),
    ("cluster_timeout", Use::Later(NO_CLUSTER)),
    ("images.store", Use::Text),
    ("images.endpoint", Use::Text),
    ("images.region", Use::Text),
    ("images.bucket_suffix", Use::Text),
    ("images.part_bytes", Use::Number),
    ("images.copy_bytes", Use::Number),
    ("tables.store", Use::Text),
    ("tables.endpoint", Use::Text),
    ("tables.region", Use::Text),
    ("tables.table_suffix", Use::Text),
    ("catalog.store", Use::Text),
    ("catalog.url", Use::Secret),
    ("catalog.url_file", Use::Text),
    ("catalog.connections", Use::Number),
    ("catalog.migrate_at_start", Use::Text),
    ("registry.store", Use::Only("directory", REGISTRY)),
    ("registry.host", Use::Text),
    ("registry.organisation", Use::Text),
    ("registry.username", Use::Later(REGISTRY)),
    ("registry.password", Use::Later(REGISTRY)),
    ("registry.password_file", Use::Later(REGISTRY)),
    ("git.url", Use::Text),
    ("git.branch", Use::Text),
    ("git.name", Use::Text),
    ("git.email", Use::Text),
    ("git.username", Use::Text),
    ("git.token", Use::Secret),
    ("git.token_file", Use::Text),
    ("git.private_key_file", Use::Text),
    ("git.passphrase", Use::Secret),
    ("git.passphrase_file", Use::Text),
    ("git.known_hosts_file", Use::Text),
    ("argocd.namespace", Use::Text),
    ("argocd.project", Use::Text),
    ("argocd.destination", Use::Text),
    ("argocd.repository", Use::Text),
    ("argocd.webhook", Use::Text),
    ("sync.mode", Use::Only("none", NO_CLUSTER)),
    ("environments.name", Use::Text),
    ("environments.cluster", Use::Text),
    ("environments.namespace", Use::Text),
    ("environments.suffix", Use::Text),
    ("environments.image_pull_secret", Use::Text),
    ("environments.protected", Use::Text),
    ("limits.archive_bytes", Use::Number),
    ("limits.json_bytes", Use::Number),
    ("limits.header_bytes", Use::Number),
    ("limits.connections", Use::Number),
    ("limits.uploads_at_once", Use::Number),
    ("limits.actions_at_once", Use::Number),
    ("limits.idle_seconds", Use::Number),
    ("limits.upload_seconds", Use::Number),
    ("limits.shutdown_seconds", Use::Number),
    ("limits.lease_seconds", Use::Number),
    ("limits.call_seconds", Use::Number),
    ("limits.tick_seconds", Use::Number),
];

/// What must be configured for the keys of a section to have an effect.
pub(super) const NEEDS: [(&str, &str); 6] = [
    ("images.", "images.store = \"s3\""),
    ("tables.", "tables.store = \"dynamodb\""),
    ("catalog.", "catalog.store = \"mysql\""),
    ("git.token", "a git.url that begins with https://"),
    ("git.", "a git.url, and one of SSH if it is about keys"),
    ("argocd.", "git.url"),
];
