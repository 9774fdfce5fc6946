//! The body of a request as it comes in, with limits on how slowly it may come.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Body;
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How much of a body nobody wants is read, so that the client sees the answer: 16 MiB.
const MAX_UNWANTED: usize = 16 << 20;
/// And for how long.
const MAX_UNWANTED_TIME: Duration = Duration::from_secs(5);

/// Why a body did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyFault {
    /// The client is silent.
    #[error("nothing came for {} seconds", .0.as_secs())]
    Silent(Duration),
    /// The client is slow.
    #[error("the body did not end within {} seconds", .0.as_secs())]
    Slow(Duration),
    /// The parts do not come.
    #[error("no part came within {0} bytes")]
    Shapeless(u64),
    /// The connection or the encoding of the body broke.
    #[error("the body was cut off")]
    Broken(#[source] BoxError),
}

/// How slowly a body may come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// How long the client may be silent.
    pub(crate) idle: Duration,
    /// How long the whole body may take.
    pub(crate) whole: Duration,
}

/// The body of a request. Copies share it, so that what a handler leaves can still be read.
///
/// It yields one chunk a turn even if more are there: the parser of multipart bodies takes all that
/// is ready into memory.
#[derive(Clone)]
pub(crate) struct Inflow(Arc<Mutex<Flow>>);

struct Flow {
    body: UnsyncBoxBody<Bytes, BoxError>,
    pace: Pace,
    silence: Pin<Box<Sleep>>,
    end: Pin<Box<Sleep>>,
    is_begun: bool,
    is_over: bool,
    rests: bool,
}

impl Inflow {
    /// Returns the stream of a body.
    pub(crate) fn new<B>(body: B, pace: Pace) -> Self
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self(Arc::new(Mutex::new(Flow {
            body: body.map_err(Into::into).boxed_unsync(),
            pace,
            silence: Box::pin(sleep(pace.idle)),
            end: Box::pin(sleep(pace.whole)),
            is_begun: false,
            is_over: false,
            rests: false,
        })))
    }

    /// Says whether all of the body was read, or cannot be.
    pub(crate) fn is_over(&self) -> bool {
        let flow = self.flow();
        flow.is_over || flow.body.is_end_stream()
    }

    /// Says whether anything was asked of the client yet.
    pub(crate) fn is_begun(&self) -> bool {
        self.flow().is_begun
    }

    /// Returns the least that the body says it has, in bytes.
    pub(crate) fn least(&self) -> u64 {
        self.flow().body.size_hint().lower()
    }

    /// Reads what nobody wants, up to a limit of bytes and time.
    pub(crate) async fn drain(mut self) {
        let reading = async {
            let mut left = MAX_UNWANTED;
            while let Some(Ok(chunk)) = self.next().await {
                let Some(rest) = left.checked_sub(chunk.len()) else { return };
                left = rest;
            }
        };
        // Whether it came to its end is of no interest.
        drop(timeout(MAX_UNWANTED_TIME, reading).await);
    }

    fn flow(&self) -> MutexGuard<'_, Flow> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flow {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyFault>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        if std::mem::take(&mut self.rests) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.begin();
        loop {
            return match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers are of no interest.
                    let Ok(chunk) = frame.into_data() else { continue };
                    self.rests = true;
                    self.silence.as_mut().reset(Instant::now() + self.pace.idle);
                    Poll::Ready(Some(Ok(chunk)))
                }
                Poll::Ready(Some(Err(error))) => self.break_off(BodyFault::Broken(error)),
                Poll::Ready(None) => {
                    self.is_over = true;
                    Poll::Ready(None)
                }
                Poll::Pending if self.silence.as_mut().poll(cx).is_ready() => {
                    self.break_off(BodyFault::Silent(self.pace.idle))
                }
                Poll::Pending if self.end.as_mut().poll(cx).is_ready() => {
                    self.break_off(BodyFault::Slow(self.pace.whole))
                }
                Poll::Pending => Poll::Pending,
            };
        }
    }

    /// Starts the clocks with the first read: until then the client may wait for us.
    fn begin(&mut self) {
        if !std::mem::replace(&mut self.is_begun, true) {
            self.silence = Box::pin(sleep(self.pace.idle));
            self.end = Box::pin(sleep_until(Instant::now() + self.pace.whole));
        }
    }

    fn break_off(&mut self, fault: BodyFault) -> Poll<Option<Result<Bytes, BodyFault>>> {
        self.is_over = true;
        Poll::Ready(Some(Err(fault)))
    }
}

impl Stream for Inflow {
    type Item = Result<Bytes, BodyFault>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.flow().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body_util::StreamBody;
    use hyper::body::Frame;

    use super::*;

    const PACE: Pace = Pace { idle: Duration::from_secs(60), whole: Duration::from_secs(60) };

    #[tokio::test]
    async fn a_body_comes_chunk_by_chunk() {
        let frames = ["a", "b"].map(|text| Ok::<_, Infallible>(Frame::data(Bytes::from(text))));
        let mut inflow = Inflow::new(StreamBody::new(stream::iter(frames)), PACE);
        assert!(!inflow.is_begun());
        let mut rest = inflow.clone();
        assert_eq!(inflow.next().await.unwrap().unwrap(), "a");
        assert!(!inflow.is_over());
        assert_eq!(rest.next().await.unwrap().unwrap(), "b");
        assert!(inflow.next().await.is_none());
        assert!(inflow.is_over());
    }

    #[tokio::test]
    async fn a_silent_client_is_not_waited_for() {
        let silence = stream::pending::<Result<Frame<Bytes>, Infallible>>();
        let idle = Duration::from_millis(1);
        let mut inflow = Inflow::new(StreamBody::new(silence), Pace { idle, ..PACE });
        assert!(matches!(inflow.next().await, Some(Err(BodyFault::Silent(_)))));
        assert!(inflow.is_over());
        assert!(inflow.next().await.is_none());
    }

    #[tokio::test]
    async fn a_broken_body_says_so() {
        let broken = [Err::<Frame<Bytes>, _>(std::io::Error::other("reset"))];
        let mut inflow = Inflow::new(StreamBody::new(stream::iter(broken)), PACE);
        assert!(matches!(inflow.next().await, Some(Err(BodyFault::Broken(_)))));
    }
}
