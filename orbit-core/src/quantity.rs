//! Ports, replicas and resource limits, parsed from the texts of a form.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ident::text_type;

/// The most replicas of one deployment: a slip of the keyboard must not order a cluster full of pods.
const MAX_REPLICAS: u32 = 1_000;
/// The longest quantity; the largest one that Kubernetes keeps has 19 digits.
const MAX_QUANTITY: usize = 32;
/// The suffixes of a Kubernetes quantity.
const SUFFIXES: [&str; 16] =
    ["n", "u", "m", "", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
/// The suffixes below one unit.
const FRACTIONS: [&str; 3] = ["n", "u", "m"];

/// Why a value is not the quantity it was read as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityFault {
    /// The text is outside of what the type holds.
    #[error("{what} is {found:?}, expected {expected}")]
    Form {
        /// What the text was read as.
        what: &'static str,
        /// The text, or its beginning.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The JSON value is neither a number nor a text.
    #[error("found {found}, expected a number or a text")]
    Kind {
        /// The kind of value it is.
        found: &'static str,
    },
}

impl QuantityFault {
    fn form(what: &'static str, text: &str, expected: &'static str) -> Self {
        Self::Form { what, found: text.chars().take(MAX_QUANTITY).collect(), expected }
    }
}

/// Returns the text of a JSON number or string: forms send either.
///
/// # Errors
/// [`QuantityFault::Kind`] for any other value.
///
/// ```
/// use orbit_core::quantity::{Port, text_of};
/// use serde_json::json;
/// for value in [json!(8080), json!("8080")] {
///     assert_eq!(text_of(&value)?.parse::<Port>()?.to_string(), "8080");
/// }
/// # Ok::<(), orbit_core::quantity::QuantityFault>(())
/// ```
pub fn text_of(value: &Value) -> Result<String, QuantityFault> {
    let found = match value {
        Value::Number(number) => return Ok(number.to_string()),
        Value::String(text) => return Ok(text.clone()),
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Err(QuantityFault::Kind { found })
}

/// Reads a type from a JSON number or string through `FromStr`.
macro_rules! number_or_text {
    ($type:ident) => {
        impl TryFrom<Value> for $type {
            type Error = QuantityFault;
            fn try_from(value: Value) -> Result<Self, QuantityFault> {
                text_of(&value)?.parse()
            }
        }
    };
}

/// A TCP port, 1 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "u16")]
pub struct Port(u16);
number_or_text!(Port);

impl Port {
    /// The port of an image whose form names none: the base template's.
    pub const DEFAULT: Self = Self(80);

    /// Returns the number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Port {
    type Err = QuantityFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let port = digits(text).and_then(|number| u16::try_from(number).ok());
        let port = port.filter(|&port| port > 0).map(Self);
        port.ok_or_else(|| QuantityFault::form("port", text, "a number from 1 to 65535"))
    }
}

impl From<Port> for u16 {
    fn from(port: Port) -> Self {
        port.0
    }
}

/// The number of a deployment's pods, 0 to 1000; none keeps the deployment but stops it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "u32")]
pub struct Replicas(u32);
number_or_text!(Replicas);

impl Replicas {
    /// Returns the number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for Replicas {
    /// Returns one.
    fn default() -> Self {
        Self(1)
    }
}

impl fmt::Display for Replicas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Replicas {
    type Err = QuantityFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = digits(text).filter(|&number| number <= MAX_REPLICAS).map(Self);
        number.ok_or_else(|| {
            QuantityFault::form("number of replicas", text, "a number from 0 to 1000")
        })
    }
}

impl From<Replicas> for u32 {
    fn from(replicas: Replicas) -> Self {
        replicas.0
    }
}

/// A limit of processor time as a Kubernetes quantity, `100m` or `0.5`, kept as it was given.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "String")]
pub struct Cpu(String);
number_or_text!(Cpu);
text_type!(Cpu, QuantityFault);

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Cpu {
    type Err = QuantityFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "a positive Kubernetes quantity such as 100m or 0.5";
        if quantity_suffix(text).is_none() {
            return Err(QuantityFault::form("CPU limit", text, expected));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A limit of memory as a Kubernetes quantity, `256Mi` or `1Gi`, kept as it was given.
///
/// The suffixes below one are refused although Kubernetes reads them: `256m` is a quarter of a
/// byte, and whoever writes it means megabytes.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "String")]
pub struct Memory(String);
number_or_text!(Memory);
text_type!(Memory, QuantityFault);

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Memory {
    type Err = QuantityFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "a positive Kubernetes quantity such as 256Mi or 1Gi";
        if quantity_suffix(text).is_none_or(|suffix| FRACTIONS.contains(&suffix)) {
            return Err(QuantityFault::form("memory limit", text, expected));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Reads plain digits: `u32::from_str` alone would also take a sign.
fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Returns the suffix of an unsigned quantity above zero, or `None` if `text` is not one: digits with
/// at most one point, then a suffix or a power of ten, `1e3`.
fn quantity_suffix(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let power = suffix.strip_prefix(['e', 'E']).filter(|power| !power.is_empty());
    let is_sound = text.len() <= MAX_QUANTITY
        && number.bytes().filter(|&byte| byte == b'.').count() <= 1
        && number.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
        && power.map_or_else(|| SUFFIXES.contains(&suffix), is_power);
    is_sound.then_some(suffix)
}

/// Returns whether `power` is an exponent of at most two digits; more is beyond all that
/// Kubernetes keeps.
fn is_power(power: &str) -> bool {
    let digits = power.strip_prefix(['+', '-']).unwrap_or(power);
    matches!(digits.len(), 1..=2) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_port_is_a_number_from_1_to_65535() {
        assert_eq!("65535".parse::<Port>().unwrap().get(), 65535);
        for text in ["", "0", "65536", "-1", "+80", " 80", "80.0", "8_0", "http", "٣"] {
            let fault = text.parse::<Port>().unwrap_err().to_string();
            assert_eq!(fault, format!("port is {text:?}, expected a number from 1 to 65535"));
        }
    }

    #[test]
    fn replicas_end_at_a_thousand() {
        assert_eq!("0".parse::<Replicas>().unwrap().get(), 0);
        assert_eq!("1000".parse::<Replicas>().unwrap().get(), 1000);
        for text in ["1001", "-1", "", "99999999999"] {
            assert!(text.parse::<Replicas>().is_err(), "{text}");
        }
    }

    #[test]
    fn quantities_follow_the_grammar_of_kubernetes() {
        for text in ["100m", "0.5", "1", ".5", "1.", "2e3", "1E", "1E-2", "12e+6", "250u"] {
            assert_eq!(text.parse::<Cpu>().unwrap().to_string(), text);
        }
        for text in ["256Mi", "1Gi", "128974848", "129e6", "0.5Gi", "1k"] {
            assert_eq!(text.parse::<Memory>().unwrap().to_string(), text);
        }
        let wrong =
            ["", "m", "0", "0.0Gi", "-1", "+1", "1.2.3", "1 Gi", "1GB", "1K", "1e", "1e999"];
        for text in wrong {
            assert!(text.parse::<Cpu>().is_err(), "{text}");
            assert!(text.parse::<Memory>().is_err(), "{text}");
        }
        assert!("1".repeat(33).parse::<Memory>().is_err());
        assert!("256m".parse::<Memory>().is_err());
    }

    #[test]
    fn numbers_and_texts_are_read_alike_and_written_as_one_form() {
        for value in [json!(80), json!("80")] {
            let port: Port = serde_json::from_value(value).unwrap();
            assert_eq!(serde_json::to_value(port).unwrap(), json!(80));
        }
        for value in [json!(0.5), json!("0.5")] {
            let cpu: Cpu = serde_json::from_value(value).unwrap();
            assert_eq!(serde_json::to_value(cpu).unwrap(), json!("0.5"));
        }
        for value in [json!(null), json!(true), json!([80]), json!({}), json!(-1), json!(1.5)] {
            assert!(serde_json::from_value::<Replicas>(value.clone()).is_err(), "{value}");
        }
    }
}
