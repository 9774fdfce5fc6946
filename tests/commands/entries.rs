//! Entries that may be added or taken out, whatever else is in the list.

use super::{Checkout, DELETE, DEPLOY, ENTRY, silent};

#[test]
fn an_entry_is_checked_however_much_is_wrong_with_the_others() {
    let checkout = Checkout::new();
    let faulty: String = (0..1500).map(|n| format!("- name: \"a{n}\"\n")).collect();
    checkout.write(DEPLOY, &faulty);
    let said = checkout.add(DEPLOY, &["name=z", "imageVersion=1"]);
    assert!(said.status == 1 && said.err.contains(":1501:3: entry has no imageUID"), "{said:?}");
    assert_eq!(checkout.text(DEPLOY), faulty);
    let said = checkout.add(DEPLOY, &[&["name=z"], &ENTRY[..]].concat());
    assert_eq!(said.status, 0, "{said:?}");

    let said = checkout.orbit(&["lint", DEPLOY]);
    assert!(said.out.ends_with("those that may follow are not shown\n"), "{said:?}");
}

#[test]
fn an_entry_with_several_wrong_keys_is_mended_key_by_key() {
    let checkout = Checkout::new().deployed("trolls");
    let text = checkout.text(DEPLOY).replace("v0-0-01", "one").replace("docker.io", "Docker_io");
    checkout.write(DEPLOY, &text);
    let said = checkout.add(DEPLOY, &["name=trolls", "imageVersion=two"]);
    assert!(said.status == 1 && said.err.contains("imageVersion: "), "{said:?}");
    assert!(!said.err.contains("image: "), "{said:?}");
    for pair in [ENTRY[1], ENTRY[4]] {
        let said = checkout.add(DEPLOY, &["name=trolls", pair]);
        assert_eq!(said.status, 0, "{said:?}");
    }
    assert_eq!(checkout.orbit(&["lint", DEPLOY]), silent(0));
}

#[test]
fn an_entry_that_has_its_values_is_unchanged_and_nothing_more_is_said() {
    let checkout = Checkout::new();
    checkout.write(DEPLOY, "- name: \"up\"\n");
    let said = checkout.add(DEPLOY, &["name=up"]);
    assert_eq!(said.out, format!("up unchanged in {DEPLOY}\n"));
}

#[test]
fn a_key_that_nobody_means_is_refused() {
    let checkout = Checkout::new();
    for (pair, reason) in [
        ("=x", ": key is empty"),
        (" team=x", " team: key has blanks around it"),
        ("te\nam=x", "te\\u{a}am: key has blanks around it or control characters"),
        ("imageUid=x", "imageUid: no such key, imageUID is meant"),
        ("Name=x", "Name: no such key, name is meant"),
    ] {
        let said = checkout.add(DEPLOY, &["name=up", pair]);
        assert!(said.status == 1 && said.err.starts_with(reason), "{said:?}");
    }
}

#[test]
fn an_entry_of_any_name_can_be_taken_out() {
    let checkout = Checkout::new();
    checkout.write(DEPLOY, "- name: \"A b\\n\"\n- name: \"\"\n- name: \"c\"\n");
    let said = checkout.orbit(&["list", "remove", DEPLOY, "A b\n", ""]);
    assert_eq!((said.status, said.out), (0, format!("A b\\u{{a}},  removed from {DEPLOY}\n")));
    assert_eq!(checkout.text(DEPLOY), "- name: \"c\"\n");
}

#[test]
fn what_is_foreign_forges_no_line() {
    let checkout = Checkout::new();
    let name = "a\\nb\\u202e";
    checkout.write("a\nb.yaml", format!("- name: \"{name}\"\n- name: \"{name}\"\n"));
    let said = checkout.orbit(&["lint", "a\nb.yaml"]);
    assert!(said.out.lines().all(|line| line.starts_with("a\\u{a}b.yaml:")), "{said:?}");
    let expected = "name a\\u{a}b\\u{202e} stands twice";
    assert!(said.out.contains(expected), "{said:?}");
    checkout.write("hi.yaml", "- name: \"a\"\n  imageName: \"हिन्दी\"\n");
    assert!(checkout.orbit(&["list", "show", "hi.yaml"]).out.ends_with("a     हिन्दी\n"));
}

#[test]
fn a_name_in_both_lists_is_told_with_both_paths_whatever_it_is_called() {
    let checkout = Checkout::new();
    checkout.write(DEPLOY, "- name: \"the deploy list\"\n");
    checkout.write(DELETE, "- name: \"the deploy list\"\n");
    let said = checkout.orbit(&["lint", DEPLOY]);
    let expected = format!("{DELETE}:1:9: the deploy list is also in {DEPLOY}, line 1\n");
    assert!(said.out.ends_with(&expected), "{said:?}");
}
