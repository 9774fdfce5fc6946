use super::*;

#[test]
fn unsafe_paths_are_refused() {
    for (name, reason) in [
        ("/etc/passwd", "it is absolute"),
        ("a/../../b", "a component is '..'"),
        ("..", "a component is '..'"),
        ("a//b", "a component is empty"),
        ("a/./b", "a component is '.'"),
        ("", "it is empty"),
    ] {
        let archive = ended(&[entry(name, b'0', b"")]);
        refused(&archive, &format!("{name:?}"), Situation::Path(reason));
    }
    let with_nul = ended(&[pax(&[("path", "a\0/../b")]), entry("a", b'0', b"")]);
    refused(&with_nul, "\"a\\0/../b\"", Situation::Path("it holds NUL"));
    let latin = ended(&[raw(b"\xe9", b'0', b"0", b"")]);
    refused(&latin, "\"\u{fffd}\"", Situation::Path("it is not UTF-8"));
}

#[test]
fn a_component_or_path_beyond_its_limit_is_refused() {
    let long = |name: &str| {
        let content = [name.as_bytes(), b"\0"].concat();
        ended(&[entry("././@LongLink", b'L', &content), entry("a", b'0', b"")])
    };
    let shown = format!("\"{}…\"", "c".repeat(100));
    let component = Situation::Limit { name: "bytes of path component", max: 255 };
    refused(&long(&"c".repeat(256)), &shown, component);
    let path = Situation::Limit { name: "bytes of extended header", max: 4097 };
    refused(&long(&"c/".repeat(2049)), "tar header at byte 0", path);
}

#[test]
fn links_out_of_the_archive_and_devices_are_refused() {
    let outside = "the target of a link is outside of the archive";
    for (flag, target) in [(b'2', "../../a"), (b'1', "../a"), (b'2', "b/../../../a")] {
        refused(&ended(&[link("a/b", flag, target)]), "\"a/b\"", Situation::Path(outside));
    }
    let absolute = "the target of a link is empty or absolute";
    refused(&ended(&[link("a", b'2', "/etc")]), "\"a\"", Situation::Path(absolute));
    for (flag, what) in [(b'3', "character device"), (b'4', "block device"), (b'6', "fifo")] {
        refused(&ended(&[entry("a", flag, b"")]), "\"a\"", Situation::Kind(what));
    }
    let first = "tar header at byte 0";
    refused(&ended(&[entry("a", b'S', b"")]), first, Situation::Kind("sparse file"));
    refused(&ended(&[entry("a", b'7', b"")]), first, Situation::Kind("entry of an unknown type"));
    let sparse = ended(&[pax(&[("GNU.sparse.major", "1")]), entry("a", b'0', b"")]);
    refused(&sparse, first, Situation::Kind("sparse file"));
}

#[test]
fn a_name_that_occurs_twice_is_refused() {
    let twice = ended(&[entry("a", b'0', b"1"), entry("b", b'0', b"2"), entry("./a", b'0', b"3")]);
    refused(&twice, "\"./a\"", Situation::DuplicateEntry);
    let directory = ended(&[entry("a", b'0', b"1"), entry("a/", b'5', b"")]);
    refused(&directory, "\"a/\"", Situation::DuplicateEntry);
}

#[test]
fn a_pax_size_other_than_the_headers_is_refused() {
    let archive = ended(&[pax(&[("size", "1024")]), entry("a", b'0', b"four")]);
    let situation = Situation::PaxSize { pax: 1024, header: 4 };
    refused(&archive, "tar header at byte 1024", situation);
    let same = ended(&[pax(&[("size", "4")]), entry("a", b'0', b"four")]);
    refused(&same, "archive", Situation::NotAnImage);
}

#[test]
fn malformed_pax_headers_are_refused() {
    for (content, reason) in [
        ("path=a\n", "a record has no length"),
        ("x path=a\n", "a record's length is no number"),
        ("+11 path=ab\n", "a record's length is no number"),
        ("099 path=a\n", "a record's length is no number"),
        ("99 path=a\n", "a record is longer than its header"),
        ("99999999999999999999999 path=a\n", "a record's length is no number"),
        ("10 path=ab", "a record does not end with a line feed"),
        ("1 path=a\n", "a record does not end with a line feed"),
        ("6 =ab\n", "a record has no key"),
        ("6 key\n", "a record has no key"),
        ("9 a\0b=cd\n", "a key holds NUL"),
        ("10 path=a\n10 path=b\n", "a key stands there twice"),
        ("8 path=\n", "a path is empty"),
        ("11 size=-1\n", "the size is no number"),
    ] {
        let archive = ended(&[entry("pax", b'x', content.as_bytes()), entry("a", b'0', b"")]);
        refused(&archive, "tar header at byte 0", Situation::Pax(reason));
    }
    let global = ended(&[entry("pax", b'g', b"10 path=a\n"), entry("a", b'0', b"")]);
    let reason = "a path, link or size for all entries";
    refused(&global, "tar header at byte 0", Situation::Pax(reason));
    let twice = ended(&[pax(&[("mtime", "1")]), pax(&[("mtime", "1")]), entry("a", b'0', b"")]);
    let reason = "two extended headers of a kind for one entry";
    refused(&twice, "tar header at byte 1024", Situation::Header(reason));
    let dangling = ended(&[pax(&[("mtime", "1")])]);
    let reason = "an extended header without an entry";
    refused(&dangling, "tar header at byte 1024", Situation::Header(reason));
}

#[test]
fn tricks_with_gnu_long_names_are_refused() {
    let long = |content: &[u8]| entry("././@LongLink", b'L', content);
    let file = || entry("a", b'0', b"");
    let first = "tar header at byte 0";
    let hidden = ended(&[long(b"shown\0../hidden\0"), file()]);
    refused(&hidden, first, Situation::LongName("text follows after its end"));
    refused(&ended(&[long(b"\0"), file()]), first, Situation::LongName("it is empty"));
    let both = ended(&[long(b"one\0"), pax(&[("path", "another")]), file()]);
    let reason = "a PAX name stands beside it";
    refused(&both, "tar header at byte 2048", Situation::LongName(reason));
    let huge = ended(&[raw(b"long", b'L', b"77777777777", b"")]);
    let limit = Situation::Limit { name: "bytes of extended header", max: 4097 };
    refused(&huge, first, limit);
    let up = ended(&[long(b"a/../../b\0"), file()]);
    refused(&up, "\"a/../../b\"", Situation::Path("a component is '..'"));
}

#[test]
fn malformed_headers_are_refused() {
    let header = |change: fn(&mut Vec<u8>)| {
        let mut header = entry("a", b'0', b"");
        change(&mut header);
        ended(&[header])
    };
    let sealed = |change: fn(&mut Vec<u8>)| {
        let mut header = entry("a", b'0', b"");
        change(&mut header);
        seal(&mut header);
        ended(&[header])
    };
    for (archive, reason) in [
        (header(|header| header[0] = b'b'), "the checksum is wrong"),
        (header(|header| header[150] = b'x'), "the checksum is no number"),
        (sealed(|header| header[124] = b'8'), "the size is no number"),
        (sealed(|header| header[124] = 0xff), "the size is no number"),
        (sealed(|header| header[257] = b'U'), "the magic is unknown"),
        (
            sealed(|header| header.splice(508.., *b"tar\0").for_each(drop)),
            "the star format is not read",
        ),
    ] {
        refused(&archive, "tar header at byte 0", Situation::Header(reason));
    }
    let endless = sealed(|header| {
        header[124..136].copy_from_slice(b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff");
    });
    refused(&endless, "\"a\"", Situation::Header("the size is beyond any archive's"));
    let full = ended(&[entry("a", b'5', b"content")]);
    refused(&full, "\"a\"", Situation::Header("only a file may have content"));
}

#[test]
fn an_archive_that_ends_early_or_late_is_refused() {
    let whole = docker_archive(&ImageSpec::default());
    refused(b"", "archive", Situation::Truncated);
    refused(&whole[..100], "tar header at byte 0", Situation::Truncated);
    let name = files(&whole)[0].0.clone();
    refused(&whole[..600], &format!("{name:?}"), Situation::Truncated);
    refused(&whole[..whole.len() - 512], "archive", Situation::Truncated);
    refused(&whole[..whole.len() - 1024], "archive", Situation::Truncated);
    let late = [&whole, &b"\0\0x"[..]].concat();
    let place = format!("tar header at byte {}", whole.len() + 2);
    refused(&late, &place, Situation::Trailing);
    let one_zero = [&whole[..whole.len() - 512], &entry("a", b'0', b"")].concat();
    let place = format!("tar header at byte {}", whole.len() - 512);
    refused(&one_zero, &place, Situation::Trailing);
}

#[test]
fn too_many_bytes_entries_or_names_are_refused() {
    let whole = docker_archive(&ImageSpec::default());
    let limit = |limits: Limits| inspect_within(limits, &whole).unwrap_err().to_string();
    let default = Limits::default();
    assert_eq!(
        limit(Limits { archive: 1000, ..default }),
        "archive: exceeds the limit of 1000 bytes of archive"
    );
    let config = files(&whole)[1].0.clone();
    assert_eq!(
        limit(Limits { entries: 2, ..default }),
        format!("tar header at byte {}: exceeds the limit of 2 tar entries", 512 + 2048 + 1024),
    );
    assert_eq!(
        limit(Limits { names: 80, ..default }),
        format!("{config:?}: exceeds the limit of 80 bytes of names")
    );
}

#[test]
fn what_is_wrong_inside_a_layer_is_named_with_both_names() {
    let bad = ended(&[entry("etc/../../up", b'0', b"")]);
    let archive = docker_with(&bad, &config_of(&[Digest::of(&bad)]));
    let reason = Situation::Path("a component is '..'");
    refused(&archive, "\"etc/../../up\" in \"layer\"", reason);
    let size = ended(&[pax(&[("size", "9")]), entry("a", b'0', b"four")]);
    let archive = docker_with(&size, &config_of(&[Digest::of(&size)]));
    let situation = Situation::PaxSize { pax: 9, header: 4 };
    refused(&archive, "tar header at byte 1024 in \"layer\"", situation);
    let cut = &ImageSpec::default().layers[0].tar()[..515];
    let archive = docker_with(cut, &config_of(&[Digest::of(cut)]));
    refused(&archive, "\"etc/hostname\" in \"layer\"", Situation::Truncated);
}

#[test]
fn a_malformed_tar_that_no_image_names_is_no_fault() {
    let bad = ended(&[entry("a/../b", b'0', b"")]);
    let archive = [entry("other", b'0', &bad), docker_archive(&ImageSpec::default())].concat();
    assert_eq!(inspect(&archive).unwrap().layers.len(), 1);
}

#[test]
fn text_of_the_archive_is_shown_on_one_harmless_line() {
    let archive = ended(&[entry("a\n\u{202e}\u{1b}[31m//b", b'0', b"")]);
    let message = inspect(&archive).unwrap_err().to_string();
    assert_eq!(message, r#""a\n\u{202e}\u{1b}[31m//b": unsafe path, a component is empty"#);
}
