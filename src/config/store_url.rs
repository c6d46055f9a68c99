//! The address of a database: what is shown of it has no password.

use super::Shown;
use crate::domain::fault::Fault;
use std::fmt;

pub(super) const NAME: &str = "store.url";
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
const HIDDEN: &str = "***";

/// `postgres://…`; prints without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl(String);

impl StoreUrl {
    /// Reads an address that was typed.
    ///
    /// # Errors
    /// `invalid_params` for what is none.
    pub fn typed(text: &str) -> Result<Self, Fault> {
        if SCHEMES.iter().any(|scheme| text.starts_with(scheme)) {
            return Ok(Self(text.to_owned()));
        }
        Err(Fault::invalid(
            NAME,
            "is no address of a database such as postgres://user@host/eyas; without one, the home has its own",
        ))
    }

    /// Reads what is set, and takes the password out of what is shown.
    pub(super) fn take(found: &mut [Shown]) -> Result<Option<Self>, Fault> {
        let Some(shown) = found.iter_mut().find(|shown| shown.name == NAME) else {
            return Ok(None);
        };
        let Some(text) = shown.value.as_str() else {
            return Ok(None);
        };
        let url = Self::typed(text)?;
        shown.value = url.to_string().into();
        Ok(Some(url))
    }

    /// With the password.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("", &self.0));
        let (before, query) = match rest.split_once('?') {
            Some((before, query)) => (before, Some(query)),
            None => (rest, None),
        };
        // A password that was not percent-encoded as it should be may hold any of `@`, `/` and `:`.
        match before.rsplit_once('@') {
            Some((user, place)) => match user.split_once(':') {
                Some((user, _)) => write!(f, "{scheme}://{user}:{HIDDEN}@{place}")?,
                None => write!(f, "{scheme}://{user}@{place}")?,
            },
            None => write!(f, "{scheme}://{before}")?,
        }
        let Some(query) = query else { return Ok(()) };
        // One with a `?` of its own would have its end here.
        if query.contains('@') {
            return write!(f, "?{HIDDEN}");
        }
        for (n, pair) in query.split('&').enumerate() {
            let mark = if n == 0 { '?' } else { '&' };
            match pair.split_once('=') {
                Some((name @ ("host" | "port" | "dbname" | "user" | "sslmode"), value)) => {
                    write!(f, "{mark}{name}={value}")?;
                }
                Some((name, _)) => write!(f, "{mark}{name}={HIDDEN}")?,
                None => write!(f, "{mark}{HIDDEN}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown_wherever_it_stands() {
        for (url, shown) in [
            (
                "postgres://me:secret@host:5432/eyas",
                "postgres://me:***@host:5432/eyas",
            ),
            ("postgres://me@host/eyas", "postgres://me@host/eyas"),
            (
                "postgresql:///eyas?host=/run/pg&password=secret",
                "postgresql:///eyas?host=/run/pg&password=***",
            ),
            (
                "postgres://me:se@cr/e:t@host/eyas",
                "postgres://me:***@host/eyas",
            ),
        ] {
            assert_eq!(StoreUrl(url.to_owned()).to_string(), shown);
        }
        let odd = StoreUrl("postgres://me:a?secret@host/eyas".to_owned());
        assert!(!format!("{odd:?}").contains("secret"), "{odd:?}");
    }
}
