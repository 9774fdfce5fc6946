//! The process ids of the portal: who talks to whom at which step of an action.
//!
//! The values come from the mission's Legs and the portal's step tables; this module only gives
//! them a type. [`crate::event`] says which event carries which of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ident::text_type;

/// The text is not an identifier of the portal's process documents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a {what}, expected a form like {example}")]
pub struct ProcessFault {
    /// The text, cut to 64 characters.
    pub found: String,
    /// What it was read as.
    pub what: &'static str,
    /// A text in the right form.
    pub example: &'static str,
}

impl ProcessFault {
    fn new(text: &str, what: &'static str, example: &'static str) -> Self {
        Self { found: text.chars().take(64).collect(), what, example }
    }
}

/// What kind of thing a [`Node`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// A user, `usr`.
    User,
    /// A frontend microservice, `fms`.
    Frontend,
    /// A backend microservice, `bms`.
    Backend,
    /// A backend resource such as a bucket or table, `bre`.
    Resource,
}

impl NodeKind {
    const ALL: [Self; 4] = [Self::User, Self::Frontend, Self::Backend, Self::Resource];

    const fn letters(self) -> &'static str {
        match self {
            Self::User => "usr",
            Self::Frontend => "fms",
            Self::Backend => "bms",
            Self::Resource => "bre",
        }
    }
}

/// One end of a process: a user, a microservice (MID) or a backend resource (RID), `c20bre09`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Node {
    /// The component's number, 20 in `c20bre09`.
    pub component: u16,
    /// What it is.
    pub kind: NodeKind,
    /// Its number in the component, 9 in `c20bre09`.
    pub number: u16,
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}{}{:02}", self.component, self.kind.letters(), self.number)
    }
}

impl FromStr for Node {
    type Err = ProcessFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || ProcessFault::new(text, "MID, RID or user id", "c12bms03");
        let rest = text.strip_prefix('c').ok_or_else(fault)?;
        for kind in NodeKind::ALL {
            let Some((component, number)) = rest.split_once(kind.letters()) else { continue };
            let component = component.parse().map_err(|_| fault())?;
            let number = number.parse().map_err(|_| fault())?;
            let node = Self { component, kind, number };
            return if node.to_string() == text { Ok(node) } else { Err(fault()) };
        }
        Err(fault())
    }
}

/// The third part of a [`Pid`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// The step's place in its action, `e05`.
    Step(u16),
    /// An entry in the error log, as upload and search write it: `EEE`.
    Eee,
    /// An entry in the error log, as the later documents write it: `911`.
    Emergency,
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(number) => write!(f, "e{number:02}"),
            Self::Eee => f.write_str("EEE"),
            Self::Emergency => f.write_str("911"),
        }
    }
}

/// The id of one step: start, end and order, `c8bms15-c32bre03-e175`.
///
/// ```
/// use orbit_core::process::Pid;
/// let pid: Pid = "c56bms03-c16bre06-e50".parse()?;
/// assert_eq!(pid.end.component, 16);
/// assert_eq!(pid.to_string(), "c56bms03-c16bre06-e50");
/// # Ok::<(), orbit_core::process::ProcessFault>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pid {
    /// Where the step starts.
    pub start: Node,
    /// Where it ends.
    pub end: Node,
    /// Its place in the action.
    pub order: Order,
}
text_type!(Pid, ProcessFault);

impl Pid {
    /// Returns the same step with other resource numbers, as an environment has them.
    #[must_use]
    pub const fn with_end_number(mut self, number: u16) -> Self {
        self.end.number = number;
        self
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.start, self.end, self.order)
    }
}

impl FromStr for Pid {
    type Err = ProcessFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || ProcessFault::new(text, "PID", "c8fms03-c12bms03-e25");
        let mut parts = text.splitn(3, '-');
        let mut next = || parts.next().ok_or_else(fault);
        let (start, end) = (next()?.parse()?, next()?.parse()?);
        let order = match next()? {
            "EEE" => Order::Eee,
            "911" => Order::Emergency,
            step => {
                let number = step.strip_prefix('e').and_then(|n| n.parse().ok());
                Order::Step(number.ok_or_else(fault)?)
            }
        };
        let pid = Self { start, end, order };
        if pid.to_string() == text { Ok(pid) } else { Err(fault()) }
    }
}

/// A stage of the upload, `L8`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leg(u16);

impl Leg {
    /// Returns the leg's number, a multiple of four.
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "L{}", self.0)
    }
}

impl fmt::Debug for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Leg {
    type Err = ProcessFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.strip_prefix('L').and_then(|n| n.parse::<u16>().ok());
        match number {
            Some(n) if n > 0 && n % 4 == 0 && Self(n).to_string() == text => Ok(Self(n)),
            Some(_) | None => Err(ProcessFault::new(text, "Leg", "L8")),
        }
    }
}

/// A step of a leg, `L8P12`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part {
    /// The leg.
    pub leg: Leg,
    /// The part's number: 4, 8 or 12.
    pub number: u16,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}P{}", self.leg, self.number)
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Part {
    type Err = ProcessFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || ProcessFault::new(text, "Part", "L8P12");
        let (leg, number) = text.split_once('P').ok_or_else(fault)?;
        let number = match number {
            "4" => 4,
            "8" => 8,
            "12" => 12,
            _ => return Err(fault()),
        };
        Ok(Self { leg: leg.parse()?, number })
    }
}

/// The legs of the upload with the PIDs of their parts P4, P8 and P12, as the mission lists them.
///
/// Its second `L24` is `L28` here and its second `L44` is `L48`: a number names one leg.
pub const UPLOAD_LEGS: [(u16, [&str; 3]); 12] = [
    (4, ["c2usr03-c8fms03-e05", "c8fms03-c8bms06-e10", "c8bms06-c20bre27-e15"]),
    (8, ["c2usr03-c8fms03-e20", "c8fms03-c12bms03-e25", "c12bms03-c16bre03-e30"]),
    (12, ["c2usr03-c8fms03-e20", "c8fms03-c12bms03-e25", "c12bms03-c16bre06-e35"]),
    (16, ["c2usr03-c8fms03-e20", "c8fms03-c12bms06-e40", "c12bms06-c20bre06-e45"]),
    (20, ["c2usr03-c8fms03-e20", "c8fms03-c12bms06-e40", "c12bms06-c20bre12-e50"]),
    (24, ["c2usr03-c8fms03-e20", "c8fms03-c12bms06-e40", "c12bms06-c20bre15-e55"]),
    (28, ["c2usr03-c8fms03-e20", "c8fms03-c12bms09-e60", "c12bms09-c20bre03-e65"]),
    (32, ["c2usr03-c8fms03-e20", "c8fms03-c12bms09-e60", "c12bms09-c20bre06-e70"]),
    (36, ["c2usr03-c8fms03-e20", "c8fms03-c12bms09-e60", "c12bms09-c20bre09-e75"]),
    (40, ["c2usr03-c8fms03-e20", "c8fms03-c12bms09-e60", "c12bms09-c20bre21-e80"]),
    (44, ["c2usr03-c8fms03-e20", "c8fms03-c12bms09-e60", "c12bms09-c20bre24-e85"]),
    (48, ["c2usr03-c8fms03-e20", "c8fms03-c8bms06-e90", "c8bms06-c32bre03-e95"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_form_of_a_pid_survives_text() {
        for text in [
            "c2usr03-c8fms03-e05",
            "c8bms15-c20bre21-e190",
            "c8bms06-c20bre24-EEE",
            "c8bms18-c20bre24-911",
        ] {
            assert_eq!(text.parse::<Pid>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "c2usr03-c8fms03",
            "c2usr3-c8fms03-e05",
            "c2usr03-c8fms03-e5",
            "c2usr03-c8xyz03-e05",
            "c2usr03-c8fms03-e05-e05",
        ] {
            assert!(text.parse::<Pid>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_leg_of_the_upload_is_well_formed_and_named_once() {
        let mut last = 0;
        for (number, parts) in UPLOAD_LEGS {
            let leg: Leg = format!("L{number}").parse().unwrap();
            assert!(leg.number() > last);
            last = leg.number();
            for (part, pid) in [4, 8, 12].into_iter().zip(parts) {
                assert_eq!(
                    format!("{leg}P{part}").parse::<Part>().unwrap().to_string(),
                    format!("{leg}P{part}")
                );
                assert!(pid.parse::<Pid>().is_ok(), "{pid}");
            }
        }
        assert!("L6".parse::<Leg>().is_err());
        assert!("L8P5".parse::<Part>().is_err());
    }
}
