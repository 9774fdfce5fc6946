//! The clock and the random source of the operating system.

use std::time::{SystemTime, UNIX_EPOCH};

use orbit_core::Timestamp;
use orbit_core::port::{Clock, Entropy, Kind, PortError};

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    /// Returns the present; a clock that stands before 1970 shows 1970.
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that others take")]
        let now = SystemTime::now();
        let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The operating system's random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), PortError> {
        getrandom::fill(bytes).map_err(|fault| {
            let message = format!("the operating system gives no random bytes: {fault}");
            PortError::new(Kind::Unavailable, message)
        })
    }
}

/// Draws 128 random bits, written as 32 hex digits: the id of an installation, or the name of a write.
///
/// # Errors
/// `Unavailable` if there is no random source.
pub fn draw_name() -> Result<String, PortError> {
    let mut bytes = [0; 16];
    SystemEntropy.fill(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_past_the_day_it_was_written() {
        assert!(SystemClock.now() > Timestamp::from_millis(1_735_689_600_000));
    }

    #[test]
    fn no_two_names_are_the_same() {
        let names = [draw_name().unwrap(), draw_name().unwrap()];
        assert_ne!(names[0], names[1]);
        assert!(names.iter().all(|name| name.len() == 32));
    }
}
