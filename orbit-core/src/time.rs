//! Points in time as plain values: core knows no clock.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp as Instant;
use serde::{Deserialize, Serialize};

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
///
/// Values outside of the years -9999 to 9999 are clamped when they are rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Returns the point in time `ms` milliseconds after the epoch.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }

    /// Returns the milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Returns the whole seconds since the epoch.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Returns RFC 3339 in UTC with milliseconds, `2025-01-25T10:00:00.000Z`.
    pub fn rfc3339(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%S%.3fZ")
    }

    /// Returns `createdTimestampUTC`'s form, `2025-01-25 10:00:00`.
    pub fn utc(self) -> String {
        self.format("%Y-%m-%d %H:%M:%S")
    }

    /// Returns `createdTimestampUnix`'s form: the seconds since the epoch, as text.
    pub fn unix(self) -> String {
        self.seconds().to_string()
    }

    /// Returns the day as the portal shows it, `Jan 25, 2025`.
    pub fn day(self) -> String {
        self.format("%b %-d, %Y")
    }

    fn format(self, form: &str) -> String {
        let (first, last) = (Instant::MIN.as_second() + 1, Instant::MAX.as_second());
        let clamped = self.0.clamp(first * 1000, last * 1000);
        let instant = Instant::from_millisecond(clamped).expect("it was clamped to the range");
        instant.strftime(form).to_string()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// The text is not a point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected RFC 3339 such as 2025-01-25T10:00:00Z")]
pub struct TimeFault;

impl FromStr for Timestamp {
    type Err = TimeFault;

    /// Reads RFC 3339 with any offset, to the millisecond.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let instant: Instant = text.parse().map_err(|_| TimeFault)?;
        Ok(Self(instant.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_rendered_from_the_same_reading() {
        let at = Timestamp::from_millis(1_737_799_200_123);
        assert_eq!(at.rfc3339(), "2025-01-25T10:00:00.123Z");
        assert_eq!(at.utc(), "2025-01-25 10:00:00");
        assert_eq!(at.unix(), "1737799200");
        assert_eq!(at.day(), "Jan 25, 2025");
    }

    #[test]
    fn a_time_is_read_with_its_offset() {
        let at = Timestamp::from_millis(1_737_799_200_123);
        for text in ["2025-01-25T10:00:00.123Z", "2025-01-25T11:30:00.123+01:30"] {
            assert_eq!(text.parse(), Ok(at), "{text}");
        }
        for text in ["", "2025-01-25", "2025-01-25T10:00:00", "1737799200", "now"] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimeFault), "{text}");
        }
    }

    #[test]
    fn no_value_makes_rendering_fail() {
        assert!(Timestamp::from_millis(i64::MAX).rfc3339().starts_with("9999-"));
        assert!(Timestamp::from_millis(i64::MIN).rfc3339().starts_with("-9999-"));
    }
}
