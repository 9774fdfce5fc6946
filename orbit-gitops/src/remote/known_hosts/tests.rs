use super::*;

const ED25519: &str = "ssh-ed25519";
const RSA: &str = "ssh-rsa";

/// Returns a key of a type, in the form of the protocol.
fn key(kind: &str, n: u8) -> Vec<u8> {
    let mut key = u32::try_from(kind.len()).unwrap().to_be_bytes().to_vec();
    key.extend(kind.as_bytes());
    key.extend([n; 32]);
    key
}

fn line(names: &str, kind: &str, n: u8) -> String {
    format!("{names} {kind} {} a comment\n", BASE64.encode(&key(kind, n)))
}

#[test]
fn only_a_key_in_the_file_is_known() {
    let file = line("gitlab.example.com,10.0.0.1", ED25519, 1) + &line("other", ED25519, 2);
    let look = |host, kind, n| look_up(&file, host, 22, &key(kind, n));
    assert_eq!(look("gitlab.example.com", ED25519, 1), Verdict::Known);
    assert_eq!(look("GitLab.Example.com", ED25519, 1), Verdict::Known);
    assert_eq!(look("10.0.0.1", ED25519, 1), Verdict::Known);
    assert_eq!(look("gitlab.example.com", ED25519, 2), Verdict::Changed { line: 1 });
    assert_eq!(look("other", ED25519, 1), Verdict::Changed { line: 2 });
    let types = vec![ED25519.to_owned()];
    assert_eq!(look("other", RSA, 2), Verdict::OtherType { types });
    assert_eq!(look("unheard.of", ED25519, 1), Verdict::Unknown);
    assert_eq!(look_up("", "other", 22, &key(ED25519, 2)), Verdict::Unknown);
}

#[test]
fn a_port_is_part_of_the_name_unless_it_is_the_usual_one() {
    let file = line("[host]:2222", ED25519, 1) + &line("host", ED25519, 2);
    assert_eq!(look_up(&file, "host", 2222, &key(ED25519, 1)), Verdict::Known);
    assert_eq!(look_up(&file, "host", 22, &key(ED25519, 2)), Verdict::Known);
    assert_eq!(look_up(&file, "host", 2222, &key(ED25519, 2)), Verdict::Changed { line: 1 });
    assert_eq!(look_up(&file, "host", 2223, &key(ED25519, 1)), Verdict::Unknown);
}

#[test]
fn a_name_may_be_hashed() {
    // What `ssh-keygen -H` made of `gitlab.example.com`, with a key of ours.
    let mut mac = Hmac::<Sha1>::new_from_slice(b"01234567890123456789").unwrap();
    mac.update(b"gitlab.example.com");
    let hash = BASE64.encode(&mac.finalize().into_bytes());
    let names = format!("|1|{}|{hash}", BASE64.encode(b"01234567890123456789"));
    let file = line(&names, ED25519, 1);
    assert_eq!(look_up(&file, "gitlab.example.com", 22, &key(ED25519, 1)), Verdict::Known);
    assert_eq!(look_up(&file, "gitlab.example.org", 22, &key(ED25519, 1)), Verdict::Unknown);
}

#[test]
fn a_revoked_key_is_refused_wherever_else_it_stands() {
    let file = line("host", ED25519, 1) + "@revoked " + &line("*", ED25519, 1);
    assert_eq!(look_up(&file, "host", 22, &key(ED25519, 1)), Verdict::Revoked { line: 2 });
}

#[test]
fn an_authority_or_a_broken_line_makes_no_key_known() {
    let file = format!(
        "@cert-authority {}# {}host {ED25519}\nhost {ED25519} !!!\nhost {RSA} {}\n\n",
        line("host", ED25519, 1),
        line("host", ED25519, 1),
        BASE64.encode(&key(ED25519, 1)),
    );
    assert_eq!(look_up(&file, "host", 22, &key(ED25519, 1)), Verdict::Unknown);
}

#[test]
fn patterns_and_exceptions_are_read() {
    let file = line("*.example.com,!bad.example.com,h?st", ED25519, 1);
    let look = |host| look_up(&file, host, 22, &key(ED25519, 1));
    assert_eq!(look("a.example.com"), Verdict::Known);
    assert_eq!(look("host"), Verdict::Known);
    assert_eq!(look("bad.example.com"), Verdict::Unknown);
    assert_eq!(look("example.com"), Verdict::Unknown);
    assert_eq!(look("hst"), Verdict::Unknown);
}
