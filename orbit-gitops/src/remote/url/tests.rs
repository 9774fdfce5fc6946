use super::*;

#[test]
fn an_address_is_shown_as_it_is_written() {
    for text in [
        "https://gitlab.example.com/orbit/deployments.git",
        "https://gitlab.example.com:8443/a/b/c.git",
        "http://127.0.0.1:8080/a.git",
        "http://localhost/a.git",
        "http://[::1]:81/a.git",
        "ssh://git@gitlab.example.com/a.git",
        "ssh://git@gitlab.example.com:2222/a.git",
        "ssh://gitlab.example.com/a.git",
        "git@gitlab.example.com:orbit/deployments.git",
    ] {
        assert_eq!(text.parse::<RemoteUrl>().unwrap().to_string(), text);
    }
}

#[test]
fn a_secret_in_an_address_is_refused_and_never_repeated() {
    for text in [
        "https://oauth2:hunter2@gitlab.example.com/a.git",
        "https://:hunter2@gitlab.example.com/a.git",
        "https://hunter2@gitlab.example.com/a.git",
        "https://gitlab.example.com/a.git?private_token=hunter2",
        "https://gitlab.example.com/a.git#hunter2",
        "ssh://git:hunter2@gitlab.example.com/a.git",
        "git:hunter2@gitlab.example.com:a.git",
    ] {
        let refused = text.parse::<RemoteUrl>().unwrap_err();
        assert!(matches!(refused, UrlFault::Secret(_)), "{text}: {refused:?}");
        let said = format!("{refused} {refused:?}");
        assert!(!said.contains("hunter2") && refused.to_string().contains("token_file"), "{said}");
    }
}

#[test]
fn a_path_on_this_machine_is_refused() {
    for text in
        ["/srv/a.git", "a.git", "./a.git", "../a:b", "file:///srv/a.git", "C:\\a.git", "/a:b"]
    {
        assert_eq!(text.parse::<RemoteUrl>(), Err(UrlFault::Path), "{text}");
    }
}

#[test]
fn an_address_that_is_unclear_is_refused() {
    for text in [
        "ftp://gitlab.example.com/a.git",
        "git://gitlab.example.com/a.git",
        "ext::sh -c true",
        "host:path",
        "https://gitlab.example.com",
        "https:///a.git",
        "ssh://git@host",
        "ssh://git@/a.git",
        "ssh://-oProxyCommand=x/a.git",
        "ssh://git@host:0/a.git",
        "ssh://git@host:99999/a.git",
        "git@host:-a",
        "git@host:",
        "git@ho st:a",
        "https://host/a\nb",
        "",
    ] {
        let refused = text.parse::<RemoteUrl>();
        assert!(refused.is_err(), "{text}: {refused:?}");
    }
}

#[test]
fn a_token_goes_unencrypted_to_this_machine_only_unless_it_is_allowed() {
    let text = "http://gitlab.example.com/a.git";
    let host = "gitlab.example.com".to_owned();
    assert_eq!(text.parse::<RemoteUrl>(), Err(UrlFault::Unencrypted { host }));
    assert_eq!(RemoteUrl::unencrypted(text).unwrap().to_string(), text);
    for text in ["http://127.0.0.1.example.com/a.git", "http://localhost.example.com/a.git"] {
        assert!(matches!(text.parse::<RemoteUrl>(), Err(UrlFault::Unencrypted { .. })), "{text}");
    }
}

#[test]
fn the_user_of_an_address_wins() {
    let named: RemoteUrl = "ssh://jane@host:2222/a.git".parse().unwrap();
    assert_eq!(named.with_user("git"), named);
    assert_eq!(named.ssh_port(), Some(2222));
    let unnamed: RemoteUrl = "ssh://host/a.git".parse().unwrap();
    assert_eq!(unnamed.with_user("git").to_string(), "ssh://git@host/a.git");
    assert_eq!(unnamed.ssh_port(), Some(22));
}
