use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Values as manifests have them: maps, lists, texts and whole numbers.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<String>().prop_map(Value::from),
        "[-+.:0-9a-fnoxyeE_~ #]{0,6}".prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from);
        let key = prop_oneof![any::<String>(), "[-.0-9a-zA-Z_]{0,5}"];
        let map = proptest::collection::btree_map(key, inner, 0..4);
        prop_oneof![list, map.prop_map(|map| Value::Object(map.into_iter().collect()))]
    })
}

proptest! {
    #[test]
    fn every_value_is_read_back_from_its_quoted_text(value in values()) {
        let text = quoted(&value);
        prop_assert_eq!(serde_saphyr::from_str::<Value>(&text).unwrap(), value, "{}", text);
    }

    #[test]
    fn nothing_but_ascii_and_letters_reaches_a_quoted_text(text in any::<String>()) {
        let is_plain = |c: char| matches!(c, ' '..='~') || c.is_alphanumeric();
        prop_assert!(quote(&text).chars().all(is_plain));
    }
}

#[test]
fn a_document_has_one_layout() {
    let value = json!({
        "a": {"no": "on", "b": []},
        "c": [{"d": 1, "e": {}}, ["f", []], null, true],
    });
    let expected = "\
a:
  b: []
  \"no\": \"on\"
c:
- d: 1
  e: {}
- - \"f\"
  - []
- null
- true
";
    assert_eq!(quoted(&value), expected);
}

#[test]
fn what_cannot_be_seen_is_written_by_its_number() {
    let text = "é\u{1}\u{85}\u{202e}\u{2028}\u{feff}\u{1f600}\"\\\n\r\t";
    let expected = r#""é\x01\x85\u202E\u2028\uFEFF\U0001F600\"\\\n\r\t""#;
    assert_eq!(quote(text), expected);
}

/// As kubectl 1.37 prints these keys.
#[test]
fn keys_are_in_the_order_of_kustomize() {
    let ordered = [
        "-z", ".y", "_x", "1", "01", "001", "2", "10", "A", "B", "a", "a-1", "a.b", "a_b", "a1",
        "a9", "a10", "a100", "aa", "b",
    ];
    let map = ordered.iter().map(|&key| (key.to_owned(), Value::Null)).collect();
    let keys: Vec<_> = in_order(&map).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ordered);
}

#[test]
fn keys_without_an_order_do_no_harm() {
    let keys = ["2", "10", "1a", "99999999999999999999", "0x1", "1_0", "01a"];
    let map = keys.iter().map(|&key| (key.to_owned(), Value::Null)).collect();
    assert_eq!(in_order(&map).len(), keys.len());
}
