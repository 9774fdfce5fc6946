//! The server: connections, their limits, and its end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use orbit_core::Orbit;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tracing::{debug, error, warn};

use crate::app::App;
use crate::respond::respond;
use crate::settings::{Limits, Settings};
use crate::stop::Stop;

/// How long to wait when the system has no more files or memory for a connection.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// A server that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    orbit: Orbit,
    settings: Settings,
}

impl Server {
    /// Returns a server on an installation, with its address bound.
    ///
    /// # Errors
    /// The system's, if the address cannot be bound.
    pub async fn bind(orbit: Orbit, settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.listen).await?;
        Ok(Self { listener, orbit, settings })
    }

    /// Returns the address that it listens on.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers requests and drives actions until `end` is ready.
    ///
    /// Then no connection is accepted any more, running requests end, and every action stops between
    /// two steps, to be resumed by the next start; what takes longer than the limit is broken off,
    /// which loses nothing either.
    pub async fn run(self, end: impl Future<Output = ()> + Send) {
        let Self { listener, orbit, settings } = self;
        let (stopper, stop) = Stop::new();
        let (app, queue) = App::new(orbit, &settings, stop);
        let mut worker = JoinSet::new();
        worker.spawn(Arc::clone(&app.worker).run(queue));
        let mut connections = Connections::new(app, settings.limits.connections);
        tokio::select! {
            () = end => {}
            () = connections.accept(&listener) => {}
            Some(result) = worker.join_next() => tell_of_worker(&result),
        }
        drop(listener);
        stopper.stop();
        wind_up(connections, worker, settings.limits.shutdown).await;
    }
}

/// Without its worker a server takes actions that nobody drives, so it ends too.
fn tell_of_worker(result: &Result<(), JoinError>) {
    error!(?result, "The worker ended by itself, so the server ends");
}

fn tell_of_panic(result: Result<(), JoinError>) {
    if let Err(error) = result {
        error!(%error, "A connection was broken off by a fault of the server");
    }
}

/// Waits for what is running, up to a limit.
async fn wind_up(connections: Connections, mut worker: JoinSet<()>, limit: Duration) {
    let ending = async {
        connections.end().await;
        while worker.join_next().await.is_some() {}
    };
    if timeout(limit, ending).await.is_err() {
        warn!("What did not end in time is broken off");
    }
}

/// The connections of a server.
struct Connections {
    app: Arc<App>,
    http: http1::Builder,
    graceful: GracefulShutdown,
    permits: Arc<Semaphore>,
    tasks: JoinSet<()>,
}

impl Connections {
    fn new(app: Arc<App>, at_once: usize) -> Self {
        Self {
            http: http(&app.limits),
            app,
            graceful: GracefulShutdown::new(),
            permits: Arc::new(Semaphore::new(at_once.min(Semaphore::MAX_PERMITS))),
            tasks: JoinSet::new(),
        }
    }

    /// Accepts connections for ever.
    async fn accept(&mut self, listener: &TcpListener) {
        // The semaphore is never closed.
        while let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await {
            match listener.accept().await {
                Ok((stream, peer)) => self.spawn(stream, peer, permit),
                Err(error) => pause(&error).await,
            }
            while let Some(result) = self.tasks.try_join_next() {
                tell_of_panic(result);
            }
        }
    }

    fn spawn(&mut self, stream: TcpStream, peer: SocketAddr, permit: OwnedSemaphorePermit) {
        let (app, http, watcher) =
            (Arc::clone(&self.app), self.http.clone(), self.graceful.watcher());
        self.tasks.spawn(async move {
            if let Err(error) = serve(app, &http, stream, watcher).await {
                debug!(%peer, %error, "A connection broke");
            }
            drop(permit);
        });
    }

    /// Ends every connection after its running request.
    async fn end(self) {
        let Self { graceful, mut tasks, .. } = self;
        graceful.shutdown().await;
        while tasks.join_next().await.is_some() {}
    }
}

async fn pause(error: &io::Error) {
    warn!(%error, "A connection was not accepted");
    sleep(EXHAUSTED).await;
}

fn http(limits: &Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.idle)
        .max_header_size(limits.header_bytes);
    http
}

async fn serve(
    app: Arc<App>,
    http: &http1::Builder,
    stream: TcpStream,
    watcher: Watcher,
) -> hyper::Result<()> {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "A connection will be slower than it could be");
    }
    let service = service_fn(|request| {
        let app = Arc::clone(&app);
        async move { Ok::<_, Infallible>(respond(&app, request).await) }
    });
    watcher.watch(http.serve_connection(TokioIo::new(stream), service)).await
}
