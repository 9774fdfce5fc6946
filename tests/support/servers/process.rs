//! A server as a process.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take to answer: several times what it takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How a server is started.
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    /// Where it keeps everything.
    pub(crate) dir: PathBuf,
    /// The port that clients use.
    pub(crate) port: u16,
    pub(crate) command: Box<dyn Fn() -> Command + Send + Sync>,
    /// A path that is answered with status 200 once the server is ready, or none if it is ready as
    /// soon as it takes connections.
    pub(crate) ready: Option<&'static str>,
    /// Whether it must be asked to end, because only then it keeps what it has.
    pub(crate) ends_when_asked: bool,
}

/// A server that runs until the value is dropped or the program ends, however that ends.
pub(crate) struct Server {
    spec: Spec,
    child: Mutex<Option<Child>>,
}

impl Server {
    /// Starts a server, and returns once it answers.
    pub(crate) fn start(spec: Spec) -> Self {
        let server = Self { spec, child: Mutex::new(None) };
        server.start_again();
        server
    }

    /// Returns `http://127.0.0.1:PORT`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.spec.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.spec.port
    }

    /// Ends the server: at once, as a crash does, if it keeps what it has over one.
    pub(crate) fn stop(&self) {
        let child = self.child.lock().unwrap().take();
        if let Some(mut child) = child {
            if self.spec.ends_when_asked {
                let pid = child.id().to_string();
                let sent = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid]).status();
                assert!(sent.unwrap().success());
            } else {
                child.kill().unwrap();
            }
            child.wait().unwrap();
        }
    }

    /// Starts the server on what it left, on the same ports.
    pub(crate) fn start_again(&self) {
        let command = (self.spec.command)();
        *self.child.lock().unwrap() = Some(spawn(&command, &self.spec.dir, self.spec.name));
        let begun = Instant::now();
        while !self.answers() {
            let log = || fs::read_to_string(self.spec.dir.join("log")).unwrap_or_default();
            let is_late = begun.elapsed() > PATIENCE;
            assert!(!is_late, "{} does not answer; it says:\n{}", self.spec.name, log());
            let ended = self.child.lock().unwrap().as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "{} ended; it says:\n{}", self.spec.name, log());
            thread::sleep(LOOK_EVERY);
        }
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.spec.port)) else {
            return false;
        };
        let Some(path) = self.spec.ready else { return true };
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let request = format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n");
        let mut answer = [0; 12];
        let answered =
            stream.write_all(request.as_bytes()).and_then(|()| stream.read_exact(&mut answer));
        answered.is_ok() && answer.ends_with(b" 200")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        drop(fs::remove_dir_all(&self.spec.dir));
    }
}

/// Returns a port that nothing listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Returns a new directory for a server, and removes those of programs that have ended.
pub(crate) fn new_dir(name: &str) -> PathBuf {
    static N_DIRS: AtomicU32 = AtomicU32::new(0);
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("servers");
    fs::create_dir_all(&all).unwrap();
    for entry in fs::read_dir(&all).unwrap().flatten() {
        let folder = entry.file_name().into_string().unwrap_or_default();
        let pid = folder.split('-').next().unwrap_or_default();
        if !Path::new("/proc").join(pid).exists() {
            // Another program may remove it at the same time.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
    let n = N_DIRS.fetch_add(1, Ordering::Relaxed);
    let dir = all.join(format!("{}-{name}-{n}", std::process::id()));
    fs::create_dir(&dir).unwrap();
    dir
}

/// A server that is to be started, and where its process goes.
type Order = (Command, mpsc::Sender<std::io::Result<Child>>);

/// Starts a process that the operating system kills when this program ends.
fn spawn(command: &Command, dir: &Path, name: &str) -> Child {
    // The signal comes when the thread ends that has started the process, so one thread starts all.
    static STARTER: LazyLock<Mutex<mpsc::Sender<Order>>> = LazyLock::new(|| {
        let (orders, queue) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, answer) in queue {
                answer.send(command.spawn()).unwrap();
            }
        });
        Mutex::new(orders)
    });
    let log = File::options().create(true).append(true).open(dir.join("log")).unwrap();
    let mut bound = Command::new("setpriv");
    bound.args(["--pdeathsig", "KILL", "--"]);
    bound.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        bound.env(name, value.unwrap());
    }
    // What a server leaves in the place for temporary files goes with its directory.
    bound.env("TMPDIR", dir).current_dir(dir).stdin(Stdio::null());
    bound.stdout(log.try_clone().unwrap()).stderr(log);
    let (answer, started) = mpsc::channel();
    STARTER.lock().unwrap().send((bound, answer)).unwrap();
    started.recv().unwrap().unwrap_or_else(|error| {
        assert_ne!(error.kind(), ErrorKind::NotFound, "setpriv is missing; ./test.sh installs it");
        panic!("{name} cannot be started: {error}")
    })
}
