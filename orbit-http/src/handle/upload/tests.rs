use std::convert::Infallible;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use http_body_util::{Full, StreamBody};
use hyper::body::{Body, Frame};
use hyper::header::HeaderValue;

use super::*;
use crate::inflow::Pace;

const METADATA: &str = "--x\r\nContent-Disposition: form-data; name=\"metadata\"\r\n\r\n{}\r\n";
const IMAGE: &str = "--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.tar\"\r\n\
                     Content-Type: application/x-tar\r\n\r\n";

fn pace() -> Pace {
    Pace { idle: Duration::from_secs(60), whole: Duration::from_secs(60) }
}

fn parts_of<B>(body: B) -> Multipart<'static>
where
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    Multipart::new(Inflow::new(body, pace()), "x")
}

fn parts(text: &str) -> Multipart<'static> {
    parts_of(Full::new(Bytes::from(text.to_owned())))
}

/// Reads an upload like the handler does, up to the bytes of the archive.
async fn read(mut parts: Multipart<'static>, max: u64) -> Result<Vec<u8>, String> {
    let problem = |problem: Problem| problem.error_type().to_owned();
    metadata(&mut parts, 100).await.map_err(problem)?;
    let field = image_part(&mut parts).await.map_err(problem)?;
    let chunks: Result<Vec<Bytes>, PortError> =
        archive(parts, field, Allowance::new(AROUND), max).try_collect().await;
    let chunks = chunks.map_err(|error| error.error_type().unwrap_or_default().to_owned())?;
    Ok(chunks.concat())
}

#[tokio::test]
async fn the_archive_is_what_stands_in_the_second_part() {
    let text = format!("{METADATA}{IMAGE}tar\r\n-bytes\r\n--x--\r\n");
    assert_eq!(read(parts(&text), 100).await.unwrap(), b"tar\r\n-bytes");
}

#[tokio::test]
async fn bytes_that_come_one_by_one_are_the_same() {
    let text = format!("{METADATA}{IMAGE}tar\r\n--\r\n--x--\r\n");
    let frames: Vec<_> = text
        .into_bytes()
        .into_iter()
        .map(|byte| Ok::<_, Infallible>(Frame::data(Bytes::from(vec![byte]))))
        .collect();
    let body = StreamBody::new(stream::iter(frames));
    assert_eq!(read(parts_of(body), 100).await.unwrap(), b"tar\r\n--");
}

#[tokio::test]
async fn a_body_whose_parts_do_not_come_is_broken_off() {
    let allowance = Allowance::new(1000);
    let endless = stream::iter(std::iter::repeat_n(vec![b'a'; 100], 50))
        .map(|bytes| Ok::<_, Infallible>(Frame::data(Bytes::from(bytes))));
    let body = allowance.limit(Inflow::new(StreamBody::new(endless), pace()));
    let read: Vec<_> = body.take_while(|chunk| std::future::ready(chunk.is_ok())).collect().await;
    assert_eq!(read.len(), 10);
    let endless = stream::iter(std::iter::repeat_n(vec![b'a'; 100], 50))
        .map(|bytes| Ok::<_, Infallible>(Frame::data(Bytes::from(bytes))));
    let body = allowance.limit(Inflow::new(StreamBody::new(endless), pace()));
    allowance.lift();
    let read: Vec<_> = body.take_while(|chunk| std::future::ready(chunk.is_ok())).collect().await;
    assert_eq!(read.len(), 50);
}

#[tokio::test]
async fn what_is_wrong_with_an_upload_has_a_name() {
    let cases = [
        (format!("{IMAGE}x\r\n--x--\r\n"), "invalid-request"),
        (format!("{METADATA}--x--\r\n"), "invalid-request"),
        (format!("{METADATA}{METADATA}--x--\r\n"), "invalid-request"),
        ("no parts".to_owned(), "invalid-request"),
        (METADATA.replace("{}", &" ".repeat(101)) + IMAGE, "limit-exceeded"),
        (format!("{METADATA}{IMAGE}0123456789\r\n--x--\r\n"), ""),
        (format!("{METADATA}{IMAGE}0123456789a\r\n--x--\r\n"), "limit-exceeded"),
        (format!("{METADATA}{IMAGE}01234"), "upload-incomplete"),
        (format!("{METADATA}{IMAGE}01234\r\n--x"), "upload-incomplete"),
        (format!("{METADATA}{IMAGE}01234\r\n{METADATA}--x--\r\n"), "part-unexpected"),
    ];
    for (text, expected) in cases {
        let found = read(parts(&text), 10).await.err().unwrap_or_default();
        assert_eq!(found, expected, "{text}");
    }
}

/// A body that breaks off, by the connection or by silence, after these bytes.
fn broken(
    text: String,
    end: impl Stream<Item = Result<Frame<Bytes>, std::io::Error>> + Send + 'static,
    pace: Pace,
) -> Multipart<'static> {
    let begin = stream::once(async { Ok(Frame::data(Bytes::from(text))) });
    Multipart::new(Inflow::new(StreamBody::new(begin.chain(end)), pace), "x")
}

#[tokio::test]
async fn a_client_that_goes_away_fails_the_upload() {
    let reset = stream::once(async { Err(std::io::Error::other("reset")) });
    let bytes = stream::iter(b"tar").map(|byte| Ok(Frame::data(Bytes::from(vec![*byte]))));
    let parts = broken(format!("{METADATA}{IMAGE}"), bytes.chain(reset), pace());
    assert_eq!(read(parts, 10).await, Err("upload-incomplete".to_owned()));
}

#[tokio::test]
async fn a_client_that_falls_silent_fails_the_upload() {
    let idle = Duration::from_millis(1);
    let silent = || (stream::pending(), Pace { idle, ..pace() });
    let (end, pace) = silent();
    let parts = broken(format!("{METADATA}{IMAGE}tar"), end, pace);
    assert_eq!(read(parts, 10).await, Err("upload-too-slow".to_owned()));
    let (end, pace) = silent();
    let parts = broken("--x\r\n".to_owned(), end, pace);
    assert_eq!(read(parts, 10).await, Err("body-too-slow".to_owned()));
}

#[test]
fn an_upload_is_a_form_with_a_boundary() {
    for (content_type, expected) in [
        ("multipart/form-data; boundary=x", Some("x")),
        ("multipart/form-data", None),
        ("multipart/mixed; boundary=x", None),
        ("application/json", None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        assert_eq!(boundary(&headers).ok().as_deref(), expected, "{content_type}");
    }
    assert!(boundary(&HeaderMap::new()).is_err());
}
