//! The address of a database, with the name and the password of who asks.

use std::fmt;
use std::str::FromStr;

use sqlx::mysql::MySqlConnectOptions;

/// The database of an address that names none.
const DEFAULT_DATABASE: &str = "app_image_mql_3203_dtb_k8d_aws";
/// The properties that an address may have. sqlx ignores one that it does not know, and who misspells
/// `ssl-mode` would have no TLS.
const PROPERTIES: [&str; 9] = [
    "ssl-mode", "sslmode", "ssl-ca", "sslca", "ssl-cert", "sslcert", "ssl-key", "sslkey", "socket",
];

/// The address of a database: `mysql://USER:PASSWORD@HOST:PORT/DATABASE?ssl-mode=VERIFY_IDENTITY`.
///
/// Special characters in the name and the password are percent-encoded. Without a path the database is
/// `app_image_mql_3203_dtb_k8d_aws`. The password is never shown.
///
/// ```
/// use orbit_store::MySqlUrl;
/// let url: MySqlUrl = "mysql://orbit:p%40ss@db.example.com:3307/images".parse()?;
/// assert_eq!(url.to_string(), "database images on db.example.com:3307");
/// # Ok::<(), orbit_store::MySqlUrlFault>(())
/// ```
#[derive(Clone)]
pub struct MySqlUrl {
    /// As it was given.
    text: String,
    options: MySqlConnectOptions,
    database: String,
}

/// Why a text is not the address of a database. The text itself is not shown: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MySqlUrlFault {
    /// It begins otherwise.
    #[error("expected mysql://USER:PASSWORD@HOST:PORT/DATABASE")]
    Scheme,
    /// Its query has a property that nothing reads.
    #[error("has the property {found:?}, expected one of {}", PROPERTIES.join(", "))]
    Property {
        /// The property's name.
        found: String,
    },
    /// Its database has a name that a server does not take.
    #[error("names a database of {found} characters, expected 1 to 64 without a slash and @")]
    Database {
        /// How many characters it has.
        found: usize,
    },
    /// It is not an address, or a property has a value that is not one of its values.
    #[error("is not an address of a database: {reason}")]
    Address {
        /// What is wrong.
        reason: String,
    },
}

impl FromStr for MySqlUrl {
    type Err = MySqlUrlFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.starts_with("mysql://") && !text.starts_with("mariadb://") {
            return Err(MySqlUrlFault::Scheme);
        }
        check_properties(text)?;
        let options: MySqlConnectOptions =
            text.parse().map_err(|fault| MySqlUrlFault::Address { reason: reason(&fault) })?;
        let database = options.get_database().unwrap_or(DEFAULT_DATABASE).to_owned();
        let length = database.chars().count();
        // A slash or an @ is one of a password that is not encoded, so that all was read wrongly.
        if length > 64 || database.contains(['/', '@', '\0']) {
            return Err(MySqlUrlFault::Database { found: length });
        }
        Ok(Self { text: text.to_owned(), options: options.database(&database), database })
    }
}

impl MySqlUrl {
    /// Returns the name of the database.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Returns how to connect to the database.
    pub(super) fn options(&self) -> MySqlConnectOptions {
        self.options.clone()
    }

    fn host(&self) -> String {
        match self.options.get_socket() {
            None => format!("{}:{}", self.options.get_host(), self.options.get_port()),
            Some(socket) => socket.display().to_string(),
        }
    }
}

impl fmt::Display for MySqlUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "database {} on {}", self.database, self.host())
    }
}

impl fmt::Debug for MySqlUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlUrl")
            .field("database", &self.database)
            .field("host", &self.host())
            .finish_non_exhaustive()
    }
}

impl PartialEq for MySqlUrl {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for MySqlUrl {}

fn check_properties(text: &str) -> Result<(), MySqlUrlFault> {
    let text = text.split_once('#').map_or(text, |(before, _)| before);
    let Some((_, query)) = text.split_once('?') else { return Ok(()) };
    for property in query.split('&').filter(|property| !property.is_empty()) {
        let name = property.split('=').next().unwrap_or_default();
        if !PROPERTIES.contains(&name) {
            if query.contains('@') {
                let reason = "a ? comes before the host; in a password it is %3F".to_owned();
                return Err(MySqlUrlFault::Address { reason });
            }
            return Err(MySqlUrlFault::Property { found: name.to_owned() });
        }
    }
    Ok(())
}

fn reason(fault: &sqlx::Error) -> String {
    fault.to_string().trim_start_matches("error with configuration: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_a_path_means_the_database_of_the_mission() {
        for text in ["mysql://orbit@db", "mysql://orbit@db/", "mariadb://orbit@db:3306"] {
            let url: MySqlUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), format!("database {DEFAULT_DATABASE} on db:3306"));
        }
    }

    #[test]
    fn a_password_is_read_and_never_shown() {
        let url: MySqlUrl = "mysql://orbit:orbit%27s%20secret@db/images".parse().unwrap();
        assert!(!format!("{url:?} {url}").contains("secret"));
        let other: MySqlUrl = "mysql://orbit:another@db/images".parse().unwrap();
        assert_ne!(url, other);
        assert_eq!(url, url.clone());
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        let long = format!("mysql://a:hidden@db/{}", "d".repeat(65));
        for (text, expected) in [
            ("postgres://a:hidden@db", "expected mysql://USER"),
            ("hidden", "expected mysql://USER"),
            ("mysql://a:hidden@db:port", "is not an address of a database: invalid port number"),
            ("mysql://a:hidden@db/x?sslMode=REQUIRED", "has the property \"sslMode\", expected"),
            ("mysql://a:hidden@db/x?ssl-mode=maybe", "is not an address of a database: unknown"),
            ("mysql://a:hidden@db/x/y", "names a database of 3 characters"),
            ("mysql://a:1/hidden@db", "names a database of 9 characters"),
            (
                "mysql://a:b?hidden@db/x",
                "is not an address of a database: a ? comes before the host",
            ),
            ("mysql://a:b@c?hidden=1@db", "is not an address of a database: a ? comes before"),
            (&long, "names a database of 65 characters"),
        ] {
            let fault = text.parse::<MySqlUrl>().unwrap_err().to_string();
            assert!(fault.starts_with(expected), "{text}: {fault}");
            assert!(!fault.contains("hidden"), "{fault}");
        }
    }
}
